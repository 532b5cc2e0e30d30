"""The thread that lets guards judge once a second, and the file that keeps their trips.

Several processes of a host may share the file: a flag that trips in one is off in the others within a second, and in a
process that restarts from the beginning on.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import _native
from ._disk import read, replace
from ._guards import trip_of
from ._redaction import describe_error
from ._report import report_of

if TYPE_CHECKING:
    from ._flags import Flags

_logger = logging.getLogger("esclusa")

_TICK_SECONDS = 1.0


class Guarding:
    """The guards of one handle in one process, which hold the flags weakly.

    It takes no lock that a fork could find taken, as the thread of a source does.
    """

    def __init__(self, flags: Flags, path: str | None) -> None:
        """Call `start` to begin."""
        self._path = path
        # When the file was changed and how long it was as it was read last, and the trips in it.
        self._seen: tuple[int, int, int] | None = None
        self._known: bytes | None = None
        self._problem: str | None = None
        self.is_stopped = False
        self._wakeups = queue.SimpleQueue[None]()
        put = self._wakeups.put
        self._flags = weakref.ref(flags, lambda _: put(None))
        self._thread = threading.Thread(target=self._live, name="esclusa-guard", daemon=True)

    def start(self, flags: Flags) -> None:
        """Takes the trips of the file, so that a flag that tripped before is never on, and starts the thread."""
        self._turn(flags)
        self._start()

    def begin_anew(self, flags: Flags) -> Guarding:
        """In a fork: the same with a thread of its own, and with what was counted before."""
        anew = Guarding(flags, self._path)
        anew._start()
        return anew

    def _start(self) -> None:
        _guarding.add(self)
        try:
            self._thread.start()
        except RuntimeError as problem:
            # The interpreter ends, or the system has no more threads.
            _logger.warning("the guards do not judge: %s", describe_error(problem))

    def stop(self) -> None:
        """Ends the thread after its current step."""
        self.is_stopped = True
        self._wakeups.put(None)

    def join(self, seconds: float) -> None:
        """Waits for the thread to end."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _live(self) -> None:
        while not self.is_stopped and (flags := self._flags()) is not None:
            try:
                self._step(flags)
            except BaseException as problem:
                try:
                    _logger.error("the guards go on after %s", describe_error(problem))
                except BaseException:
                    pass
            del flags
            try:
                self._wakeups.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                pass

    def _step(self, flags: Flags) -> None:
        tripped, reports = _native._tick(flags)
        for flag, plain in tripped:
            trip = trip_of(plain)
            text = "the guard of `%s` has switched it off: %s, %.0f of %.0f units on and %.0f of %.0f off"
            on, off = trip.on, trip.off
            _logger.warning(text, flag, trip.metric, on.bad, on.units, off.bad, off.units)
        self._turn(flags)
        _tell(flags, reports)

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
        _tell(flags, reports)

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


def _tell(flags: Flags, reports: Iterable[dict[str, Any]]) -> None:
    for plain in reports:
        report = report_of(plain)
        if report.changed:
            flags._tell(report)


_guarding: weakref.WeakSet[Guarding] = weakref.WeakSet()


def _stop_all() -> None:
    """Before the interpreter ends: a thread that logs during that may end it with an error."""
    running = [guarding for guarding in _guarding if not guarding.is_stopped]
    for guarding in running:
        guarding.stop()
    for guarding in running:
        guarding.join(0.1)


atexit.register(_stop_all)
