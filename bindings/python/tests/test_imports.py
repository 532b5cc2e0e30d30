"""Importing: what comes with it, and where it cannot be."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import esclusa
import pytest

SUBINTERPRETER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
one = interpreters.create()
failure = interpreters.run_string(one, "import esclusa")
if failure is not None:
    raise SystemExit(failure.formatted)
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)


def test_all_that_is_public_is_there_and_documented() -> None:
    for name in [*esclusa.__all__, "bucket", "hash", "ranges"]:
        thing = getattr(esclusa, name)
        assert thing.__doc__, name
        for member, value in vars(thing).items() if isinstance(thing, type) else ():
            if not member.startswith("_") and callable(value):
                assert value.__doc__, f"{name}.{member}"


def test_it_says_its_version() -> None:
    assert esclusa.__version__ == metadata.version("esclusa")


def test_it_needs_nothing_else() -> None:
    program = "import sys, esclusa; print([name for name in ('openfeature', 'pytest', 'asyncio', 'urllib3') if name in sys.modules])"
    assert run(program).stdout.strip() == "[]"


def test_it_starts_no_thread() -> None:
    program = """
import threading, os, esclusa
flags = esclusa.Flags()
flags.publish('[{"name": "a", "enabled": true}]')
flags.is_enabled("a")
print(len(os.listdir("/proc/self/task")), threading.active_count())
"""
    if sys.platform == "linux":
        assert run(program).stdout.split() == ["1", "1"]


def test_a_subinterpreter_is_told_why_it_cannot() -> None:
    outcome = run("import esclusa\n" + SUBINTERPRETER)
    if "No module named" in outcome.stderr:
        pytest.skip("this Python has no module for subinterpreters")
    assert outcome.returncode != 0
    assert "esclusa works in the main interpreter alone, and this is a subinterpreter" in outcome.stderr
