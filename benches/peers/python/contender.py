"""One contender of the comparison, alone in its process: `benches/README.md` says how it is asked.

    python contender.py --list
    python contender.py NAME POPULATION.json

The names of workloads come on standard input, one a line; the answer to each is a line of JSON on standard output.
"""

from __future__ import annotations

import gc
import json
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
WORKLOADS = {f"w1-{kind}-{crowd}": (kind, crowd) for kind in ("built", "prebuilt") for crowd in ("match", "mix")}

class Workload:
    """A way to ask, and the callers to ask about, in batches that follow each other round and round."""

    def __init__(self, ask: Callable[[Sequence[Any]], Sequence[bool]], callers: Sequence[Any]) -> None:
        self._ask = ask
        self._batches = [callers[at : at + BATCH] for at in range(0, len(callers), BATCH)]
        self._next = 0

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
    workload.round(WARM_UP_NS)
    # What was set up stays: the collector need not look at it during each round.
    gc.collect()
    gc.freeze()
    return workload


def say(line: dict[str, Any]) -> None:
    """One line, at once."""
    print(json.dumps(line), flush=True)


def main(arguments: list[str]) -> int:
    """Lists the contenders, or answers for one of them."""
    if arguments == ["--list"]:
        for name in CONTENDERS:
            say({"name": name, "version": version(name), "about": load(name).about})
        return 0
    if len(arguments) != 2 or arguments[0] not in CONTENDERS:
        print(f"expected --list, or one of {', '.join(CONTENDERS)} and a population.json", file=sys.stderr)
        return 2
    name, people = arguments[0], population.read(Path(arguments[1]))
    contender = load(name)(people)
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
        except Exception as problem:  # the one who asks must hear of whatever went wrong in somebody else's package
            say({"error": f"{type(problem).__name__}: {problem}"})
    contender.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
