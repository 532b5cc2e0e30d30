"""Guards: what the app tracks and measures, what bad data does, and trips in this process, its forks and later ones."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, until

from esclusa import Context, Flags, FlagSet, Guards, Report, Tracked
from esclusa.sync import Bundled

GUARD: dict[str, Any] = {"event": "checkout", "errors": {}, "slow": {"above_ms": 3000}}


def rows(run: int = 1, **guard: Any) -> str:
    crm = {"name": "crm", "enabled": True, "rollout_percentage": 50, "guard": {**GUARD, **guard}}
    after = {"name": "after", "enabled": True, "prerequisites": [{"flag": "crm", "on": True}]}
    return json.dumps([{**crm, "guard_state": {"run": run}}, after])


def guarded(guard: bool | str | os.PathLike[str] = True) -> Flags:
    flags = Flags(guard=guard)
    flags.publish(rows())
    return flags


def harm(flags: Flags, users: int = 400) -> None:
    """Whoever has the flag on has an error; the others are fine."""
    for user in range(users):
        context = Context(f"user-{user}")
        flags.track("checkout", context, error=flags.is_enabled("crm", context))


def cohort(flags: Flags | FlagSet) -> list[int]:
    return [user for user in range(1000) if flags.is_enabled("crm", {"user": f"user-{user}"})]


def units(flags: Flags) -> tuple[float, float]:
    [status] = flags.guards().flags
    return status.on_units, status.off_units


def bad(flags: Flags) -> dict[str, float]:
    return {metric.name: metric.on_bad + metric.off_bad for metric in flags.guards().flags[0].metrics}


def test_a_flag_that_does_harm_is_off_within_a_moment_and_the_same_users_return(caplog: pytest.LogCaptureFixture) -> None:
    flags = guarded()
    reports: list[Report] = []
    flags.on_publish(reports.append)
    held, before = flags.current(), cohort(flags)
    assert len(before) > 400 and flags.is_enabled("after", {"user": f"user-{before[0]}"})
    harm(flags)
    until(lambda: cohort(flags) == [], 10)
    until(lambda: reports, 10)
    assert reports[0].changed == ("after", "crm") and not flags.is_enabled("after", {"user": f"user-{before[0]}"})
    assert flags.current() is not held and cohort(held) == before
    assert "the guard of `crm` has switched it off: errors, " in caplog.text
    [status] = flags.guards().flags
    trip = status.trip
    assert (status.state, status.run) == ("tripped", 1) and trip is not None
    assert (trip.metric, trip.condition, trip.share, trip.off.bad) == ("errors", {"at_most_times": 1}, 0.5, 0)
    assert trip.on.bad >= 5 and trip.log_e >= trip.log_bar and trip.ledger[0] == [0.5, trip.on.bad, 0]
    assert abs(time.time() - trip.at.timestamp()) < 60 and str(status).startswith("crm: tripped, ")
    flags.publish(rows())
    assert cohort(flags) == [], "a later set does not reopen it"
    flags.publish(rows(run=2))
    assert cohort(flags) == before
    assert flags.guards().flags[0].state == "waiting"


def test_without_guards_tracking_counts_nothing() -> None:
    before = set(threading.enumerate())
    flags = guarded(guard=False)
    harm(flags)
    with flags.measure("checkout", Context("user-1")):
        pass
    assert flags.guards() == Guards() and str(flags.guards()) == "no flag is watched"
    assert [thread for thread in threading.enumerate() if thread.name == "esclusa-guard" and thread not in before] == []


def test_every_constructor_takes_a_guard(tmp_path: Path) -> None:
    path, trips = tmp_path / "flags.json", tmp_path / "trips.json"
    path.write_text(rows(), encoding="utf-8")
    every = [
        Flags.from_file(path, guard=True),
        Flags.from_source(Bundled(rows()), guard=trips),
        Flags.from_url("http://127.0.0.1:1/", cache=path, guard=str(trips), timeout=0.1),
    ]
    for flags in every:
        flags.track("checkout", Context("user-1"))
        assert sum(units(flags)) == 1
    assert Flags.from_env(guard=True).guards() == Guards()
    for flags in every:
        assert flags._sync is not None
        flags._sync.close()


@pytest.mark.parametrize(
    "told",
    [
        {"duration": float("nan")},
        {"duration": float("inf")},
        {"duration": -0.001},
        {"duration": 86_400.1},
        {"duration": 10**400},
        {"duration": "1"},
        {"duration": True},
        {"duration": [1]},
        {"duration": Decimal("sNaN")},
        {"error": 1},
        {"error": "timeout"},
        {"error": ValueError()},
        {"value": float("nan")},
        {"value": float("-inf")},
        {"value": 10**400},
        {"value": "4"},
        {"value": {}},
        {"context": "user-1"},
        {"context": 7},
        {"context": object()},
        {"context": {"user": {"deep": "user"}, "nested": None}, "duration": -1},
    ],
)
def test_bad_data_is_dropped_and_counted(told: dict[str, Any]) -> None:
    flags = guarded()
    heard: list[Tracked] = []
    flags.on_track(heard.append)
    told.setdefault("context", Context("user-1"))
    told.setdefault("error", True)
    flags.track("checkout", **told)
    guards = flags.guards()
    assert guards.dropped == 1 and str(guards).endswith("\n1 outcomes dropped")
    assert units(flags) == (0, 0) and heard == []


def test_names_that_are_no_event_are_counted_too() -> None:
    flags, nothing = guarded(), Flags(guard=True)
    wrong: Any
    for wrong in (7, None, b"checkout", ["checkout"]):
        flags.track(wrong, Context("user-1"))
    for unknown in ("chekout", "", "half \ud800", "checkout\0"):
        flags.track(unknown, Context("user-1"))
    assert (flags.guards().dropped, flags.guards().unwatched) == (4, 4)
    nothing.track("checkout", Context("user-1"))
    assert nothing.guards() == Guards(unwatched=1)


def test_too_many_losses_make_a_guard_blind_and_switch_nothing_off() -> None:
    flags = guarded()
    for user in range(300):
        flags.track("checkout", Context(f"user-{user}"))
    for _ in range(10):
        flags.track("checkout", Context("user-1"), duration=float("nan"))
    assert flags.guards().flags[0].state == "blind"
    assert flags.is_enabled("crm", {"user": "user-1"}) or flags.is_enabled("crm", {"user": "user-2"}) or cohort(flags)


class Raises(Mapping[str, object]):
    """A mapping that cannot be read."""

    def __init__(self, problem: BaseException) -> None:
        self.problem = problem

    def __getitem__(self, key: str) -> object:
        raise self.problem

    def __iter__(self) -> Any:
        raise self.problem

    def __len__(self) -> int:
        return 1


def test_a_context_that_raises_is_dropped_and_an_interrupt_is_not_swallowed() -> None:
    flags = guarded()
    flags.track("checkout", Raises(ValueError("no")))
    assert flags.guards().dropped == 1
    with pytest.raises(KeyboardInterrupt):
        flags.track("checkout", Raises(KeyboardInterrupt()))


def test_a_unit_counts_once_by_any_form_of_its_context() -> None:
    flags = guarded()
    forms: list[Any] = [Context("u"), {"user": "u"}, {"targetingKey": "u", "at": time}, Context.from_mapping({"user": "u"})]
    for context in forms:
        flags.track("checkout", context, error=True, duration=4, value=9.5, step="payment")
        flags.current().track("checkout", context)
    assert sum(units(flags)) == 1 and bad(flags) == {"errors": 1, "slow": 1}
    flags.track("checkout", error=True)
    flags.track("checkout", None, error=True, duration=None, value=None)
    assert sum(units(flags)) == 1, "nobody has no arm"


@pytest.mark.parametrize(("seconds", "slow"), [(3.0, 0), (3.001, 1), (0, 0), (86_400, 1)])
def test_durations_are_seconds(seconds: float, slow: int) -> None:
    flags = guarded()
    flags.track("checkout", Context("u"), duration=seconds)
    assert bad(flags) == {"errors": 0, "slow": slow}


def test_mistakes_in_guards_are_told_and_the_flag_is_served() -> None:
    flags = Flags(guard=True)
    flags.publish(rows(errors={"at_most": 7}))
    [problem] = flags.guards().problems
    assert (problem.flag, problem.place) == ("crm", "guard/errors/at_most")
    assert str(flags.guards()) == "crm: `guard/errors/at_most`: 7 does not fit, expected a share above 0 and below 1"
    assert cohort(flags)


CALLERS: dict[str, Context] = {}


class Broken(Exception):
    """What an app raises."""


def test_measuring_a_block() -> None:
    flags = guarded()
    with flags.measure("checkout", Context("a")):
        time.sleep(0.01)
    assert bad(flags) == {"errors": 0, "slow": 0} and sum(units(flags)) == 1
    with pytest.raises(Broken), flags.measure("checkout", Context("b")):
        raise Broken
    assert bad(flags) == {"errors": 1, "slow": 0}
    heard: list[Tracked] = []
    flags.on_track(heard.append)
    with flags.measure("checkout", Context("c")) as measured:
        measured.error, measured.value = True, 99.5
        measured.fields["status"] = 503
        time.sleep(0.02)
    [tracked] = heard
    assert bad(flags) == {"errors": 2, "slow": 0} and tracked.duration is not None and 0.02 <= tracked.duration < 5
    assert (tracked.event, tracked.error, tracked.value) == ("checkout", True, 99.5)
    assert (tracked.fields, tracked.from_browser) == ({"status": 503}, False)


def test_measuring_functions() -> None:
    flags = guarded()
    heard: list[Tracked] = []
    flags.on_track(heard.append)

    @flags.measure("checkout", lambda user, fails=False: Context(user))
    def buy(user: str, fails: bool = False) -> str:
        """Buys."""
        if fails:
            raise Broken(user)
        return user.upper()

    @flags.measure("checkout", lambda user, fails=False: {"user": user})
    async def buy_later(user: str, fails: bool = False) -> str:
        await asyncio.sleep(0.02)
        return buy(user, fails)

    assert buy("ana") == "ANA" and (buy.__doc__, buy.__name__) == ("Buys.", "buy")
    assert list(inspect.signature(buy).parameters) == ["user", "fails"]
    with pytest.raises(Broken, match="luz"):
        buy("luz", fails=True)
    assert bad(flags)["errors"] == 1 and sum(units(flags)) == 2
    assert inspect.iscoroutinefunction(buy_later) and asyncio.run(buy_later("eva")) == "EVA"
    with pytest.raises(Broken, match="sol"):
        asyncio.run(buy_later("sol", fails=True))
    assert bad(flags)["errors"] == 2 and sum(units(flags)) == 4
    assert [tracked.error for tracked in heard] == [False, True, False, False, True, True]
    assert heard[3].duration is not None and heard[3].duration >= 0.02
    for _ in range(3):
        buy("once more")
    assert sum(units(flags)) == 5


def test_calls_at_once_are_measured_each_by_itself() -> None:
    flags = guarded()
    heard: list[Tracked] = []
    flags.on_track(heard.append)

    @flags.measure("checkout", lambda seconds: Context(str(seconds)))
    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def all_of_them() -> None:
        await asyncio.gather(*(wait(seconds) for seconds in (0.3, 0.01)))

    asyncio.run(all_of_them())
    short, long = (tracked.duration for tracked in heard)
    assert short is not None and long is not None and 0.01 <= short < 0.3 <= long


def test_what_is_cancelled_or_interrupted_has_no_outcome() -> None:
    flags = guarded()

    @flags.measure("checkout", Context("ana"))
    async def endless() -> None:
        await asyncio.sleep(1000)

    async def cancelled() -> None:
        task = asyncio.create_task(endless())
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    with pytest.raises(KeyboardInterrupt), flags.measure("checkout", Context("ana")):
        raise KeyboardInterrupt
    assert units(flags) == (0, 0) and flags.guards().dropped == 0


def test_a_context_that_cannot_be_made_harms_no_call() -> None:
    flags = guarded()

    @flags.measure("checkout", lambda: CALLERS["user"])
    def answer() -> int:
        return 42

    assert answer() == 42 and flags.guards().dropped == 1


def test_generators_are_refused() -> None:
    def numbers() -> Any:
        yield 1

    async def later() -> Any:
        yield 1

    for generator in (numbers, later):
        with pytest.raises(TypeError, match="is a generator, expected a function or an `async` function"):
            Flags().measure("checkout")(generator)


def test_listeners_are_called_and_their_errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    for flags in (guarded(), Flags()):
        heard: list[Tracked] = []
        ends = [flags.on_track(lambda _: 1 / 0), flags.on_track(heard.append)]
        context = Context("ana")
        flags.track("checkout", context, value=3, action="click")
        assert heard == [Tracked("checkout", context, False, None, 3, {"action": "click"}, False)]
        assert "a listener to tracking raised" in caplog.text and "ZeroDivisionError" in caplog.text
        for end in ends:
            end()
        flags.track("checkout", context)
        assert len(heard) == 1
    wrong: Any = 7
    with pytest.raises(TypeError, match="expected a listener that can be called with an outcome, got int"):
        Flags().on_track(wrong)


def test_a_trip_is_in_the_file_and_a_process_that_restarts_begins_with_it(tmp_path: Path) -> None:
    path = tmp_path / "trips.json"
    flags = guarded(path)
    assert not path.exists()
    harm(flags)
    until(path.exists, 10)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (document["esclusa"], document["layer"]) == (1, "trips")
    [flag] = document["flags"]
    assert flag["name"] == "crm" and flag["trip"]["run"] == 1 and flag["trip"]["metric"] == "errors"
    program = f"""
