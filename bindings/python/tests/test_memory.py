"""Memory does not grow: native memory too, so the process is measured from outside of Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# What a leak of a few bytes an evaluation, or of a fraction of a set a publish, would exceed many times over.
MARGIN_KIB = 12_000

PROGRAM = """
import json
from esclusa import Context, Flags

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4

text = json.dumps([
    {"name": f"flag-{at}", "enabled": True, "target_companies": [f"company-{at}-{n}" for n in range(50)],
     "rules": [{"key": "r", "when": {"attribute": "email", "op": "matches", "value": f"@example{at}"}}],
     "variants": [{"key": "a", "value": {"list": [1, 2, 3]}}]}
    for at in range(40)
])
flags = Flags()

def evaluate(turns):
    for turn in range(turns):
        plain = {"user": f"user-{turn}", "roles": ["A", "B"], "email": "é@example1", "deep": {"x": [turn]}}
        match turn % 5:
            case 0: flags.is_enabled("flag-1", plain)
            case 1: flags.resolve("flag-1", Context.from_mapping(plain)).to_dict()
            case 2: flags.value("flag-1", plain)
            case 3: flags.is_enabled("flag-1", 5)
            case 4: flags.resolve("missing", plain)
        if turn % 500 == 0:
            flags.explain("flag-1", plain); flags.project(plain); flags.resolve_all(plain)
            with flags.override({"flag-1": True}):
                flags.is_enabled("flag-1")

def publish(turns):
    for turn in range(turns):
        flags.publish(text.replace("company-1-", f"company-{turn}-"))
        try:
            flags.publish(text[:-1])
        except ValueError:
            pass

evaluate(20_000); publish(100)
before = resident()
evaluate(200_000)
evaluated = resident()
publish(1_000)
print(evaluated - before, resident() - evaluated)
"""


COLLECTED = """
import gc
from esclusa import Flags

on, off = '[{"name": "on", "enabled": true}, {"name": "\\ufffd", "enabled": true}]', '[{"name": "on"}]'
flags, answers, inside = Flags(), set(), False
half = "\\ud800"

def again(phase, info):
    # What is asked and published in here must not meet an asking that is under way.
    global inside
    if not inside:
        inside = True
        before = flags.is_enabled("on"), flags.is_enabled("on", {"user": "u"})
        flags.publish(off)
        answers.add((*before, flags.is_enabled("on")))
        flags.publish(on)
        inside = False

flags.publish(on)
gc.callbacks.append(again)
gc.set_threshold(1)
for turn in range(2_000):
    assert flags.is_enabled(half) and flags.is_enabled(half, {"user": "u"}) and flags.is_enabled("on", {half: [half]})
    assert flags.is_enabled(half + "x") is False
gc.callbacks.clear()
print(answers)
"""


def test_the_garbage_collector_may_run_while_a_key_is_read() -> None:
    """Half a surrogate pair raises an error inside, and up to Python 3.11 its allocation may collect at once."""
    output = subprocess.run([sys.executable, "-c", COLLECTED], capture_output=True, text=True, check=True).stdout
    assert output == "{(True, True, False)}\n"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell a process its size so")
def test_evaluating_and_publishing_leave_nothing_behind() -> None:
    output = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    evaluating, publishing = map(int, output.split())
    assert evaluating < MARGIN_KIB and publishing < MARGIN_KIB, output
