"""A table in Postgres, read through the function `esclusa.ask`, with notifications by `LISTEN`."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ._mapping import Stored
from ._native import MAX_SNAPSHOT_BYTES
from ._redaction import describe_error, redacted
from ._source import NOT_MODIFIED, Answer, Failure, News, NotModified, Request
from ._trips import Trip, Verdict

if TYPE_CHECKING:
    import psycopg

    from ._address import Address

_logger = logging.getLogger("esclusa")

# The errors of `esclusa.ask` when changes are not counted or the table is not watched, and of a database that has lost
# the migration or the rights to it. The rows can be read nevertheless.
_NOT_COUNTED = frozenset(("ES001", "ES003", "42883", "3F000", "42501"))
# Whether `esclusa.ask` exists and this user may call it.
_CAN_ASK = """EXISTS (
    SELECT FROM pg_catalog.pg_proc JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname = 'esclusa' AND proname = 'ask' AND pg_catalog.has_schema_privilege(pg_namespace.oid, 'USAGE')
      AND pg_catalog.has_function_privilege(pg_proc.oid, 'EXECUTE'))"""
# Whether it exists and this user may not call it.
_IS_CLOSED = """EXISTS (SELECT FROM pg_catalog.pg_namespace
    WHERE nspname = 'esclusa' AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE'))"""
# The errors of `esclusa.trip` if the run of the flag is another one, and if there is no such flag with a guard.
_OTHER_RUN, _NO_FLAG = "ES007", "ES008"
_POOLER = "a pooler is between, which may hand on no notifications"
_STANDBY = "a standby server has no notifications"


class Postgres:
    """A table of flags in Postgres. It needs `pip install 'esclusa[postgres]'`, which is psycopg 3.

    With the migration (`001_esclusa.sql`) it calls `esclusa.ask`, which returns the rows if they have changed, and
    raises if row-level security hides them; changes of the table arrive at once, by `LISTEN`. Without the migration the
    rows are read once per interval. Behind a pooler that assigns a connection for each transaction (PgBouncer,
    Supavisor) and on a standby there are no notifications: `status().polled` says so.

    It is a store of trips too, with the migration `002_guard.sql`: `esclusa.trip` takes them.

    Each process has one connection, and a new one after an error; a fork has its own. Neither the user nor the password
    is shown or logged.
    """

    def __init__(
        self,
        dsn: str | Callable[[], str],
        table: str | None = None,
        *,
        password: Callable[[], str] | None = None,
        timeout: float = 10.0,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """A connection string, `postgres://app@db.example.com/app?sslmode=verify-full` or `host=… user=…`, or a
        function that returns one for each connection; `password` is such a function for a password that rotates.

        `table` is the table or view, written as in a query, `app."Flags"`; by default it is `feature_flags`, or the
        only watched one. Connecting, and each query, may take `timeout` seconds. `parameters` are those of the mapping
        that `esclusa.watch` keeps beside the table.

        Raises ImportError without psycopg, and ValueError for an invalid connection string; the message does not repeat
        it.
        """
        from . import _address

        if not timeout > 0:
            raise ValueError(f"`timeout` is {timeout}, expected more than 0 seconds")
        if not isinstance(dsn, str) and not callable(dsn):
            raise TypeError(f"expected a connection string or a function that gives one, got {type(dsn).__name__}")
        self.translation = Stored(parameters or {})
        self._parse = _address.parse
        self._dsn, self._password, self._table, self._timeout = dsn, password, table, timeout
        self._name = _address.parse(dsn).name if isinstance(dsn, str) else "postgres"
        # Connections by process: a fork neither uses nor closes those of its parent.
        self._connections = dict[int, _Connection]()
        # The warnings that were logged, so that they are not repeated for each connection.
        self._said = set[str]()

    @property
    def name(self) -> str:
        """The servers and the database."""
        return self._name

    @property
    def polled(self) -> str | None:
        """Why the table is polled, if it is."""
        connection = self._connections.get(os.getpid())
        return None if connection is None else connection.polled

    def __repr__(self) -> str:
        return f"Postgres({self.name!r})"

    def fetch(self, request: Request) -> Answer | NotModified:
        """The answer of `esclusa.ask`, or the rows."""
        import psycopg

        connection: _Connection | None = None
        try:
            connection = self._connection()
            with connection.limit(self._timeout):
                # Before any read, so that no change in between is missed.
                connection.listen()
                return connection.read(request)
        except psycopg.Error as problem:
            self.close()
            raise self._failure(problem, connection) from None
        finally:
            # An interrupted connection is not used again.
            if connection is not None and connection.is_late:
                self.close()

    def wait(self, seconds: float) -> News | None:
        """Waits for a notification."""
        import psycopg

        connection = self._connections.get(os.getpid())
        if connection is None or not connection.is_listening:
            return None
        try:
            return News.CHANGED if connection.has_news(seconds) else None
        except psycopg.Error:
            self.close()
            return News.DISCONNECTED

    def close(self) -> None:
        """Closes the connection of this process."""
        connection = self._connections.pop(os.getpid(), None)
        if connection is not None:
            connection.close()

    def propose(self, trip: Trip) -> Verdict:
        """The answer of `esclusa.trip`. Each trip has a connection of its own, because trips are rare and another thread
        uses the connection of the source."""
        import psycopg

        connection: _Connection | None = None
        try:
            connection = self._open()
            with connection.limit(self._timeout):
                return connection.propose(trip)
        except psycopg.Error as problem:
            raise self._failure(problem, connection) from None
        finally:
            if connection is not None:
                connection.close()

    def trips(self) -> list[Trip] | None:
        """None: they come with the flags, in the column `guard_state`."""
        return None

    def _connection(self) -> _Connection:
        connection = self._connections.get(os.getpid())
        if connection is None or connection.is_closed:
            connection = self._connections[os.getpid()] = self._open()
        return connection

    def _open(self) -> _Connection:
        address = self._parse(self._dsn if isinstance(self._dsn, str) else self._dsn())
        self._name = address.name
        password = None if self._password is None else self._password()
        return _Connection(address, self._table, password, self._timeout, self._warn)

    def _failure(self, problem: psycopg.Error, connection: _Connection | None) -> Failure:
        is_late = connection is not None and connection.is_late
        return Failure(f"no answer within {self._timeout:g} s" if is_late else _words(problem))

    def _warn(self, warning: str) -> None:
        if warning not in self._said:
            self._said.add(warning)
            _logger.warning("%s: %s", self._name, warning)


class _Connection:
    """One connection, with what is known of its database."""

    def __init__(
        self, address: Address, table: str | None, password: str | None, timeout: float, warn: Callable[[str], None]
    ) -> None:
        import psycopg

        options = {"application_name": "esclusa", "connect_timeout": max(math.ceil(timeout), 2), **address.parameters}
        if password is not None:
            options["password"] = password
        # A pooler assigns another connection for each transaction, which does not have the prepared statements.
        connection = psycopg.connect(**options, autocommit=True, prepare_threshold=None)
        connection.add_notice_handler(self._heed)
        self._connection, self._warn, self._limit_ms = connection, warn, min(max(int(timeout * 1000), 1), 2**31 - 1)
        self._given, self._schema = table, address.schema
        self.is_listening, self.is_late = False, False
        self.polled: str | None = None
        # The name of the watch; None if the rows are read.
        self._watch: str | None = None
        self._is_compared = False
        with self.limit(timeout):
            self._watch = self._find_watch()

    @property
    def is_closed(self) -> bool:
        return self._connection.closed

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Cuts the connection unless the block ends in time, for a silent server."""
        # A descriptor of its own: the connection's may have been reused by then.
        line = socket.socket(fileno=os.dup(self._connection.fileno()))

        def cut() -> None:
            self.is_late = True
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

        # The server itself gives up earlier, at the same limit.
        deadline = threading.Timer(seconds + 0.5, cut)
        deadline.name, deadline.daemon = "esclusa-deadline", True
        deadline.start()
        try:
            yield
        finally:
            deadline.cancel()
            deadline.join()
            line.close()

    def close(self) -> None:
        self._connection.close()

    def has_news(self, seconds: float) -> bool:
        return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))

    def listen(self) -> None:
        """Listens, unless it already does. A standby cannot, until it is promoted."""
        import psycopg

        if self.is_listening:
            return
        is_standby, process = self._row("SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_backend_pid()")
        if is_standby:
            self.polled = _STANDBY
            return
        try:
            self._connection.execute("LISTEN esclusa")
        except psycopg.OperationalError:
            raise
        except psycopg.Error as problem:
            self.polled = f"it cannot listen: {_words(problem)}"
            return
        self.is_listening = True
        # A pooler invents the process number that it gives its clients.
        self.polled = None if process == self._connection.info.backend_pid else _POOLER

    def read(self, request: Request) -> Answer | NotModified:
        """The snapshot, unless the entity tag still matches."""
        import psycopg

        if self._watch is not None:
            try:
                return self._read_watch(self._watch, request)
            except psycopg.Error as problem:
                if problem.sqlstate not in _NOT_COUNTED:
                    raise
                self._watch = None
                self._warn(f"read row by row: {_words(problem)}")
        return self._read_rows(request)

    def propose(self, trip: Trip) -> Verdict:
        """The answer of `esclusa.trip`, which waits at most 2 seconds for a lock."""
        import psycopg

        table = None if self._given is None and self._schema is None else self._table()
        query = "SELECT esclusa.trip(%s, %s::bigint, %s::jsonb, %s)"
        try:
            row = self._connection.execute(query, (trip.flag, trip.run, trip.text, table)).fetchone()
        except psycopg.Error as problem:
            if problem.sqlstate == _NO_FLAG:
                return "unguarded"
            current = problem.diag.message_detail or ""
            # A trip that is ahead of the store's run is proposed again when the store has caught up.
            if problem.sqlstate == _OTHER_RUN and current.isdecimal() and int(current) > trip.run:
                return "over"
            raise
        return "taken" if row is not None and row[0] else "known"

    def _read_watch(self, watch: str, request: Request) -> Answer | NotModified:
        etag = request.etag or ""
        # A revision may stay the same while rows change, so it is sometimes left out (11.16), unless the database
        # itself compares the two.
        is_known = etag.isdecimal() and etag.isascii() and len(etag) <= 18 and (self._is_compared or not request.in_full)
        revision, snapshot, self._is_compared = self._row(
            f"SELECT revision::text, snapshot::text, is_compared FROM esclusa.ask({etag if is_known else 'NULL'}, {_quoted(watch)})"
        )
        return _answered(revision, snapshot)

    def _read_rows(self, request: Request) -> Answer | NotModified:
        etag = request.etag or ""
        known = etag if etag.isalnum() and etag.isascii() else ""
        table = self._table()
        digest, rows, is_hidden, can_ask = self._row(
            f"SELECT md5(rows), CASE WHEN md5(rows) <> '{known}' THEN rows END, "
            f"CASE WHEN rows = '[]' THEN row_security_active(to_regclass({_quoted(table)})) END, {_CAN_ASK} "
            f"FROM (SELECT coalesce(json_agg(f ORDER BY f::text), '[]')::text AS rows FROM {table} f) AS whole"
        )
        if can_ask:
            self._watch = self._find_watch()
        if is_hidden:
            raise Failure(
                f"`{table}` shows no row while row-level security is active, expected a policy that lets this user read"
            )
        return _answered(digest, rows)

    def _find_watch(self) -> str | None:
        """The watch of the table; if there is none, the only watch, unless the app has named a table."""
        can_ask, is_closed, user = self._row(f"SELECT {_CAN_ASK}, {_IS_CLOSED}, current_user")
        if is_closed:
            self._warn(f"read without the migration: `SELECT esclusa.allow({_quoted(user)})` lets it ask")
        if not can_ask:
            return None
        only = "OR (to_regclass('feature_flags') IS NULL AND (SELECT count(*) FROM esclusa.revision) = 1)"
        (watch,) = self._row(
            f"""SELECT (SELECT name FROM esclusa.revision WHERE name = (
                SELECT format('%I.%I', nspname, relname)
                FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
                WHERE pg_class.oid = to_regclass({_quoted(self._table())})) {"" if self._given or self._schema else only})"""
        )
        return None if watch is None else str(watch)

    def _table(self) -> str:
        if self._given is not None:
            return self._given
        if self._schema is None:
            return "feature_flags"
        schema = self._schema.replace('"', '""')
        return f'"{schema}".feature_flags'

    def _row(self, query: str) -> tuple[Any, ...]:
        """The first row. Without a limit a query that waits for a lock would go on in the server; the limit applies to
        this query only, also with a pooler, because both are sent as one."""
        cursor = self._connection.execute(f"SET LOCAL statement_timeout = {self._limit_ms}; {query}".encode())
        cursor.nextset()
        row: tuple[Any, ...] | None = cursor.fetchone()
        if row is None:
            raise Failure("the query gave no row, expected one")
        return row

    def _heed(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._warn(redacted(str(notice.message_primary)))


def _answered(etag: str | None, snapshot: str | None) -> Answer | NotModified:
    if snapshot is None:
        return NOT_MODIFIED
    text = snapshot.encode()
    if len(text) > MAX_SNAPSHOT_BYTES:
        raise Failure(f"the snapshot has {len(text)} bytes, expected at most {MAX_SNAPSHOT_BYTES}")
    return Answer(text, etag)


def _words(problem: psycopg.Error) -> str:
    """The error, without the statement."""
    said = [text for text in (problem.diag.message_primary, problem.diag.message_hint) if text]
    return redacted(f"{type(problem).__name__}: {': '.join(said)}") if said else describe_error(problem)


def _quoted(text: str) -> str:
    """Text in a query."""
    return "'" + text.replace("'", "''") + "'"
