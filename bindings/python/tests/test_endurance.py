"""Keeping fresh for long, and ending in the middle of it; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXIT = """
import sys, threading
from esclusa import Flags
from esclusa.sync import Policy

revision = 0
rows = ",".join('{"name": "f%d", "enabled": true, "target_companies": ["a", "b"]}' % at for at in range(2000))
def store():
    global revision
    revision += 1
    return '{"esclusa": 1, "revision": %d, "flags": [%s]}' % (revision, rows)

def hangs():
    threading.Event().wait()

quick = Policy(interval=0.001, jitter=0, stale_after=60)
many = [Flags.from_source(store, policy=quick) for _ in range(3)]
hanging = Flags.from_source(hangs)
assert many[0].ready(60)
if "raise" in sys.argv:
    raise SystemExit(7)
"""


@pytest.mark.parametrize("how", ["end", "raise"])
def test_the_interpreter_ends_quickly_and_silently_while_syncing(how: str) -> None:
    for _ in range(10):
        ended = subprocess.run([sys.executable, "-X", "dev", "-c", EXIT, how], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr, ended.stdout) == (7 if how == "raise" else 0, "", "")


MEMORY = """
import gc, os, threading
from esclusa import Flags
from esclusa.sync import Policy

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4

revision, rows = 0, ",".join('{"name": "f%d", "enabled": true}' % at for at in range(20))
reached, goal = threading.Event(), 0
def store():
    global revision
    revision += 1
    if revision == goal:
        reached.set()
    if revision % 7 == 0:
        raise OSError("away")
    if revision % 11 == 0:
        return "{"
    return '{"esclusa": 1, "revision": %d, "flags": [%s]}' % (revision, rows)

def cycles(until):
    global goal
    goal = until
    reached.clear()
    while not reached.wait(0.001):
        flags.is_enabled("f1"); flags.status(); flags.refresh()

flags = Flags.from_source(store, policy=Policy(interval=0.001, jitter=0, stale_after=60, backoff_min=0.001, backoff_max=0.001))
cycles(2_000)
before = resident()
cycles(12_000)
print(resident() - before)
for _ in range(200):
    Flags.from_source(store).is_enabled("f1")
gc.collect()
before = resident()
for _ in range(1_000):
    Flags.from_source(store).is_enabled("f1")
gc.collect()
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell a process its size so")
def test_ten_thousand_cycles_leave_nothing_behind() -> None:
    program = "import logging; logging.disable()\n" + MEMORY
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    cycling, making = map(int, output.split())
    assert cycling < 6_000 and making < 6_000, output
