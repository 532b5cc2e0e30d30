"""The thread that proposes trips to a store until it answers, and takes the store's own (2.4 of GUARD.md)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from . import _native
from ._guards import GuardProposal
from ._redaction import describe_error, redacted
from ._report import tell
from ._source import Failure
from ._ticking import Ticking
from ._trips import Trip, TripStore, document_of, trips_from, verdict_of

if TYPE_CHECKING:
    from ._flags import Flags

_logger = logging.getLogger("esclusa")

_LONGEST_PAUSE_SECONDS = 60.0


class Proposing(Ticking):
    """The proposals of one handle in one process.

    A store that hangs delays this thread alone: guards judge in another one.
    """

    thread_name, subject = "esclusa-trips", "the proposals of trips"

    def __init__(self, flags: Flags, store: TripStore) -> None:
        """Call `begin` to start the thread."""
        super().__init__(flags)
        self._store = store
        # By the key of the flag. Replaced and never changed, because other threads read it.
        self._proposals: dict[str, GuardProposal] = {}
        # What the store had last time.
        self._taken = frozenset[Trip]()
        self._keeps_own = True
        self._failures, self._pause_until = 0, time.monotonic()

    def begin_anew(self, flags: Flags) -> Proposing:
        """In a fork: the same with a thread of its own, and with the answers that the parent has."""
        anew = Proposing(flags, self._store)
        anew._proposals = self._proposals
        anew.begin()
        return anew

    @property
    def proposals(self) -> tuple[GuardProposal, ...]:
        """The proposals of trips that keep flags off."""
        return tuple(self._proposals.values())

    def _step(self) -> None:
        if (flags := self._flags()) is None:
            return
        document = _native._trips_of(flags, None)
        # The store may take long.
        del flags
        trips = [] if document is None else trips_from(document)
        self._proposals = {trip.flag: self._proposal(trip) for trip in trips}
        if time.monotonic() < self._pause_until:
            return
        # A trip that the store cannot answer holds up no other.
        waiting = [trip for trip in trips if self._proposals[trip.flag].verdict is None]
        problems = [problem for trip in waiting if (problem := self._propose(trip)) is not None]
        if self._keeps_own:
            try:
                self._take()
            except Exception as problem:
                problems.append(problem)
        if problems:
            self._fail(problems[0])
        else:
            self._failures = 0

    def _proposal(self, trip: Trip) -> GuardProposal:
        known = self._proposals.get(trip.flag)
        # The trip may be the store's now, with other words for the same run.
        return known if known is not None and known.run == trip.run else GuardProposal(trip.flag, trip.run)

    def _propose(self, trip: Trip) -> Exception | None:
        """Why there is no answer, if there is none."""
        problem: Exception | None = None
        try:
            proposal = GuardProposal(trip.flag, trip.run, verdict_of(self._store.propose(trip)))
        except Exception as error:
            problem, proposal = error, GuardProposal(trip.flag, trip.run, error=_reason(error))
        self._proposals = {**self._proposals, trip.flag: proposal}
        if proposal.verdict not in (None, "known"):
            _logger.warning("%s: %s", self._store.name, proposal)
        return problem

    def _take(self) -> None:
        given = self._store.trips()
        if given is None:
            self._keeps_own = False
            return
        trips = frozenset(given)
        if (flags := self._flags()) is None:
            return
        for trip in trips - self._taken:
            try:
                reports = _native._take_trips(flags, document_of(trip))
            except ValueError as problem:
                # The other trips are taken all the same.
                _logger.warning("%s: a trip cannot be read: %s", self._store.name, describe_error(problem))
            else:
                tell(flags, reports)
        self._taken = trips

    def _fail(self, problem: Exception) -> None:
        if not self._failures:
            _logger.warning("%s: trips are not exchanged: %s", self._store.name, _reason(problem))
        # At most 2 ** 6 seconds: a larger power would once overflow.
        pause = 2.0 ** min(self._failures, 6)
        self._failures += 1
        wanted = problem.retry_after if isinstance(problem, Failure) else None
        self._pause_until = time.monotonic() + min(pause if wanted is None else wanted, _LONGEST_PAUSE_SECONDS)


def _reason(problem: Exception) -> str:
    return redacted(str(problem)) if isinstance(problem, Failure) else describe_error(problem)
