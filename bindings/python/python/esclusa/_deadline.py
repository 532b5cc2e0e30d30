"""A connection on which nothing takes longer than a moment in time: not the name, not the handshake, not an answer that
comes byte by byte."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import Any


class Overdue(Exception):
    """The moment has come."""


class Deadline:
    """A moment in time."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then; raises `Overdue` if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise Overdue
        return left


class TimedConnection(http.client.HTTPConnection):
    """A connection, encrypted if there is a context for that, on which everything keeps to a deadline."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, deadline: Deadline) -> None:
        super().__init__(host, port)
        self.default_port = 443 if context else 80
        self._context = context
        self._deadline = deadline
        self._connection: socket.socket | None = None

    def connect(self) -> None:
        """Connects to the first address of the host that takes it."""
        problem: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self._deadline.left())
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is not None:
                    connection.settimeout(self._deadline.left())
                    connection = self._context.wrap_socket(connection, server_hostname=self.host)
                self._connection = connection
                self.sock: Any = _TimedSocket(connection, self._deadline)
                return
            except OSError as failed:
                problem = failed
                connection.close()
            except BaseException:
                connection.close()
                raise
        raise problem or OSError("the host has no address")

    def hang_up(self) -> None:
        """Ends it, in the middle of an answer if need be."""
        self.close()
        if self._connection is not None:
            self._connection.close()


class _TimedSocket:
    """What `http.client` needs of a socket."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(self._deadline.left())
        self._connection.sendall(data)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connection, self._deadline))

    def close(self) -> None:
        # `http.client` closes the socket before it has read the answer, and counts on the file to hold it open.
        pass


class _TimedReader(io.RawIOBase):
    """Reads no longer than the deadline allows, however small the pieces are in which it is answered."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.left())
        return self._connection.recv_into(buffer)
