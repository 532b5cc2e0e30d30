"""Functions that are frozen between calls: waiting for an answer, and the first question after a thaw."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from loopback import document, until

from esclusa import Flags
from esclusa.sync import Failure, Policy

pytestmark = pytest.mark.usefixtures("no_thread_left")
SELDOM = Policy(interval=3600, jitter=0, backoff_min=3600, backoff_max=3600)


class Store:
    """It answers when it is let to."""

    name = "store"

    def __init__(self) -> None:
        self.snapshot: str | Exception = document(1, crm=True)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = 0

    def fetch(self, _: object) -> str:
        self.asked += 1
        snapshot = self.snapshot
        self.may_answer.wait(60)
        if isinstance(snapshot, Exception):
            raise snapshot
        return snapshot


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.may_answer.set()


def awaited(flags: Flags, timeout: float) -> str | None:
    async def run() -> str | None:
        return await flags.refresh(timeout)

    return asyncio.run(run())


def waited(flags: Flags, timeout: float) -> str | None:
    return flags.refresh(timeout).wait()


@pytest.mark.parametrize("refresh", [awaited, waited])
def test_a_refresh_ends_when_the_answer_is_in_or_says_why_not(store: Store, refresh: Callable[[Flags, float], str | None]) -> None:
    flags = Flags.from_source(store, policy=SELDOM)
    assert flags.ready(60)
    store.snapshot = document(2, crm=False)
    assert refresh(flags, 60) is None
    assert flags.revision == 2 and not flags.is_enabled("crm")
    assert refresh(flags, 60) is None, "what has not changed is an answer too"
    for wrong, says in [(Failure("away"), "away"), ("{", "expected"), (document(1, crm=True), "revision 1 is older than the current one, 2")]:
        store.snapshot = wrong  # type: ignore[assignment]
        why = refresh(flags, 60)
        assert why is not None and says in why and flags.status().state == "failing" and flags.revision == 2
    store.may_answer.clear()
    began = time.monotonic()
    assert refresh(flags, 0.2) == "no answer within 0.2 s"
    assert time.monotonic() - began < 30
    assert flags._sync is not None
    flags._sync.close()
    assert refresh(flags, 60) == "it is closed"


def test_an_answer_that_was_on_its_way_is_not_taken_for_a_new_one(store: Store) -> None:
    flags = Flags.from_source(store, policy=SELDOM)
    assert flags.ready(60)
    store.snapshot = document(2, crm=True)
    store.may_answer.clear()
    first = flags.refresh(60)
    until(lambda: store.asked == 2)
    store.snapshot = document(3, crm=True)
    second = flags.refresh(60)
    store.may_answer.set()
    assert first.wait() is None
    assert second.wait() is None and flags.revision == 3


def test_a_refresh_within_the_thread_that_asks_does_not_wait_for_itself(store: Store) -> None:
    flags, said = Flags(), list[str | None]()
    flags.on_publish(lambda _: said.append(flags.refresh(60).wait()))
    flags.sync(store, policy=SELDOM)
    until(lambda: said == ["the thread that asks cannot wait for itself"])


def test_nobody_need_wait(store: Store) -> None:
    flags = Flags.from_source(store, policy=SELDOM)
    assert flags.ready(60)
    for revision in range(2, 50):
        store.snapshot = document(revision, crm=True)
        flags.refresh(0)
    until(lambda: flags.revision == 49)
    flags.refresh().wait()
    assert flags._sync is not None and flags._sync._run._waiting == {}


def test_a_source_that_hangs_leaves_nothing_behind(store: Store) -> None:
    flags = Flags.from_source(store, policy=SELDOM)
    assert flags.ready(60)
    store.may_answer.clear()
    for _ in range(20_000):
        flags.refresh(0)
    assert flags._sync is not None and len(flags._sync._run._waiting) <= 1000


FROZEN = """
import sys, time
from esclusa import Flags
from esclusa.sync import Policy
from pathlib import Path

revision = 1
def store():
    time.sleep(float(Path(sys.argv[1]).read_text()))
    return '{"esclusa": 1, "revision": %d, "flags": [{"name": "crm", "enabled": %s}]}' % (revision, "true" if revision < 2 else "false")

flags = Flags.from_source(store, policy=Policy(interval=0.3, jitter=0), thaw=float(sys.argv[2]))
assert flags.ready(60)
held = flags.current()
for number, _ in enumerate(sys.stdin):
    revision = 1 + number
    print(flags.is_enabled("crm"), held.is_enabled("crm"), flags.status(), flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system freezes no process")
@pytest.mark.parametrize(("slow", "thaw", "expected"), [("0.3", "30", "False True fresh"), ("30", "0.3", "True True failing"), ("0.3", "0", "True True ")])
def test_the_first_question_after_a_thaw_waits(slow: str, thaw: str, expected: str, tmp_path: object) -> None:
    delay = os.path.join(str(tmp_path), "delay")

    def write(seconds: str) -> None:
        with open(delay, "w") as file:
            file.write(seconds)

    write("0")
    child = subprocess.Popen([sys.executable, "-c", FROZEN, delay, thaw], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline().startswith("True True")
        child.send_signal(signal.SIGSTOP)
        # Frozen for longer than the interval and the slack; nothing else is waited for.
        write(slow)
        time.sleep(2)
        child.stdin.write("\n")
        child.stdin.flush()
        child.send_signal(signal.SIGCONT)
        said = child.stdout.readline()
        assert said.startswith(expected), said
        if "failing" in expected:
            assert "the process was frozen, and there was no answer within 0.3 s after that" in said
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
