"""HTTP: events, proxies, connections that are kept, certificates, deadlines, forks and the end of the interpreter."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, Loopback, document, needs_loopback, until
from relay import Handler, answering, certificate, proxy, serving

from esclusa import Flags
from esclusa.sync import NOT_MODIFIED, Answer, Failure, Http, Policy, Request

pytestmark = [
    needs_loopback,
    pytest.mark.usefixtures("no_thread_left"),
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]

# Only what is told is in time: the clock alone would be far too late.
TOLD = Policy(interval=3600, jitter=0, backoff_min=0.02, backoff_max=0.05, spread=0.01)
BODY = document(1, crm=True).encode()
_revision = 0


def publish(loopback: Loopback, **flags: bool) -> int:
    global _revision
    _revision += 1
    loopback.tell(snapshot=document(_revision, **flags))
    return _revision


def listeners(loopback: Loopback) -> int:
    count: int = loopback.tell(counts=True)["listeners"]
    return count


def told(loopback: Loopback, **options: Any) -> Http:
    return Http(loopback.url, events=loopback.places["events_url"], **options)


def plain(_: Handler) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, BODY


def test_an_event_is_news_and_closing_ends_the_stream(loopback: Loopback) -> None:
    publish(loopback, crm=False)
    flags = Flags()
    with flags.sync(told(loopback), policy=TOLD):
        until(lambda: listeners(loopback) == 1)
        for enabled in [True, False] * 10:
            revision = publish(loopback, crm=enabled)
            until(lambda revision=revision: flags.revision == revision)  # type: ignore[misc]
        assert flags.status().failures == 0
    until(lambda: listeners(loopback) == 0)


def test_from_url_listens_and_dropped_flags_do_not(loopback: Loopback) -> None:
    publish(loopback, crm=False)
    flags = Flags.from_url(loopback.url, events=loopback.places["events_url"], policy=TOLD)
    until(lambda: listeners(loopback) == 1)
    revision = publish(loopback, crm=True)
    until(lambda: flags.revision == revision)
    del flags
    until(lambda: listeners(loopback) == 0)


def test_a_stream_that_falls_silent_is_cut_off_and_opened_again(loopback: Loopback) -> None:
    publish(loopback, crm=False)
    clock = Policy(interval=1.0, jitter=0, spread=0.01)
    flags = Flags.from_source(told(loopback, heartbeat=0.4), policy=clock)
    loopback.tell(heartbeat_ms=100)
    try:
        until(lambda: listeners(loopback) == 1)
        opened = loopback.counts()["events"]
        loopback.tell(events="silent")
        revision = publish(loopback, crm=True)
        # Only the clock can have said so.
        until(lambda: flags.revision == revision)
        until(lambda: loopback.counts()["events"] > opened)
        loopback.tell(events="speaking")
        revision = publish(loopback, crm=False)
        until(lambda: flags.revision == revision)
    finally:
        loopback.tell(heartbeat_ms=15_000)
    assert flags.status().failures == 0


def test_heartbeats_keep_a_stream_open(loopback: Loopback) -> None:
    publish(loopback, crm=False)
    loopback.tell(heartbeat_ms=50)
    try:
        flags = Flags.from_source(told(loopback, heartbeat=0.5), policy=TOLD)
        until(lambda: listeners(loopback) == 1)
        opened = loopback.counts()["events"]
        time.sleep(1.5)
        revision = publish(loopback, crm=True)
        until(lambda: flags.revision == revision)
        assert loopback.counts()["events"] == opened
    finally:
        loopback.tell(heartbeat_ms=15_000)


def test_a_stream_that_ends_is_asked_behind_and_opened_again(loopback: Loopback) -> None:
    publish(loopback, crm=False)
    flags = Flags.from_source(told(loopback, heartbeat=0.3), policy=Policy(interval=1.5, jitter=0, spread=0.01))
    until(lambda: listeners(loopback) == 1)
    opened = loopback.counts()["events"]
    loopback.tell(events="end")
    until(lambda: loopback.counts()["events"] > opened)
    revision = publish(loopback, crm=True)
    until(lambda: flags.revision == revision)


def test_what_is_no_stream_is_said_once_and_the_clock_goes_on(
    loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    revision = publish(loopback, crm=False)
    source = Http(loopback.url, events=loopback.url + "?key=a-secret", heartbeat=0.05)
    before = loopback.counts()
    flags = Flags.from_source(source, policy=QUICK)
    until(lambda: loopback.counts()["not_modified"] > before["not_modified"] + 10)
    said = [record.message for record in caplog.records if "no events of" in record.message]
    assert len(said) == 1 and "expected text/event-stream" in said[0] and "a-secret" not in said[0]
    assert flags.revision == revision and flags.status().failures == 0


def test_the_token_goes_to_the_stream_too(loopback: Loopback) -> None:
    publish(loopback, crm=False)
    loopback.tell(authorization="Bearer a-secret")
    try:
        flags = Flags.from_source(told(loopback, token=lambda: "a-secret"), policy=TOLD)
        until(lambda: listeners(loopback) == 1)
        revision = publish(loopback, crm=True)
        until(lambda: flags.revision == revision)
    finally:
        loopback.tell(authorization=None)


FORKING = """
import os, sys, time
from esclusa import Flags

