"""Statsig: a gate with one rule of three conditions and a pass percentage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from population import Caller, Population
from statsig_python_core import FeatureGateEvaluationOptions, Statsig, StatsigOptions, StatsigUser
from statsig_python_core.data_store import DataStore, DataStoreResponse

from . import Contender

GENERATED_AT_MS = 1_795_305_600_000


class Given(DataStore):
    """A store that holds one document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def get(self, key: str) -> DataStoreResponse:
        return DataStoreResponse(self._text, GENERATED_AT_MS)


class StatsigCore(Contender):
    """The server core over a data store."""

    about = "check_gate without exposures, over a data store; network and logging off; it still counts each check"

    def __init__(self, population: Population) -> None:
        def one_of(field: str, values: list[str]) -> dict[str, Any]:
            any_of = {"type": "user_field", "operator": "any_case_sensitive", "idType": "userID"}
            return {**any_of, "field": field, "targetValue": values, "additionalValues": {}}

        rule = {
            "id": "targets",
            "name": "targets",
            "salt": "targets",
            "idType": "userID",
            "conditions": list(population.targets),
            "passPercentage": population.percentage,
            "returnValue": True,
        }
        gate = {
            "type": "feature_gate",
            "entity": "feature_gate",
            "salt": population.key,
            "idType": "userID",
            "enabled": True,
            "defaultValue": False,
            "rules": [rule],
        }
        document = {
            "has_updates": True,
            "time": GENERATED_AT_MS,
            "feature_gates": {population.key: gate},
            "dynamic_configs": {},
            "layer_configs": {},
            "condition_map": {name: one_of(name, values) for name, values in population.targets.items()},
            "experiment_to_layer": {},
        }
        options = StatsigOptions(
            data_store=Given(json.dumps(document)),
            disable_network=True,
            disable_all_logging=True,
            disable_country_lookup=True,
            enable_id_lists=False,
            output_log_level="none",
        )
        self._client, self._key = Statsig("secret-none", options), population.key
        self._client.initialize().wait()
        self._options = FeatureGateEvaluationOptions(disable_exposure_logging=True)

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return StatsigUser(user, custom={"company": company, "plan": plan, "role": role, "region": region})

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        check_gate, key, options = self._client.check_gate, self._key, self._options
        return [check_gate(context, key, options) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        check_gate, key, options = self._client.check_gate, self._key, self._options
        return [
            check_gate(
                StatsigUser(user, custom={"company": company, "plan": plan, "role": role, "region": region}),
                key,
                options,
            )
            for user, company, plan, role, region in callers
        ]

    def close(self) -> None:
        self._client.shutdown().wait()
