"""A thread that does something once a second for as long as its flags exist."""

from __future__ import annotations

import atexit
import logging
import queue
import threading
import weakref
from typing import TYPE_CHECKING

from ._redaction import describe_error

if TYPE_CHECKING:
    from ._flags import Flags

_logger = logging.getLogger("esclusa")

_TICK_SECONDS = 1.0


class Ticking:
    """One thread in one process, which holds the flags weakly.

    It takes no lock that a fork could find taken, as the thread of a source does.
    """

    thread_name: str
    """The name of the thread."""
    subject: str
    """The subject of messages about the thread, in the plural."""

    def __init__(self, flags: Flags) -> None:
        """Call `begin` to start the thread."""
        self.is_stopped = False
        self._wakeups = queue.SimpleQueue[None]()
        put = self._wakeups.put
        self._flags = weakref.ref(flags, lambda _: put(None))
        self._thread = threading.Thread(target=self._live, name=self.thread_name, daemon=True)

    def begin(self) -> None:
        """Starts the thread."""
        _ticking.add(self)
        try:
            self._thread.start()
        except RuntimeError as problem:
            # The interpreter ends, or the system has no more threads.
            _logger.warning("%s have no thread: %s", self.subject, describe_error(problem))

    def wake(self) -> None:
        """Begins the next step now."""
        self._wakeups.put(None)

    def stop(self) -> None:
        """Ends the thread after its current step."""
        self.is_stopped = True
        self.wake()

    def join(self, seconds: float) -> None:
        """Waits for the thread to end."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _step(self) -> None:
        """What is done once a second. It holds the flags only where it uses them, so that they can be collected."""
        raise NotImplementedError

    def _live(self) -> None:
        while not self.is_stopped and self._flags() is not None:
            try:
                self._step()
            except BaseException as problem:
                try:
                    _logger.error("%s go on after %s", self.subject, describe_error(problem))
                except BaseException:
                    pass
            try:
                self._wakeups.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                pass


_ticking: weakref.WeakSet[Ticking] = weakref.WeakSet()


def _stop_all() -> None:
    """Before the interpreter ends: a thread that logs during that may end it with an error."""
    running = [ticking for ticking in _ticking if not ticking.is_stopped]
    for ticking in running:
        ticking.stop()
    for ticking in running:
        ticking.join(0.1)


atexit.register(_stop_all)