def until(what):
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)

flags = Flags.from_url(sys.argv[1], events=sys.argv[2], interval=3600)
assert flags.ready(60)
child = os.fork()
until(lambda: flags.is_enabled("crm"))
if child != 0:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_has_a_stream_of_its_own_and_both_end_well(loopback: Loopback) -> None:
    publish(loopback, crm=False)
    command = [sys.executable, "-c", FORKING, loopback.url, loopback.places["events_url"]]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: listeners(loopback) == 2)
        publish(loopback, crm=True)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in said, said


LOCKED = """
import os, sys
from esclusa.sync import Http, Request

source = Http(sys.argv[1])
source.fetch(Request())
[client] = source._access._clients.values()
# As if a thread were in the middle of taking a connection: in the copy it is there no more.
client.connection_from_url(sys.argv[1]).pool.mutex.acquire()
child = os.fork()
if child != 0:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
else:
    source.fetch(Request())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_waits_for_no_lock_of_a_thread_that_it_does_not_have(loopback: Loopback) -> None:
    publish(loopback, crm=True)
    outcome = subprocess.run([sys.executable, "-c", LOCKED, loopback.url], timeout=60, capture_output=True, text=True)
    assert (outcome.returncode, "Traceback" in outcome.stderr) == (0, False), outcome.stderr


ENDING = """
import sys, threading, time
from esclusa import Flags
flags = Flags.from_url(sys.argv[1], events=sys.argv[2], interval=3600)
assert flags.ready(60)
while not any(thread.name == "esclusa-events" for thread in threading.enumerate()):
    time.sleep(0.001)
time.sleep(float(sys.argv[3]))
"""


@pytest.mark.parametrize("seconds", [0, 0.02, 0.3])
def test_the_interpreter_ends_with_a_stream_open(loopback: Loopback, seconds: float) -> None:
    publish(loopback, crm=True)
    loopback.tell(heartbeat_ms=1)
    try:
        command = [sys.executable, "-X", "dev", "-c", ENDING, loopback.url, loopback.places["events_url"], str(seconds)]
        for _ in range(3):
            began = time.monotonic()
            outcome = subprocess.run(command, capture_output=True, text=True, timeout=60)
            # It may end while a connection is being opened: the system closes that, and the development mode says so.
            said = [line for line in outcome.stderr.splitlines() if "ResourceWarning: unclosed <socket" not in line]
            assert (outcome.returncode, said) == (0, [])
            assert time.monotonic() - began < 20
    finally:
        loopback.tell(heartbeat_ms=15_000)


APP = """
import os
from esclusa import Flags

flags = Flags.from_url(os.environ["AT"], events=os.environ["EVENTS"], interval=3600)
flags.ready(60)

