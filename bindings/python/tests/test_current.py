"""One set for a whole request: it answers as the flags did when it was taken, whatever is published meanwhile."""

from __future__ import annotations

import gc
import os
import threading
from datetime import datetime, timezone

import pytest
from esclusa import Context, Flags, FlagSet
from esclusa.sync import Environment, Layers

ON = '{"esclusa": 1, "revision": 1, "generated_at": "2026-01-01T00:00:00Z", "flags": [{"name": "a", "enabled": true, "target_plans": ["PRO"]}, {"name": "bad", "rollout_percentage": 150}]}'
OFF = '{"esclusa": 1, "revision": 2, "flags": [{"name": "a", "enabled": false}, {"name": "b", "enabled": true}]}'
PRO = Context("u", plan="PRO")


@pytest.fixture
def flags() -> Flags:
    flags = Flags()
    flags.publish(ON)
    return flags


def everything(asked: Flags | FlagSet) -> dict[str, object]:
    """Every question with its answer."""
    at = datetime(2026, 2, 1, tzinfo=timezone.utc)
    answers: dict[str, object] = {}
    for context in (PRO, {"user": "u", "plan": "FREE"}, None, 5):
        for key in ("a", "b", "bad", "missing"):
            answers[f"{key} {context}"] = (
                asked.is_enabled(key, context, True),  # type: ignore[arg-type]
                asked.value(key, context, "mine"),  # type: ignore[arg-type]
                asked.variant(key, context, "mine"),  # type: ignore[arg-type]
                asked.resolve(key, context, at).to_dict(),  # type: ignore[arg-type]
                str(asked.explain(key, context, at)),  # type: ignore[arg-type]
            )
        answers[f"all {context}"] = (
            {key: one.to_dict() for key, one in asked.resolve_all(context, at).items()},  # type: ignore[arg-type]
            asked.project(context, now=at),  # type: ignore[arg-type]
            asked.client_snapshot(context, ["a"], at),  # type: ignore[arg-type]
        )
    answers["itself"] = (
        (asked.keys(), len(asked), "a" in asked, "b" in asked, bool(asked)),
        (asked.revision, asked.generated_at, asked.is_ready, asked.violations, asked.reading()),
    )
    return answers


def test_a_held_set_answers_every_question_as_the_flags_did(flags: Flags) -> None:
    before = everything(flags)
    held = flags.current()
    assert everything(held) == before
    flags.publish(OFF)
    assert everything(held) == before
    assert everything(flags) != before and everything(flags.current()) == everything(flags)
    assert not isinstance(held, Flags) and not hasattr(held, "publish")
    assert (repr(held), repr(flags)) == ("<FlagSet revision=1 len=2>", "<Flags revision=2 len=2>")


def test_it_is_the_same_set_until_something_is_published(flags: Flags) -> None:
    first = flags.current()
    assert flags.current() is first and first.current() is first
    flags.publish(OFF)
    second = flags.current()
    assert second is not first and flags.current() is second
    assert flags.publish(ON).outcome == "older"
    assert flags.current().revision == 2


def test_before_anything_is_published() -> None:
    flags = Flags()
    nothing = flags.current()
    flags.publish(ON)
    assert nothing.resolve("a").error_code == "PROVIDER_NOT_READY" and not nothing.is_ready
    assert flags.current().is_enabled("a", PRO)


def test_overrides_count_for_a_held_set_too(flags: Flags) -> None:
    held = flags.current()
    with flags.override({"a": False, "new": {"value": 3}}):
        assert everything(held) == everything(flags)
        assert (held.is_enabled("a", PRO), held.value("new")) == (False, 3)
        later = flags.current()
        seen: list[bool] = []
        thread = threading.Thread(target=lambda: seen.append(later.is_enabled("a", PRO)))
        thread.start()
        thread.join()
        assert seen == [True]
    assert held.is_enabled("a", PRO) and later.is_enabled("a", PRO) and held.value("new") is None


def test_switches_of_the_environment_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATURE_A", "false")
    flags = Flags.from_source(Layers(Environment(), lambda: ON))
    try:
        assert flags.ready(60)
        assert not flags.current().is_enabled("a", PRO) and not flags.is_enabled("a", PRO)
    finally:
        assert flags._sync is not None
        flags._sync.close()


def test_threads_that_publish_and_hold_see_whole_sets() -> None:
    flags = Flags()
    flags.publish('{"esclusa": 1, "revision": 0, "flags": [{"name": "a", "enabled": true}, {"name": "b", "enabled": true}]}')
    is_over = threading.Event()

    def publish() -> None:
        for revision in range(1, 1500):
            on = str(revision % 2 == 0).lower()
            flags.publish(
                f'{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "a", "enabled": {on}}}, {{"name": "b", "enabled": {on}}}]}}'
            )
        is_over.set()

    thread = threading.Thread(target=publish)
    thread.start()
    last = 0
    while not is_over.is_set():
        held = flags.current()
        revision = held.revision
        assert revision is not None and revision >= last
        assert held.is_enabled("a") is held.is_enabled("b") is (revision % 2 == 0)
        last = revision
    thread.join()
    assert flags.current().revision == 1499


def test_sets_that_nobody_holds_are_freed() -> None:
    flags = Flags()
    rows = [{"name": f"flag-{number}", "enabled": True, "target_companies": [f"c{number}-{n}" for n in range(50)]} for number in range(300)]

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def publish(times: int) -> None:
        for _ in range(times):
            flags.publish(rows)
            assert flags.current().is_enabled("flag-7", {"company": "c7-7"})

    if not os.path.exists("/proc/self/statm"):
        pytest.skip("this system does not say how much memory a process has")
    publish(20)
    gc.collect()
    before = resident()
    publish(100)
    assert resident() - before < 20_000_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_in_a_child(flags: Flags) -> None:
    held = flags.current()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            flags.publish(OFF)
            if held.is_enabled("a", PRO) and not flags.current().is_enabled("a", PRO):
                code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert flags.current() is held
