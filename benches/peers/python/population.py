"""Whom every contender is asked about: the callers and the targets that `population.json` names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class Caller(NamedTuple):
    """What is known about one caller."""

    user: str
    company: str
    plan: str
    role: str
    region: str


class Population(NamedTuple):
    """A flag, and two crowds of callers."""

    key: str
    plans: list[str]
    roles: list[str]
    regions: list[str]
    percentage: int
    crowds: dict[str, list[Caller]]

    @property
    def targets(self) -> dict[str, list[str]]:
        """What must be one of what, by the name of the attribute."""
        return {"plan": self.plans, "role": self.roles, "region": self.regions}

    def expected(self, crowd: str) -> float:
        """The share of a crowd that is to be let in."""
        callers, targets = self.crowds[crowd], self.targets.items()
        fit = sum(all(getattr(caller, name) in values for name, values in targets) for caller in callers)
        return fit / len(callers) * self.percentage / 100


def read(file: Path) -> Population:
    """The population of a file that `cargo run -p esclusa-benches --example population` wrote."""
    document = json.loads(file.read_text(encoding="utf-8"))
    crowds = {name: [Caller(*caller) for caller in document[name]] for name in ("match", "mix")}
    return Population(
        key=document["key"],
        plans=document["plans"],
        roles=document["roles"],
        regions=document["regions"],
        percentage=document["percentage"],
        crowds=crowds,
    )
