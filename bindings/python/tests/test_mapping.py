"""Tables with columns of their own, read by a mapping: published by hand, and from sources that change meanwhile."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, Loopback, needs_loopback, until

from esclusa import Context, Flags, LeftOut, Mapping, MappingError, SnapshotError
from esclusa.sync import Bundled, Cached, Environment, Layers, Postgres, mapped

FOLDER = Path(__file__).parents[3] / "spec" / "vectors" / "mapping"
VECTORS = [vector for path in sorted(FOLDER.glob("*.json")) for vector in json.loads(path.read_bytes())["vectors"]]

TOML = """
esclusa_mapping = 1
name = "slug"
enabled = "is_active"
rollout_percentage = { column = "share", of = 1 }
target_plans = { column = "plans", split = "," }
counts = [{ column = "env", is = ["all", "$environment"] }]
ignore = ["ticket"]
"""
ROWS: list[dict[str, object]] = [
    {"slug": "crm", "is_active": 1, "share": 1, "plans": "PRO, TEAM", "env": "all", "ticket": "A-1"},
    {"slug": "old", "is_active": 1, "share": 1, "plans": None, "env": "staging", "ticket": None},
]
PRO, FREE = Context("ana", plan="PRO"), Context("ana", plan="FREE")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flags.mapping.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    rows = vector.get("document", vector.get("rows"))
    flags = Flags()
    try:
        mapping = Mapping({"esclusa_mapping": 1, **vector["mapping"]}, **vector.get("parameters", {}))
        report = flags.publish(json.dumps(rows), mapping=mapping)
    except MappingError as refusal:
        assert vector.get("refused") == refusal.place and refusal.problem in str(refusal)
        return
    except SnapshotError as refusal:
        assert [violation.place for violation in refusal.violations] == [vector.get("refused")]
        return
    assert "refused" not in vector
    if "left_out" in vector:
        assert sum(left.rows for left in report.reading.rows_left_out) == vector["left_out"]
    if "violations" in vector:
        assert sorted(violation.place for violation in report.violations) == sorted(vector["violations"])
    for query in vector.get("resolve", ()):
        now = datetime.fromisoformat(query.get("now", "2025-06-15T12:00:00Z").replace("Z", "+00:00"))
        answer = flags.resolve(query["flag"], query["context"], now)
        assert answer.enabled is query["enabled"]
        assert "error" not in query or answer.error_code == query["error"]
        assert query.get("value") is None or answer.value == query["value"]


def test_there_are_vectors() -> None:
    assert len(VECTORS) > 60


def test_a_mapping_is_a_dict_or_a_text_or_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = Mapping.load(file, environment="production")
    plain = loaded.to_dict()
    given = (
        loaded,
        Mapping(TOML, environment="production"),
        Mapping(TOML.encode()).with_parameters(environment="production"),
        Mapping(json.dumps(plain)).with_parameters(environment="production"),
        Mapping(plain, environment="production"),
    )
    monkeypatch.setenv("ESCLUSA_MAPPING", str(file))
    monkeypatch.setenv("OTHER", f" {file}\n")
    from_env = Mapping.from_env(environment="production"), Mapping.from_env("OTHER", environment="production")
    for mapping in given + from_env:
        flags = Flags()
        flags.publish(ROWS, mapping=mapping)
        assert flags.is_enabled("crm", PRO) and not flags.is_enabled("crm", FREE)
        assert "old" in flags and not flags.is_enabled("old", PRO)
        assert mapping.to_dict() == plain and mapping.parameters == ("environment",)
    assert loaded.name == str(file) and given[1].name == "mapping" and repr(loaded) == f"<Mapping {file}>"
    without = {name: entry for name, entry in plain.items() if name != "counts"} | {"ignore": ["ticket", "env"]}
    for short in (without, copy.copy(Mapping(without))):
        flags.publish(ROWS, mapping=short)
        assert flags.is_enabled("old", PRO)
    file.write_text(json.dumps(without), encoding="utf-8")
    for path in (file, str(file)):
        flags.publish(ROWS, mapping=path)
        assert flags.is_enabled("old", PRO)


def test_what_is_wrong_with_a_mapping_is_said_at_its_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(given: Any) -> MappingError:
        with pytest.raises(MappingError) as caught:
            Mapping(given)
        return caught.value

    refused = wrong({"esclusa_mapping": 1, "targets": "x"})
    assert refused.place == "targets" and "expected" in refused.problem and refused.violations == ()
    assert str(refused) == f"mapping, `targets`: {refused.problem}"
    assert wrong("esclusa_mapping = 1\nname = \n").place == "line 2"
    assert wrong("{").place == "" and str(wrong("{")).startswith("mapping: ")
    assert "UTF-8" in wrong(b"\xff").problem
    itself: dict[str, object] = {"esclusa_mapping": 1}
    itself["name"] = itself
    assert "itself" in wrong(itself).problem
    for kind in (5, None, ["slug"]):
        with pytest.raises(TypeError, match=type(kind).__name__):
            Mapping(kind)  # type: ignore[arg-type]
        if kind is not None:
            with pytest.raises(TypeError, match=type(kind).__name__):
                Flags().publish(ROWS, mapping=kind)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`environment` is a `int`, expected a string"):
        Mapping(TOML, environment=5)  # type: ignore[arg-type]
    with pytest.raises(MappingError, match="is no name of a parameter"):
        Mapping(TOML, **{"a b": "x"})
    file.write_text("esclusa_mapping = 2", encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        Mapping.load(file)
    assert str(caught.value).startswith(f"`{file}`: mapping, `esclusa_mapping`: ")
    with pytest.raises(FileNotFoundError):
        Flags().publish(ROWS, mapping=file.with_name("nowhere.toml"))
    monkeypatch.delenv("ESCLUSA_MAPPING", raising=False)
    with pytest.raises(MappingError, match="the variable `ESCLUSA_MAPPING` is not set"):
        Mapping.from_env()


def test_what_does_not_fit_leaves_the_last_set() -> None:
    mapping = Mapping(TOML, environment="production")
    flags = Flags()
    flags.publish(ROWS, mapping=mapping)
    renamed = [{("plan_list" if name == "plans" else name): value for name, value in row.items()} for row in ROWS]
    for rows, given, place in ((renamed, mapping, "plans"), (ROWS, Mapping(TOML), "$environment")):
        with pytest.raises(MappingError) as caught:
            flags.publish(rows, mapping=given)
        assert caught.value.place == place
    with pytest.raises(SnapshotError) as refused:
        flags.publish("{", mapping=mapping)
    assert not isinstance(refused.value, MappingError)
    assert flags.is_enabled("crm", PRO) and not flags.is_enabled("crm", FREE)


def test_a_value_that_cannot_be_read_is_a_violation_at_its_column() -> None:
    mapping = Mapping(TOML, environment="production")
    broken = [{**ROWS[0], "plans": {"a": 1}}, ROWS[1]]
    flags = Flags()
    (violation,) = flags.publish(broken, mapping=mapping).violations
    assert violation.place == "/0/plans" and "(flag `crm`)" in violation.problem
    assert flags.violations == (violation,) and not flags.is_enabled("crm", PRO)
    with pytest.raises(SnapshotError) as caught:
        flags.publish(broken, mapping=mapping, strict=True)
    assert caught.value.violations == (violation,)
    assert flags.publish(ROWS, mapping=mapping, strict=True).is_published


def test_the_reading_says_which_mapping_it_was(file: Path) -> None:
    flags = Flags()
    reading = flags.publish(ROWS, mapping=Mapping.load(file, environment="production")).reading
    assert reading.mapping == str(file) and reading.rows == 2 and reading.rows_left_out == (LeftOut("env", 1),)
    read = {column.column: (column.read_as, column.why) for column in reading.columns}
    assert read["share"] == ("rollout_percentage", None) and read["ticket"] == (None, "ignored by the mapping")
    assert flags.reading() == reading
    held = flags.current()
    assert flags.publish('[{"name": "plain", "enabled": true}]').reading.mapping is None
    plain = flags.reading()
    assert plain is not None and plain.mapping is None and plain.rows_left_out == ()
    assert held.reading() == reading


def test_a_file_is_read_by_a_mapping_and_the_log_says_by_which(
    tmp_path: Path, file: Path, caplog: pytest.LogCaptureFixture, no_thread_left: None
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS), encoding="utf-8")
    with caplog.at_level(logging.INFO, "esclusa"):
        flags = Flags.from_file(path, mapping=Mapping.load(file, environment="production"), policy=QUICK)
    assert flags.is_enabled("crm", PRO) and not flags.is_enabled("crm", FREE)
    (block,) = (record.getMessage() for record in caplog.records if "slug as name" in record.getMessage())
    assert f"by {file}: 2 rows, 2 flags" in block.replace("`", "") and "left out  1 row by env" in block
    assert "ignored   ticket" in block and "NOT READ" not in block and "A-1" not in caplog.text
    # A column that is renamed opens nothing, and the error names it.
    path.write_text(json.dumps(ROWS).replace('"plans"', '"plan_list"'), encoding="utf-8")
    until(lambda: flags.status().failures > 0)
    last = flags.status().last_error
    assert last is not None and "`plans`" in last.error
    assert flags.is_enabled("crm", PRO) and not flags.is_enabled("crm", FREE)
    path.write_text(json.dumps(ROWS).replace("PRO, TEAM", "FREE"), encoding="utf-8")
    until(lambda: flags.status().state == "fresh")
    assert not flags.is_enabled("crm", PRO) and flags.is_enabled("crm", FREE)


def test_a_cached_copy_holds_the_rows(tmp_path: Path, no_thread_left: None) -> None:
    path = tmp_path / "copy.json"
    bundle = json.dumps({"esclusa": 1, "revision": 7, "tables": {"flags": ROWS}})
    mapping = Mapping(TOML, environment="production")
    flags = Flags.from_source(Cached(mapped(lambda: bundle, mapping), path), policy=QUICK)
    until(lambda: path.exists() and path.read_text(encoding="utf-8") == bundle)
    assert flags.revision == 7
    again = Flags.from_source(Cached(mapped(lambda: "broken", mapping), path), policy=QUICK)
    assert again.is_enabled("crm", PRO) and not again.is_enabled("crm", FREE)
    reading = again.reading()
    assert reading is not None and reading.mapping == "mapping"


def test_each_layer_has_a_mapping_of_its_own(monkeypatch: pytest.MonkeyPatch, no_thread_left: None) -> None:
    rows = [json.dumps(ROWS)]
    store = mapped(lambda: rows[0], TOML_DICT, environment="production")
    other = mapped(Bundled('[{"code": "billing", "on": "t"}]'), {"esclusa_mapping": 1, "name": "code", "enabled": "on"})
    monkeypatch.setenv("FEATURE_BILLING", "false")
    flags = Flags.from_source(Layers(Environment(), store, other, Bundled('[{"name": "native", "enabled": true}]')), policy=QUICK)
    assert flags.ready(10)
    assert flags.is_enabled("crm", PRO) and not flags.is_enabled("crm", FREE) and flags.is_enabled("native")
    assert "billing" in flags and not flags.is_enabled("billing")
    rows[0] = rows[0].replace('"plans"', '"plan_list"')
    until(lambda: flags.status().failures > 0)
    last = flags.status().last_error
    assert last is not None and "`plans`" in last.error and flags.is_enabled("crm", PRO)
    with pytest.raises(TypeError, match="Layers"):
        mapped(Layers(store), TOML_DICT)


TOML_DICT = Mapping(TOML).to_dict()


@pytest.fixture(scope="module")
def postgres(loopback: Loopback) -> Iterator[str]:
    psycopg = pytest.importorskip("psycopg")
    url: str = loopback.tell(postgres="start")["postgres"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE features (slug text, is_active int, share numeric, plans text, env text, ticket text)")
        connection.execute("INSERT INTO features VALUES ('crm', 1, 0.29, 'PRO, TEAM', 'all', 'A-1')")
    yield url


def test_rows_may_bring_their_mapping_along(tmp_path: Path) -> None:
    rows: Any = [{"slug": "crm", "is_active": 1, "share": 1, "plans": "PRO, TEAM", "env": "all", "ticket": "A-1"}]
    document = json.dumps({"esclusa": 1, "mapping": TOML_DICT, "tables": {"flags": rows}})
    given = [document]
    store = mapped(lambda: given[0], None, environment="production")
    flags = Flags.from_source(Layers(Environment({}), Cached(store, tmp_path / "copy.json")), policy=QUICK)
    assert flags.ready(60) and flags.is_enabled("crm", PRO) and not flags.is_enabled("crm", FREE)
    assert flags.status().mapped_by == "stored"
    given[0] = '[{"name": "native", "enabled": true}]'
    until(lambda: "is missing in the rows, which had one before" in str(flags.status()))
    assert flags.is_enabled("crm", PRO)
    over = Flags.from_source(Layers(mapped(lambda: document, TOML_DICT, environment="production")), policy=QUICK)
    assert over.ready(60) and over.status().mapped_by == "app instead of stored"
    assert ", by the app's mapping instead of the stored one" in str(over.status())
    own = Flags.from_source(mapped(lambda: json.dumps(rows), TOML_DICT, environment="production"), policy=QUICK)
    assert own.ready(60) and own.status().mapped_by == "app"
    plain = Flags.from_source(lambda: '[{"name": "native", "enabled": true}]', policy=QUICK)
    assert plain.ready(60) and plain.status().mapped_by is None


@needs_loopback
def test_a_mapping_that_the_database_keeps_is_read(postgres: str, no_thread_left: None) -> None:
    import psycopg

    migration = Path(__file__).parents[3] / "sync/migrations/001_esclusa.sql"
    stored = json.dumps({**TOML_DICT, "rollout_percentage": {"column": "share", "of": 100}})
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(migration.read_text(encoding="utf-8").encode())
        connection.execute("CREATE TABLE kept (id int PRIMARY KEY, slug text, is_active int, share numeric, plans text, env text, ticket text)")
        connection.execute("INSERT INTO kept VALUES (1, 'crm', 1, 100, 'PRO, TEAM', 'all', 'A-1')")
        connection.execute("SELECT esclusa.watch('kept', mapping => %s)", [stored])
        source = Postgres(postgres, "kept", parameters={"environment": "production"})
        flags = Flags.from_source(Layers(Environment(), source), policy=QUICK)
        direct = Flags.from_source(Postgres(postgres, "kept", parameters={"environment": "production"}), policy=QUICK)
        assert flags.ready(60) and direct.ready(60)
        for own in (flags, direct):
            assert own.is_enabled("crm", PRO) and not own.is_enabled("crm", FREE)
        reading = direct.reading()
        assert reading is not None and reading.mapping == "stored-mapping"
        assert flags.status().mapped_by == direct.status().mapped_by == "stored"
        without = Flags.from_source(Postgres(postgres, "kept"), policy=QUICK)
        until(lambda: without.status().failures > 0)
        last = without.status().last_error
        assert last is not None and "$environment" in last.error
        connection.execute("UPDATE kept SET plans = 'FREE'")
        until(lambda: flags.is_enabled("crm", FREE) and direct.is_enabled("crm", FREE))
        # Bare rows without the mapping would remove every flag.
        connection.execute("SELECT esclusa.unwatch('kept')")
        until(lambda: direct.status().failures > 0)
        assert direct.is_enabled("crm", FREE) and not direct.is_enabled("crm", PRO)


@needs_loopback
def test_a_table_changes_while_the_app_runs(postgres: str, no_thread_left: None) -> None:
    import psycopg

    mapping = Mapping(TOML, environment="production")
    flags = Flags.from_source(Postgres(postgres, "features"), mapping=mapping, policy=QUICK)
    users = [Context(f"user-{number}", plan="PRO") for number in range(1000)]
    with psycopg.connect(postgres, autocommit=True) as connection:
        assert flags.ready(60)
        assert 230 < sum(flags.is_enabled("crm", user) for user in users) < 350
        connection.execute("UPDATE features SET share = 1")
        until(lambda: all(flags.is_enabled("crm", user) for user in users))
        assert not flags.is_enabled("crm", FREE)
        connection.execute("ALTER TABLE features RENAME plans TO plan_list")
        until(lambda: flags.status().failures > 0)
        last = flags.status().last_error
        assert last is not None and "`plans`" in last.error
        assert flags.is_enabled("crm", PRO) and not flags.is_enabled("crm", FREE)
        connection.execute("ALTER TABLE features RENAME plan_list TO plans")
        until(lambda: flags.status().state == "fresh")
        connection.execute("UPDATE features SET env = 'staging'")
        until(lambda: not flags.is_enabled("crm", PRO))