def app(environ, start_response):
    body = f"{os.getpid()} {flags.revision}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_workers_of_a_preloaded_app_hear_of_a_change(loopback: Loopback, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        at = listener.getsockname()[1]
    publish(loopback, crm=False)
    environment = {**os.environ, "AT": loopback.url, "EVENTS": loopback.places["events_url"]}
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--bind", f"127.0.0.1:{at}", "app:app"]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    workers = dict[bytes, bytes]()

    def all_have(revision: int) -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        for _ in range(8):
            try:
                with socket.create_connection(("127.0.0.1", at), 10) as asking:
                    asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    answer = b""
                    while piece := asking.recv(4096):
                        answer += piece
                pid, had = answer.rpartition(b"\r\n\r\n")[2].split()
                workers[pid] = had
            except (OSError, ValueError):
                return False
        return len(workers) == 2 and set(workers.values()) == {str(revision).encode()}

    try:
        # The parent's, and one of each worker.
        until(lambda: listeners(loopback) == 3)
        for enabled in (True, False):
            revision = publish(loopback, crm=enabled)
            until(lambda revision=revision: all_have(revision))  # type: ignore[misc]
    finally:
        process.terminate()
        assert process.wait(60) == 0
        log.close()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_connection_is_used_again(loopback: Loopback) -> None:
    publish(loopback, crm=True)
    connections = set[Any]()

    def answer(request: Handler) -> tuple[int, dict[str, str], bytes]:
        connections.add(request.client_address)
        return (304, {}, b"") if request.headers["If-None-Match"] else (200, {"ETag": '"1"'}, BODY)

    with serving(answering(answer)) as at:
        source = Http(f"http://{at}/")
        assert isinstance(source.fetch(Request()), Answer)
        for _ in range(10):
            assert source.fetch(Request(etag='"1"')) is NOT_MODIFIED
        assert isinstance(source.fetch(Request(etag='"1"', in_full=True)), Answer)
    assert len(connections) == 1