from esclusa import Flags
flags = Flags(guard={str(path)!r})
flags.publish({rows()!r})
print(any(flags.is_enabled("crm", {{"user": str(n)}}) for n in range(1000)), flags.guards().flags[0].state)
flags.publish({rows(run=2)!r})
print(any(flags.is_enabled("crm", {{"user": str(n)}}) for n in range(1000)))
"""
    later = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert (later.stdout, later.stderr) == ("False tripped\nTrue\n", "")


def test_another_process_of_the_host_takes_a_trip(tmp_path: Path) -> None:
    path = tmp_path / "trips.json"
    program = f"""
import sys, time
from esclusa import Context, Flags
flags = Flags(guard={str(path)!r})
flags.publish({rows()!r})
print("ready", flush=True)
sys.stdin.readline()
for user in range(400):
    context = Context(str(user))
    flags.track("checkout", context, error=flags.is_enabled("crm", context))
time.sleep(3)
"""
    flags = guarded(path)
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n" and cohort(flags)
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
        began = time.monotonic()
        until(lambda: not cohort(flags), 20)
        assert time.monotonic() - began < 10
    assert flags.guards().flags[0].state == "tripped" and flags.guards().flags[0].trip is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"layer": "trips"}', b'{"layer": "trips", "flags": [{"name": 7}]}', b"\xff"])
def test_a_file_of_trips_that_is_broken_switches_nothing_off_and_is_replaced(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "trips.json"
    path.write_bytes(content)
    flags = guarded(path)
    assert cohort(flags) and f"the file of trips `{path}`: " in caplog.text
    harm(flags)
    until(lambda: path.read_bytes() != content, 10)
    assert json.loads(path.read_bytes())["flags"][0]["name"] == "crm"
    assert caplog.text.count("the file of trips") == 1


def test_a_file_that_cannot_be_written_is_told_once_and_trips_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flags = guarded(tmp_path / "no such folder" / "trips.json")
    harm(flags)
    until(lambda: not cohort(flags), 10)
    until(lambda: "the file of trips" in caplog.text, 10)
    time.sleep(2.2)
    assert caplog.text.count("the file of trips") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_forks_judge_for_themselves_and_share_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trips.json"
    flags = guarded(path)
    flags.track("checkout", Context("user-0"))
    tracking = threading.Event()

    def track_on() -> None:
        while not tracking.is_set():
            flags.track("checkout", Context(str(time.monotonic_ns())), error=False)

    threads = [threading.Thread(target=track_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    pids = []
    for child in range(30):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                # Before anything else: no lock was left taken by a thread of the parent.
                flags.track("checkout", Context("child"))
                assert sum(units(flags)) > 1
                if child == 29:
                    for user in range(2000):
                        context = Context(f"of-the-child-{user}")
                        flags.track("checkout", context, error=flags.is_enabled("crm", context))
                until(lambda: not cohort(flags) and path.exists(), 30)
                code = 0
            except BaseException as problem:
                print("in the child:", repr(problem), file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        pids.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    tracking.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 30
    until(lambda: not cohort(flags), 10)


def test_flags_that_are_dropped_end_their_thread() -> None:
    def watching() -> int:
        return sum(thread.name == "esclusa-guard" for thread in threading.enumerate())

    gc.collect()
    until(lambda: watching() == 0, 10)
    flags = guarded()
    # A listener that refers to the flags does not keep them.
    heard: list[object] = [flags]
    flags.on_track(heard.append)
    gone = weakref.ref(flags)
    flags.track("checkout", Context("ana"))
    assert watching() == 1 and len(heard) == 2
    del flags, heard
    gc.collect()
    assert gone() is None
    until(lambda: watching() == 0, 5)


def test_the_thread_goes_on_after_a_listener_that_exits(caplog: pytest.LogCaptureFixture) -> None:
    flags = guarded()

    def leave(_: Report) -> None:
        raise SystemExit

    flags.on_publish(leave)
    harm(flags)
    until(lambda: "the guards go on after SystemExit" in caplog.text, 10)
    flags.on_publish(lambda _: None)
    assert not cohort(flags) and flags.guards().flags[0].state == "tripped"


def test_a_source_and_guards_together(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    run = 1
    flags = Flags.from_source(lambda: rows(run), policy=QUICK, guard=True)
    assert flags.ready(10)
    before = cohort(flags)
    harm(flags)
    until(lambda: not cohort(flags), 10)
    flags.refresh().wait()
    assert not cohort(flags)
    run = 2
    until(lambda: cohort(flags) == before, 10)
    assert flags._sync is not None
    flags._sync.close()


def test_the_exposition_is_what_the_client_of_prometheus_reads_and_names_no_caller() -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed

    flags = guarded()
    harm(flags)
    flags.track("checkout", Context("user-0"), duration=0.03)
    text = flags.guards().exposition
    families = {family.name: family for family in parsed(text)}  # type: ignore[no-untyped-call]
    assert families["esclusa_outcomes"].type == "counter"
    errors = [
        sample.value
        for sample in families["esclusa_outcomes"].samples
        if sample.labels == {"flag": "crm", "event": "checkout", "arm": "on", "outcome": "error"}
    ]
    assert errors == [len([user for user in cohort_before() if user < 400])]
    assert {sample.labels["state"]: sample.value for sample in families["esclusa_guard_state"].samples}["tripped"] in (0, 1)
    assert sum(sample.value for sample in families["esclusa_outcome_duration_seconds"].samples if "count" in sample.name) == 1
    assert "user-" not in text
    assert Flags().guards().exposition == ""


def cohort_before() -> list[int]:
    flags = Flags()
    flags.publish(rows())
    return cohort(flags)
