"""flagd in the process: JsonLogic with its `fractional`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from population import Caller, Population

from . import Contender


class Flagd(Contender):
    """The evaluator alone, without the provider around it."""

    about = "resolve_boolean_value of a FlagdCore with a document in memory"

    def __init__(self, population: Population) -> None:
        targets = {"and": [{"in": [{"var": name}, values]} for name, values in population.targets.items()]}
        bucket = {"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}
        fractional = {"fractional": [bucket, ["on", population.percentage], ["off", 100 - population.percentage]]}
        flag = {
            "state": "ENABLED",
            "variants": {"on": True, "off": False},
            "defaultVariant": "off",
            "targeting": {"if": [targets, fractional, "off"]},
        }
        self._core, self._key = FlagdCore(), population.key
        self._core.set_flags(json.dumps({"flags": {population.key: flag}}))

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return EvaluationContext(user, {"company": company, "plan": plan, "role": role, "region": region})

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        resolve, key = self._core.resolve_boolean_value, self._key
        return [resolve(key, False, context).value for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        resolve, key = self._core.resolve_boolean_value, self._key
        return [
            resolve(
                key, False, EvaluationContext(user, {"company": company, "plan": plan, "role": role, "region": region})
            ).value
            for user, company, plan, role, region in callers
        ]
