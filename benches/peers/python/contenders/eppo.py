"""Eppo: an allocation whose rule has three conditions, and a split with a shard for the percentage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import eppo_client
from population import Caller, Population

from . import Contender

SHARDS = 10_000


class Eppo(Contender):
    """The client as `init` gives it, with the configuration that it would poll for."""

    about = "get_boolean_assignment of the initial configuration; no polling, and the allocation asks for no log"

    def __init__(self, population: Population) -> None:
        def one_of(attribute: str, values: list[str]) -> dict[str, Any]:
            return {"attribute": attribute, "operator": "ONE_OF", "value": values}

        shard = {"salt": population.key, "ranges": [{"start": 0, "end": population.percentage * SHARDS // 100}]}
        allocation = {
            "key": "targets",
            "rules": [{"conditions": [one_of(*target) for target in population.targets.items()]}],
            "splits": [{"variationKey": "on", "shards": [shard]}],
            "doLog": False,
        }
        flag = {
            "key": population.key,
            "enabled": True,
            "variationType": "BOOLEAN",
            "variations": {"on": {"key": "on", "value": True}},
            "allocations": [allocation],
            "totalShards": SHARDS,
        }
        document = {
            "createdAt": "2026-11-22T00:00:00Z",
            "format": "SERVER",
            "environment": {"name": "benchmark"},
            "flags": {population.key: flag},
        }
        self._key = population.key
        self._client = eppo_client.init(
            eppo_client.ClientConfig(
                api_key="none",
                assignment_logger=eppo_client.AssignmentLogger(),
                poll_interval_seconds=None,
                initial_configuration=eppo_client.Configuration(flags_configuration=json.dumps(document).encode()),
            )
        )

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return user, {"company": company, "plan": plan, "role": role, "region": region}

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        ask, key = self._client.get_boolean_assignment, self._key
        return [ask(key, user, attributes, False) for user, attributes in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        ask, key = self._client.get_boolean_assignment, self._key
        return [
            ask(key, user, {"company": company, "plan": plan, "role": role, "region": region}, False)
            for user, company, plan, role, region in callers
        ]
