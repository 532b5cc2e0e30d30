"""What Esclusa's provider adds to OpenFeature's own work: the same SDK around a provider that decides nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from esclusa import Flags
from esclusa.openfeature import EsclusaProvider
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata
from openfeature.provider.no_op_provider import NoOpProvider
from population import Caller, Population

from . import Contender, Unable


class Asked(Contender):
    """A client of the SDK around a provider."""

    def __init__(self, population: Population) -> None:
        api.set_provider_and_wait(self.provider(population))
        self._client, self._key = api.get_client(), population.key

    def provider(self, population: Population) -> AbstractProvider:
        """What answers."""
        raise NotImplementedError

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return EvaluationContext(user, {"company": company, "plan": plan, "role": role, "region": region})

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        ask, key = self._client.get_boolean_value, self._key
        return [ask(key, False, context) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        ask, key = self._client.get_boolean_value, self._key
        return [
            ask(key, False, EvaluationContext(user, {"company": company, "plan": plan, "role": role, "region": region}))
            for user, company, plan, role, region in callers
        ]

    def close(self) -> None:
        api.shutdown()


class Esclusa(Asked):
    """Our provider."""

    about = "get_boolean_value of the SDK around EsclusaProvider; no hooks"

    def provider(self, population: Population) -> AbstractProvider:
        row = {
            "name": population.key,
            "enabled": True,
            "rollout_percentage": population.percentage,
            "target_plans": population.plans,
            "target_roles": population.roles,
            "target_regions": population.regions,
        }
        flags = Flags()
        flags.publish(json.dumps([row]))
        return EsclusaProvider(flags)


class OneCaller(Esclusa):
    """Our provider, asked about one caller all the time, as an app does within a request."""

    about = "the same, with all questions about one caller"
    decides = False

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self._caller = population.crowds["match"][0]

    def context(self, caller: Caller) -> Any:
        return super().context(self._caller)

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        raise Unable("its context is there already")


class Always(NoOpProvider):
    """Gives the same answer for every caller."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = FlagResolutionDetails(True, reason=Reason.TARGETING_MATCH)

    def get_metadata(self) -> Metadata:
        return Metadata(name="constant")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        return self._answer


class Constant(Asked):
    """A provider that costs nothing."""

    about = "get_boolean_value of the SDK around a provider that returns one and the same object; no hooks"
    decides = False

    def provider(self, population: Population) -> AbstractProvider:
        return Always()
