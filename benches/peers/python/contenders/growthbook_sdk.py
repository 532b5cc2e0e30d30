"""GrowthBook: one rule with a condition and a coverage."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from growthbook import GrowthBook
from growthbook.common_types import Options, UserContext
from growthbook.growthbook_client import GrowthBookClient
from population import Caller, Population

from . import Contender


def features(population: Population) -> dict[str, Any]:
    """What its server would send."""
    condition = {name: {"$in": values} for name, values in population.targets.items()}
    rule = {"condition": condition, "force": True, "coverage": population.percentage / 100, "hashAttribute": "id"}
    return {population.key: {"defaultValue": False, "rules": [rule]}}


class OneUser(Contender):
    """The synchronous class: features loaded once, and the attributes set for each caller."""

    about = "set_attributes and is_on of one GrowthBook; no tracking and no network"

    def __init__(self, population: Population) -> None:
        self._growthbook, self._key = GrowthBook(features=features(population)), population.key

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return {"id": user, "company": company, "plan": plan, "role": role, "region": region}

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        set_attributes, is_on, key = self._growthbook.set_attributes, self._growthbook.is_on, self._key
        answers = []
        for context in contexts:
            set_attributes(context)
            answers.append(is_on(key))
        return answers

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        set_attributes, is_on, key = self._growthbook.set_attributes, self._growthbook.is_on, self._key
        answers = []
        for user, company, plan, role, region in callers:
            set_attributes({"id": user, "company": company, "plan": plan, "role": role, "region": region})
            answers.append(is_on(key))
        return answers

    def close(self) -> None:
        self._growthbook.destroy()


class ManyUsers(Contender):
    """The asynchronous client, which takes the user as an argument."""

    about = "await is_on of a GrowthBookClient, a hundred in one coroutine; no tracking and no network"

    def __init__(self, population: Population) -> None:
        self._loop, self._key = asyncio.new_event_loop(), population.key
        self._client = GrowthBookClient(Options())
        self._loop.run_until_complete(self._client.set_features(features(population)))

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return UserContext(attributes={"id": user, "company": company, "plan": plan, "role": role, "region": region})

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        async def ask() -> list[bool]:
            is_on, key = self._client.is_on, self._key
            return [await is_on(key, context) for context in contexts]

        return self._loop.run_until_complete(ask())

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        async def ask() -> list[bool]:
            is_on, key, context = self._client.is_on, self._key, self.context
            return [await is_on(key, context(caller)) for caller in callers]

        return self._loop.run_until_complete(ask())

    def close(self) -> None:
        self._loop.run_until_complete(self._client.close())
