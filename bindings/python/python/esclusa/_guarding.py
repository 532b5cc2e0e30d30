"""The thread that lets guards judge once a second, and the file that keeps their trips.

Several processes of a host may share the file: a flag that trips in one is off in the others within a second, and in a
process that restarts from the beginning on.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from . import _native
from ._disk import read, replace
from ._guards import GuardProposal, trip_of
from ._proposing import Proposing
from ._redaction import describe_error
from ._report import tell
from ._ticking import Ticking
from ._trips import TripStore

if TYPE_CHECKING:
    from ._flags import Flags

_logger = logging.getLogger("esclusa")

class Guarding(Ticking):
    """The guards of one handle in one process."""

    thread_name, subject = "esclusa-guard", "the guards"

    def __init__(self, flags: Flags, path: str | None, store: TripStore | None) -> None:
        """Call `start` to begin."""
        super().__init__(flags)
        self._path = path
        # When the file was changed and how long it was as it was read last, and the trips in it.
        self._seen: tuple[int, int, int] | None = None
        self._known: bytes | None = None
        self._problem: str | None = None
        self._proposing = None if store is None else Proposing(flags, store)

    def start(self, flags: Flags) -> None:
        """Takes the trips of the file, so that a flag that tripped before is never on, and starts the threads."""
        self._turn(flags)
        self.begin()
        if self._proposing is not None:
            self._proposing.begin()

    def begin_anew(self, flags: Flags) -> Guarding:
        """In a fork: the same with threads of its own, and with what was counted before."""
        anew = Guarding(flags, self._path, None)
        anew.begin()
        if self._proposing is not None:
            anew._proposing = self._proposing.begin_anew(flags)
        return anew

    @property
    def proposals(self) -> tuple[GuardProposal, ...]:
        """The proposals to the store, if there is one."""
        return () if self._proposing is None else self._proposing.proposals

    def _step(self) -> None:
        if (flags := self._flags()) is None:
            return
        tripped, reports = _native._tick(flags)
        for flag, plain in tripped:
            trip = trip_of(plain)
            text = "the guard of `%s` has switched it off: %s, %.0f of %.0f units on and %.0f of %.0f off"
            on, off = trip.on, trip.off
            _logger.warning(text, flag, trip.metric, on.bad, on.units, off.bad, off.units)
        if tripped and self._proposing is not None:
            self._proposing.wake()
        self._turn(flags)
        tell(flags, reports)

    def _turn(self, flags: Flags) -> None:
        """Takes trips that the file has, and writes those that it lacks. What cannot be read or written is logged, and
        changes nothing."""
        if self._path is None:
            return
        problem: str | None = None
        try:
            self._take(flags, self._path)
            self._give(flags, self._path)
        except (OSError, ValueError) as error:
            problem = describe_error(error)
            # The same problem each second is one line.
            if problem != self._problem:
                _logger.warning("the file of trips `%s`: %s", self._path, problem)
        self._problem = problem

    def _take(self, flags: Flags, path: str) -> None:
        try:
            look = os.stat(path)
        except FileNotFoundError:
            self._seen, self._known = None, None
            return
        seen = look.st_mtime_ns, look.st_size, look.st_ino
        if seen == self._seen:
            return
        # A file that is broken is looked at again when it changes.
        self._seen = seen
        document = read(path)
        reports = _native._take_trips(flags, document)
        self._known = document
        tell(flags, reports)

    def _give(self, flags: Flags, path: str) -> None:
        if _native._trips_of(flags, self._known) is None:
            return
        # Not under a lock, which a fork would keep: what another process writes at the same moment and overwrites
        # this is seen at the next tick, and then this is written again.
        folder, name = os.path.split(path)
        try:
            document = _native._trips_of(flags, read(path))
        except (FileNotFoundError, ValueError):
            # A file that is broken is replaced.
            document = _native._trips_of(flags, None)
        if document is not None:
            replace(path, folder, f".{name}.", document.encode())
