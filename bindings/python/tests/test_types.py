"""The types that the package declares: proved against the package itself, and against what an app writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parents[2]
EXAMPLE = REPOSITORY / "examples" / "python"
PEERS = REPOSITORY / "benches" / "peers" / "python"
CHECKED = {
    "package": ["--strict", "-p", "esclusa"],
    "app": ["--strict", str(TESTS / "consumer.py")],
    "tests": ["--strict", str(TESTS)],
    "benches": ["--config-file", str(PEERS / "mypy.ini"), str(PEERS)],
    "example": ["--strict", str(EXAMPLE / "app.py"), str(EXAMPLE / "test_app.py")],
}


def run(*arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", *arguments]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def test_the_stubs_are_what_the_package_has(tmp_path: Path) -> None:
    assert "no issues found" in run("mypy.stubtest", "esclusa", folder=tmp_path)


@pytest.mark.parametrize("what", CHECKED.values(), ids=CHECKED)
def test_mypy_finds_nothing(what: list[str], tmp_path: Path) -> None:
    run("mypy", f"--cache-dir={tmp_path}", *what, folder=tmp_path)
