"""A snapshot behind a URL, asked for with its entity tag; server-sent events may say that there is a new one."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ._deciding import decide
from ._native import MAX_SNAPSHOT_BYTES
from ._source import NOT_MODIFIED, Answer, Failure, News, NotModified, Request

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse



class Http:
    """A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind
    PostgREST (`https://example.com/feature_flags?select=*`). It needs `pip install 'esclusa[http]'`.

    What authorizes goes to the origin of this URL and to no other, also after a redirect. Neither it nor the query of
    the URL is ever shown or logged. No redirect leads from https to http. Proxies are taken from the variables
    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | Callable[[], str] | None = None,
        timeout: float = 10.0,
        max_bytes: int = MAX_SNAPSHOT_BYTES,
        ssl_context: ssl.SSLContext | None = None,
        events: str | None = None,
        heartbeat: float = 45.0,
    ) -> None:
        """A URL of http or https, which may name a user and a password.

        `token` is sent as `Authorization: Bearer …`; a function is asked for it anew for each request. One whole answer
        may take `timeout` seconds, redirects included, and have `max_bytes` bytes once it is unpacked. `ssl_context` is
        for a certificate authority of your own.

        At the URL `events` server-sent events say that there is a new snapshot, whatever their data; those of the types
        `ping`, `heartbeat`, `keep-alive` and `keepalive`, and comments, only say that the server lives. A stream that
        keeps silent for `heartbeat` seconds counts as cut off. While there is none, the snapshot is asked for by the
        clock alone.

        Raises ImportError without urllib3, and ValueError for what is no such URL or no header; it does not repeat what
        it was given.
        """
        from . import _access
        from ._events import Events

        for name, seconds in (("timeout", timeout), ("heartbeat", heartbeat)):
            if not seconds > 0:
                raise ValueError(f"`{name}` is {seconds}, expected more than 0 seconds")
        self._url = _access.parse(url)
        given = dict(headers or {})
        if isinstance(token, str):
            given["Authorization"] = f"Bearer {token}"
        self._access = _access.Access(self._url, given, token if callable(token) else None, ssl_context)
        self._name = _access.shown(self._url)
        self._timeout, self._max_bytes = timeout, min(max_bytes, MAX_SNAPSHOT_BYTES)
        self._events = None if events is None else Events(_access.parse(events), self._access, timeout, heartbeat)

    @property
    def name(self) -> str:
        """The URL without what may be secret in it."""
        return self._name

    def __repr__(self) -> str:
        return f"Http({self.name!r})"

    def fetch(self, request: Request) -> Answer | NotModified:
        """What the store answers, after redirects."""
        from ._access import WANTED, read
        from ._line import Line

        if self._events is not None:
            self._events.may_be_tried()
        line = Line(self._timeout)
        with line.limit():
            # A tag may stay the same while the content changes, so now and then it is left out (11.16).
            etag = None if request.in_full or not request.etag or not request.etag.isprintable() else request.etag
            known = {} if etag is None else {"If-None-Match": etag}
            response = self._access.get(self._url, {**WANTED, **known}, line, self._timeout)
            try:
                if response.status == 304:
                    response.release_conn()
                    return NOT_MODIFIED
                rows = _rows(response)
                if rows == "unknown":
                    response.close()
                    response = self._access.get(self._url, {**WANTED, "Prefer": "count=exact"}, line, self._timeout)
                    rows = _rows(response)
                if isinstance(rows, dict):
                    raise Failure(rows["error"])
                snapshot = read(response, line, self._max_bytes)
            except BaseException:
                # What is not read to its end is not sent to its end.
                response.close()
                raise
            return Answer(snapshot, response.headers.get("ETag"))

    @property
    def wait(self) -> Callable[[float], News | None] | None:
        """Waits for an event, if there is a stream of them."""
        return None if self._events is None else self._events.wait

    def close(self) -> None:
        """Ends the stream of events."""
        if self._events is not None:
            self._events.close()


def _rows(response: BaseHTTPResponse) -> object:
    """Whether an answer holds all rows (11.17)."""
    return decide("rows", status=response.status, content_range=response.headers.get("Content-Range"))
