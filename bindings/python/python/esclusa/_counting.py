"""Evaluations that are counted, for those who ask for it: by flag, variant and reason. Plain flags count nothing."""

from __future__ import annotations

import os
import random
import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from ._http import Http
    from ._native import Context, Resolution
    from ._questions import Questions
    from ._reporting import Reporting

_Default = TypeVar("_Default")

Series = tuple[str, Optional[str], str]
"""What a number is of: the key of a flag, its variant, and the reason."""

_MAX_SERIES = 10_000
"""How many numbers a thread has; what is beyond them is counted as dropped. Keys may come from callers."""
_MAX_KEY_CHARS = 200


class Counting:
    """Flags whose evaluations are counted; `Flags.counting` makes it.

    >>> from esclusa import Flags
    >>> flags = Flags()
    >>> _ = flags.publish('[{"name": "crm", "enabled": true}]')
    >>> counting = flags.counting()
    >>> counting.is_enabled("crm")
    True
    """

    __slots__ = ("__weakref__", "_flags", "_one_in", "_own", "_reporting", "_threads")

    def __init__(self, flags: Questions, one_in: int) -> None:
        """Raises ValueError for a number below 1."""
        if isinstance(one_in, bool) or not isinstance(one_in, int) or one_in < 1:
            raise ValueError(f"`one_in` is {one_in!r}, expected a whole number from 1 on")
        self._flags, self._one_in = flags, one_in
        self._reporting: Reporting | None = None
        self._begin()
        _counting.add(self)

    def _begin(self) -> None:
        # Each thread adds to numbers of its own, so that no lock is needed, which a fork could find taken.
        self._own = threading.local()
        self._threads: list[_Thread] = []

    def is_enabled(self, key: str, context: Context | Mapping[str, object] | None = None, default: bool = False) -> bool:
        """Whether the flag is on for this caller; `default` without an answer. It never raises."""
        resolution = self.resolve(key, context)
        return default if _is_unanswered(resolution) else resolution.enabled

    def value(self, key: str, context: Context | Mapping[str, object] | None = None, default: Any = None) -> Any:
        """The value that the flag serves to this caller; `default` without an answer. It never raises."""
        resolution = self.resolve(key, context)
        return default if _is_unanswered(resolution) else resolution.value

    def variant(
        self, key: str, context: Context | Mapping[str, object] | None = None, default: _Default | None = None
    ) -> str | _Default | None:
        """The key of the variant that the flag serves, None if it serves none; `default` without an answer."""
        resolution = self.resolve(key, context)
        return default if _is_unanswered(resolution) else resolution.variant

    def resolve(
        self,
        key: str,
        context: Context | Mapping[str, object] | None = None,
        now: datetime | float | None = None,
    ) -> Resolution:
        """The answer for one flag, with its reason."""
        resolution = self._flags.resolve(key, context, now)
        if self._one_in == 1 or random.random() * self._one_in < 1:
            variant = resolution.variant
            if variant is None and not _is_unanswered(resolution):
                # A flag without variants is on or off.
                variant = "on" if resolution.enabled else "off"
            self._count((key, variant, resolution.reason))
        return resolution

    def _count(self, series: Series) -> None:
        try:
            own = self._own.thread
        except AttributeError:
            own = self._own.thread = self._new_thread()
        counts, number = own.counts, self._one_in
        if series in counts:
            counts[series] += number
        elif len(counts) < _MAX_SERIES and isinstance(series[0], str) and 0 < len(series[0]) <= _MAX_KEY_CHARS:
            counts[series] = number
        else:
            own.dropped += number

    def _new_thread(self) -> _Thread:
        thread = _Thread()
        self._threads.append(thread)
        if self._reporting is not None:
            # A fork has no thread for the reports yet.
            self._reporting.begin_in(os.getpid())
        return thread

    def _take(self) -> tuple[dict[Series, int], int]:
        """What was counted since the last call, and the number of what was dropped."""
        taken: dict[Series, int] = {}
        dropped = 0
        for thread in tuple(self._threads):
            is_over = not thread.thread.is_alive()
            counts, lost = thread.counts.copy(), thread.dropped
            for series, count in counts.items():
                if more := count - thread.taken.get(series, 0):
                    taken[series] = taken.get(series, 0) + more
            dropped += lost - thread.taken_dropped
            thread.taken, thread.taken_dropped = counts, lost
            if is_over:
                self._threads.remove(thread)
        return taken, dropped

    def report(self, server: Http) -> Reporting:
        """Reports what is counted to a server once a minute, in a thread, until the returned object is closed. The URL is
        that of the reports: `Http("https://flags.example.com/v1/usage", token=…)`.

        A server that is away delays no evaluation. Call `flush` before the process ends.

        Raises RuntimeError if these counts are reported already.
        """
        from ._reporting import Reporting

        if self._reporting is not None and not self._reporting.is_closed:
            raise RuntimeError("the counts are reported already: close that first")
        self._reporting = Reporting(self, self._flags, server)
        return self._reporting


class _Thread:
    """The numbers of one thread since it began, and how much of them was taken."""

    __slots__ = ("counts", "dropped", "taken", "taken_dropped", "thread")

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.counts: dict[Series, int] = {}
        self.taken: dict[Series, int] = {}
        self.dropped = self.taken_dropped = 0


def _is_unanswered(resolution: Resolution) -> bool:
    return resolution.error_code in ("PROVIDER_NOT_READY", "FLAG_NOT_FOUND", "INVALID_CONTEXT") and resolution.value is None


_counting: weakref.WeakSet[Counting] = weakref.WeakSet()


def _begin_in_child() -> None:
    """In a fork: what the parent has counted is reported by the parent."""
    for counting in list(_counting):
        counting._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
