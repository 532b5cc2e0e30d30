"""A snapshot behind a URL, asked for with its entity tag; nothing but the standard library is needed for it."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from . import _deadline
from ._deciding import decide
from ._native import MAX_SNAPSHOT_BYTES
from ._redaction import redacted
from ._source import NOT_MODIFIED, Answer, Failure, NotModified, Request

# How many redirects may follow one another.
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PIECE_BYTES = 1 << 16
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# What `http.client` says of itself by other means.
_TAKEN = frozenset({"host", "connection", "content-length", "transfer-encoding"})


class Http:
    """A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind
    PostgREST (`https://example.com/feature_flags?select=*`).

    What authorizes goes to the origin of this URL and to no other, also after a redirect. Neither it nor the query of
    the URL is ever shown or logged. No redirect leads from https to http, and no proxy is used.
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
    ) -> None:
        """A URL of http or https, which may name a user and a password.

        `token` is sent as `Authorization: Bearer …`; a function is asked for it anew for each request. One whole answer may take `timeout` seconds, redirects included, and
        have `max_bytes` bytes once it is unpacked. `ssl_context` is for a certificate authority of your own.

        Raises ValueError for what is no such URL or no header; it does not repeat what it was given.
        """
        if not timeout > 0:
            raise ValueError(f"`timeout` is {timeout}, expected more than 0 seconds")
        self._url = _parse(url)
        self._home = _origin(self._url)
        self._secret_headers = dict[str, str]()
        if self._url.username is not None or self._url.password is not None:
            pair = f"{unquote(self._url.username or '')}:{unquote(self._url.password or '')}"
            self._secret_headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        given = dict(headers or {})
        self._token = token if callable(token) else None
        if isinstance(token, str):
            given["Authorization"] = f"Bearer {token}"
        for name, value in given.items():
            self._secret_headers[_header_name(name)] = _header_value(name, value)
        self._timeout = timeout
        self._max_bytes = min(max_bytes, MAX_SNAPSHOT_BYTES)
        self._ssl_context = ssl_context

    @property
    def name(self) -> str:
        """The URL without what may be secret in it."""
        return _shown(self._url)

    def __repr__(self) -> str:
        return f"Http({self.name!r})"

    def fetch(self, request: Request) -> Answer | NotModified:
        """What the store answers, after redirects."""
        deadline = _deadline.Deadline(self._timeout)
        try:
            return self._ask(request, deadline)
        except (_deadline.Overdue, TimeoutError):
            raise Failure(f"no whole answer within {self._timeout:g} s") from None
        except (OSError, EOFError, http.client.HTTPException, zlib.error) as problem:
            raise Failure(f"the answer broke off: {_reason(problem)}") from None

    def _ask(self, request: Request, deadline: _deadline.Deadline) -> Answer | NotModified:
        url, is_counted = self._url, False
        for _ in range(_MAX_REDIRECTS + 1):
            connection = self._connect(url, deadline)
            try:
                connection.request("GET", _target(url), headers=self._headers(url, request, is_counted))
                response = connection.getresponse()
                if response.status in _REDIRECTS:
                    url = _redirected(url, response.headers.get("Location"))
                    continue
                if response.status == 304:
                    return NOT_MODIFIED
                if response.status not in (200, 203, 206):
                    retry_after = _retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
                    status = f"{response.status} {response.reason}".strip()
                    raise Failure(f"the answer has the status {status}, expected 200", retry_after=retry_after)
                content_range = response.headers.get("Content-Range")
                rows = decide("rows", status=response.status, content_range=content_range)
                if rows == "unknown" and not is_counted:
                    is_counted = True
                    continue
                if isinstance(rows, dict):
                    raise Failure(rows["error"])
                return Answer(self._read(response), response.headers.get("ETag"))
            finally:
                connection.hang_up()
        raise Failure(f"redirected more often than {_MAX_REDIRECTS} times")

    def _connect(self, url: SplitResult, deadline: _deadline.Deadline) -> _deadline.TimedConnection:
        _, host, port = _origin(url)
        context = None
        if url.scheme == "https":
            # Made when it is first needed: it reads the certificates that the machine trusts.
            context = self._ssl_context = self._ssl_context or ssl.create_default_context()
        connection = _deadline.TimedConnection(host, port, context, deadline)
        try:
            connection.connect()
        except TimeoutError:
            raise
        except (OSError, UnicodeError) as problem:
            raise Failure(f"cannot connect: {_reason(problem)}") from None
        return connection

    def _headers(self, url: SplitResult, request: Request, is_counted: bool) -> dict[str, str]:
        headers = {
            "Accept": "application/json, */*;q=0.5",
            "Accept-Encoding": "gzip",
            "Connection": "close",
            "User-Agent": "esclusa-python",
        }
        # A tag may stay the same while the content changes, so now and then it is left out (11.16).
        if request.etag and not request.in_full and not is_counted and _HEADER_VALUE.fullmatch(request.etag):
            headers["If-None-Match"] = request.etag
        if _origin(url) == self._home:
            own = {name.lower() for name in self._secret_headers}
            headers = {name: value for name, value in headers.items() if name.lower() not in own}
            headers.update(self._secret_headers)
            if self._token is not None:
                headers["Authorization"] = _header_value("Authorization", f"Bearer {self._token()}")
        if is_counted:
            name = next((name for name in headers if name.lower() == "prefer"), "Prefer")
            headers[name] = ", ".join(filter(None, (headers.get(name), "count=exact")))
        return headers

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """The whole body, unpacked, unless it is too long. It reads no further than it has to."""
        declared = response.length
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if declared is not None and declared > self._max_bytes:
            raise self._too_long()
        if coding not in ("identity", "", "gzip", "x-gzip"):
            what = "was not asked for, expected gzip or none"
            raise Failure(f"the answer is packed with the `Content-Encoding` {redacted(coding)!r}, which {what}")
        unpacking = _Unpacking(self._max_bytes) if "gzip" in coding else None
        body, got = bytearray(), 0
        while piece := response.read1(_PIECE_BYTES):
            got += len(piece)
            body += unpacking.unpack(piece) if unpacking else piece
            if len(body) > self._max_bytes:
                raise self._too_long()
        if declared is not None and got < declared:
            raise EOFError(f"{got} of {declared} bytes came")
        if unpacking and not unpacking.is_whole:
            raise EOFError("its end is missing")
        if not body:
            raise Failure("the answer is empty, expected a snapshot")
        return bytes(body)

    def _too_long(self) -> Failure:
        return Failure(f"the answer is too long, expected at most {self._max_bytes} bytes")


