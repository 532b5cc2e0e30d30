"""Requests to a user's source: they give an answer or a `Failure`, whatever the source does."""

from __future__ import annotations

import inspect
import queue
import threading
from typing import Any

from ._deciding import decide
from ._mapping import MappedBy, Mapping, Stored
from ._mapping import mapped_by as by_translation
from ._redaction import describe_error, redacted
from ._rows import Rows, is_rows, text_of
from ._source import Answer, Failure, Fetch, News, NotModified, Request, Source

# How long a start waits for the bootstrap.
_BEGIN_SECONDS = 2.0


class Called:
    """A function as a source."""

    def __init__(self, function: Fetch) -> None:
        self._function = function
        self.name = str(getattr(function, "__qualname__", type(function).__qualname__))

    def fetch(self, _: Request) -> bytes | str | Rows | Answer | NotModified:
        """The function's result."""
        return self._function()


def source_of(source: Source | Fetch) -> Source:
    """A source, or a function as one; raises TypeError for any other value."""
    if isinstance(source, type):
        raise TypeError(f"expected a source, got the class {source.__name__}")
    if isinstance(source, Source):
        return source
    if callable(source):
        return Called(source)
    raise TypeError(f"expected a source or a function that returns a snapshot, got {type(source).__name__}")


def name_of(source: Source) -> str:
    """Its name in the log and the status."""
    return redacted(str(source.name))


def bytes_of(snapshot: object) -> bytes | None:
    """A snapshot as bytes; None for any other value."""
    if isinstance(snapshot, str):
        # Half a surrogate pair becomes U+FFFD, as everywhere (12.5).
        return snapshot.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    if is_rows(snapshot):
        return text_of(snapshot).encode()
    return bytes(snapshot) if isinstance(snapshot, bytes | bytearray | memoryview) else None


def ask(source: Source, request: Request) -> Answer | NotModified:
    """Requests the snapshot; raises only `Failure`, or an interrupt of the main thread."""
    try:
        answer: Any = source.fetch(request)
    except Failure as failure:
        _let_go(failure)
        raise Failure(
            redacted(str(failure)), retry_after=failure.retry_after, instead=bytes_of(failure.instead)
        ) from None
    except BaseException as problem:
        raise _failure_of(problem) from None
    if isinstance(answer, NotModified):
        return answer
    etag = answer.etag if isinstance(answer, Answer) else None
    try:
        snapshot = bytes_of(answer.snapshot if isinstance(answer, Answer) else answer)
    except Exception as problem:
        raise _failure_of(problem) from None
    if snapshot is None or not isinstance(etag, str | None):
        if inspect.iscoroutine(answer):
            answer.close()
        kind = type(answer).__name__
        raise Failure(f"the source gave {kind}, expected bytes, str, rows, Answer or NOT_MODIFIED")
    if not request.allow_empty and _has_no_rows(snapshot):
        raise Failure(
            "the answer has no rows, expected at least one: row-level security may hide them; a document without flags, "
            "or `allow_empty`, says that there are none"
        )
    return Answer(snapshot, etag)


def begin(source: Source) -> bytes | None:
    """The bootstrap of a source; raises `Failure` as `ask` does."""
    bootstrap = getattr(source, "bootstrap", None)
    try:
        return None if bootstrap is None else bytes_of(bootstrap())
    except BaseException as problem:
        raise _failure_of(problem) from None


def begin_soon(source: Source) -> bytes | None:
    """The same within two seconds: a bootstrap must not delay the source's answer."""
    if getattr(source, "bootstrap", None) is None:
        return None
    begun = queue.SimpleQueue[bytes | Failure | None]()

    def run() -> None:
        try:
            begun.put(begin(source))
        except Failure as failure:
            begun.put(failure)

    threading.Thread(target=run, name="esclusa-begin", daemon=True).start()
    try:
        result = begun.get(timeout=_BEGIN_SECONDS)
    except queue.Empty:
        raise Failure(f"no bootstrap within {_BEGIN_SECONDS:g} s") from None
    if isinstance(result, Failure):
        raise result
    return result


def is_local(source: Source) -> bool:
    """Whether asking takes no longer than reading a file."""
    return getattr(source, "is_local", False) is True


def can_wait(source: Source) -> bool:
    """Whether the source has notifications."""
    return callable(getattr(source, "wait", None))


def polled(source: Source) -> str | None:
    """Why the source sends no notifications now, although it could."""
    try:
        why = getattr(source, "polled", None)
    except Exception:
        return None
    return redacted(why) if isinstance(why, str) else None


def translation_of(source: Source) -> Mapping | Stored | None:
    """The mapping of a source, if its answers are not snapshots."""
    translation = getattr(source, "translation", None)
    return translation if isinstance(translation, Mapping | Stored) else None


def mapped_by(source: Source) -> MappedBy | None:
    """Whose mapping read the source's last answer."""
    return getattr(source, "mapped_by", None) or by_translation(translation_of(source))


def wait(source: Any, seconds: float) -> News | None:
    """Waits at most `seconds` for news; raises `Failure` as `ask` does."""
    try:
        news = source.wait(seconds)
    except BaseException as problem:
        raise _failure_of(problem) from None
    if isinstance(news, News):
        return news
    return News.CHANGED if news is True else None


def close(source: Source) -> None:
    """Closes the source after its last request; raises `Failure` as `ask` does."""
    closing = getattr(source, "close", None)
    try:
        if callable(closing):
            closing()
    except BaseException as problem:
        raise _failure_of(problem) from None


def _has_no_rows(snapshot: bytes) -> bool:
    """Whether these are bare rows without a row (11.17): a store that hides its rows answers so."""
    # A long answer has other bytes, and need not become text for the core.
    return not snapshot.strip(b"\xef\xbb\xbf \t\r\n\f[]") and decide("no_rows", text=snapshot.decode("utf-8", "replace")) is True


def _failure_of(problem: BaseException) -> Failure:
    # In the main thread it is an interrupt of the user. In any other thread the source raised it.
    if isinstance(problem, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
        raise problem
    _let_go(problem)
    return Failure(describe_error(problem))


def _let_go(problem: BaseException) -> None:
    """Clears the traceback: a source that raises the same exception repeatedly would keep all its frames alive."""
    problem.__traceback__ = None
