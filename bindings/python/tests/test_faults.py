"""Every fault that a store, or the network before it, can have: answers stay, the status says why, and all is well again
when it ends."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from loopback import PROGRAM, QUICK, Loopback, document, needs_loopback, until

from esclusa import Flags
from esclusa.sync import Http, Status

pytestmark = [needs_loopback, pytest.mark.usefixtures("no_thread_left")]


def _table() -> dict[str, Any]:
    if PROGRAM is None:
        return {"faults": [], "timeout_ms": 0, "max_bytes": 0}
    asked = subprocess.run([PROGRAM], input='{"faults": true}\n', capture_output=True, text=True, check=True)
    table: dict[str, Any] = json.loads(asked.stdout.splitlines()[1])
    return table


TABLE = _table()
_revision = 0


def publish(loopback: Loopback, **flags: bool) -> int:
    global _revision
    _revision += 1
    loopback.tell(snapshot=document(_revision, **flags))
    return _revision


def source(loopback: Loopback) -> Http:
    return Http(loopback.url, timeout=TABLE["timeout_ms"] / 1000, max_bytes=TABLE["max_bytes"])


def says(status: Status, words: list[str]) -> bool:
    return status.last_error is not None and all(word in status.last_error.error.lower() for word in words)


def test_there_are_faults() -> None:
    assert len(TABLE["faults"]) > 20


@pytest.mark.parametrize("case", TABLE["faults"], ids=lambda case: str(case["name"]))
def test_a_client_that_has_answers(loopback: Loopback, case: dict[str, Any]) -> None:
    publish(loopback, crm=False)
    revision = publish(loopback, crm=True)
    flags = Flags()
    with flags.sync(source(loopback), policy=QUICK):
        until(lambda: flags.revision == revision and flags.status().state == "fresh")
        loopback.tell(fault=case["fault"])
        if case["expected"] == "failing":
            until(lambda: flags.status().state == "failing")
            until(lambda: flags.status().failures >= 2 or case["fault"].get("retry_after"))
            assert says(flags.status(), case["says"]), flags.status()
        else:
            before = loopback.counts()
            until(lambda: sum(loopback.counts().values()) > sum(before.values()) + 3)
            assert flags.status().state == "fresh", flags.status()
        assert flags.is_enabled("crm") and flags.revision == revision
        revision = publish(loopback, crm=False)
        if case["expected"] == "fresh":
            until(lambda: flags.revision == revision)
        loopback.tell(fault=None)
        flags.refresh()
        until(lambda: flags.revision == revision and flags.status().state == "fresh")
        assert not flags.is_enabled("crm")


@pytest.mark.parametrize("case", TABLE["faults"], ids=lambda case: str(case["name"]))
def test_a_client_that_has_no_answer_yet(loopback: Loopback, case: dict[str, Any]) -> None:
    if case["name"] == "older":
        pytest.skip("what is older for others is an answer to somebody who has none")
    revision = publish(loopback, crm=True)
    loopback.tell(fault=case["fault"])
    flags = Flags.from_source(source(loopback), policy=QUICK)
    if case["expected"] == "fresh":
        assert flags.ready(60)
    else:
        until(lambda: says(flags.status(), case["says"]))
        assert flags.status().state == "starting" and not flags.ready(0)
        assert flags.is_enabled("crm", default=True) is True
    loopback.tell(fault=None)
    flags.refresh()
    until(lambda: flags.revision == revision and flags.status().state == "fresh")


def test_what_authorizes_stays_at_home(loopback: Loopback) -> None:
    revision = publish(loopback, crm=True)
    loopback.tell(authorization="Bearer a-secret")
    loopback.tell(fault={"kind": "redirect_elsewhere"})
    before = loopback.counts()
    http = Http(loopback.url + "?key=a-secret", token="a-secret", headers={"X-Api-Key": "a-secret"})
    flags = Flags.from_source(http, policy=QUICK)
    until(lambda: flags.revision == revision)
    counts = loopback.counts()
    assert counts["elsewhere"] > before["elsewhere"] and counts["secrets_elsewhere"] == before["secrets_elsewhere"]
    assert counts["unauthorized"] == before["unauthorized"]
    loopback.tell(fault=None)
    loopback.tell(authorization="Bearer another")
    until(lambda: flags.status().state == "failing" and says(flags.status(), ["401"]))
    loopback.tell(authorization=None)
    shown = f"{http!r} {flags.status()} {flags.status()!r} {http.name} {flags!r}"
    assert "a-secret" not in shown and "?" not in shown


def test_tags_and_compression_are_used(loopback: Loopback) -> None:
    revision = publish(loopback, crm=True)
    before = loopback.counts()
    flags = Flags.from_source(source(loopback), policy=QUICK)
    until(lambda: flags.revision == revision)
    until(lambda: loopback.counts()["not_modified"] > before["not_modified"] + 3)
    counts = loopback.counts()
    assert counts["snapshots"] == before["snapshots"] + 1 and counts["compressed"] == before["compressed"] + 1
    assert flags.status().failures == 0


@pytest.mark.parametrize("retry_after", [{"seconds": 3600}, {"date": 3600}])
def test_a_store_that_wants_to_be_left_alone_is(loopback: Loopback, retry_after: dict[str, int]) -> None:
    revision = publish(loopback, crm=True)
    flags = Flags.from_source(source(loopback), policy=QUICK)
    until(lambda: flags.revision == revision)
    loopback.tell(fault={"kind": "status", "status": 503, "retry_after": retry_after})
    until(lambda: flags.status().state == "failing")
    # As many retries as there would have been by now without that wish.
    other = Flags.from_source(Http(loopback.url.replace("flags.json", "nowhere")), policy=QUICK)
    until(lambda: other.status().failures > 10)
    assert flags.status().failures == 1
    loopback.tell(fault=None)
    flags.refresh()
    until(lambda: flags.status().state == "fresh")
