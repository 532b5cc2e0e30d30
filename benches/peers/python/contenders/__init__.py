"""Who is compared, by the name of the package or of what is measured."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Any

from population import Caller, Population

__all__ = ["CONTENDERS", "Contender", "Unable", "load", "version"]


class Unable(Exception):
    """The contender cannot do this workload, for the reason given."""


class Contender:
    """What a contender does; each is a file of this folder.

    The two loops stand in each of them, so that a call costs nothing but itself: no function lies between.
    """

    about: str
    """What was configured, in one sentence."""
    decides = True
    """Whether its answers mean anything."""

    def __init__(self, population: Population) -> None:
        """Loads the flag."""
        raise NotImplementedError

    def context(self, caller: Caller) -> Any:
        """The caller as the contender takes it."""
        raise NotImplementedError

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        """An answer for each of what `context` gave."""
        raise NotImplementedError

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        """An answer for each caller, whose context is built for that one answer."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends threads that would keep the process alive."""


CONTENDERS = {
    # name: (file, class, distribution)
    "esclusa": ("own", "Plain", "esclusa"),
    "esclusa-context": ("own", "Built", "esclusa"),
    "esclusa-value": ("own", "Value", "esclusa"),
    "esclusa-resolve": ("own", "Resolve", "esclusa"),
    "esclusa-roles": ("own", "Roles", "esclusa"),
    "esclusa-set": ("own", "Sets", "esclusa"),
    "esclusa-uuid": ("own", "Uuid", "esclusa"),
    "noop": ("own", "Noop", "esclusa"),
    "loop": ("by_hand", "Loop", None),
    "by-hand-if": ("by_hand", "If", None),
    "openfeature-esclusa": ("openfeature_sdk", "Esclusa", "openfeature-sdk"),
    "openfeature-esclusa-one-caller": ("openfeature_sdk", "OneCaller", "openfeature-sdk"),
    "openfeature-constant": ("openfeature_sdk", "Constant", "openfeature-sdk"),
    "configcat-client": ("configcat", "ConfigCat", "configcat-client"),
    "eppo-server-sdk": ("eppo", "Eppo", "eppo-server-sdk"),
    "flagsmith-flag-engine": ("flagsmith", "Flagsmith", "flagsmith-flag-engine"),
    "flipt-client": ("flipt", "Flipt", "flipt-client"),
    "growthbook": ("growthbook_sdk", "OneUser", "growthbook"),
    "growthbook-async": ("growthbook_sdk", "ManyUsers", "growthbook"),
    "launchdarkly-server-sdk": ("launchdarkly", "LaunchDarkly", "launchdarkly-server-sdk"),
    "openfeature-flagd-core": ("flagd", "Flagd", "openfeature-flagd-core"),
    "statsig-python-core": ("statsig", "StatsigCore", "statsig-python-core"),
    "UnleashClient": ("unleash", "Unleash", "UnleashClient"),
}


def load(name: str) -> type[Contender]:
    """The class of that contender. Only its own packages are imported."""
    file, kind, _ = CONTENDERS[name]
    contender: type[Contender] = getattr(importlib.import_module(f"contenders.{file}"), kind)
    return contender


def version(name: str) -> str:
    """The installed version of what is measured; of what is written by hand, Python's own."""
    distribution = CONTENDERS[name][2]
    if distribution is None:
        return ".".join(map(str, sys.version_info[:3]))
    return importlib.metadata.version(distribution)
