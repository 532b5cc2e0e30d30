"""ConfigCat: a targeting rule with three conditions and percentage options."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from configcatclient import ConfigCatClient, ConfigCatOptions, PollingMode
from configcatclient.interfaces import ConfigCache
from configcatclient.user import User
from population import Caller, Population

from . import Contender

IS_ONE_OF = 0  # without hashing what is compared, as `one of (cleartext)`
SDK_KEY = "0000000000000000000000/0000000000000000000000"


class Given(ConfigCache):
    """A cache that holds one document and keeps no other."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get(self, key: str) -> str:
        return self._text

    def set(self, key: str, value: str) -> None:
        pass


class ConfigCat(Contender):
    """The client over its cache, offline."""

    about = "get_value of a config in its cache; offline, polled by hand; it looks into the cache at every call"

    def __init__(self, population: Population) -> None:
        def condition(attribute: str, values: list[str]) -> dict[str, Any]:
            return {"u": {"a": attribute, "c": IS_ONE_OF, "l": values}}

        on, off = {"b": True}, {"b": False}
        rule = {
            "c": [condition(*target) for target in population.targets.items()],
            "p": [{"p": population.percentage, "v": on}, {"p": 100 - population.percentage, "v": off}],
        }
        flag = {"t": 0, "v": off, "r": [rule]}
        document = {"p": {"u": "http://127.0.0.1:9", "r": 0, "s": "c2FsdA=="}, "f": {population.key: flag}}
        # A cache holds the time of the fetch, its entity tag and the document, a line each.
        cache = Given("\n".join(("1795305600000", "none", json.dumps(document))))
        options = ConfigCatOptions(polling_mode=PollingMode.manual_poll(), config_cache=cache, offline=True)
        self._client, self._key = ConfigCatClient.get(SDK_KEY, options), population.key

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return User(user, custom={"company": company, "plan": plan, "role": role, "region": region})

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        get_value, key = self._client.get_value, self._key
        return [get_value(key, False, context) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        get_value, key = self._client.get_value, self._key
        return [
            get_value(
                key, False, User(user, custom={"company": company, "plan": plan, "role": role, "region": region})
            )
            for user, company, plan, role, region in callers
        ]

    def close(self) -> None:
        ConfigCatClient.close_all()
