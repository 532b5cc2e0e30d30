"""A snapshot under a key of Redis or Valkey, with notifications by the channel of the same name."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ._native import hash as xxh3
from ._source import NOT_MODIFIED, Answer, Failure, News, NotModified, Request
from ._trips import Trip, Verdict, trip_from

_Said = TypeVar("_Said")

# Number of bytes at the start and at the end of a snapshot that are compared besides its tag.
_ENDS = 1024
# How long a user waits after a refusal before subscribing again.
_REFUSED_SECONDS = 60.0
# Takes a trip unless the flag has one of its run or a later one, and notifies the channel. Its arguments are the flag, the
# run and the trip, and the channel.
_PROPOSE = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known)['run'] >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[1])
return 1"""


class Redis:
    """A snapshot under a key of Redis 6 or later, or Valkey. It needs `pip install 'esclusa[redis]'`, which is
    redis-py.

    A writer sets the key and publishes any message on the channel of the same name. If there is a key with `:etag`
    after it, that is compared before the snapshot is read; it should be set together with the snapshot. Without the
    right to subscribe the key is polled once per interval, and `status().polled` says so. In a cluster any node may be
    named.

    It is a store of trips too: they are in the hash of the key's name with `:trips` after it, and stay there, because a
    trip of a run that is over switches nothing off. For that a user needs `HGET`, `HGETALL`, `HSET`, `PUBLISH` and
    `EVAL`.

    Each process has its own connections, and new ones after an error. Neither the user nor the password is shown or
    logged.
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        key: str = "esclusa:flags",
        *,
        channel: str | None = None,
        password: Callable[[], str] | None = None,
        timeout: float = 10.0,
    ) -> None:
        """`redis://…`, `rediss://…` or `unix://…`, or a function that returns one for each connection; `password` is
        such a function for a password that rotates. `channel` replaces the channel of the key's name. Connecting, and
        each command, may take `timeout` seconds.

        Raises ImportError without redis-py, and ValueError for an invalid URL; the message does not repeat it.
        """
        if not timeout > 0:
            raise ValueError(f"`timeout` is {timeout}, expected more than 0 seconds")
        if not isinstance(url, str) and not callable(url):
            raise TypeError(f"expected a URL or a function that gives one, got {type(url).__name__}")
        self._url, self._password, self._timeout = url, password, timeout
        self._key, self._channel = key, key if channel is None else channel
        # Trips have a connection of their own, because another thread uses that of the source.
        self._links, self._trip_links = _Links(self._link), _Links(self._link)
        self._name = _name(_options(url, timeout), key) if isinstance(url, str) else f"redis {key}"

    @property
    def name(self) -> str:
        """The server, the database and the key."""
        return self._name

    @property
    def polled(self) -> str | None:
        """Why the key is polled, if it is."""
        link = self._links.get()
        return None if link is None else link.polled

    def __repr__(self) -> str:
        return f"Redis({self.name!r})"

    def fetch(self, request: Request) -> Answer | NotModified:
        """The snapshot, unless the tag still matches."""
        # A tag may stay the same while the content changes, so it is sometimes left out (11.16).
        known = None if request.in_full else request.etag

        def ask(link: _Link) -> Answer | NotModified | None:
            # Before any read, so that no change in between is missed.
            link.listen(self._channel)
            return link.read(self._key, known)

        answer = self._links.call(ask)
        if answer is None:
            raise Failure(f"there is no key `{self._key}`, expected a snapshot under it")
        return answer

    def wait(self, seconds: float) -> News | None:
        """Waits for a message on the channel."""
        import redis

        link = self._links.get()
        if link is None or link.news is None:
            return None
        try:
            return News.CHANGED if link.receives("message", seconds) else None
        except redis.RedisError:
            self._links.close()
            return News.DISCONNECTED

    def close(self) -> None:
        """Closes the connections of this process."""
        self._links.close()
        self._trip_links.close()

    def propose(self, trip: Trip) -> Verdict:
        """Writes the trip into the hash, unless the flag has one of its run or a later one."""
        arguments = trip.flag, trip.run, trip.text, self._channel
        is_taken = self._trip_links.call(lambda link: link.client.eval(_PROPOSE, 1, self._trips_key, *arguments))
        return "taken" if is_taken else "known"

    def trips(self) -> list[Trip]:
        """The trips of the hash that can be read."""
        fields: dict[bytes, bytes] = self._trip_links.call(lambda link: link.client.hgetall(self._trips_key))
        trips = [_trip(flag, text) for flag, text in fields.items()]
        return [trip for trip in trips if trip is not None]

    @property
    def _trips_key(self) -> str:
        return f"{self._key}:trips"

    def _link(self, node: tuple[str, int] | None) -> _Link:
        options = _options(self._url if isinstance(self._url, str) else self._url(), self._timeout)
        self._name = _name(options, self._key)
        if node is not None:
            # Without a host it is another port of the same node.
            options["host"], options["port"] = node[0] or options["host"], node[1]
        if self._password is not None:
            options["password"] = self._password()
        return _Link(options, self._timeout)


class _Links:
    """A link in each process, to the node of a cluster that has the key."""

    def __init__(self, connect: Callable[[tuple[str, int] | None], _Link]) -> None:
        self._connect = connect
        # By process: a fork neither uses nor closes those of its parent.
        self._links = dict[int, _Link]()
        self._node: tuple[str, int] | None = None

    def get(self) -> _Link | None:
        """The link of this process, if there is one."""
        return self._links.get(os.getpid())

    def call(self, use: Callable[[_Link], _Said]) -> _Said:
        """What a link is used for, once more if the first attempt shows that another link is needed."""
        import redis

        is_kept = self.get() is not None
        try:
            return self._call_once(use)
        except redis.exceptions.MovedError as moved:
            # Another node of the cluster has the key, and is asked from now on.
            self._node = (moved.host, moved.port)
            return self._call_once(use)
        except (redis.ConnectionError, redis.TimeoutError) as problem:
            # The node may be gone; the configured address leads to a node that knows where the key is.
            self._node = None
            # A kept connection may have broken a moment ago.
            if not is_kept or isinstance(problem, redis.TimeoutError):
                raise
            return self._call_once(use)

    def close(self) -> None:
        """Closes the link of this process."""
        link = self._links.pop(os.getpid(), None)
        if link is not None:
            link.close()

    def _call_once(self, use: Callable[[_Link], _Said]) -> _Said:
        import redis

        try:
            link = self.get()
            if link is None:
                link = self._links[os.getpid()] = self._connect(self._node)
            return use(link)
        except redis.RedisError:
            self.close()
            raise


class _Link:
    """One connection for commands and one for the channel: the server closes a subscribed connection with much
    output."""

    def __init__(self, options: dict[str, Any], timeout: float) -> None:
        import redis

        self._timeout = timeout
        kind = options.pop("connection_class", redis.Connection)
        self.client: Any = redis.Redis(connection_pool=redis.ConnectionPool(connection_class=kind, **options))
        self.news: Any = None
        self.polled: str | None = None
        self._refused_at: float | None = None

    def listen(self, channel: str) -> None:
        """Subscribes, if the server allows it."""
        import redis

        if self.news is not None:
            # A silent connection may be broken without notice. The content of a message is not needed: the snapshot is
            # read right after.
            self.news.ping()
            if not self.receives("pong", self._timeout):
                raise redis.TimeoutError(f"no answer within {self._timeout:g} s")
            return
        if self._refused_at is not None and time.monotonic() - self._refused_at < _REFUSED_SECONDS:
            return
        self.news = self.client.pubsub()
        try:
            self.news.subscribe(channel)
            if not self.receives("subscribe", self._timeout):
                raise redis.TimeoutError(f"no answer within {self._timeout:g} s")
        except (redis.ConnectionError, redis.TimeoutError):
            raise
        except redis.RedisError:
            with contextlib.suppress(redis.RedisError):
                self.news.close()
            self.news = None
            self._refused_at, self.polled = time.monotonic(), "the server does not let this user subscribe"
            return
        self.polled = self._refused_at = None

    def receives(self, kind: str, seconds: float) -> bool:
        """Whether a message of this kind arrives in time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = self.news.get_message(timeout=left)
            if message is not None and message["type"] == kind:
                return True
        return False

    def read(self, key: str, known: str | None) -> Answer | NotModified | None:
        """None if there is no snapshot."""
        import redis

        if known is not None:
            try:
                look: Any = self.client.pipeline(transaction=False)
                look.get(f"{key}:etag").strlen(key).getrange(key, 0, _ENDS - 1).getrange(key, -_ENDS, -1)
                tag, length, head, tail = look.execute()
                if tag is not None and _composed(tag, length, head, tail) == known:
                    return NOT_MODIFIED
            except redis.ResponseError as problem:
                if isinstance(problem, redis.exceptions.MovedError):
                    raise
                # A user with the right to GET alone reads the whole snapshot.
        tag = None
        # Before the snapshot: if it changes in between, the tag is the older one, and everything is read again.
        with contextlib.suppress(redis.exceptions.NoPermissionError):
            tag = self.client.get(f"{key}:etag")
        snapshot: Any = self.client.get(key)
        if snapshot is None:
            return None
        etag = None if tag is None else _composed(tag, len(snapshot), snapshot[:_ENDS], snapshot[-_ENDS:])
        return Answer(snapshot, etag)

    def close(self) -> None:
        import redis

        with contextlib.suppress(redis.RedisError, OSError):
            if self.news is not None:
                self.news.close()
            self.client.close()
            self.client.connection_pool.disconnect()


