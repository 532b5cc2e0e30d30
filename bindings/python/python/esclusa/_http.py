"""A snapshot behind a URL, requested with its entity tag, with server-sent events where the store has them."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote

from ._deciding import decide
from ._native import MAX_SNAPSHOT_BYTES
from ._source import NOT_MODIFIED, Answer, Failure, News, NotModified, Request
from ._trips import Trip, Verdict, trips_from

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

# What a store says of a trip (2.2 of GUARD.md); with 409 a body says which run has begun.
_VERDICTS: dict[int, Verdict] = {201: "taken", 200: "known", 404: "unguarded"}
_OTHER_RUN = 409
# What a server says of a report that it takes (4.3), and of one that it never will.
_REPORTED, _WRONG_REPORT = (200, 204), (400, 413, 415, 422)

class Http:
    """A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind
    PostgREST (`https://example.com/feature_flags?select=*`). It needs `pip install 'esclusa[http]'`.

    Credentials are sent to the origin of this URL only, also after a redirect. Neither they nor the query of the URL
    are shown or logged. A redirect from https to http is not followed. Proxies are taken from the variables
    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    With the URL of a collection of trips, such as `https://flags.example.com/v1/trips`, it is a store of trips; with that
    of reports, such as `https://flags.example.com/v1/usage`, a server to which `Counting.report` reports.
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
        """A URL of http or https, which may have a user and a password.

        `token` is sent as `Authorization: Bearer …`; a function is called for each request. One whole answer may take
        `timeout` seconds, redirects included, and have `max_bytes` bytes, decompressed. `ssl_context` is for a
        certificate authority of your own.

        At the URL `events` server-sent events announce a new snapshot, whatever their data; events of the types `ping`,
        `heartbeat`, `keep-alive` and `keepalive`, and comments, only keep the connection alive. A stream that is silent
        for `heartbeat` seconds counts as disconnected. Without a stream, the snapshot is polled once per interval.

        Raises ImportError without urllib3, and ValueError for an invalid URL or header; the message does not repeat the
        value.
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
        # The entity tag of the trips, and the trips with it.
        self._tagged: tuple[str | None, list[Trip]] = None, []
        self._events = None if events is None else Events(_access.parse(events), self._access, timeout, heartbeat)

    @property
    def name(self) -> str:
        """The URL without the parts that may be secret."""
        return self._name

    def __repr__(self) -> str:
        return f"Http({self.name!r})"

    def fetch(self, request: Request) -> Answer | NotModified:
        """The store's answer, after redirects."""
        from ._access import WANTED, read
        from ._line import Line

        if self._events is not None:
            self._events.may_be_tried()
        line = Line(self._timeout)
        with line.limit():
            # A tag may stay the same while the content changes, so it is sometimes left out (11.16).
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
                # The rest of the answer is not needed.
                response.close()
                raise
            return Answer(snapshot, response.headers.get("ETag"))

    @property
    def wait(self) -> Callable[[float], News | None] | None:
        """Waits for an event, if there is a stream."""
        return None if self._events is None else self._events.wait

    def close(self) -> None:
        """Ends the stream of events."""
        if self._events is not None:
            self._events.close()


    def propose(self, trip: Trip) -> Verdict:
        """Puts the trip under the key of its flag."""
        from ._access import WANTED, read
        from ._line import Line

        line, url = Line(self._timeout), _member(self._url, trip.flag)
        wanted = {**WANTED, "Content-Type": "application/json"}
        with line.limit():
            response = self._access.put(url, trip.text.encode(), wanted, line, (*_VERDICTS, _OTHER_RUN))
            try:
                if response.status != _OTHER_RUN:
                    return _VERDICTS[response.status]
                current = _run(read(response, line, self._max_bytes))
            finally:
                response.close()
        # A trip that is ahead of the store's run is proposed again when the store has caught up.
        if current is None or current <= trip.run:
            raise Failure(f"the answer of status 409 has no `run` above {trip.run}")
        return "over"

    def report(self, body: bytes) -> bool:
        """Posts a report of counts to the URL; False if the server refuses what is in it."""
        from ._access import WANTED
        from ._line import Line

        line = Line(self._timeout)
        with line.limit():
            wanted = {**WANTED, "Content-Type": "application/json"}
            response = self._access.post(self._url, body, wanted, line, (*_REPORTED, *_WRONG_REPORT))
            response.close()
        return response.status in _REPORTED

    def trips(self) -> list[Trip]:
        """The trips of the collection."""
        from ._access import WANTED, read
        from ._line import Line

        etag, trips = self._tagged
        known = {} if not etag or not etag.isprintable() else {"If-None-Match": etag}
        line = Line(self._timeout)
        with line.limit():
            response = self._access.get(self._url, {**WANTED, **known}, line, self._timeout)
            if response.status == 304:
                response.release_conn()
                return trips
            try:
                trips = trips_from(read(response, line, self._max_bytes))
            except BaseException:
                response.close()
                raise
        self._tagged = response.headers.get("ETag"), trips
        return trips


def _member(url: SplitResult, key: str) -> SplitResult:
    """The URL of one member of a collection."""
    return url._replace(path=f"{url.path.rstrip('/')}/{quote(key, safe='')}")


def _run(body: bytes) -> int | None:
    try:
        plain = json.loads(body)
    except ValueError:
        return None
    run = plain.get("run") if isinstance(plain, dict) else None
    return run if isinstance(run, int) and not isinstance(run, bool) else None


def _rows(response: BaseHTTPResponse) -> object:
    """Whether an answer holds all rows (11.17)."""
    return decide("rows", status=response.status, content_range=response.headers.get("Content-Range"))
