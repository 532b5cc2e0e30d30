"""The methods of flags besides single answers, and one set of flags that is held for a whole request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from . import _native
from ._counting import Counting
from ._explanation import Explanation, explanation_of
from ._guards import GuardProposal, Guards, guards_of
from ._measure import Measure
from ._native import Context
from ._override import Overrides
from ._reading import Reading, reading_of
from ._report import Violation, violations_of

if TYPE_CHECKING:
    from typing_extensions import Self

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Questions(_native.Flags):
    """The methods that a handle and a held set share."""

    __slots__ = ()

    def explain(
        self,
        key: str,
        context: Context | Mapping[str, object] | None = None,
        now: datetime | float | None = None,
    ) -> Explanation:
        """The answer of the flag for this caller with every step; print it to read it."""
        return explanation_of(key, self._explain(key, context, now))

    def measure(
        self,
        event: str,
        context: Context | Mapping[str, object] | Callable[..., Context | Mapping[str, object] | None] | None = None,
    ) -> Measure:
        """Measures a block (`with flags.measure("checkout", context):`), or each call of a function that it decorates,
        `async` or not: it is tracked with its duration, and an exception is an error and is raised again. What is
        cancelled or interrupted is not tracked.

        For a decorator the context may be a function that is called with the arguments of the call.
        """
        return Measure(self, event, context)

    def counting(self, one_in: int = 1) -> Counting:
        """The same flags, whose evaluations through the returned object are counted by flag, variant and reason. One of
        `one_in` evaluations is counted, chosen at random, as so many.

        Raises ValueError for a number below 1.
        """
        return Counting(self, one_in)

    def guards(self) -> Guards:
        """The status of the guards; print it to read it. Without guards no flag is watched."""
        return guards_of(_native._guards_of(self), self._proposals())

    def _proposals(self) -> tuple[GuardProposal, ...]:
        return ()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations of the current snapshot, in no particular order."""
        return violations_of(self._violations())

    def reading(self) -> Reading | None:
        """The reading of the current snapshot: how each column is read, or why it is not, and in how many rows.

        It has names and counts, and never a value. None if nothing is published.
        """
        return reading_of(self._reading()) if self.is_ready else None

    @property
    def generated_at(self) -> datetime | None:
        """When the store made the current snapshot, in UTC, if it has that time and Python's calendar can express
        it."""
        millis = self._generated_at()
        try:
            return None if millis is None else _EPOCH + timedelta(milliseconds=millis)
        except OverflowError:
            return None


class FlagSet(Questions):
    """One set of flags, for a whole request: all its answers come from that set, also after a publish.

    `Flags.current` returns it, and it has the methods of `Flags`; overrides in tests count here too.
    """

    __slots__ = ()

    def __new__(cls, flags: _native.Flags, overrides: Overrides) -> Self:
        """The current set; `Flags.current` returns the same object until the next publish."""
        return super().__new__(cls, overrides, flags)

    def current(self) -> Self:
        """The set itself."""
        return self
