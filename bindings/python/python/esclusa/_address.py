"""Connection strings of Postgres, in the forms of libpq, its users and database vendors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

try:
    import psycopg
    from psycopg import conninfo, pq
except ImportError as _problem:
    raise ImportError("`Postgres` needs psycopg 3.2 or later, expected `pip install 'esclusa[postgres]'`") from _problem

# The parameters that Prisma, Rails, Django, SQLAlchemy, node-postgres, JDBC and pgx add for themselves.
_OF_OTHERS = frozenset(
    "pgbouncer connection_limit pool_timeout socket_timeout statement_cache_size sslidentity single_use_connections "
    "max_connection_lifetime max_idle_connection_lifetime pool pool_size max_overflow encoding charset conn_max_age "
    "prepared_statements prepare_threshold preparethreshold default_query_exec_mode uselibpqcompat reconnect supa adapter "
    "pool_max_conns pool_min_conns pool_max_conn_lifetime".split()
)
_UNREADABLE = "the connection string cannot be read, expected `postgres://…` or `host=… user=…`"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where and how to connect."""

    parameters: dict[str, Any]
    """The parameters for libpq."""
    schema: str | None
    """The schema of the table, if it is not left to the search path."""

    @property
    def name(self) -> str:
        """The servers and the database, without secrets."""
        hosts = str(self.parameters.get("host") or self.parameters.get("hostaddr") or "localhost").split(",")
        ports = str(self.parameters.get("port") or "5432").split(",")
        places = [f"{host}:{(ports[at] if at < len(ports) else ports[0]) or 5432}" for at, host in enumerate(hosts)]
        return f"postgres://{','.join(places)}/{self.parameters.get('dbname') or ''}"


def parse(dsn: str) -> Address:
    """Reads a connection string; raises a ValueError that does not show its values."""
    text = dsn.strip().removeprefix("jdbc:")
    scheme, separator, rest = text.partition("://")
    schema = None
    if separator and "=" not in scheme and " " not in scheme:
        # SQLAlchemy names its driver: `postgresql+psycopg`.
        if scheme.split("+")[0] not in ("postgres", "postgresql"):
            raise ValueError("the address has another scheme, expected `postgres://…`")
        text, schema = _plain(rest)
    try:
        parameters = conninfo.conninfo_to_dict(text)
    except psycopg.Error:
        # libpq's message would repeat the value.
        raise ValueError(_UNREADABLE) from None
    # A password with a slash in it ends up in other parts.
    is_torn = "@" in str(parameters.get("dbname") or "") or "@" in str(parameters.get("host") or "").lstrip("@")
    if is_torn or not str(parameters.get("port") or "0").replace(",", "0").isdecimal():
        raise ValueError(_UNREADABLE)
    return Address({name: value for name, value in parameters.items() if value is not None}, schema)


def _plain(rest: str) -> tuple[str, str | None]:
    """A URL as libpq reads it, and the schema that it names."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    # A password may contain a question mark.
    path = rest.find("/")
    host = max(rest.rfind("@", 0, path if path >= 0 else len(rest)), 0)
    query = rest.find("?", host)
    base, pairs = (rest, "") if query < 0 else (rest[:query], rest[query + 1 :])
    kept, schema = dict[str, str](), None
    for pair in pairs.split("&"):
        key, _, value = pair.partition("=")
        key, value = unquote(key), unquote(value)
        if key in ("schema", "currentSchema"):
            schema = None if value == "public" else value
        elif key == "ssl":
            if value not in ("false", "0"):
                kept.setdefault("sslmode", "require")
        elif key == "sslaccept":
            if value == "strict":
                kept["sslmode"] = "verify-full"
        elif key == "sslmode":
            kept[key] = "require" if value == "no-verify" else value
        elif key in known:
            if value:
                kept[key] = value
        elif key and key.lower() not in _OF_OTHERS:
            what = f"the parameter `{key}`" if key.isidentifier() and len(key) <= 40 else "a parameter"
            raise ValueError(f"the connection string has {what}, which Postgres does not know")
    query_text = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in kept.items())
    return f"postgresql://{base}{'?' if query_text else ''}{query_text}", schema