def _options(url: str, timeout: float) -> dict[str, Any]:
    """The options of redis-py."""
    try:
        from redis.backoff import NoBackoff
        from redis import connection
        from redis.retry import Retry
    except ImportError as problem:
        raise ImportError("`Redis` needs redis-py 5 or later, expected `pip install 'esclusa[redis]'`") from problem
    parse: Any = connection.parse_url
    try:
        options: dict[str, Any] = dict(parse(url))
    except ValueError:
        # Its message may repeat the value.
        raise ValueError("the URL cannot be read, expected `redis://…`, `rediss://…` or `unix://…`") from None
    # The protocol decides when to ask again.
    retries = {"retry": Retry(NoBackoff(), 0), "retry_on_timeout": False}
    limits = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    return {**limits, **options, **retries, "decode_responses": False}


def _name(options: dict[str, Any], key: str) -> str:
    place = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
    return f"redis://{place}/{options.get('db', 0)} {key}"


def _composed(tag: bytes, length: int, head: bytes, tail: bytes) -> str:
    """Identifies a snapshot: its tag, its length and its ends."""
    ends = "".join(f"{xxh3(part.decode('utf-8', 'replace')):016x}" for part in (head, tail))
    return f"{tag.decode('utf-8', 'replace')} {length} {ends}"


def _trip(flag: bytes, text: bytes) -> Trip | None:
    try:
        return trip_from(flag.decode(), json.loads(text))
    except ValueError:
        return None
