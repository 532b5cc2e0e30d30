"""The state between a source and its flags, for a person and for a health check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ._deciding import decide
from ._mapping import MappedBy


@dataclass(frozen=True, slots=True)
class LastError:
    """An error, and when it happened."""

    error: str
    """In one line, without secrets."""
    at: datetime
    """By the system clock, in UTC."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status. As text it is one line, such as `failing from flags.json, revision 42, 31 s old, 3 failures, the
    last: OSError`."""

    state: Literal["starting", "fresh", "stale", "failing"]
    """`starting`: nothing is published yet; `fresh`: the last answer was good and is young; `stale`: it is old, or the
    flags came from a copy; `failing`: the last request failed."""
    source: str
    """The name of the source."""
    revision: int | None
    """The revision that was published last, if it has one."""
    age: float | None
    """Seconds since the last good answer; None if there was none."""
    failures: int
    """Failures in a row."""
    last_error: LastError | None
    """The last error; it stays when things are good again."""
    polled: str | None = None
    """Why the source is polled once per interval, although it could send notifications."""
    mapped_by: MappedBy | None = None
    """Whose mapping defines the columns; None without a mapping."""

    def __str__(self) -> str:
        last = None if self.last_error is None else {"error": self.last_error.error, "at_ms": 0}
        is_over = self.mapped_by == "app instead of stored"
        line = decide(
            "status_line",
            source=f"{self.source}, by the app's mapping instead of the stored one" if is_over else self.source,
            state=self.state,
            revision=self.revision,
            age_ms=None if self.age is None else int(self.age * 1000),
            failures=self.failures,
            last_error=last,
        )
        return str(line) if self.polled is None else f"{line}; asked once an interval: {self.polled}"
