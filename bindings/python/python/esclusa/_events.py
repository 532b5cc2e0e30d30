"""The stream of events beside a snapshot, read by a thread of its own: open, or to be opened with the next request for
the snapshot."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from urllib3.exceptions import ReadTimeoutError

from ._access import Access, failure_of, shown
from ._line import Line
from ._native import EventReader
from ._redaction import describe_error
from ._source import Failure, News

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_logger = logging.getLogger("esclusa")

_PIECE_BYTES = 1 << 14
# Compression would delay events until a block is full.
_WANTED = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
# For how long closing waits for the thread.
_CLOSING_SECONDS = 1.0


class Events:
    """News by server-sent events."""

    def __init__(self, url: SplitResult, access: Access, timeout: float, heartbeat: float) -> None:
        self._url, self._access, self._timeout, self._heartbeat = url, access, timeout, heartbeat
        # A fork must not touch what the parent's thread holds, so no entry is removed.
        self._listeners = dict[int, _Listener]()

    def may_be_tried(self) -> None:
        """The snapshot is being requested: a closed stream is opened at the next wait for news, at most once per
        heartbeat."""
        listener, now = self._own(), time.monotonic()
        if listener.thread is None and (listener.tried is None or now - listener.tried >= self._heartbeat):
            listener.is_due = True

    def wait(self, seconds: float) -> News | None:
        """Waits at most `seconds` for an event, or for the end of the stream."""
        listener = self._own()
        if listener.is_due:
            listener.is_due, listener.is_closed, listener.tried = False, False, time.monotonic()
            listener.line = Line(self._timeout)
            listener.thread = threading.Thread(target=self._live, args=[listener], name="esclusa-events", daemon=True)
            listener.thread.start()
        try:
            received = {listener.news.get(timeout=max(seconds, 0.0))}
            while not listener.news.empty():
                received.add(listener.news.get_nowait())
        except queue.Empty:
            return None
        return News.CHANGED if News.CHANGED in received else News.DISCONNECTED

    def close(self) -> None:
        """Ends the stream."""
        listener = self._own()
        thread, listener.tried, listener.is_due, listener.is_closed = listener.thread, None, False, True
        if thread is not None:
            listener.line.cut()
            thread.join(_CLOSING_SECONDS)

    def _own(self) -> _Listener:
        """The listener of this process."""
        return self._listeners.setdefault(os.getpid(), _Listener())

    def _live(self, listener: _Listener) -> None:
        try:
            response = self._open(listener.line)
            try:
                _logger.info("events of %s are listened to", shown(self._url))
                listener.is_warned = False
                # The flags may have changed between the last answer and the first event.
                listener.news.put(News.CHANGED)
                self._listen(listener, response)
            finally:
                listener.news.put(News.DISCONNECTED)
                response.close()
        except BaseException as problem:
            self._log(listener, str(problem) if isinstance(problem, Failure) else describe_error(problem))
        finally:
            listener.thread = None

    def _open(self, line: Line) -> BaseHTTPResponse:
        with line.limit():
            response = self._access.get(self._url, _WANTED, line, self._heartbeat)
        kind = response.headers.get("Content-Type", "").strip().lower()
        if response.status not in (200, 203) or not kind.startswith("text/event-stream"):
            response.close()
            raise Failure("the answer is of another type, expected text/event-stream")
        return response

    def _listen(self, listener: _Listener, response: BaseHTTPResponse) -> None:
        reader = EventReader()
        try:
            while piece := response.read1(_PIECE_BYTES, decode_content=False):
                if reader.read(piece):
                    listener.news.put(News.CHANGED)
        except (ReadTimeoutError, TimeoutError):
            raise Failure(f"neither event nor heartbeat within {self._heartbeat:g} s") from None
        except Exception as problem:
            raise failure_of(problem, listener.line) from None
        raise Failure("the stream ended")

    def _log(self, listener: _Listener, problem: str) -> None:
        if not listener.is_closed:
            level = logging.DEBUG if listener.is_warned else logging.WARNING
            listener.is_warned = True
            _logger.log(level, "no events of %s, asking by the clock alone: %s", shown(self._url), problem)


class _Listener:
    """The listener of one process."""

    def __init__(self) -> None:
        self.news = queue.SimpleQueue[News]()
        self.thread: threading.Thread | None = None
        self.line = Line(1.0)
        self.is_due = self.is_closed = False
        # A stream that ends at once must not be opened again at once.
        self.tried: float | None = None
        # A repeated failure is logged once.
        self.is_warned = False
