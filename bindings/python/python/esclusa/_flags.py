"""The handle that an app holds: the native one with what Python adds to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone
from typing import Any

from . import _native
from ._explanation import Explanation, explanation_of
from ._native import Context
from ._override import Block, Overrides, answers_of
from ._report import Report, SnapshotError, Violation, report_of, violations_of

_logger = logging.getLogger("esclusa")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Flags(_native.Flags):
    """The current flag set, swapped at one instant by `publish` and read by any number of threads.

    >>> flags = Flags()
    >>> flags.is_enabled("crm_advanced_features")
    False
    >>> report = flags.publish('[{"name": "crm_advanced_features", "enabled": true}]')
    >>> report.added
    ('crm_advanced_features',)
    >>> flags.is_enabled("crm_advanced_features")
    True
    """

    __slots__ = ("__weakref__", "_listeners", "_overrides")

    _listeners: dict[object, Callable[[Report], object]]
    _overrides: Overrides

    def __new__(cls) -> Flags:
        """A handle with nothing published yet: every default stands."""
        overrides: Overrides = ContextVar("esclusa_overrides", default=None)
        flags = super().__new__(cls, overrides)
        flags._listeners, flags._overrides = {}, overrides
        return flags

    def publish(
        self, snapshot: str | bytes | bytearray | memoryview, *, strict: bool = False, accept_older: bool = False
    ) -> Report:
        """Makes a snapshot, as JSON text, the current one, and says what changed.

        A flag that breaks a rule is set aside and stops no other flag; the report names it. With `strict` any violation
        refuses the snapshot, as for linting. A snapshot with a revision lower than the current one's is not published,
        and the report's outcome is `older`, unless `accept_older` is true.

        Other threads run while it is parsed and compiled. Listeners are called in this thread before it returns.

        Raises SnapshotError if the snapshot is refused whole; what was published before stays.
        """
        if isinstance(snapshot, bytearray | memoryview):
            snapshot = bytes(snapshot)
        plain = self._publish(snapshot, strict, accept_older)
        if plain["outcome"] == "refused":
            raise SnapshotError(plain["problem"], violations_of(plain["violations"]))
        report = report_of(plain)
        if report.is_published:
            self._tell(report)
        return report

    def on_publish(self, listener: Callable[[Report], object]) -> Callable[[], None]:
        """Calls a function with the report of each publish from now on; the function it returns ends that.

        The listener runs in the thread that publishes. One that raises is logged, to the logger `esclusa`, and disturbs
        neither the publish nor the other listeners.
        """
        if not callable(listener):
            raise TypeError(f"expected a listener that can be called with a report, got {type(listener).__name__}")
        subscription = object()
        self._listeners[subscription] = listener

        def unsubscribe() -> None:
            self._listeners.pop(subscription, None)

        return unsubscribe

    def _tell(self, report: Report) -> None:
        for listener in tuple(self._listeners.values()):
            try:
                listener(report)
            except Exception:
                _logger.exception("a listener to publishing raised")

    def explain(
        self,
        key: str,
        context: Context | Mapping[str, object] | None = None,
        now: datetime | float | None = None,
    ) -> Explanation:
        """The answer of the flag for this caller with the whole path to it; print it to read it."""
        return explanation_of(key, self._explain(key, context, now))

    @contextmanager
    def override(self, overrides: Mapping[str, bool | Mapping[str, Any]]) -> Iterator[None]:
        """Makes flags answer as a test wants, in this thread or task, until the block ends.

        An answer is a bool, or a mapping with any of `enabled` (by default True), `value` and `variant`. It counts
        whether or not there is such a flag and whether or not anything is published; its reason is `STATIC`. Blocks
        nest, and the inner one wins. Other threads see nothing of it; tasks that are begun inside do, until it ends.

        What depends on the flag as a prerequisite, `client_snapshot`, `keys`, `len` and `in` go by the snapshot.

        Raises TypeError if an answer is none of these.
        """
        block = Block(answers_of(overrides), self._overrides.get())
        token = self._overrides.set(block)
        self._begin_override()
        try:
            yield
        finally:
            self._end_override()
            block.close()
            try:
                self._overrides.reset(token)
            except ValueError:
                # It ends in another task than it began in, as an asynchronous fixture may: closing it was enough.
                pass

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Everything that is wrong with the current snapshot, in no particular order."""
        return violations_of(self._violations())

    @property
    def generated_at(self) -> datetime | None:
        """When the store made the current snapshot, in UTC, if it said so and Python's calendar has that time."""
        millis = self._generated_at()
        try:
            return None if millis is None else _EPOCH + timedelta(milliseconds=millis)
        except OverflowError:
            return None
