"""The vectors of `spec/vectors/sync`: what every host decides alike while it stays fresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from esclusa import _native

FOLDER = Path(__file__).parents[3] / "spec" / "vectors" / "sync"


def vectors(name: str) -> list[Any]:
    read: list[Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(vector, id=vector["name"]) for vector in read]


@pytest.mark.parametrize("vector", vectors("decisions.json"))
def test_decision(vector: dict[str, Any]) -> None:
    answer = _native.decide(json.dumps(vector["question"]))
    assert answer is not None and json.loads(answer) == vector["answer"]


@pytest.mark.parametrize("vector", vectors("protocol.json"))
def test_protocol(vector: dict[str, Any]) -> None:
    protocol = _native.Protocol(vector["policy"].pop("seed"), **vector["policy"])
    for event, expected in vector["steps"]:
        result = happen(protocol, event)
        assert expected is None or result == expected, event


def happen(protocol: _native.Protocol, event: dict[str, Any]) -> object:
    now_ms = event["now_ms"]
    match event["event"]:
        case "status":
            return protocol.status(now_ms)
        case "refresh":
            protocol.refresh(now_ms)
        case "from_cache":
            protocol.from_cache(now_ms, event["revision"])
        case "published":
            protocol.published(now_ms, event["revision"], event["etag"])
        case "not_modified":
            protocol.not_modified(now_ms)
        case "failure":
            protocol.failed(now_ms, event["error"], event["retry_after_ms"])
    action = protocol.next(now_ms)
    if isinstance(action, int):
        return {"wait_ms": action}
    etag, revision, in_full = action
    return {"ask": {"etag": etag, "revision": revision, "in_full": in_full}}


def said(layer: object) -> bytes | None:
    if layer is None:
        return None
    return (layer if isinstance(layer, str) else json.dumps(layer)).encode()


@pytest.mark.parametrize("vector", vectors("layers.json"))
def test_layers(vector: dict[str, Any]) -> None:
    layers = [said(layer) for layer in vector["layers"]]
    if "refused" in vector:
        with pytest.raises(ValueError) as refusal:
            _native.layered(layers)
        assert refusal.value.args[1] == vector["refused"]
    else:
        whole = _native.layered(layers)
        assert (None if whole is None else json.loads(whole)) == vector["whole"]


@pytest.mark.parametrize("vector", vectors("environment.json"))
def test_environment(vector: dict[str, Any]) -> None:
    document, violations = _native.switches(list(vector["variables"].items()), vector["prefixes"])
    assert {flag["name"]: flag["enabled"] for flag in json.loads(document)["flags"]} == vector["switches"]
    assert [violation["place"] for violation in violations] == vector["violations"]
