"""Hand-written code for the one flag of the benchmark, and the loop over all callers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xxhash
from population import Caller, Population

from . import Contender, Unable


class If(Contender):
    """Three sets and a hash; nothing can be changed without a release."""

    about = "one function: three `in` with frozensets, and Esclusa's own hash by the package xxhash"

    def __init__(self, population: Population) -> None:
        plans, roles, regions = (frozenset(values) for values in population.targets.values())
        hashed, seed = xxhash.xxh3_64_intdigest, xxhash.xxh3_64_intdigest(population.key.encode())
        below = population.percentage * 1_000

        def is_enabled(caller: Caller) -> bool:
            user, _, plan, role, region = caller
            if plan not in plans or role not in roles or region not in regions:
                return False
            scattered: int = hashed(hashed(user.encode()).to_bytes(8, "little"), seed=seed)
            return (scattered * 100_000) >> 64 < below

        self._is_enabled = is_enabled

    def context(self, caller: Caller) -> Any:
        return caller

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        is_enabled = self._is_enabled
        return [is_enabled(context) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        is_enabled = self._is_enabled
        return [is_enabled(Caller(*caller)) for caller in callers]


class Loop(Contender):
    """A turn of the loop that all others are asked in."""

    about = "nothing but the loop, to be taken off from others where it matters"
    decides = False

    def __init__(self, population: Population) -> None:
        pass

    def context(self, caller: Caller) -> Any:
        return caller

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        return [False for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        raise Unable("there is no context to build")
