"""The evaluation cases of OpenFeature's specification, from the folder `openfeature-gherkin` of `CONFORMANCE_DIR`.

A flag of `test-flags.json` is read as the row that says the same. What is left out, and why, is in `LEFT_OUT`.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from esclusa import Flags
from esclusa.openfeature import EsclusaProvider
from loopback import QUICK, until
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError
from openfeature.flag_evaluation import FlagEvaluationDetails, FlagEvaluationOptions
from openfeature.hook import Hook, HookContext, HookHints

FOLDER = os.environ.get("CONFORMANCE_DIR")
CASES = Path(FOLDER or "nowhere") / "openfeature-gherkin"

LEFT_OUT = {
    "Flag metadata in evaluation details": "a flag has no metadata of its own",
    "Returns metadata": "a flag has no metadata of its own",
    "CACHED reason": "nothing is cached",
    "Evaluation context immutability": "the SDK's context is a frozen class, and the details are its own",
    "Evaluation options with hooks": "the steps name no hook; the feature `hooks` does",
}


def row(key: str, flag: dict[str, Any]) -> dict[str, Any]:
    """A row that says what a flag of the specification's says."""
    default = flag.get("defaultVariant")
    variants = [{"key": name, "value": value, "weight": int(name == default)} for name, value in flag["variants"].items()]
    if default is None:
        variants.insert(0, {"key": "none", "value": None, "weight": 1})
    row = {"name": key, "enabled": not flag.get("disabled"), "variants": variants}
    if condition := flag.get("contextEvaluator"):
        email: dict[str, Any] = {"attribute": "email", "op": "in", "values": ["ballmer@macrosoft.com"]}
        variant, when = "zero", email
        if "customer" in condition:
            customer = {"not": {"attribute": "customer", "op": "is", "value": True}}
            age = {"attribute": "age", "op": "gt", "value": 10}
            variant, when = "internal", {"all": [customer, email, age]}
        row["rules"] = [{"key": "condition", "when": when, "variant": variant}]
        row["off_value"] = flag["variants"][default]
    return row


def published() -> Flags:
    given = json.loads((CASES / "test-flags.json").read_text())
    flags = Flags()
    report = flags.publish(json.dumps([row(key, flag) for key, flag in given.items()]))
    assert not report.violations
    return flags


def cases() -> Iterator[Any]:
    """Each scenario, those of an outline once for each line of its examples."""
    if FOLDER is None:
        yield pytest.param(None, marks=pytest.mark.skip(reason="OpenFeature's cases need CONFORMANCE_DIR"))
        return
    parser = pytest.importorskip("gherkin.parser").Parser()
    compiler = pytest.importorskip("gherkin.pickles.compiler").Compiler()
    for name in ("evaluation_v2", "hooks", "metadata"):
        document = parser.parse((CASES / f"{name}.feature").read_text())
        for number, pickle in enumerate(compiler.compile({**document, "uri": name})):
            if pickle["name"] not in LEFT_OUT:
                yield pytest.param(pickle["steps"], id=f"{name}-{number}-{pickle['name'].replace(' ', '_')}")


class Heard(Hook):
    """Keeps what the SDK tells hooks."""

    def __init__(self) -> None:
        self.stages: dict[str, Any] = {}

    def before(self, hook_context: HookContext, hints: HookHints) -> None:
        self.stages["before"] = None

    def after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.stages["after"] = details

    def error(self, hook_context: HookContext, exception: Exception, hints: HookHints) -> None:
        self.stages["error"] = exception

    def finally_after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.stages["finally"] = details


