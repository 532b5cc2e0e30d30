"""LaunchDarkly: one rule with three clauses and a rollout in it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from typing import Any

from ldclient import Context, LDClient
from ldclient.config import Config
from ldclient.integrations import Files
from population import Caller, Population

from . import Contender


class LaunchDarkly(Contender):
    """The server's client over its data source for files."""

    about = "variation of flags from a file; no events and no diagnostics"

    def __init__(self, population: Population) -> None:
        def clause(attribute: str, values: list[str]) -> dict[str, Any]:
            return {"contextKind": "user", "attribute": attribute, "op": "in", "values": values, "negate": False}

        on, weight = 0, population.percentage * 1_000
        shares = [{"variation": on, "weight": weight}, {"variation": 1, "weight": 100_000 - weight}]
        rule = {
            "id": "targets",
            "clauses": [clause(*target) for target in population.targets.items()],
            "rollout": {"contextKind": "user", "bucketBy": "key", "variations": shares},
        }
        flag = {
            "key": population.key,
            "version": 1,
            "on": True,
            "salt": population.key,
            "variations": [True, False],
            "offVariation": 1,
            "fallthrough": {"variation": 1},
            "rules": [rule],
        }
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "flags.json")
            with open(file, "w", encoding="utf-8") as out:
                json.dump({"flags": {population.key: flag}}, out)
            source = Files.new_data_source(paths=[file])
            config = Config("none", update_processor_class=source, send_events=False, diagnostic_opt_out=True)
            self._client = LDClient(config)
        self._key = population.key

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        build = Context.builder(user).set("company", company).set("plan", plan).set("role", role)
        return build.set("region", region).build()

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        variation, key = self._client.variation, self._key
        return [variation(key, context, False) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        variation, key, context = self._client.variation, self._key, self.context
        return [variation(key, context(caller), False) for caller in callers]

    def close(self) -> None:
        self._client.close()
