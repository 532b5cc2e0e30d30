"""Access to a URL: a client, its credentials, and the origin that they are sent to."""

from __future__ import annotations

import base64
import os
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from ._deciding import decide
from ._redaction import redacted
from ._source import Failure

try:
    import urllib3
    from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError, ProxyError, SSLError
    from urllib3.exceptions import TimeoutError as LateError

    from . import _line
except ImportError as _problem:
    raise ImportError("HTTP needs urllib3 2.6 or later, expected `pip install 'esclusa[http]'`") from _problem

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_PIECE_BYTES = 1 << 16
# The protocol decides when to ask again.
_NEVER = urllib3.Retry(False)
# Maximum number of consecutive redirects.
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# What the client says of itself by other means.
_TAKEN = frozenset({"host", "connection", "content-length", "transfer-encoding"})
_PROXY = "the proxy that the environment names cannot be used, expected http://… or https://…"

WANTED = {
    "Accept": "application/json, */*;q=0.5",
    # The encodings that this Python can decode, of gzip, br and zstd.
    "Accept-Encoding": urllib3.make_headers(accept_encoding=True)["accept-encoding"],
}
"""The headers of a request for a snapshot."""


class Access:
    """A client, with credentials for one origin."""

    def __init__(
        self,
        home: SplitResult,
        headers: Mapping[str, str],
        token: Callable[[], str] | None,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        """The URL's user and password, the headers and the token are sent to the origin of `home` only."""
        self._home = origin(home)
        self._secret_headers = dict[str, str]()
        if home.username is not None or home.password is not None:
            pair = f"{unquote(home.username or '')}:{unquote(home.password or '')}"
            self._secret_headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        for name, value in headers.items():
            self._secret_headers[_header_name(name)] = _header_value(name, value)
        self._token, self._ssl_context = token, ssl_context
        # A fork must not touch what the parent's thread holds, so no entry is removed.
        self._clients = dict[tuple[int, str | None], urllib3.PoolManager]()

    def get(
        self, url: SplitResult, wanted: Mapping[str, str], line: _line.Line, silence: float
    ) -> BaseHTTPResponse:
        """The answer of status 200, 203, 206 or 304, after redirects and before its body, which may keep silent for
        `silence` seconds."""
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._send("GET", url, wanted, None, line, silence)
            if response.status in (200, 203, 206, 304):
                return response
            response.close()
            if response.status not in _REDIRECTS:
                raise _refusal(response, "200")
            url = _redirected(url, response.headers.get("Location"))
        raise Failure(f"redirected more often than {_MAX_REDIRECTS} times")

    def put(
        self, url: SplitResult, body: bytes, wanted: Mapping[str, str], line: _line.Line, expected: Sequence[int]
    ) -> BaseHTTPResponse:
        """The answer with one of the expected statuses, before its body. A redirect is not followed."""
        return self._say("PUT", url, body, wanted, line, expected)

    def post(
        self, url: SplitResult, body: bytes, wanted: Mapping[str, str], line: _line.Line, expected: Sequence[int]
    ) -> BaseHTTPResponse:
        """The same for a body that is added."""
        return self._say("POST", url, body, wanted, line, expected)

    def _say(
        self, method: str, url: SplitResult, body: bytes, wanted: Mapping[str, str], line: _line.Line, expected: Sequence[int]
    ) -> BaseHTTPResponse:
        response = self._send(method, url, wanted, body, line, line.seconds)
        if response.status in expected:
            return response
        response.close()
        raise _refusal(response, ", ".join(map(str, expected)))

    def _send(
        self, method: str, url: SplitResult, wanted: Mapping[str, str], body: bytes | None, line: _line.Line, silence: float
    ) -> BaseHTTPResponse:
        try:
            return self._try(method, url, wanted, body, line, urllib3.Timeout(connect=line.seconds, read=silence))
        except (HTTPError, OSError, _line.CutError) as problem:
            raise failure_of(problem, line) from None

    def _try(
        self,
        method: str,
        url: SplitResult,
        wanted: Mapping[str, str],
        body: bytes | None,
        line: _line.Line,
        timeout: urllib3.Timeout,
    ) -> BaseHTTPResponse:
        options: dict[str, Any] = {"timeout": timeout, "retries": _NEVER, "redirect": False, "preload_content": False}
        target = f"{shown(url)}?{url.query}" if url.query else shown(url)
        client, headers = self._client(url), self._headers(url, wanted)
        for is_first in (True, False):
            try:
                with line:
                    return client.urlopen(method, target, body=body, headers=headers, **options)
            except ProtocolError:
                # A server may close a connection at the moment of its next use.
                if not (is_first and line.is_reused) or line.is_cut:
                    raise
        raise AssertionError("the second time it is returned or raised")

    def _client(self, url: SplitResult) -> urllib3.PoolManager:
        proxy = _proxy(url)
        client = self._clients.get((os.getpid(), proxy))
        if client is None:
            client = self._clients[os.getpid(), proxy] = self._new_client(proxy)
        return client

    def _new_client(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy is None:
            client = urllib3.PoolManager(maxsize=2, ssl_context=self._ssl_context)
        else:
            try:
                parts = urllib3.util.parse_url(proxy)
                pair = None if parts.auth is None else unquote(parts.auth)
                headers = urllib3.make_headers(proxy_basic_auth=pair)
                client = urllib3.ProxyManager(
                    parts._replace(auth=None).url, maxsize=2, proxy_headers=headers, ssl_context=self._ssl_context
                )
            except (HTTPError, ValueError):
                raise Failure(_PROXY) from None
        client.pool_classes_by_scheme = _line.POOLS
        return client

    def _headers(self, url: SplitResult, wanted: Mapping[str, str]) -> dict[str, str]:
        headers = urllib3.HTTPHeaderDict({"User-Agent": "esclusa-python"})
        if origin(url) == self._home:
            headers.update(self._secret_headers)
            if self._token is not None:
                headers["Authorization"] = _header_value("Authorization", f"Bearer {self._token()}")
        for name, value in wanted.items():
            if name == "Prefer":
                value = ", ".join(filter(None, (headers.get(name), value)))
            if name == "Prefer" or name not in headers or "event-stream" in value:
                headers[name] = value
        return dict(headers)


def read(response: BaseHTTPResponse, line: _line.Line, max_bytes: int) -> bytes:
    """The whole body, decompressed, unless it exceeds the limit; reading stops there."""
    too_long = Failure(f"the answer is too long, expected at most {max_bytes} bytes")
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", *response.CONTENT_DECODERS):
        what = f"was not asked for, expected {', '.join(response.CONTENT_DECODERS)} or none"
        raise Failure(f"the answer is packed with the `Content-Encoding` {redacted(coding)!r}, which {what}")
    declared = response.length_remaining
    if declared is not None and declared > max_bytes:
        raise too_long
    body = bytearray()
    try:
        for piece in response.stream(_PIECE_BYTES):
            body += piece
            if len(body) > max_bytes:
                raise too_long
    except (HTTPError, OSError) as problem:
        raise failure_of(problem, line) from None
    if not body:
        raise Failure("the answer is empty, expected a snapshot")
    return bytes(body)


def failure_of(problem: Exception, line: _line.Line) -> Failure:
    """The failure of a request, without the store's text and without the URL."""
    # urllib3 counts a refused connection among the time-outs.
    is_late = isinstance(problem, LateError | TimeoutError) and not isinstance(problem, NewConnectionError)
    if line.is_cut or is_late:
        return Failure(f"no whole answer within {line.seconds:g} s")
    cause: BaseException | None = problem
    reason = type(problem).__name__
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
        cause = cause.__cause__ or cause.__context__
    is_unconnected = isinstance(problem, NewConnectionError | ProxyError | SSLError)
    return Failure(f"{'cannot connect' if is_unconnected else 'the answer broke off'}: {reason}")


def _proxy(url: SplitResult) -> str | None:
    """The proxy of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, or of the system's settings."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


class Origin(NamedTuple):
    """The part that all URLs of one server share."""

    scheme: str
    host: str
    port: int


def origin(url: SplitResult) -> Origin:
    """The origin of a URL."""
    port = url.port if url.port is not None else (443 if url.scheme == "https" else 80)
    return Origin(url.scheme, url.hostname or "", port)


def parse(url: str) -> SplitResult:
    """A URL of http or https; any other raises a ValueError that does not repeat it."""
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


def shown(url: SplitResult) -> str:
    """The URL without the parts that may be secret."""
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme}://{host}{port}{url.path or '/'}"


def _redirected(url: SplitResult, location: str | None) -> SplitResult:
    if location is None:
        raise Failure("redirected to nowhere, expected the header `Location`")
    try:
        target = parse(urljoin(url.geturl(), location.strip()))
    except ValueError:
        raise Failure("redirected to what is no URL of http or https") from None
    if url.scheme == "https" and target.scheme == "http":
        raise Failure("redirected from https to http, which anybody could read and change")
    return target


def _refusal(response: BaseHTTPResponse, expected: str) -> Failure:
    status = f"{response.status} {response.reason or ''}".strip()
    return Failure(f"the answer has the status {status}, expected {expected}", retry_after=_retry_after(response))


def _retry_after(response: BaseHTTPResponse) -> float | None:
    """The wait that the server asks for, in seconds (11.19)."""
    header, date = response.headers.get("Retry-After"), response.headers.get("Date")
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