class World:
    """What one scenario knows."""

    def __init__(self) -> None:
        self.waiting = Flags()
        self.sync: Any = None
        self.kind = self.key = self.default = ""
        self.attributes: dict[str, Any] = {}
        self.details: Any = None
        self.hooks: list[Hook] = []
        self.heard = Heard()

    def provide(self, state: str) -> None:
        if state == "stable":
            api.set_provider_and_wait(EsclusaProvider(published()))
        elif state == "not ready":
            api.set_provider(EsclusaProvider(self.waiting))
        elif state == "error":
            with pytest.raises(OpenFeatureError):
                api.set_provider_and_wait(EsclusaProvider(Flags(), initialization_timeout=0.01))
        elif state == "fatal":
            flags = Flags()
            flags.sync(lambda: "no snapshot", policy=QUICK).close()
            with pytest.raises(OpenFeatureError):
                api.set_provider_and_wait(EsclusaProvider(flags))
        elif state == "stale":
            flags, fails = Flags(), queue.SimpleQueue[None]()

            def store() -> str:
                if not fails.empty():
                    raise ConnectionError("gone")
                return '[{"name": "a"}]'

            self.sync = flags.sync(store, policy=QUICK)
            api.set_provider_and_wait(EsclusaProvider(flags))
            fails.put(None)
            until(lambda: self.status() == "STALE")
        else:
            pytest.fail(f"the state `{state}` is unknown")

    def end(self) -> None:
        # A provider that initialises waits for it.
        self.waiting.publish("[]")
        if self.sync is not None:
            self.sync.close()
        api.shutdown()
        api.clear_providers()

    def status(self) -> str:
        return str(api.get_client().get_provider_status().value)

    def read(self, text: str) -> Any:
        return text if self.kind == "string" else json.loads(text)

    def ask(self, how: str = "") -> Any:
        ask = getattr(api.get_client(), f"get_{self.kind}_details{how}")
        context, options = EvaluationContext(attributes=self.attributes), FlagEvaluationOptions(hooks=self.hooks)
        return ask(self.key, self.read(self.default), context, options)

    def take(self, step: dict[str, Any]) -> None:
        text = step["text"].replace('\\"', "\x01")
        texts = [part.replace("\x01", '"') for part in re.findall('"([^"]*)"', text)]
        sentence = re.sub(' *"[^"]*"', "", text)
        if state := re.fullmatch("an? (.*) provider", sentence):
            self.provide(state[1])
        elif kind := re.fullmatch("an? (.*)-flag with key and a fallback value", sentence):
            self.kind, (self.key, self.default) = kind[1].lower(), texts
        elif sentence == "a client with added hook":
            self.hooks = [self.heard]
        elif sentence == "a context containing a key, with type and with value":
            name, kind_of_it, value = texts
            self.attributes[name] = value if kind_of_it == "String" else json.loads(value)
        elif sentence == "a context containing a key with null value":
            self.attributes[texts[0]] = None
        elif sentence == "the flag was evaluated with details":
            self.details = self.ask()
        elif sentence == "the flag was evaluated with details asynchronously":
            self.details = asyncio.run(self.ask("_async"))
        elif sentence == "the provider status should be":
            assert self.status() == texts[0]
        elif sentence == "the hook should have been executed":
            assert texts[0] in self.heard.stages
        elif sentence == "the hooks should be called with evaluation details":
            for stage in texts[0].split(", "):
                self.called_with(self.heard.stages[stage], step["argument"]["dataTable"]["rows"])
        else:
            self.then(sentence, texts)

    def then(self, sentence: str, texts: list[str]) -> None:
        details = self.details
        found: Any
        if sentence == "the resolved details value should be":
            assert details.value == self.read(texts[0])
        elif sentence in ("the resolved metadata is empty", "the evaluation should complete without blocking"):
            assert details.flag_metadata == {}
        else:
            names = {
                "the reason should be": "reason",
                "the variant should be": "variant",
                "the error-code should be": "error_code",
                "the flag key should be": "flag_key",
            }
            found = getattr(details, names[sentence])
            assert getattr(found, "value", found) == texts[0]

    def called_with(self, details: Any, rows: list[Any]) -> None:
        for cells in rows[1:]:
            kind, name, text = (cell["value"] for cell in cells["cells"])
            found = getattr(details, name)
            expected = None if text == "null" else json.loads(text) if kind == "boolean" else text
            assert getattr(found, "value", found) == expected, name


@pytest.mark.parametrize("steps", list(cases()))
def test_a_case_of_the_specification(steps: list[dict[str, Any]]) -> None:
    world = World()
    try:
        for step in steps:
            world.take(step)
    finally:
        world.end()
