"""Sources: where snapshots come from, with their requests and answers."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, runtime_checkable

from ._rows import Rows


@dataclass(frozen=True, slots=True)
class Request:
    """The parameters of a request, so that the source need not send what is known."""

    etag: str | None = None
    """The entity tag of the last accepted answer."""
    revision: int | None = None
    """The revision of that answer."""
    in_full: bool = False
    """Whether the whole answer is due: a store over HTTP is asked without the entity tag (11.16)."""
    allow_empty: bool = False
    """Whether bare rows without a row are a good answer (11.17)."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A snapshot, as JSON or as rows, with the entity tag for the next request."""

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
"""The snapshot has not changed since the request's entity tag."""


class News(enum.Enum):
    """A notification from a source."""

    CHANGED = "changed"
    """There is a new snapshot; `True` means the same."""
    DISCONNECTED = "disconnected"
    """The connection for notifications was lost, and news may have been missed."""


class Failure(Exception):
    """Why a source gives no answer, with more details than the message of an exception."""

    def __init__(
        self, message: str, *, retry_after: float | None = None, instead: bytes | str | None = None
    ) -> None:
        """`retry_after` is the wait that the source asks for, in seconds; `instead` is a snapshot that is published
        until there is an answer."""
        super().__init__(message)
        self.retry_after = retry_after
        self.instead = instead


@runtime_checkable
class Source(Protocol):
    """A store that gives a snapshot on request. Only `name` and `fetch` are required.

    One thread calls a source, at the times that the protocol decides; a source has no schedule, no retries and no copy
    of its own. It needs time-outs of its own, because a call that hangs cannot be ended. It may also have:

    - `wait(seconds) -> bool | News | None`, which waits at most that long and returns early when there is news (True or
      `News.CHANGED`) or when the connection for notifications is lost (`News.DISCONNECTED`, or any exception). The
      thread calls it repeatedly instead of sleeping.
    - `bootstrap() -> bytes | str | None`, what can be published before the first request.
    - `is_local`, a bool: whether a request takes no longer than reading a file, so that `sync` waits for the first
      answer.
    - `polled`, why it sends no notifications now although it can `wait`, as text without secrets, or None; the status
      shows it.
    - `translation`, the `Mapping` that reads its answers, which are then rows of a table. `mapped` gives any source
      one.
    - `close()`, called after the last request.

    A forked process uses a copy of the source: a source with a connection remembers `os.getpid()` with it, and makes
    its own connection if that differs.
    """

    @property
    def name(self) -> str:
        """Its name in the log and the status, without secrets."""

    def fetch(self, request: Request, /) -> bytes | str | Rows | Answer | NotModified:
        """The current snapshot, as JSON or as rows, or `NOT_MODIFIED` if it has not changed. Any exception is a
        failure."""


Fetch: TypeAlias = Callable[[], "bytes | str | Rows | Answer | NotModified"]
"""A function that gives the current snapshot is a source too."""
