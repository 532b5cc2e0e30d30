"""What a call costs, against a native method that does nothing: medians of runs that take turns.

It needs a build with the feature `noop`:

    maturin develop --profile wheel --features noop && python benches/calls.py
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

from esclusa import Context, Flags, _native

ROUNDS = 61
CALLS = 10_000
NOOP = "no-op method of two arguments"
PLANS, ROLES, REGIONS = ["FREE", "PREMIUM", "ENTERPRISE"], ["ADMIN", "OWNER", "AGENT"], ["CO", "MX", "AR", "US"]
FLAG = {
    "name": "crm_advanced_features",
    "enabled": True,
    "rollout_percentage": 10,
    "target_plans": ["PREMIUM", "ENTERPRISE"],
    "target_roles": ["ADMIN", "OWNER"],
    "target_regions": ["CO", "MX", "AR"],
}


def population(match: bool) -> list[dict[str, Any]]:
    """Callers as the budget has them: all in the target lists, or mostly not."""
    chance = random.Random(42)

    def identity() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128)))

    def drawn(values: list[str], allowed: list[str]) -> str:
        return chance.choice(allowed if match else values)

    return [
        {
            "user": identity(),
            "company": identity(),
            "plan": drawn(PLANS, PLANS[1:]),
            "roles": [drawn(ROLES, ROLES[:2])],
            "region": drawn(REGIONS, REGIONS[:3]),
        }
        for _ in range(CALLS)
    ]


def timed(call: Callable[..., Any], arguments: list[Any]) -> float:
    """Nanoseconds a call, the loop included."""
    key, begin = "crm_advanced_features", time.perf_counter_ns()
    for argument in arguments:
        call(key, argument)
    return (time.perf_counter_ns() - begin) / len(arguments)


def loop(arguments: list[Any]) -> float:
    """Nanoseconds a turn of the loop alone."""
    begin = time.perf_counter_ns()
    for argument in arguments:
        pass
    return (time.perf_counter_ns() - begin) / len(arguments)


def main() -> None:
    """Prints a table."""
    flags, noop = Flags(), getattr(_native, "Noop")()  # noqa: B009 - no stub has it
    flags.publish(json.dumps([FLAG]))
    dicts, mixed = population(True), population(False)
    contexts, mixed_contexts = [Context.from_mapping(one) for one in dicts], [Context.from_mapping(one) for one in mixed]
    spread = [{**{name: one[name] for name in one if name != "roles"}, "role": one["roles"][0]} for one in dicts]

    ids = [{**one, "user": uuid.UUID(one["user"])} for one in spread]
    sets = [{**one, "roles": set(one["roles"])} for one in dicts]

    def build(key: str, one: dict[str, Any]) -> Context:
        return Context(one["user"], company=one["company"], plan=one["plan"], roles=one["roles"], region=one["region"])

    cases: dict[str, tuple[Callable[..., Any], list[Any]]] = {
        NOOP: (noop.call, contexts),
        "is_enabled, prebuilt Context, match": (flags.is_enabled, contexts),
        "is_enabled, prebuilt Context, mix": (flags.is_enabled, mixed_contexts),
        "is_enabled, dict with one role": (flags.is_enabled, spread),
        "is_enabled, dict with a list of roles": (flags.is_enabled, dicts),
        "is_enabled, dict with a UUID": (flags.is_enabled, ids),
        "is_enabled, dict with a set of roles": (flags.is_enabled, sets),
        "value, prebuilt Context": (flags.value, contexts),
        "resolve, prebuilt Context": (flags.resolve, contexts),
        "Context(...) of five fields": (build, dicts),
    }
    loops = list[float]()
    runs = {name: list[float]() for name in cases}
    gc.disable()
    for _ in range(ROUNDS):
        loops.append(loop(contexts))
        for name, (call, arguments) in cases.items():
            runs[name].append(timed(call, arguments))
    empty = statistics.median(loops)
    base = statistics.median(runs[NOOP]) - empty
    print(f"{'':42} median    best   against the no-op")
    for name, measured in runs.items():
        median, best = statistics.median(measured) - empty, min(measured) - min(loops)
        print(f"{name:42} {median:6.1f} {best:7.1f}   {median / base:5.2f}")


if __name__ == "__main__":
    main()
