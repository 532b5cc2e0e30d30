"""Keeping fresh: what is published, when, and what a source may do without disturbing anybody."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import threading
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, document, until

from esclusa import Flags, Report
from esclusa.sync import (
    NOT_MODIFIED,
    Answer,
    Bundled,
    Failure,
    File,
    News,
    NotModified,
    Policy,
    Request,
    Cached,
    Source,
    Sync,
)

pytestmark = pytest.mark.usefixtures("no_thread_left")

SLOW = Policy(interval=3600, jitter=0)


class Scripted:
    """A source that does what the test says, in turns, and the last of it from then on."""

    name = "scripted"

    def __init__(self, *turns: object) -> None:
        self.turns = list(turns)
        self.requests = list[Request]()
        self.is_closed = False

    def fetch(self, request: Request) -> Any:
        self.requests.append(request)
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, BaseException):
            raise turn
        return turn() if callable(turn) else turn

    def close(self) -> None:
        self.is_closed = True


def test_a_function_is_a_source() -> None:
    for snapshot in (document(1, crm=True), document(1, crm=True).encode(), bytearray(document(1, crm=True).encode())):
        flags = Flags.from_source(lambda snapshot=snapshot: snapshot)  # type: ignore[misc]
        assert flags.ready(60) and flags.is_enabled("crm")
        assert "test_a_function_is_a_source" in flags.status().source


def test_a_source_is_asked_with_what_it_said_last() -> None:
    source = Scripted(Answer(document(7, crm=True), "tag"), NOT_MODIFIED)
    flags = Flags.from_source(source, policy=QUICK)
    until(lambda: len(source.requests) > 2)
    assert source.requests[0] == Request(in_full=True) and source.requests[-1] == Request("tag", 7)
    status = flags.status()
    assert (status.state, status.source, status.revision, status.failures) == ("fresh", "scripted", 7, 0)
    assert status.last_error is None and status.age is not None and status.age < 60
    assert isinstance(source, Source)
    assert flags._sync is not None
    flags._sync.close()
    assert source.is_closed


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (None, "the source gave NoneType, expected bytes, str, rows, Answer or NOT_MODIFIED"),
        (5, "the source gave int"),
        ([1], "row 0 is a `int`, expected a mapping"),
        (Answer(None), "the source gave Answer"),  # type: ignore[arg-type]
        (Answer("[]", etag=5), "the source gave Answer"),  # type: ignore[arg-type]
        (asyncio.sleep, "the source gave builtin"),
        ("{", "expected complete JSON"),
        (b"\xff", "is not UTF-8"),
        ("", "empty"),
        (document(1), "revision 1 is older than the current one, 5"),
        (ValueError("no such\ntable"), "ValueError: no such table"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (RuntimeError(), "RuntimeError"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (MemoryError(), "MemoryError"),
        (type("Own", (BaseException,), {})("mine"), "Own: mine"),
        (type("Mute", (Exception,), {"__str__": lambda self: 1 / 0})(), "Mute"),
        (Failure("come later", retry_after=0.01), "come later"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_source_does_wrong_is_a_failure_and_no_more(wrong: object, says: str) -> None:
    turn = (lambda: asyncio.sleep(0)) if wrong is asyncio.sleep else wrong
    says = "the source gave coroutine" if wrong is asyncio.sleep else says
    source = Scripted(document(5, crm=True), turn)
    flags = Flags()
    with flags.sync(source, policy=QUICK) as sync:
        until(lambda: flags.status().failures > 2)
        assert flags.is_enabled("crm") and sync.status().state == "failing"
        last = sync.status().last_error
        assert last is not None and says in last.error, last
        assert timedelta(0) <= datetime.now(timezone.utc) - last.at < timedelta(minutes=5)
        source.turns = [document(6, crm=False)]
        until(lambda: sync.status().state == "fresh")
        assert flags.revision == 6 and not flags.is_enabled("crm", default=True)
        assert sync.status().failures == 0 and sync.status().last_error is not None


def test_what_a_failing_source_has_nevertheless_is_published() -> None:
    source = Scripted(Failure("half of it is away", instead=document(1, crm=True)))
    flags = Flags.from_source(source, policy=QUICK)
    assert flags.available(60) and flags.is_enabled("crm")
    assert not flags.ready(0.05), "it has given no answer (11.15)"
    until(lambda: flags.status().state == "failing")
    assert str(flags.status()).startswith("failing from scripted, revision 1, no answer yet, ")
    assert str(flags.status()).endswith("the last: half of it is away")


SECRETS = [
    "cannot reach https://app:hunter2@db.example.com/flags?token=hunter2#hunter2",
    "postgres://app:hun/ter2@hunter2@db.example.com:5432/app is away",
    "no route: host=db.example.com password=hunter2 dbname=app",
    "password='hunter2 hunter2' is wrong",
    "HTTPSConnectionPool(host='x'): Max retries exceeded with url: /flags.json?key=hunter2 (Caused by …)",
    "401 for {'Authorization': 'Bearer hunter2hunter2'}",
    "sent Authorization: Basic hunter2hunter2==",
    "api_key=hunter2, x-api-key: hunter2",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_not_told(text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source = Scripted(RuntimeError(text))
    source.name = f"store at {text}"
    flags = Flags.from_source(source, policy=QUICK)
    until(lambda: flags.status().failures)
    assert "hunter2" not in f"{flags.status()} {flags.status()!r} {caplog.text} {flags._sync!r}"
    last = flags.status().last_error
    assert last is not None and last.error.startswith("RuntimeError: ")


def test_listeners_hear_of_changed_bytes_alone() -> None:
    heard = list[Report]()
    snapshots = [document(1, a=True)] * 3 + [document(2, b=True)] * 3
    source = Scripted(*snapshots)
    flags = Flags()
    seen = list[str]()
    flags.on_publish(lambda report: seen.append(flags.status().state))
    flags.on_publish(heard.append)
    flags.sync(source, policy=QUICK)
    until(lambda: len(source.requests) > 8)
    assert [(report.revision, report.added, report.removed) for report in heard] == [
        (1, ("a",), ()), (2, ("b",), ("a",)),
    ]  # fmt: skip
    assert seen == ["fresh", "fresh"], "a listener finds the status as it is then"


def test_a_listener_may_ask_for_the_status_before_sync_has_returned() -> None:
    flags, seen = Flags(), list[str]()
    flags.on_publish(lambda report: seen.append(flags.status().source))
    flags.sync(Bundled(document(1, a=True)), policy=QUICK)
    assert seen == ["bundled"]


def test_a_copy_is_published_at_once_and_the_same_answer_is_not_published_again(tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text(document(1, crm=True))
    go = threading.Event()
    heard = list[Report]()
    flags = Flags()
    flags.on_publish(heard.append)

    def store() -> str:
        go.wait(60)
        return document(1, crm=True)

    flags.sync(Cached(store, copy), policy=QUICK)
    assert flags.is_enabled("crm") and flags.status().state == "stale" and flags.status().age is None
    go.set()
    until(lambda: flags.status().state == "fresh")
    assert len(heard) == 1


def test_refresh_asks_at_once() -> None:
    source = Scripted(document(1, crm=False), document(2, crm=True))
    flags = Flags.from_source(source, policy=SLOW)
    assert flags.ready(60) and flags.revision == 1
    flags.refresh()
    until(lambda: flags.revision == 2)


def test_a_source_that_waits_is_asked_when_it_has_news() -> None:
    told = threading.Event()

    class Telling(Scripted):
        def wait(self, seconds: float) -> bool:
            was_told = told.wait(seconds)
            told.clear()
            return was_told

    source = Telling(document(1), document(2), document(3))
    flags = Flags.from_source(source, policy=Policy(interval=3600, jitter=0, spread=0.01))
    until(lambda: flags.revision == 1)
    for revision in (2, 3):
        told.set()
        until(lambda revision=revision: flags.revision == revision)  # type: ignore[misc]
    assert len(source.requests) == 3
    flags.refresh()
    until(lambda: len(source.requests) == 4)


@pytest.mark.parametrize("end", [News.DISCONNECTED, OSError("gone"), SystemExit(), "nonsense", None])
def test_a_source_whose_waiting_ends_is_asked_all_the_same_and_not_without_end(end: object) -> None:
    class Cut(Scripted):
        waits = 0

        def wait(self, seconds: float) -> Any:
            self.waits += 1
            if isinstance(end, BaseException):
                raise end
            return end

    source = Cut(document(1), document(2))
    flags = Flags.from_source(source, policy=Policy(interval=0.5, jitter=0))
    until(lambda: flags.revision == 2)
    assert source.waits < 20


def test_one_source_at_a_time_and_another_after_it() -> None:
    flags = Flags()
    with flags.sync(Scripted(document(1)), policy=QUICK):
        with pytest.raises(RuntimeError, match="kept fresh already, from scripted"):
            flags.sync(Scripted(document(2)))
        until(lambda: flags.revision == 1)
    assert flags.sync(Scripted(document(2)), policy=QUICK).is_closed is False
    until(lambda: flags.revision == 2)


def test_without_a_source_there_is_no_status() -> None:
    flags = Flags()
    for ask in (flags.status, flags.refresh):
        with pytest.raises(RuntimeError, match="nothing keeps the flags fresh"):
            ask()
    assert flags.ready(0) is False and flags.ready(-1) is False
    later = threading.Timer(0.02, flags.publish, ["[]"])
    later.start()
    assert flags.ready(60) is True and flags.ready(0) is True
    later.join()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (lambda: Flags().sync("flags.json"), TypeError),  # type: ignore[arg-type]
        (lambda: Flags().sync(Scripted), TypeError),  # type: ignore[arg-type]
        (lambda: Flags().sync(Bundled("[]"), interval=0), ValueError),
        (lambda: Flags().sync(Bundled("[]"), interval=float("nan")), ValueError),
        (lambda: Flags().sync(Bundled("[]"), timeout=0), ValueError),
        (lambda: Policy(jitter=20), ValueError),
        (lambda: Policy(interval=-1), ValueError),
        (lambda: Policy(interval="30"), TypeError),  # type: ignore[arg-type]
        (lambda: Bundled(5), TypeError),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_said_at_once(wrong: Callable[[], object], problem: type[Exception]) -> None:
    with pytest.raises(problem):
        wrong()


def test_nothing_is_published_after_closing() -> None:
    revision = 0

    def store() -> str:
        nonlocal revision
        revision += 1
        return document(revision)

    flags = Flags()
    for _ in range(50):
        sync = flags.sync(store, policy=Policy(interval=0.001, jitter=0, stale_after=60))
        assert flags.ready(60)
        before = flags.revision
        until(lambda before=before: flags.revision != before)  # type: ignore[misc]
        sync.close()
        current = flags.revision
        sync.close()
        assert sync.is_closed and "from" in repr(sync)
        assert flags.revision == current
    assert flags.status().state == "fresh"


def test_a_source_may_close_and_a_listener_may_ask() -> None:
    flags = Flags()
    closed = list[str]()

    def close(_: Report) -> None:
        sync.close()
        closed.append(sync.status().state)

    go = threading.Event()
    sync = flags.sync(lambda: go.wait(60) and document(1) or "", policy=QUICK)
    flags.on_publish(close)
    go.set()
    until(lambda: closed)
    assert sync.is_closed and flags.revision == 1


def test_flags_that_nobody_holds_are_freed_and_their_thread_ends() -> None:
    source = Scripted(document(1))
    flags = Flags.from_source(source, policy=SLOW)
    assert flags.ready(60)
    freed, sync = weakref.ref(flags), flags._sync
    assert isinstance(sync, Sync) and not sync.is_closed
    del flags
    gc.collect()
    assert freed() is None and sync.is_closed and sync.status().revision == 1
    until(lambda: source.is_closed)


def test_a_source_that_hangs_is_known_of() -> None:
    go = threading.Event()

    def store() -> str:
        go.wait(60)
        return document(1, crm=True)

    flags = Flags.from_source(store, policy=QUICK, timeout=0.05)
    until(lambda: flags.status().failures == 1)
    last = flags.status().last_error
    assert last is not None and last.error == "no answer within 0.05 s"
    go.set()
    assert flags.ready(60)
    until(lambda: flags.status().state == "fresh")


def test_a_log_that_raises_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("the log is full")

    logger, wrong = logging.getLogger("esclusa"), Wrong()
    monkeypatch.setattr("esclusa._run._REST_SECONDS", 0.01)
    logger.addFilter(wrong)
    try:
        flags = Flags.from_source(Scripted(ValueError("x"), document(1), ValueError("y"), document(2)), policy=QUICK)
        until(lambda: flags.revision == 2)
    finally:
        logger.removeFilter(wrong)


def test_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "esclusa")
    wrong = [{"name": f"f{at}", "rollout_percentage": 150} for at in range(13)]
    source = Scripted(document(1, crm=True), OSError("away"), str(wrong).replace("'", '"'))
    flags = Flags.from_source(source, policy=QUICK)
    until(lambda: len(flags.violations) == 13 and flags.status().state == "fresh")
    until(lambda: "published revision none" in caplog.text)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    infos = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    assert [line for line in warnings if "OSError: away" in line]
    assert len([line for line in warnings if "150 is out of range" in line]) == 10
    assert "scripted: 3 more violations" in warnings
    assert "scripted: published revision 1: 1 added, 0 removed, 0 changed" in infos
    assert any(line.startswith("fresh from scripted") for line in infos)
    assert {record.name for record in caplog.records} == {"esclusa"}


def test_the_log_says_what_was_understood(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "esclusa")
    rows = [{"name": "crm", "enabled": True, "ticket": "s3cret"}]
    restricted = [{**rows[0], "rollout_percent": 5}]
    source = Scripted(json.dumps(rows), json.dumps([*rows, {"name": "b"}]), json.dumps(restricted))
    flags = Flags.from_source(source, policy=QUICK)
    until(lambda: len(flags.violations) == 1)
    until(lambda: "NOT READ" in caplog.text)
    told = [record for record in caplog.records if record.getMessage().startswith("scripted: ") and "\n" in record.getMessage()]
    # Once for the columns as they are, and once again when they change.
    assert [record.levelname for record in told] == ["INFO", "WARNING"]
    assert told[0].getMessage() == "scripted: 1 row, 1 flag\n  read      name, enabled\n  not read  ticket (1 row)"
    assert "rollout_percent looks like a restriction and is set in 1 row" in told[1].getMessage()
    assert "s3cret" not in caplog.text


def test_overrides_go_on() -> None:
    flags = Flags.from_source(Scripted(document(1, crm=False)), policy=QUICK)
    assert flags.ready(60)
    with flags.override({"crm": True}):
        flags.refresh()
        assert flags.is_enabled("crm")
    assert not flags.is_enabled("crm")


def test_nothing_blocks_a_loop_of_events() -> None:
    async def main() -> bool:
        go = threading.Event()
        flags = Flags.from_source(lambda: go.wait(60) and document(1, crm=True) or "", policy=QUICK)
        waiting = asyncio.create_task(asyncio.to_thread(flags.ready, 60))
        assert not flags.is_enabled("crm") and flags.status().state == "starting"
        go.set()
        return await waiting and flags.is_enabled("crm")

    assert asyncio.run(main())


def test_types_of_what_is_public() -> None:
    assert repr(NOT_MODIFIED) == "NOT_MODIFIED" and isinstance(NOT_MODIFIED, NotModified)
    assert repr(Answer("x" * 9, "t")) == "Answer(<9 long>, etag='t')"
    assert repr(File("a.json")) == "File('a.json')" and os.fspath("a.json") == File("a.json").name
