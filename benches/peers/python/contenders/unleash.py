"""Unleash: one gradual rollout with three constraints."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from population import Caller, Population
from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache

from . import Contender


class Unleash(Contender):
    """The client, bootstrapped from its cache."""

    about = "is_enabled of a bootstrapped client; no fetching, no metrics, no registration; it counts each answer"

    def __init__(self, population: Population) -> None:
        strategy = {
            "name": "flexibleRollout",
            "constraints": [
                {"contextName": name, "operator": "IN", "values": values} for name, values in population.targets.items()
            ],
            "parameters": {
                "rollout": str(population.percentage),
                "stickiness": "userId",
                "groupId": population.key,
            },
        }
        feature = {"name": population.key, "type": "release", "enabled": True, "strategies": [strategy]}
        self._folder = tempfile.TemporaryDirectory()
        cache = FileCache("benchmark", directory=self._folder.name)
        cache.bootstrap_from_dict({"version": 2, "features": [feature]})
        self._client = UnleashClient(
            "http://127.0.0.1:9/api",
            "benchmark",
            cache=cache,
            cache_directory=str(Path(self._folder.name)),
            disable_metrics=True,
            disable_registration=True,
        )
        self._client.initialize_client(fetch_toggles=False)
        self._key = population.key

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return {"userId": user, "properties": {"company": company, "plan": plan, "role": role, "region": region}}

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        is_enabled, key = self._client.is_enabled, self._key
        return [is_enabled(key, context) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        is_enabled, key = self._client.is_enabled, self._key
        return [
            is_enabled(
                key,
                {"userId": user, "properties": {"company": company, "plan": plan, "role": role, "region": region}},
            )
            for user, company, plan, role, region in callers
        ]

    def close(self) -> None:
        self._client.destroy()
        self._folder.cleanup()