class _Unpacking:
    """gzip, piece by piece, and never more than one byte beyond the limit."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes + 1
        self._gzip = zlib.decompressobj(31)
        self.is_whole = False

    def unpack(self, piece: bytes) -> bytes:
        unpacked = bytearray()
        while piece and self._left > 0:
            if self._gzip.eof:
                # One member after the other is one text (2.2 of RFC 1952).
                self._gzip = zlib.decompressobj(31)
            part = self._gzip.decompress(piece, self._left)
            self._left -= len(part)
            unpacked += part
            piece = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail
        self.is_whole = self._gzip.eof
        return bytes(unpacked)


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int


def _origin(url: SplitResult) -> _Origin:
    port = url.port if url.port is not None else (443 if url.scheme == "https" else 80)
    return _Origin(url.scheme, url.hostname or "", port)


def _parse(url: str) -> SplitResult:
    expected = "expected such as https://example.com/flags.json"
    if not isinstance(url, str):
        raise TypeError(f"the URL is no text, {expected}")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"the URL cannot be read: it has characters that are to be written as %xx, {expected}")
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError(f"the URL cannot be read, {expected}")
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"the URL begins with `{parts.scheme}:`, expected http:// or https://")
    return parts


def _shown(url: SplitResult) -> str:
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme}://{host}{port}{url.path or '/'}"


def _target(url: SplitResult) -> str:
    return f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"


def _redirected(url: SplitResult, location: str | None) -> SplitResult:
    if location is None:
        raise Failure("redirected to nowhere, expected the header `Location`")
    try:
        target = _parse(urljoin(url.geturl(), location.strip()))
    except ValueError:
        raise Failure("redirected to what is no URL of http or https") from None
    if url.scheme == "https" and target.scheme == "http":
        raise Failure("redirected from https to http, which anybody could read and change")
    return target


def _retry_after(header: str | None, date: str | None) -> float | None:
    """The wait that the server asks for, in seconds (11.19)."""
    if header is None:
        return None
    milliseconds = decide("retry_after", header=header, date=date, now_ms=int(time.time() * 1000))
    return None if milliseconds is None else milliseconds / 1000


def _header_name(name: str) -> str:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name) or name.lower() in _TAKEN:
        raise ValueError("the name of a header is not one, or not one to be chosen, expected letters, digits and dashes")
    return name


def _header_value(name: str, value: str) -> str:
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        raise ValueError(f"the value of the header `{name}` cannot be sent, expected one line of text")
    return value


def _reason(problem: BaseException) -> str:
    """What happened, without what the store wrote."""
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    if isinstance(problem, EOFError):
        return str(problem)
    return type(problem).__name__
