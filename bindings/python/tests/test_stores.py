"""The README's sources for Postgres and Redis, against real servers that are killed and started again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, Loopback, document, needs_loopback, until

from esclusa import Flags
from esclusa.sync import Policy

psycopg = pytest.importorskip("psycopg")
redis = pytest.importorskip("redis")

pytestmark = [
    needs_loopback,
    pytest.mark.usefixtures("no_thread_left"),
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]

ROOT = Path(__file__).parents[3]
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
MIGRATION = (ROOT / "sync/migrations/001_esclusa.sql").read_text(encoding="utf-8")
# Only what is told is in time: asking once an interval would be far too late, except while the store is away.
TOLD = Policy(interval=3600, jitter=0, backoff_min=0.02, backoff_max=0.05, spread=0.01)


def recipe(name: str) -> Any:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        if re.search(r"class (Postgres|Redis):", block):
            exec(compile(block, "README.md", "exec"), names)
    return names[name]


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
    flags = Flags.from_source(recipe("Postgres")(postgres), policy=TOLD)
    assert flags.ready(60) and not flags.is_enabled("crm") and flags.status().revision
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
    flags = Flags.from_source(recipe("Postgres")(postgres), policy=QUICK)
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
    flags = Flags.from_source(recipe("Postgres")(postgres), policy=TOLD)
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
    flags = Flags.from_source(recipe("Postgres")(pooled), policy=QUICK)
    # More often than psycopg waits until it would prepare a statement, which another connection then lacks.
    for enabled in [True, False] * 10:
        switch(postgres, enabled)
        until(lambda enabled=enabled: flags.is_enabled("crm") is enabled)  # type: ignore[misc]
    assert flags.status().failures == 0 and flags.status().last_error is None and flags.status().revision


def test_postgres_that_hides_its_rows_switches_nothing_off(postgres: str) -> None:
    switch(postgres, True)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN; GRANT SELECT ON feature_flags TO reader; SELECT esclusa.allow('reader')")
        flags = Flags.from_source(recipe("Postgres")(postgres.replace("postgres@", "reader@")), policy=QUICK)
        until(lambda: flags.is_enabled("crm"))
        for wrong, right, says in [
            ("ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY", "ALTER TABLE feature_flags DISABLE ROW LEVEL SECURITY", "row-level"),
            ("ALTER TABLE feature_flags DISABLE TRIGGER esclusa_tell", "SELECT esclusa.watch('feature_flags')", "no trigger"),
        ]:
            connection.execute(wrong)
            until(lambda says=says: says in str(flags.status()))  # type: ignore[misc]
            assert flags.is_enabled("crm")
            connection.execute(right)
            until(lambda: flags.status().state == "fresh")


def test_postgres_without_the_migration(postgres: str) -> None:
    switch(postgres, True)

    def rows() -> str:
        with psycopg.connect(postgres, autocommit=True) as connection:
            row = connection.execute("SELECT coalesce(json_agg(f ORDER BY f::text), '[]')::text FROM feature_flags f").fetchone()
            assert row is not None
            return str(row[0])

    flags = Flags.from_source(rows, policy=QUICK)
    until(lambda: flags.is_enabled("crm"))
    switch(postgres, False)
    until(lambda: not flags.is_enabled("crm"))


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
    flags = Flags.from_source(recipe("Redis")(store), policy=TOLD)
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
    flags = Flags.from_source(recipe("Redis")(store), policy=QUICK)
    assert flags.ready(60)
    loopback.tell(redis="kill")
    until(lambda: flags.status().state == "failing")
    loopback.tell(redis="start")
    until(lambda: "there is no key" in str(flags.status()))
    assert flags.is_enabled("crm")
    put(store, document(6, crm=False))
    until(lambda: flags.revision == 6 and flags.status().state == "fresh")
