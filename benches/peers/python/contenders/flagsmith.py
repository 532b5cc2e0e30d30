"""Flagsmith's engine: a segment with three conditions and a percentage, which overrides a feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flag_engine.engine import get_evaluation_result
from population import Caller, Population

from . import Contender


class Flagsmith(Contender):
    """The engine of its local evaluation, without the client around it."""

    about = "get_evaluation_result of the engine, which takes the flags and the identity in one dict each time"

    def __init__(self, population: Population) -> None:
        conditions: list[dict[str, Any]] = [
            {"property": name, "operator": "IN", "value": values} for name, values in population.targets.items()
        ]
        share = {"property": "$.identity.identifier", "operator": "PERCENTAGE_SPLIT", "value": str(population.percentage)}
        feature = {"key": "1", "name": population.key, "enabled": False, "value": None}
        segment = {
            "key": "1",
            "name": "targets",
            "rules": [{"type": "ALL", "conditions": [*conditions, share]}],
            "overrides": [{**feature, "enabled": True}],
        }
        self._key = population.key
        self._environment = {
            "environment": {"key": "none", "name": "benchmark"},
            "features": {population.key: feature},
            "segments": {"1": segment},
        }

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        traits = {"company": company, "plan": plan, "role": role, "region": region}
        return {**self._environment, "identity": {"identifier": user, "key": f"none_{user}", "traits": traits}}

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        evaluate, key = get_evaluation_result, self._key
        return [evaluate(context)["flags"][key]["enabled"] for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        evaluate, key, context = get_evaluation_result, self._key, self.context
        return [evaluate(context(caller))["flags"][key]["enabled"] for caller in callers]
