"""Stores of trips: a flag that a process has switched off is switched off for all, and stays off until a person resumes
it.

A store decides by compare-and-set whether it takes a trip (2.2 of GUARD.md). What trips is decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, Union, runtime_checkable

# A union, because mypy's stubtest cannot compare one `Literal` of several values.
Verdict: TypeAlias = Union[Literal["taken"], Literal["known"], Literal["over"], Literal["unguarded"]]
"""The answer of a store to a trip: it took the trip (`taken`); the flag has tripped there already (`known`); a person has
begun a later run, so the trip is void (`over`); or it has no such flag with a guard (`unguarded`)."""

_VERDICTS = ("taken", "known", "over", "unguarded")


@dataclass(frozen=True, slots=True)
class Trip:
    """A flag that its guard has switched off."""

    flag: str
    """The key of the flag."""
    run: int
    """The run that it ends."""
    text: str
    """The `trip` of `guard_state` (2.1 of GUARD.md), as JSON."""


@runtime_checkable
class TripStore(Protocol):
    """A store to which trips are proposed, in a thread of its own.

    It needs time-outs of its own: a call that hangs delays no guard and no outcome, but all other proposals. A forked
    process uses a copy of the store: a store with a connection remembers `os.getpid()` with it, and makes its own
    connection if that differs.
    """

    @property
    def name(self) -> str:
        """Its name in the log, without secrets."""

    def propose(self, trip: Trip, /) -> Verdict:
        """Proposes to switch off a flag. Any exception means that there is no answer, and then it is called again; a
        trip that comes twice counts once."""

    def trips(self) -> Iterable[Trip] | None:
        """The trips in the store, which is asked once a second; None if they come with the flags, as columns of a table
        do. Any exception means that there is no answer."""


def verdict_of(answer: object) -> Verdict:
    """The verdict, if it is one."""
    if answer not in _VERDICTS:
        raise TypeError(f"`propose` returned {answer!r}, expected one of {', '.join(map(repr, _VERDICTS))}")
    verdict: Any = answer
    return verdict  # type: ignore[no-any-return]


def trip_from(flag: object, content: object) -> Trip | None:
    """A trip from the `trip` of `guard_state`; None for any other value."""
    if not isinstance(flag, str) or not isinstance(content, dict):
        return None
    run = content.get("run")
    if not isinstance(run, int) or isinstance(run, bool) or run < 1:
        return None
    return Trip(flag, run, json.dumps(content, ensure_ascii=False, separators=(",", ":")))


def trips_from(document: str | bytes) -> list[Trip]:
    """The trips of a document (2.3 of GUARD.md). Raises ValueError for any other text."""
    plain = json.loads(document)
    flags = plain.get("flags") if isinstance(plain, dict) and plain.get("layer") == "trips" else None
    if not isinstance(flags, list):
        raise ValueError('expected a document with `"layer": "trips"` and a list of `flags`')
    trips = [trip_from(flag.get("name"), flag.get("trip")) for flag in flags if isinstance(flag, dict)]
    return [trip for trip in trips if trip is not None]


def document_of(trip: Trip) -> bytes:
    """The document with this trip alone."""
    flags = [{"name": trip.flag, "trip": json.loads(trip.text)}]
    return json.dumps({"esclusa": 1, "layer": "trips", "flags": flags}).encode()
