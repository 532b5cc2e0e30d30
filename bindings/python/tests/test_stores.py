"""The sources for Postgres and Redis, against real servers that are killed and started again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, Loopback, document, needs_loopback, until

from esclusa import Flags
from esclusa.sync import Cached, Layers, Policy, Postgres, Redis

psycopg = pytest.importorskip("psycopg")
redis = pytest.importorskip("redis")

pytestmark = [
    needs_loopback,
    pytest.mark.usefixtures("no_thread_left"),
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]

ROOT = Path(__file__).parents[3]
MIGRATION = (ROOT / "sync/migrations/001_esclusa.sql").read_text(encoding="utf-8")
# Only what is told is in time: asking once an interval would be far too late, except while the store is away.
TOLD = Policy(interval=3600, jitter=0, backoff_min=0.02, backoff_max=0.05, spread=0.01)


def of_a_child(body: Any) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            body()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture(scope="module")
def postgres(loopback: Loopback) -> Iterator[str]:
    url: str = loopback.tell(postgres="start")["postgres"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(MIGRATION)
        connection.execute("SELECT esclusa.create_flags('public.feature_flags')")
        connection.execute("INSERT INTO feature_flags (name, enabled, rollout_percentage) VALUES ('crm', false, 100)")
    yield url


def switch(url: str, enabled: bool) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE feature_flags SET enabled = %s WHERE name = 'crm'", [enabled])


def test_postgres_tells_of_changes(postgres: str) -> None:
    flags = Flags.from_source(Postgres(postgres), policy=TOLD)
    assert flags.ready(60) and not flags.is_enabled("crm") and flags.status().revision
    assert flags.status().polled is None and flags.status().source == postgres.replace("postgres@", "").partition("?")[0]
    for enabled in [True, False] * 10 + [True]:
        switch(postgres, enabled)
        until(lambda enabled=enabled: flags.is_enabled("crm") is enabled)  # type: ignore[misc]
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("SELECT esclusa.emergency_rollback('crm')")
    until(lambda: not flags.is_enabled("crm"))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("UPDATE feature_flags SET rollout_percentage = 100")


def test_postgres_goes_away_and_comes_back(loopback: Loopback, postgres: str) -> None:
    switch(postgres, True)
    flags = Flags.from_source(Postgres(postgres), policy=QUICK)
    until(lambda: flags.is_enabled("crm"))
    loopback.tell(postgres="kill")
    until(lambda: flags.status().state == "failing")
    assert flags.is_enabled("crm")
    loopback.tell(postgres="start")
    switch(postgres, False)
    until(lambda: not flags.is_enabled("crm") and flags.status().state == "fresh")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_postgres_in_a_child_has_its_own_connection(postgres: str) -> None:
    switch(postgres, True)
    flags = Flags.from_source(Postgres(postgres), policy=TOLD)
    until(lambda: flags.is_enabled("crm"))

    def child() -> None:
        assert flags.is_enabled("crm")
        until(lambda: flags.status().state == "fresh")
        switch(postgres, False)
        until(lambda: not flags.is_enabled("crm"))

    assert of_a_child(child) == 0
    until(lambda: not flags.is_enabled("crm"))
    switch(postgres, True)
    until(lambda: flags.is_enabled("crm"))
    assert flags.status().failures == 0 and flags.status().last_error is None


def test_postgres_behind_a_pooler(loopback: Loopback, postgres: str) -> None:
    switch(postgres, False)
    pooled = loopback.tell(pooler="start")["pooler"]
    flags = Flags.from_source(Postgres(pooled), policy=QUICK)
    # More often than psycopg waits until it would prepare a statement, which another connection then lacks.
    for enabled in [True, False] * 10:
        switch(postgres, enabled)
        until(lambda enabled=enabled: flags.is_enabled("crm") is enabled)  # type: ignore[misc]
    assert flags.status().failures == 0 and flags.status().last_error is None and flags.status().revision
    assert flags.status().polled == "a pooler is between, which may hand on no notifications"
    assert str(flags.status()).endswith("; asked once an interval: a pooler is between, which may hand on no notifications")
    layered = Flags.from_source(Layers(Cached(Postgres(pooled), "/nonexistent/copy.json"), lambda: "[]"), policy=QUICK, allow_empty=True)
    until(lambda: "a pooler is between" in (layered.status().polled or ""))


def test_postgres_that_hides_its_rows_switches_nothing_off(postgres: str) -> None:
    switch(postgres, True)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN; GRANT SELECT ON feature_flags TO reader; SELECT esclusa.allow('reader')")
        flags = Flags.from_source(Postgres(postgres.replace("postgres@", "reader@")), policy=QUICK)
        until(lambda: flags.is_enabled("crm"))
        for wrong, right, says in [
            ("ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY", "ALTER TABLE feature_flags DISABLE ROW LEVEL SECURITY", "row-level"),
        ]:
            connection.execute(wrong)
            until(lambda says=says: says in str(flags.status()))  # type: ignore[misc]
            assert flags.is_enabled("crm")
            connection.execute(right)
            until(lambda: flags.status().state == "fresh")


def test_postgres_that_has_lost_its_triggers_is_read_row_by_row(postgres: str, caplog: pytest.LogCaptureFixture) -> None:
    switch(postgres, True)
    flags = Flags.from_source(Postgres(postgres), policy=QUICK)
    until(lambda: flags.is_enabled("crm"))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("ALTER TABLE feature_flags DISABLE TRIGGER esclusa_tell")
        switch(postgres, False)
        until(lambda: not flags.is_enabled("crm"))
        assert sum("read row by row" in record.message for record in caplog.records) == 1
        connection.execute("SELECT esclusa.watch('feature_flags')")
        switch(postgres, True)
        until(lambda: flags.is_enabled("crm") and flags.status().state == "fresh")


def test_postgres_without_the_migration(postgres: str) -> None:
    switch(postgres, True)

    def rows() -> str:
        with psycopg.connect(postgres, autocommit=True) as connection:
            row = connection.execute("SELECT coalesce(json_agg(f ORDER BY f::text), '[]')::text FROM feature_flags f").fetchone()
            assert row is not None
            return str(row[0])

    by_function = Flags.from_source(rows, policy=QUICK)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain")
    database = postgres.replace("/postgres?", "/plain?")
    plain = database + "&schema=app&pgbouncer=true"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA app; CREATE TABLE app.feature_flags (name text, enabled bool)")
        connection.execute("CREATE TABLE app.\"Other's\" (name text, enabled bool)")
        connection.execute("INSERT INTO app.feature_flags VALUES ('crm', true); INSERT INTO app.\"Other's\" VALUES ('other', true)")
        by_rows = Flags.from_source(Postgres(plain), policy=QUICK)
        other = Flags.from_source(Postgres(plain, 'app."Other\'s"'), policy=QUICK)
        for flags, key in [(by_function, "crm"), (by_rows, "crm"), (other, "other")]:
            until(lambda flags=flags, key=key: flags.is_enabled(key))  # type: ignore[misc]
        connection.execute("UPDATE app.feature_flags SET enabled = false")
        until(lambda: not by_rows.is_enabled("crm"))
    switch(postgres, False)
    until(lambda: not by_function.is_enabled("crm"))
    assert other.is_enabled("other") and other.status().failures == 0


def test_postgres_whose_table_is_locked_is_late_and_keeps_what_there_is(postgres: str) -> None:
    switch(postgres, True)
    flags = Flags.from_source(Postgres(postgres, timeout=0.3), policy=QUICK)
    until(lambda: flags.is_enabled("crm"))
    with psycopg.connect(postgres) as connection:
        connection.execute("LOCK TABLE feature_flags, esclusa.change, esclusa.watched")
        until(lambda: flags.status().state == "failing")
        assert flags.is_enabled("crm")
    until(lambda: flags.status().state == "fresh")


def test_postgres_with_a_password_that_rotates(postgres: str, caplog: pytest.LogCaptureFixture) -> None:
    switch(postgres, True)
    password = "first-s3cret"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE rotating LOGIN PASSWORD 'first-s3cret'; SELECT esclusa.allow('rotating')")
        connection.execute("GRANT SELECT ON feature_flags TO rotating")
        row = connection.execute("SHOW hba_file").fetchone()
        assert row is not None
        hba = Path(row[0])
        before = hba.read_text()
        hba.write_text("host all rotating 127.0.0.1/32 scram-sha-256\n" + before)
        try:
            connection.execute("SELECT pg_reload_conf()")
            address = postgres.replace("postgres@", "rotating@")
            flags = Flags.from_source(Postgres(address, password=lambda: password), policy=QUICK)
            by_address = Flags.from_source(Postgres(lambda: address.replace("@", f":{password}@")), policy=QUICK)
            until(lambda: flags.is_enabled("crm") and by_address.is_enabled("crm"))
            connection.execute("ALTER ROLE rotating PASSWORD 'second-s3cret'")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotating'")
            refused = "password authentication failed"
            until(lambda: refused in str(flags.status()) and refused in str(by_address.status()))
            said = str(flags.status()) + str(by_address.status())
            assert flags.is_enabled("crm") and by_address.is_enabled("crm")
            password = "second-s3cret"
            until(lambda: flags.status().state == by_address.status().state == "fresh")
        finally:
            hba.write_text(before)
            connection.execute("SELECT pg_reload_conf()")
    said += caplog.text + str(flags.status()) + str(by_address.status()) + repr(flags._sync)
    assert refused in said and "s3cret" not in said


@pytest.mark.parametrize(
    "wrong",
    ["mysql://u:s3cret@h/d", "postgres://u:s3cret@h/d?s3cret=1%zz", "host=h password='s3cret", "postgres://u:s3cret@h:port/d", "postgres://u:a/s3cret@h/d", "s3cret"],
)
def test_a_connection_string_that_cannot_be_read_is_not_repeated(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected|does not know") as raised:
        Postgres(wrong)
    assert "s3cret" not in str(raised.value).replace("`s3cret`", "") and raised.value.__cause__ is None
    with pytest.raises(ValueError, match="expected") as raised:
        Redis(wrong.replace("postgres://", "http://"))
    assert "s3cret" not in str(raised.value)


def test_names_say_where_and_no_secrets() -> None:
    assert Postgres("postgresql+psycopg://u:p@one,two:5433/d?sslmode=require&connection_limit=1").name == "postgres://one:5432,two:5433/d"
    assert repr(Postgres("host=h user=u password=p")) == "Postgres('postgres://h:5432/')"
    assert Redis("rediss://u:p@h:7000/3", "k").name == "redis://h:7000/3 k"


@pytest.mark.parametrize(("extra", "make"), [("postgres", lambda: Postgres("host=h")), ("redis", lambda: Redis("redis://h"))])
def test_a_driver_that_is_missing_is_named_with_its_extra(extra: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] in ("psycopg", "redis") or name == "esclusa._address"]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delattr("esclusa._address", raising=False)
    monkeypatch.delitem(sys.modules, "esclusa._address", raising=False)
    with pytest.raises(ImportError, match=rf"pip install 'esclusa\[{extra}\]'"):
        make()


@pytest.fixture(scope="module")
def store(loopback: Loopback) -> Iterator[str]:
    url: str = loopback.tell(redis="start")["redis"]
    yield url


def put(url: str, snapshot: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set("esclusa:flags", snapshot)
        client.publish("esclusa:flags", "new")


def test_redis_tells_of_changes_in_parent_and_child(store: str) -> None:
    put(store, document(1, crm=False))
    flags = Flags.from_source(Redis(store), policy=TOLD)
    assert flags.ready(60) and not flags.is_enabled("crm")
    put(store, document(2, crm=True))
    until(lambda: flags.is_enabled("crm"))

    def child() -> None:
        assert flags.is_enabled("crm")
        until(lambda: flags.status().state == "fresh")
        put(store, document(3, crm=False))
        until(lambda: flags.revision == 3)

    assert of_a_child(child) == 0
    until(lambda: flags.revision == 3)
    put(store, document(4, crm=True))
    until(lambda: flags.revision == 4)
    assert flags.status().failures == 0


def test_redis_goes_away_and_comes_back(loopback: Loopback, store: str) -> None:
    put(store, document(5, crm=True))
    flags = Flags.from_source(Redis(store), policy=QUICK)
    assert flags.ready(60)
    loopback.tell(redis="kill")
    until(lambda: flags.status().state == "failing")
    loopback.tell(redis="start")
    until(lambda: "there is no key" in str(flags.status()))
    assert flags.is_enabled("crm")
    put(store, document(6, crm=False))
    until(lambda: flags.revision == 6 and flags.status().state == "fresh")


def test_redis_compares_the_tag_and_reads_what_has_changed_without_it(store: str) -> None:
    with redis.Redis.from_url(store) as client:
        client.mset({"tagged": document(1, crm=True), "tagged:etag": "a"})
        flags = Flags.from_source(Redis(store, "tagged"), policy=QUICK)
        assert flags.ready(60)
        reads = commands(client, "get")
        before = flags.status()
        until(lambda: (flags.status().age or 1) < (before.age or 0) or commands(client, "getrange") > 4)
        assert commands(client, "get") - reads <= commands(client, "strlen") + 1, "the snapshot is not read again"
        client.mset({"tagged": document(2, crm=False), "tagged:etag": "b"})
        until(lambda: flags.revision == 2)
        client.set("tagged", document(3, crm=True))
        until(lambda: flags.revision == 3)


def commands(client: Any, name: str) -> int:
    """How often the server was told to do this."""
    return int(client.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0))


def test_redis_with_a_user_who_may_not_subscribe_and_whose_password_rotates(store: str, caplog: pytest.LogCaptureFixture) -> None:
    password = "first-s3cret"
    put(store, document(7, crm=True))
    with redis.Redis.from_url(store) as client:
        client.acl_setuser("reader", enabled=True, passwords=["+first-s3cret"], keys=["esclusa:flags"], commands=["+get", "+ping", "+client"], reset=True)
        address = store.replace("redis://", "redis://reader@")
        flags = Flags.from_source(Redis(address, password=lambda: password), policy=QUICK)
        by_address = Flags.from_source(Redis(lambda: address.replace("@", f":{password}@")), policy=QUICK)
        until(lambda: flags.revision == by_address.revision == 7)
        assert flags.status().polled == "the server does not let this user subscribe"
        put(store, document(8, crm=False))
        until(lambda: flags.revision == by_address.revision == 8)
        client.acl_setuser("reader", enabled=True, passwords=["-first-s3cret", "+second-s3cret"])
        client.execute_command("CLIENT", "KILL", "USER", "reader")
        until(lambda: flags.status().state == by_address.status().state == "failing")
        password = "second-s3cret"
        until(lambda: flags.status().state == by_address.status().state == "fresh")
    assert "s3cret" not in caplog.text + str(flags.status()) + str(by_address.status())
