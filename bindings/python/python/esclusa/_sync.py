"""A source that keeps flags fresh, in this process and in its forks."""

from __future__ import annotations

import logging
import threading
import weakref
from types import TracebackType
from typing import TYPE_CHECKING

from . import _asking
from ._policy import Policy
from ._redaction import describe_error
from ._refresh import Refresh
from ._run import Run
from ._source import Fetch, Source
from ._status import Status

if TYPE_CHECKING:
    from ._flags import Flags

_logger = logging.getLogger("esclusa")

# How long a start waits for a local source: a network file system may hang.
_BEGIN_SECONDS = 3.0
# How long closing waits for a request in progress.
_CLOSING_SECONDS = 1.0
# How long the first evaluation in a forked process waits for a local source.
_LOCAL_SECONDS = 0.05


class Sync:
    """A source that keeps flags fresh until it is closed, or until the flags are collected.

    `Flags.sync` returns it; it is a context manager that closes it. The published flags stay.
    """

    __slots__ = ("__weakref__", "_allow_empty", "_flags", "_policy", "_run", "_thaw", "_timeout")

    def __init__(
        self, flags: Flags, source: Source | Fetch, policy: Policy, timeout: float, allow_empty: bool, thaw: float
    ) -> None:
        """Call `_start` to begin."""
        if not timeout > 0:
            raise ValueError(f"`timeout` is {timeout}, expected more than 0 seconds")
        self._flags = weakref.ref(flags)
        if not 0 <= thaw <= threading.TIMEOUT_MAX:
            raise ValueError(f"`thaw` is {thaw}, expected 0 or more seconds")
        self._policy, self._timeout, self._allow_empty, self._thaw = policy, timeout, allow_empty, thaw
        source = _asking.source_of(source)
        self._run = Run(flags, source, _asking.name_of(source), policy, timeout, allow_empty, thaw)

    def _start(self) -> None:
        """Starts the thread, and waits until it has tried to publish from a local source, up to a limit."""
        self._run.start()
        self._run.has_begun.wait(_BEGIN_SECONDS)

    def __enter__(self) -> Sync:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sync {self.status()}>"

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._run.is_stopped or self._flags() is None

    def status(self) -> Status:
        """The status now; it does not wait."""
        self._look()
        return self._run.status()

    def refresh(self, timeout: float = 10.0) -> Refresh:
        """Sends a request now. `await` it, or call `wait()`, for the answer: None, or the reason why there is none
        within `timeout` seconds."""
        self._look()
        return self._run.refresh(timeout)

    def close(self) -> None:
        """Ends it: nothing is published after this returns. It may be called again."""
        self._look()
        self._run.stop()
        self._run.join(_CLOSING_SECONDS)
        if (flags := self._flags()) is not None:
            flags._tell_state()

    def _wait_until_ready(self, timeout: float) -> bool:
        self._look()
        # A closed source cannot recover.
        return self._run.is_ready.wait(0.0 if self.is_closed else min(max(timeout, 0.0), threading.TIMEOUT_MAX))

    def _was_frozen(self) -> bool:
        """Called before the first evaluation after a thaw."""
        run = self._run
        if not run.is_own_thread and not run.is_stopped:
            run.was_frozen(self._thaw)
        return True

    def _wait_for_local(self) -> bool:
        """In a forked process, before its first evaluation: waits a moment for a local source.

        False in the thread that is waited for.
        """
        run = self._run
        if run.is_own_thread:
            return False
        if _asking.is_local(run.source) and not run.is_stopped:
            run.was_asked.wait(_LOCAL_SECONDS)
        return True

    def _look(self) -> None:
        """Every public method first checks whether this process is a fork."""
        flags = self._flags()
        if flags is not None:
            flags._heal()

    def _begin_anew(self, flags: Flags) -> None:
        """In a fork: starts with another thread, another protocol, and the published flags.

        Nothing that the parent's thread may have held is touched.
        """
        before = self._run
        if before.is_stopped:
            return
        try:
            run = Run(flags, before.source, before.name, self._policy, self._timeout, self._allow_empty, self._thaw)
            run.inherit(flags, before)
            self._run = run
            run.start()
        except Exception as problem:
            # An evaluation inside this block does not wait.
            _logger.error("%s: nothing keeps the flags fresh: %s", before.name, describe_error(problem))
