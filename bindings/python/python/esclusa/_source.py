"""Sources: where snapshots come from, and what they are asked and answer."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, runtime_checkable

from ._rows import Rows


@dataclass(frozen=True, slots=True)
class Request:
    """What a source is asked with, so that it need not send what is known."""

    etag: str | None = None
    """The entity tag of the last answer that was taken."""
    revision: int | None = None
    """The revision of that answer."""
    in_full: bool = False
    """Whether the whole answer is due: a store over HTTP is asked without the entity tag (11.16)."""
    allow_empty: bool = False
    """Whether bare rows without a row are a good answer (11.17)."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A snapshot, as JSON or as rows, with what stands for it in the next request."""

    snapshot: bytes | str | Rows
    etag: str | None = None

    def __repr__(self) -> str:
        return f"Answer(<{len(self.snapshot)} long>, etag={self.etag!r})"


class NotModified(enum.Enum):
    """The type of `NOT_MODIFIED`."""

    NOT_MODIFIED = "not modified"

    def __repr__(self) -> str:
        return "NOT_MODIFIED"


NOT_MODIFIED: Final = NotModified.NOT_MODIFIED
"""What the request stands for is still the current snapshot."""


class News(enum.Enum):
    """What a source says of itself, unasked."""

    CHANGED = "changed"
    """There is a new snapshot; `True` says the same."""
    DISCONNECTED = "disconnected"
    """The way by which it would say so is cut off, and news may have been missed."""


class Failure(Exception):
    """Why a source gives no answer, where it has more to say than what went wrong."""

    def __init__(
        self, message: str, *, retry_after: float | None = None, instead: bytes | str | None = None
    ) -> None:
        """`retry_after` is for how many seconds the source asks to be left alone; `instead` is a snapshot that there
        is nevertheless, to be published until there is an answer."""
        super().__init__(message)
        self.retry_after = retry_after
        self.instead = instead


@runtime_checkable
class Source(Protocol):
    """A store that can be asked for a snapshot. Only `name` and `fetch` are needed.

    A source is asked again and again, by one thread, at the times that the protocol decides; it holds no schedule, no
    retries and no copy of its own. It has time-outs of its own: nobody can end a call that hangs. It may also have:

    - `wait(seconds) -> bool | News | None`, which waits at most so long and returns early when there is news (True or
      `News.CHANGED`) or when the way by which news comes is cut off (`News.DISCONNECTED`, or any exception). The thread calls
      it again and again instead of sleeping.
    - `bootstrap() -> bytes | str | None`, what can be published before it is asked for the first time.
    - `is_local`, a bool: whether asking takes no longer than reading a file, so that whoever begins to sync waits for
      the first answer.
    - `polled`, why it tells of no news now though it can `wait`, as text without secrets, or None; the status says it.
    - `translation`, the `Mapping` that reads what it gives, which is rows of a table then. `mapped` gives any source one.
    - `close()`, called when nobody will ask it again.

    In a forked process a copy of it is asked: a source that holds a connection remembers `os.getpid()` beside it and
    makes its own where that differs.
    """

    @property
    def name(self) -> str:
        """What the log and the status call it, without secrets."""

    def fetch(self, request: Request, /) -> bytes | str | Rows | Answer | NotModified:
        """The current snapshot, as JSON or as rows, or `NOT_MODIFIED` if the request stands for it. Any exception is a failure."""


Fetch: TypeAlias = Callable[[], "bytes | str | Rows | Answer | NotModified"]
"""A function that gives the current snapshot is a source too."""
