"""The guards of flags, as they are told: one line for people, and every number for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from ._trips import Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class GuardCounts:
    """The units of one arm in the epoch; estimates where there are more than 3,584."""

    units: float
    """Units that reported."""
    bad: float
    """Those with a bad outcome."""


@dataclass(frozen=True, slots=True)
class GuardTrip:
    """Why a guard has switched its flag off."""

    run: int
    """The run that it ends."""
    epoch: int
    """The epoch, from 1."""
    at: datetime
    """The time, in UTC."""
    since: datetime
    """When the epoch began, in UTC."""
    metric: str
    """The metric, such as `errors`."""
    condition: dict[str, float] | str
    """What did not hold: `{"at_most_times": 1.0}`, `{"at_most": 0.1}` or `"split"`."""
    on: GuardCounts
    """The units that had the flag on."""
    off: GuardCounts
    """The units that had it off."""
    share: float | None
    """The part of the units that was on; None without arms."""
    log_e: float
    """The natural logarithm of the evidence."""
    log_bar: float
    """The natural logarithm of the bar that it reached."""
    worst_case_times: float | None
    """How many times as bad the on arm is at most (95 %)."""
    ledger: list[Any]
    """`[[share, hits, misses], "mark", …]`, from which anyone can compute `log_e` again."""


@dataclass(frozen=True, slots=True)
class GuardMetric:
    """One metric of a guard, in the present epoch."""

    name: str
    """`errors`, `slow` or `slower`."""
    on_bad: float
    """Bad units of the on arm."""
    off_bad: float
    """Bad units of the off arm."""
    log_relative: float | None
    """The natural logarithm of the evidence that the on arm is worse; None if arms are not compared."""
    log_limit: float | None
    """The natural logarithm of the evidence that the limit is exceeded; None without a limit."""
    worst_case_times: float | None
    """How many times as bad the on arm is at most (95 %, at any time); None while nothing is excluded."""


@dataclass(frozen=True, slots=True)
class GuardStatus:
    """The status of one guard. As text it is one line, such as `crm: healthy, 512 units on and 2048 off; errors: 9 bad on
    and 31 off, at most 2.9 times as bad`."""

    flag: str
    """The key of the flag."""
    line: str
    """The line."""
    state: Literal["waiting", "healthy", "suspicious", "blind", "tripped"]
    """`waiting`: too few units, or no arms; `suspicious`: evidence, but too little to stop; `blind`: what arrives cannot
    be trusted; `tripped`: the flag is off until its `run` is raised."""
    run: int
    """The number of the attempt to release."""
    epoch: int
    """The epoch, from 1: it ends when the share or the run changes, and after 24 hours."""
    share: float | None
    """The part of the units that is on; None without arms."""
    on_units: float
    """Units of the on arm that reported."""
    off_units: float
    """Units of the off arm that reported."""
    log_split: float
    """The natural logarithm of the evidence that the split is wrong."""
    log_bar: float
    """The natural logarithm of the bar of this epoch."""
    metrics: tuple[GuardMetric, ...]
    """Its metrics."""
    trip: GuardTrip | None
    """Why it tripped, if it did so in this process."""

    def __str__(self) -> str:
        return self.line


@dataclass(frozen=True, slots=True)
class GuardProblem:
    """A mistake in the `guard` of a flag. A guard with a mistake guards nothing."""

    flag: str
    """The key of the flag."""
    place: str
    """The place, such as `guard/errors/at_most`."""
    problem: str
    """What is wrong, and what was expected."""

    def __str__(self) -> str:
        return f"{self.flag}: `{self.place}`: {self.problem}"


@dataclass(frozen=True, slots=True)
class GuardProposal:
    """What has become of a trip that was proposed to a store. As text it is one line, such as `crm: the trip of run 1 is
    in the store`."""

    flag: str
    """The key of the flag."""
    run: int
    """The run of the trip."""
    verdict: Verdict | None = None
    """The answer of the store; None until there is one."""
    error: str | None = None
    """Why it has not answered the last time, in one line."""

    def __str__(self) -> str:
        begin = f"{self.flag}: the trip of run {self.run}"
        if self.verdict is not None:
            return f"{begin} {_VERDICTS[self.verdict]}"
        if self.error is not None:
            return f"{begin} is not in the store yet: {self.error}"
        return f"{begin} is being proposed to the store"


_VERDICTS: dict[Verdict, str] = {
    "taken": "is in the store",
    "known": "is in the store",
    "over": "is void, because a later run has begun",
    "unguarded": "is not taken, because the store has no such flag with a guard",
}


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of a handle. As text it is one line for each flag, each mistake, each proposal, and what was not
    counted."""

    flags: tuple[GuardStatus, ...] = ()
    """The watched flags, in the order of the snapshot."""
    problems: tuple[GuardProblem, ...] = ()
    """Mistakes in guards."""
    unwatched: int = 0
    """Outcomes of events that no guard names."""
    dropped: int = 0
    """Outcomes that could not be read: a duration that is negative, NaN or longer than a day, an `error` that is not a
    bool, a `value` that is not a finite number, a context that is not a mapping."""
    exposition: str = field(default="", repr=False, compare=False)
    """The numbers of the guards for Prometheus, in the format of OpenMetrics 1.0
    (`application/openmetrics-text; version=1.0.0; charset=utf-8`): outcomes, durations, units, evidence, states and trips
    by flag. Those of this process: behind several workers, let Prometheus read each."""
    proposals: tuple[GuardProposal, ...] = ()
    """What has become of the trips that keep flags off, if they are proposed to a store."""

    def __str__(self) -> str:
        lines = [*map(str, self.flags), *map(str, self.problems), *map(str, self.proposals)]
        counts = {"of events without a guard": self.unwatched, "dropped": self.dropped}
        lines += [f"{count} outcomes {what}" for what, count in counts.items() if count]
        return "\n".join(lines) or "no flag is watched"


def guards_of(plain: dict[str, Any] | None, proposals: tuple[GuardProposal, ...] = ()) -> Guards:
    """The guards from their JSON, with the proposals; without guards, no flag is watched."""
    if plain is None:
        return Guards()
    return Guards(
        flags=tuple(_status(flag) for flag in plain["flags"]),
        problems=tuple(GuardProblem(*problem) for problem in plain["problems"]),
        unwatched=plain["unwatched"],
        dropped=plain["dropped"],
        exposition=plain["exposition"],
        proposals=proposals,
    )


def trip_of(plain: dict[str, Any]) -> GuardTrip:
    """A trip from its JSON."""
    times: dict[str, Any] = {"at": _time(plain["at_ms"]), "since": _time(plain["since_ms"])}
    arms = {"on": GuardCounts(**plain["on"]), "off": GuardCounts(**plain["off"])}
    rest = {name: value for name, value in plain.items() if name not in ("at_ms", "since_ms")}
    return GuardTrip(**{**rest, **times, **arms})


def _status(plain: dict[str, Any]) -> GuardStatus:
    metrics = tuple(GuardMetric(**metric) for metric in plain["metrics"])
    trip = None if plain["trip"] is None else trip_of(plain["trip"])
    return GuardStatus(**{**plain, "metrics": metrics, "trip": trip})


def _time(millis: int) -> datetime:
    # A clock may be beyond Python's calendar.
    try:
        return _EPOCH + timedelta(milliseconds=millis)
    except OverflowError:
        return datetime.max.replace(tzinfo=timezone.utc)