def test_a_server_that_closes_a_connection_as_it_is_used_again_is_asked_anew() -> None:
    """Without that each such moment would count as a failure of the store."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for is_last in (False, True):
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
                if not is_last:
                    connection.recv(4096)

    thread = threading.Thread(target=serve)
    thread.start()
    source = Http(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    for _ in range(2):
        answer = source.fetch(Request())
        assert isinstance(answer, Answer) and answer.snapshot == BODY
    thread.join()
    listener.close()


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_server_that_sends_byte_by_byte_meets_the_deadline(after: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(after)
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.05)
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    began = time.monotonic()
    with pytest.raises(Failure, match=r"no whole answer within 0\.4 s"):
        Http(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.4).fetch(Request())
    assert 0.3 < time.monotonic() - began < 10
    thread.join()
    listener.close()


def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours, trusting = certificate(tmp_path)
    with (
        serving(handler := proxy()) as between,
        serving(answering(plain)) as http,
        serving(answering(plain), ours) as https,
    ):
        def ask(url: str) -> list[str]:
            handler.seen.clear()
            answer = Http(url, token="a-secret", ssl_context=trusting).fetch(Request())
            assert isinstance(answer, Answer) and answer.snapshot == BODY
            return [line for line, _ in handler.seen]

        assert ask(f"http://{http}/flags.json") == []
        monkeypatch.setenv("HTTP_PROXY", f"http://us%65r:p%40ss@{between}")
        monkeypatch.setenv("http_proxy", f"http://us%65r:p%40ss@{between}")
        assert ask(f"http://{http}/flags.json?key=x") == [f"GET http://{http}/flags.json?key=x"]
        assert handler.seen[0][1]["proxy-authorization"] == "Basic dXNlcjpwQHNz"
        assert ask(f"https://{https}/flags.json") == []
        monkeypatch.setenv("https_proxy", between)
        assert ask(f"https://{https}/flags.json?key=x") == [f"CONNECT {https}"]
        # What is for the store is none of the proxy's business.
        assert "authorization" not in handler.seen[0][1]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert ask(f"https://{https}/flags.json") == ask(f"http://{http}/flags.json") == []


@pytest.mark.parametrize("named", ["socks5://user:a-secret@127.0.0.1:1", "http://:a-secret@[::/x"])
def test_a_proxy_that_cannot_be_used_is_a_failure(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("http_proxy", named)
    with pytest.raises(Failure, match="the proxy that the environment names cannot be used") as failure:
        Http("http://127.0.0.1:1/").fetch(Request())
    assert "a-secret" not in str(failure.value)


def test_events_come_through_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours, trusting = certificate(tmp_path)
    go = threading.Event()

    def answer(request: Handler) -> tuple[int, dict[str, str], bytes]:
        if request.path == "/flags.json":
            return 200, {}, document(1 + go.is_set(), crm=go.is_set()).encode()
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        request.wfile.write(b": welcome\n\n")
        go.wait(60)
        request.close_connection = True
        request.wfile.write(b"data: 1\n\n")
        time.sleep(0.5)
        raise ConnectionAbortedError

    class Quiet(answering(answer)):  # type: ignore[misc]
        def do_GET(self) -> None:
            try:
                super().do_GET()
            except ConnectionAbortedError:
                pass

    with serving(handler := proxy()) as between, serving(Quiet, ours) as at:
        monkeypatch.setenv("https_proxy", f"http://{between}")
        source = Http(f"https://{at}/flags.json", events=f"https://{at}/events", ssl_context=trusting)
        flags = Flags()
        with flags.sync(source, policy=TOLD):
            until(lambda: len(handler.seen) == 2 and flags.revision == 1)
            go.set()
            until(lambda: flags.revision == 2)


def test_a_certificate_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    ours, _ = certificate(tmp_path)
    with serving(answering(plain), ours) as at, pytest.raises(Failure, match="cannot connect: .*certificate verify failed"):
        Http(f"https://{at}/?key=a-secret").fetch(Request())


def test_no_redirect_leads_from_https_to_http(tmp_path: Path) -> None:
    ours, trusting = certificate(tmp_path)
    with serving(answering(plain)) as http:
        def answer(request: Handler) -> tuple[int, dict[str, str], bytes]:
            to = {"/down": f"http://{http}/", "/up": "/flags.json", "/out": "ftp://127.0.0.1/"}.get(request.path)
            return (200, {}, BODY) if to is None else (307, {"Location": to}, b"elsewhere")

        with serving(answering(answer), ours) as https:
            fetched = Http(f"https://{https}/up", ssl_context=trusting).fetch(Request())
            assert isinstance(fetched, Answer) and fetched.snapshot == BODY
            for path, says in (("down", "from https to http"), ("out", "no URL of http or https")):
                with pytest.raises(Failure, match=says):
                    Http(f"https://{https}/{path}", ssl_context=trusting).fetch(Request())


def test_urllib3_logs_none_of_it(loopback: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    revision = publish(loopback, crm=True)
    flags = Flags.from_source(
        Http(loopback.url + "?key=a-secret", events=loopback.places["events_url"] + "?key=a-secret"), policy=QUICK
    )
    until(lambda: flags.revision == revision and listeners(loopback) == 1)
    loopback.tell(fault={"kind": "cut"})
    until(lambda: flags.status().state == "failing")
    loopback.tell(fault=None)
    until(lambda: flags.status().state == "fresh")
    assert caplog.records and "a-secret" not in caplog.text


def test_without_the_extra_it_says_what_to_install() -> None:
    program = """
import sys
sys.modules["urllib3"] = None
import esclusa.sync
for make in (esclusa.sync.Http, esclusa.Flags.from_url):
    try:
        make("https://example.com")
    except ImportError as problem:
        print(problem)
"""
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout.splitlines() == ["HTTP needs urllib3 2.6 or later, expected `pip install 'esclusa[http]'`"] * 2
