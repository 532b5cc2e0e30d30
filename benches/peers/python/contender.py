"""One contender of the comparison, alone in its process: `benches/README.md` says how it is asked.

    python contender.py --list
    python contender.py NAME POPULATION.json

The names of workloads come on standard input, one a line; the answer to each is a line of JSON on standard output.
"""

from __future__ import annotations

import gc
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import population
from contenders import CONTENDERS, Contender, Unable, load, version

ROUND_NS = 20_000_000
WARM_UP_NS = 50_000_000
BATCH = 100
CHECKED = 2_000
"""Whose answers are checked."""
CHECKING_NS = 2_000_000_000
"""For how long at most."""
MARGIN = 0.3
"""How far the share of yes may be from the expected one, as a part of that."""
DEVIATIONS = 4.0
"""The same for a few callers, in standard deviations."""
WORKLOADS = {f"w1-{kind}-{crowd}": (kind, crowd) for kind in ("built", "prebuilt") for crowd in ("match", "mix")}


class Wrong(Exception):
    """The answers are not those that the flag asks for."""


class Workload:
    """A way to ask, and the callers to ask about, in batches that follow each other round and round."""

    def __init__(self, ask: Callable[[Sequence[Any]], Sequence[bool]], callers: Sequence[Any]) -> None:
        self._ask = ask
        self._batches = [callers[at : at + BATCH] for at in range(0, len(callers), BATCH)]
        self._next = 0

    def check(self, expected: float) -> None:
        """One that answers fast and wrong is no contender."""
        answers: list[bool] = []
        begin = time.perf_counter_ns()
        for batch in self._batches[: CHECKED // BATCH]:
            if time.perf_counter_ns() - begin < CHECKING_NS:
                answers.extend(self._ask(batch))
        deviation = math.sqrt(expected * (1 - expected) / len(answers))
        share, margin = sum(answers) / len(answers), max(MARGIN * expected, DEVIATIONS * deviation)
        if abs(share - expected) > margin:
            raise Wrong(f"{share:.3f} of the answers are yes, expected {expected:.3f} ± {margin:.3f}")

    def round(self, at_least_ns: int) -> dict[str, Any]:
        """Asks until the time is over, and says what came of it. Answers are counted outside of what is timed."""
        taken = evaluations = yes = 0
        while taken < at_least_ns:
            batch = self._batches[self._next]
            self._next = (self._next + 1) % len(self._batches)
            begin = time.perf_counter_ns()
            answers = self._ask(batch)
            taken += time.perf_counter_ns() - begin
            evaluations += len(answers)
            yes += sum(answers)
        return {"ns": taken / evaluations, "evaluations": evaluations, "yes": yes / evaluations}


def ready(contender: Contender, people: population.Population, name: str) -> Workload:
    """The workload of that name, set up and warm."""
    if name not in WORKLOADS:
        raise Unable("not asked in Python")
    kind, crowd = WORKLOADS[name]
    callers: Sequence[Any] = people.crowds[crowd]
    if kind == "built":
        workload = Workload(contender.built, callers)
    else:
        workload = Workload(contender.prebuilt, [contender.context(caller) for caller in callers])
    if contender.decides:
        workload.check(people.expected(crowd))
    workload.round(WARM_UP_NS)
    # What was set up stays: the collector need not look at it during each round.
    gc.collect()
    gc.freeze()
    return workload


def say(line: dict[str, Any]) -> None:
    """One line, at once."""
    print(json.dumps(line), flush=True)


def described(problem: Exception) -> str:
    """The exception as a traceback would end."""
    return f"{type(problem).__name__}: {problem}"


def listed(name: str) -> dict[str, Any]:
    """What `--list` says of one, or why it cannot be asked."""
    try:
        return {"name": name, "version": version(name), "about": load(name).about}
    except Exception as problem:  # a package that is not installed, or cannot be imported here
        return {"name": name, "error": described(problem)}


def main(arguments: list[str]) -> int:
    """Lists the contenders, or answers for one of them."""
    if arguments == ["--list"]:
        for name in CONTENDERS:
            say(listed(name))
        return 0
    if len(arguments) != 2 or arguments[0] not in CONTENDERS:
        print(f"expected --list, or one of {', '.join(CONTENDERS)} and a population.json", file=sys.stderr)
        return 2
    name, people = arguments[0], population.read(Path(arguments[1]))
    try:
        contender = load(name)(people)
    except Exception as problem:  # as above
        say({"error": described(problem)})
        return 1
    say({"name": name, "version": version(name)})
    workloads: dict[str, Workload] = {}
    for line in sys.stdin:
        asked = line.strip()
        try:
            if asked not in workloads:
                workloads[asked] = ready(contender, people, asked)
            answer = workloads[asked].round(ROUND_NS)
            say(answer if contender.decides else {**answer, "yes": None})
        except Unable as problem:
            say({"skip": str(problem)})
        except Wrong as problem:
            say({"error": str(problem)})
        except Exception as problem:  # the one who asks must hear of whatever went wrong in somebody else's package
            say({"error": described(problem)})
    contender.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
