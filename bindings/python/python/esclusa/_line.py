"""The connections of one request, which another thread can cut: at a deadline, or when a stream is closed.

urllib3 limits each single read; a server that sends one byte a second would keep an answer open forever.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_current = threading.local()


class CutError(Exception):
    """The line is cut."""


class Line:
    """As a context manager, it collects the connections that its thread uses in the block."""

    def __init__(self, seconds: float) -> None:
        """Closes the connection when a block under `limit` takes longer than `seconds`."""
        self.seconds, self.is_cut = seconds, False
        self.is_reused = False
        """Whether the last request used a connection that had served another one."""
        self._connections = list[HTTPConnection]()
        self._sockets = list[Any]()

    def __enter__(self) -> Line:
        _current.line = self
        return self

    def __exit__(self, *_: object) -> None:
        _current.line = None

    @contextlib.contextmanager
    def limit(self) -> Iterator[None]:
        """Cuts the line unless the block ends in time."""
        deadline = threading.Timer(self.seconds, self.cut)
        deadline.name, deadline.daemon = "esclusa-deadline", True
        deadline.start()
        try:
            yield
        finally:
            deadline.cancel()

    def cut(self) -> None:
        """Closes the connection: a read or write in progress raises an error."""
        self.is_cut = True
        for connection in (*self._sockets, *(connection.sock for connection in self._connections)):
            if connection is not None:
                with contextlib.suppress(Exception):
                    connection.shutdown(socket.SHUT_RDWR)

    def take(self, connection: HTTPConnection) -> None:
        """Adds a connection, which ends with the line."""
        self._connections.append(connection)
        # An answer may outlive the connection's own reference to its socket.
        self._sockets.append(connection.sock)
        if self.is_cut:
            raise CutError


class _OnLine(HTTPConnection):
    """A connection that belongs to the line of the thread that uses it."""

    _requests = 0

    def connect(self) -> None:
        _current.line.take(self)
        super().connect()
        _current.line.take(self)

    def request(self, *arguments: Any, **options: Any) -> None:
        _current.line.is_reused = self._requests > 0
        self._requests += 1
        _current.line.take(self)
        super().request(*arguments, **options)


class _SecureOnLine(_OnLine, HTTPSConnection):
    pass


class _Stack(queue.LifoQueue[Any]):
    """Idle connections. It takes no lock: in a fork a lock could stay locked forever, and urllib3 empties its queues
    when the fork ends."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return self.queue.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self.queue.append(item)


class _Pool(HTTPConnectionPool):
    ConnectionCls, QueueCls = _OnLine, _Stack


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls, QueueCls = _SecureOnLine, _Stack


POOLS = {"http": _Pool, "https": _SecurePool}
"""For a pool manager of urllib3: pools whose connections belong to lines."""


def _is_not_ours(_: logging.LogRecord) -> bool:
    return getattr(_current, "line", None) is None


# It logs URLs with their queries, which may hold secrets.
logging.getLogger("urllib3.connectionpool").addFilter(_is_not_ours)
