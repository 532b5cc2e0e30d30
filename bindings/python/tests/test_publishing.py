"""Publishing: reports, refusals, listeners, threads and forks."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sqlite3
import sys
import threading
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple, cast
from unittest import mock
from uuid import UUID

import numpy
import pytest
from esclusa import Column, Context, Flags, Kept, Notice, Reading, Report, SetAside, SnapshotError, Violation


def document(*flags: dict[str, Any], revision: int | None = None) -> str:
    return json.dumps({"esclusa": 1, "revision": revision, "flags": flags})


def test_rows_as_a_driver_gives_them_are_a_snapshot() -> None:
    """`json.dumps` takes none of these."""
    Named = NamedTuple("Named", [("name", str), ("enabled", bool)])
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    rows: list[Any] = [
        {
            "id": UUID(int=7),
            "name": "a",
            "enabled": True,
            "rollout_percentage": Decimal("33.333"),
            "created_at": datetime(2025, 1, 2, tzinfo=timezone.utc),
            "start_date": datetime(2025, 1, 2, tzinfo=timezone(timedelta(hours=-5))),
            "end_date": date(2035, 1, 2),
            "target_users": ["u", 6012345678901234567, UUID(int=8)],
            "target_plans": {"PRO"},
            "description": timedelta(hours=1),
        },
        Named("b", True),
        database.execute("SELECT 'c' AS name, 1 AS enabled, NULL AS target_roles").fetchone(),
        MappingProxyType({"name": "d", "enabled": numpy.bool_(True), "rollout_percentage": numpy.float64(100)}),
        {"name": "broken", "enabled": True, "rollout_percentage": Decimal("NaN")},
    ]
    database.close()
    flags = Flags()
    report = flags.publish(rows)
    assert report.added == ("a", "b", "broken", "c", "d")
    assert [violation.place for violation in report.violations] == ["/4/rollout_percentage"]
    expected = {"name": "a", "enabled": True, "rollout_percentage": 33.333, "target_plans": ["PRO"]}
    expected |= {"start_date": "2025-01-02T00:00:00-05:00", "end_date": "2035-01-02"}
    expected |= {"target_users": ["u", "6012345678901234567", str(UUID(int=8))]}
    assert Flags().publish([expected]).violations == ()
    again = flags.publish(json.dumps([expected, {"name": "b", "enabled": True}, {"name": "c", "enabled": True}]))
    assert again.changed == (), "they are the same flags"
    assert all(flags.is_enabled(key) for key in "bc")


def test_a_document_as_an_object_is_a_snapshot() -> None:
    document = {"esclusa": 1, "revision": 7, "flags": ({"name": "a", "enabled": True},)}
    assert Flags().publish(document).revision == 7
    flags = Flags.from_source(lambda: [document["flags"][0]])  # type: ignore[index]
    assert flags.ready(60) and flags.is_enabled("a")
    assert Flags().publish([]).outcome == "published"
    itself: list[Any] = []
    itself.append({"name": itself})
    with pytest.raises(SnapshotError, match="refers to itself"):
        Flags().publish(itself)
    with pytest.raises(SnapshotError, match="row 1 is a `tuple`, expected a mapping"):
        flags.publish([{"name": "b"}, ("c", True)])
    assert flags.is_enabled("a")


def test_the_reading_of_the_current_snapshot() -> None:
    flags = Flags()
    assert flags.reading() is None
    report = flags.publish('[{"name": "a", "enabled": true, "rollout_percent": 5}]')
    assert flags.reading() == report.reading and report.reading is not None
    with pytest.raises(SnapshotError):
        flags.publish("no snapshot")
    assert flags.reading() == report.reading


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_a_listener_that_ends_the_program_ends_it_when_all_have_been_called(ending: type[BaseException]) -> None:
    def end(_: Report) -> None:
        raise ending

    flags, heard = Flags(), list[Report]()
    flags.on_publish(end)
    flags.on_publish(heard.append)
    with pytest.raises(ending):
        flags.publish('[{"name": "a", "enabled": true}]')
    assert len(heard) == 1 and flags.is_enabled("a")


def test_a_method_can_be_replaced_in_a_test() -> None:
    flags = Flags()
    with mock.patch.object(flags, "is_enabled", return_value=True) as asked:
        assert flags.is_enabled("a")
    asked.assert_called_once_with("a")
    assert not flags.is_enabled("a")


def test_a_report() -> None:
    flags = Flags()
    flags.publish(document({"name": "a", "enabled": True}, {"name": "b"}, {"name": "gone"}, revision=1))
    broken = {"name": "a", "enabled": True, "rollout_percentage": 150}
    report = flags.publish(document(broken, {"name": "b", "enabled": True}, {"name": "new"}, revision=2))
    assert report == Report(
        outcome="published",
        revision=2,
        added=("new",),
        removed=("gone",),
        changed=("b",),
        set_aside=(SetAside("a", off=False, kept=Kept(revision=1, publishes=1)),),
        violations=(Violation("/flags/0/rollout_percentage", "150 is out of range, expected 0 to 100", "out-of-range"),),
        reading=report.reading,
    )
    assert report.is_published
    assert str(report.violations[0]) == "`/flags/0/rollout_percentage`: 150 is out of range, expected 0 to 100"
    assert json.loads(json.dumps(report.to_dict()))["set_aside"] == [
        {"key": "a", "off": False, "kept": {"revision": 1, "publishes": 1}}
    ]
    assert flags.is_enabled("a")


def test_reading() -> None:
    row = {"key": "a", "name": "SECRET", "enabled": True, "rollout_percent": "SECRET", "jira_ticket": None}
    flags = Flags()
    report = flags.publish(json.dumps([row]))
    assert report.reading == Reading(
        rows=1,
        flags=1,
        columns=(
            Column("key", "key", None, 1, 1, 0, ()),
            Column("name", None, "label", 1, 1, 0, ()),
            Column("enabled", "enabled", None, 1, 1, 0, ()),
            Column("rollout_percent", None, "looks like a restriction", 1, 1, 1, ("text",)),
            Column("jira_ticket", None, "not read", 1, 0, 0, ()),
        ),
        notices=(Notice("label", "`name` is a label where there is a `key`, and `key` is the key", 1),),
        fingerprint=report.reading.fingerprint,
    )
    assert len(report.reading.fingerprint) == 8
    assert "SECRET" not in json.dumps(report.to_dict())
    assert "`rollout_percent` looks like a restriction" in str(flags.explain("a", {"user": "user-42"}))


@pytest.mark.parametrize("form", [str, str.encode, lambda text: bytearray(text.encode()), lambda text: memoryview(text.encode())])
def test_forms_of_a_snapshot(form: Any) -> None:
    flags = Flags()
    assert flags.publish(form(document({"name": "ñandú", "enabled": True}))).added == ("ñandú",)
    assert flags.is_enabled("ñandú")


def test_half_a_surrogate_pair_in_a_snapshot() -> None:
    flags = Flags()
    assert flags.publish('[{"name": "a\ud800b", "enabled": true}, {"name": "\ud83d\ude00"}]').added == ("a\ufffdb", "\U0001f600")
    assert flags.is_enabled("a\udfffb") and flags.is_enabled("a\ufffdb")


@pytest.mark.parametrize("snapshot", [None, 5, {1}, object()])
def test_what_is_no_text_is_no_snapshot(snapshot: Any) -> None:
    with pytest.raises(TypeError, match="str or bytes"):
        Flags().publish(snapshot)


@pytest.mark.parametrize("text", ["", "{", "[1e400]", '["\\ud800"]', b'["\xed\xa0\x80"]', b"\xff", "5", '{"esclusa": 2}', "[" * 200])
def test_a_refused_snapshot_changes_nothing(text: str | bytes) -> None:
    flags = Flags()
    flags.publish(document({"name": "a", "enabled": True}, revision=1))
    with pytest.raises(SnapshotError) as refusal:
        flags.publish(text)
    assert str(refusal.value) and "\n" not in str(refusal.value)
    assert isinstance(refusal.value, ValueError)
    assert len(refusal.value.violations) <= 1
    assert flags.is_enabled("a") and flags.revision == 1


def test_strict_mode_refuses_with_every_violation() -> None:
    flags = Flags()
    wrong = document({"name": "a", "rollout_percentage": 150}, {"name": "b", "status": "?"}, {"name": "c", "target_x": ["x"]})
    with pytest.raises(SnapshotError) as refusal:
        flags.publish(wrong, strict=True)
    places = {violation.place for violation in refusal.value.violations}
    assert places == {"/flags/0/rollout_percentage", "/flags/1/status", "/flags/2/target_x"}
    assert all(str(violation) in str(refusal.value) for violation in refusal.value.violations)
    assert not flags.is_ready
    assert {violation.place for violation in flags.publish(wrong).violations} == places


def test_an_older_revision() -> None:
    flags = Flags()
    flags.publish(document({"name": "a", "enabled": True}, revision=2))
    heard: list[Report] = []
    flags.on_publish(heard.append)
    report = flags.publish(document({"name": "a"}, revision=1))
    assert (report.outcome, report.revision, report.is_published, flags.revision) == ("older", 1, False, 2)
    assert flags.is_enabled("a") and heard == []
    assert flags.publish(document({"name": "a"}, revision=1), accept_older=True).changed == ("a",)
    assert not flags.is_enabled("a") and len(heard) == 1


def test_listeners(caplog: pytest.LogCaptureFixture) -> None:
    flags, heard = Flags(), list[tuple[str, Report, bool]]()

    def angry(report: Report) -> None:
        raise RuntimeError("no")

    first = flags.on_publish(lambda report: heard.append(("first", report, flags.is_enabled("a"))))
    flags.on_publish(angry)
    flags.on_publish(lambda report: heard.append(("last", report, flags.is_enabled("a"))))
    with caplog.at_level(logging.ERROR, "esclusa"):
        report = flags.publish(document({"name": "a", "enabled": True}))
    assert heard == [("first", report, True), ("last", report, True)]
    assert [record.name for record in caplog.records] == ["esclusa"]
    assert "RuntimeError: no" in caplog.text
    first()
    first()
    flags.publish("[]")
    assert [name for name, *_ in heard] == ["first", "last", "last"]


def test_what_is_no_listener() -> None:
    flags, nothing = Flags(), cast(Any, None)
    with pytest.raises(TypeError, match="^expected a listener that can be called with a report, got NoneType$"):
        flags.on_publish(nothing)
    assert flags.publish("[]").is_published


def test_one_listener_given_twice() -> None:
    flags, heard = Flags(), list[Report]()
    first, _ = flags.on_publish(heard.append), flags.on_publish(heard.append)
    first()
    flags.publish("[]")
    assert len(heard) == 1


def test_a_thread_runs_while_a_snapshot_is_compiled() -> None:
    """With so long a switch interval other threads run only if publishing releases the lock."""
    rows = [{"name": f"flag-{at}", "enabled": True, "target_plans": ["A", "B"]} for at in range(30_000)]
    flags, text, ticks, stop = Flags(), json.dumps(rows).encode(), 0, False

    def tick() -> None:
        nonlocal ticks
        while not stop:
            ticks += 1
            time.sleep(0)

    before = sys.getswitchinterval()
    thread = threading.Thread(target=tick)
    try:
        sys.setswitchinterval(1000)
        thread.start()
        begin = ticks
        assert len(flags.publish(text).added) == len(rows)
        during = ticks - begin
    finally:
        stop = True
        sys.setswitchinterval(before)
        thread.join()
    assert during > 0


def test_threads_that_publish_and_read() -> None:
    flags, problems, stop = Flags(), list[object](), threading.Event()
    sets = [document({"name": "a", "enabled": True}, {"name": "b", "enabled": True}), document({"name": "a"}, {"name": "b"})]
    flags.publish(sets[0])

    def publish(at: int) -> None:
        for turn in range(300):
            flags.publish(sets[(turn + at) % 2])

    def read() -> None:
        context = Context("user-42")
        while not stop.is_set():
            answers = flags.resolve_all(context)
            if answers["a"].enabled != answers["b"].enabled:
                problems.append(answers)
            flags.is_enabled("a", {"user": "user-42"})

    readers = [threading.Thread(target=read) for _ in range(3)]
    publishers = [threading.Thread(target=publish, args=(at,)) for at in range(2)]
    for thread in readers + publishers:
        thread.start()
    for thread in publishers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    assert problems == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_process_evaluates_and_publishes() -> None:
    """Forks while a thread publishes, in whatever it is doing just then."""
    flags, stop = Flags(), threading.Event()
    text = document(*({"name": f"flag-{at}", "enabled": True} for at in range(2000)))
    flags.publish(text)

    def publish() -> None:
        while not stop.is_set():
            flags.publish(text)

    def child() -> None:
        fine = flags.is_enabled("flag-7", {"user": "u"}) and flags.publish('[{"name": "child", "enabled": true}]')
        os._exit(0 if fine and flags.is_enabled("child") else 1)

    thread, fork = threading.Thread(target=publish), multiprocessing.get_context("fork")
    thread.start()
    try:
        for _ in range(50):
            process = fork.Process(target=child)
            process.start()
            process.join(60)
            if process.exitcode is None:
                process.kill()
            assert process.exitcode == 0
    finally:
        stop.set()
        thread.join()
    assert "child" not in flags
