"""Evaluations are counted if asked, and reported through the absence of a server: none is lost, and none counts twice."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from esclusa import Counting, Flags
from esclusa.sync import Failure, Http

pytest.importorskip("urllib3")

ROWS = json.dumps(
    [
        {"name": "crm", "enabled": True},
        {"name": "off", "enabled": False},
        {"name": "colour", "enabled": True, "variants": [{"key": "red", "value": 1, "weight": 1}]},
    ]
)


class Server(ThreadingHTTPServer):
    """Takes reports, or answers with another status."""

    status: ClassVar[int] = 204
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/usage"

    def counted(self) -> dict[tuple[str, str | None, str], int]:
        """What stands: of a process, flag, variant, reason and minute the highest count."""
        highest: dict[tuple[str, ...], int] = {}
        for body in self.bodies:
            for count in body["counts"]:
                place = (body["process"], count["flag"], count["variant"], count["reason"], count["minute"])
                highest[place] = max(highest.get(place, 0), count["count"])
        sums: dict[tuple[str, str | None, str], int] = {}
        for (_, flag, variant, reason, _), count in highest.items():
            sums[flag, variant, reason] = sums.get((flag, variant, reason), 0) + count
        return sums


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert (self.path, self.headers["Content-Type"]) == ("/v1/usage", "application/json")
        assert self.headers["Authorization"] == "Bearer esc_server"
        if server.status < 500:
            server.bodies.append(json.loads(body))
        self.send_response(server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def flags() -> Flags:
    flags = Flags()
    flags.publish(ROWS)
    return flags


def http(url: str) -> Http:
    return Http(url, token="esc_server", timeout=5)


def test_each_evaluation_is_counted_by_flag_variant_and_reason(flags: Flags, server: Server) -> None:
    counting = flags.counting()
    reporting = counting.report(http(server.url))

    def work() -> None:
        for _ in range(1000):
            assert counting.is_enabled("crm", {"user": "ana"})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counting.is_enabled("gone", default=True) is True
    assert (counting.value("colour"), counting.variant("colour")) == (1, "red")
    assert counting.resolve("off").reason == "DISABLED"
    reporting.flush()
    assert server.counted() == {
        ("crm", "on", "STATIC"): 4000,
        ("gone", None, "ERROR"): 1,
        ("colour", "red", "STATIC"): 2,
        ("off", "off", "DISABLED"): 1,
    }
    assert (reporting.reported.taken, reporting.reported.waiting, reporting.reported.dropped) == (1, 0, 0)
    # Nothing new is nothing to send.
    reporting.flush()
    assert len(server.bodies) == 1
    reporting.close()


def test_an_outage_loses_nothing_and_counts_nothing_twice(
    flags: Flags, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000_020.0
    monkeypatch.setattr(time, "time", lambda: now)
    counting = flags.counting()
    reporting = counting.report(http(server.url))
    counting.is_enabled("crm")
    reporting.flush()
    for minute in range(1, 4):
        now += 60
        # The first of these reports arrives, and its answer does not.
        monkeypatch.setattr(Server, "status", 429 if minute == 1 else 503)
        for _ in range(100):
            counting.is_enabled("crm")
        with pytest.raises(Failure):
            reporting.flush()
        assert reporting.reported.waiting == minute * 100
    assert reporting.reported.problem is not None
    monkeypatch.setattr(Server, "status", 204)
    reporting.flush()
    assert server.counted() == {("crm", "on", "STATIC"): 301}
    assert {count["minute"] for body in server.bodies for count in body["counts"]} == {
        "2001-09-09T01:47:00Z",
        "2001-09-09T01:48:00Z",
    }
    now += 60
    counting.is_enabled("crm")
    reporting.flush()
    assert server.counted() == {("crm", "on", "STATIC"): 302}
    # A report that is wrong is not sent for ever.
    monkeypatch.setattr(Server, "status", 400)
    counting.is_enabled("crm")
    with pytest.raises(Failure):
        reporting.flush()
    assert (reporting.reported.waiting, reporting.reported.dropped) == (0, 1)
    reporting.close()


def test_names_from_callers_take_no_more_room_than_there_is(flags: Flags, server: Server) -> None:
    counting = flags.counting()
    reporting = counting.report(http(server.url))
    for key in range(10_500):
        counting.is_enabled(f"key-{key}")
    counting.is_enabled("x" * 201)
    reporting.flush()
    assert len(server.counted()) == 10_000
    assert sum(body["dropped"] for body in server.bodies) == 501
    assert len(server.bodies) == 6
    reporting.close()


def test_a_sample_counts_as_many_as_it_stands_for(flags: Flags, server: Server) -> None:
    counting = flags.counting(one_in=10)
    reporting = counting.report(http(server.url))
    for _ in range(100_000):
        counting.is_enabled("crm")
    reporting.flush()
    # 10 standard deviations: the root of 100,000 times 0.1 times 0.9, times 10.
    assert abs(server.counted()["crm", "on", "STATIC"] - 100_000) < 10_000
    reporting.close()
    for wrong in (0, -1, True, 1.5):
        with pytest.raises(ValueError, match="expected a whole number from 1 on"):
            flags.counting(one_in=wrong)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_reports_what_it_has_counted_itself(flags: Flags, server: Server) -> None:
    counting = flags.counting()
    reporting = counting.report(http(server.url))
    for _ in range(5):
        counting.is_enabled("crm")
    child = os.fork()
    if child == 0:
        try:
            counting.is_enabled("crm")
            reporting.flush()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    reporting.flush()
    assert server.counted() == {("crm", "on", "STATIC"): 6}
    assert len({body["process"] for body in server.bodies}) == 2
    reporting.close()


def test_counts_are_reported_once(flags: Flags, server: Server) -> None:
    counting = flags.counting()
    assert isinstance(counting, Counting)
    reporting = counting.report(http(server.url))
    with pytest.raises(RuntimeError, match="reported already"):
        counting.report(http(server.url))
    reporting.close()
    counting.report(http(server.url)).close()
