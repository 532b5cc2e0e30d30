"""Every vector of `spec/vectors`, through the public face of the package."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import esclusa
import pytest
from esclusa import Context, Flags, SnapshotError

FOLDER = Path(__file__).parents[3] / "spec" / "vectors"
LAYERS = [path for path in sorted(FOLDER.glob("*.json")) if path.name != "vectors.schema.json"]
VECTORS = [vector for path in LAYERS for vector in json.loads(path.read_bytes())["vectors"]]
NOW = "2025-06-15T12:00:00Z"


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    if "hash" in vector:
        assert f"{esclusa.hash(vector['text']):016x}" == vector["hash"]
    elif "bucket" in vector:
        assert esclusa.bucket(vector["unit"], vector["salt"]) == vector["bucket"]
    elif "ranges" in vector:
        assert [list(one) for one in esclusa.ranges(vector["weights"])] == vector["ranges"]
    elif "truth" in vector:
        assert truth(vector) == vector["truth"]
    elif "snapshot" in vector:
        flags = Flags()
        flags.publish(json.dumps(vector["snapshot"]))
        resolve(flags, vector)
    elif not any("take_trip" in step for step in vector["publish"]):  # trips are taken by publishers in Rust (9.11)
        flags = Flags()
        for step in vector["publish"]:
            publish(flags, step)
        for query in vector.get("resolve", ()):
            resolve(flags, query)


def test_there_are_vectors_of_all_layers() -> None:
    assert len(LAYERS) >= 14
    assert len(VECTORS) >= 1000


def truth(vector: dict[str, Any]) -> str:
    """A condition is tried as the only rule of a flag, and so is its opposite."""
    conditions = {"is": vector["condition"], "is-not": {"not": vector["condition"]}}
    flags = Flags()
    rows = [{"name": name, "enabled": True, "rules": [{"key": "r", "when": it}]} for name, it in conditions.items()]
    document = {"esclusa": 1, "segments": vector.get("segments", []), "flags": rows}
    flags.publish(json.dumps(document), strict=True)
    answers = flags.resolve_all(vector["context"], time_of(NOW))
    both = answers["is"].enabled, answers["is-not"].enabled
    return {(True, False): "true", (False, True): "false", (False, False): "unknown"}[both]


def resolve(flags: Flags, query: dict[str, Any]) -> None:
    """The expected answer by every way that leads to one."""
    key, plain, now, expected = query["flag"], query["context"], time_of(query.get("now", NOW)), query["expect"]
    for context in (plain, Context.from_mapping(plain), Context.from_mapping(Context.from_mapping(plain).to_dict())):
        resolution = flags.resolve(key, context, now)
        assert exact(resolution.to_dict()) == exact(expected)
        assert flags.explain(key, context, now).resolution == resolution
        if expected["error"] in ("FLAG_NOT_FOUND", "PROVIDER_NOT_READY"):
            assert key not in flags.resolve_all(context, now)
        else:
            assert flags.resolve_all(context, now)[key] == resolution
        projected = flags.project(context, [key], now)
        assert (key in projected) == (expected["error"] not in ("FLAG_NOT_FOUND", "PROVIDER_NOT_READY"))
        if key in projected:
            assert exact(projected[key].get("variant")) == exact(expected["variant"])
            assert exact(projected[key]["value"]) == exact(expected["value"])


def exact(value: object) -> str:
    """JSON, because to Python `True == 1 == 1.0`."""
    return json.dumps(value, sort_keys=True)


def time_of(now: str | float) -> datetime | float:
    if not isinstance(now, str):
        return now
    time = datetime.fromisoformat(now.replace("Z", "+00:00"))
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def publish(flags: Flags, step: dict[str, Any]) -> None:
    text = step["text"] if "text" in step else json.dumps(step["snapshot"])
    try:
        report = flags.publish(text, accept_older=step.get("accept_older", False))
    except SnapshotError as refusal:
        assert step["outcome"] == "refused", refusal
        assert str(refusal)
        return
    assert report.outcome == step["outcome"]
    for name in ("added", "removed", "changed", "set_aside"):
        if name in step:
            assert exact(report.to_dict()[name]) == exact(step[name])
    if "codes" in step:
        assert {violation.place: violation.code for violation in report.violations} == step["codes"]
    if "violations" in step:
        assert sorted(violation.place for violation in report.violations) == sorted(step["violations"])
        assert flags.violations == report.violations
