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
GENERATED = REPOSITORY / "cli" / "tests" / "golden" / "files" / "generated" / "flags.py"
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


APP = """\
from typing import Any, Literal

from typing_extensions import assert_type

import app_flags
from esclusa import Flags

flags = Flags()
caller = {"user": "user-42"}
assert_type(flags.value(app_flags.CRM_ADVANCED, caller), bool | None)
assert_type(flags.value(app_flags.LIMIT, caller, 3), int)
assert_type(flags.value(app_flags.LIMIT, default=3), int)
assert_type(flags.current().value(app_flags.RATIO, caller, 0.5), float | None)
assert_type(flags.value("anything", caller), Any)
layout: Literal["grid", "list"] | None = flags.value(app_flags.CHECKOUT_LAYOUT, caller)
flags.is_enabled(app_flags.FACTURACIÓN_NUEVA, caller)
flags.project(caller, [app_flags.LIMIT, app_flags.THEME])
flags.is_enabled(app_flags.CRM_ADVANCD, caller)  # type: ignore[attr-defined]
text: str = flags.value(app_flags.LIMIT, caller, 3)  # type: ignore[assignment]
"""


def test_keys_that_the_tool_writes_have_the_types_of_their_values(tmp_path: Path) -> None:
    (tmp_path / "app_flags.py").write_text(GENERATED.read_text("utf-8"), "utf-8")
    (tmp_path / "app.py").write_text(APP, "utf-8")
    run("mypy", "--strict", f"--cache-dir={tmp_path / 'cache'}", "app.py", "app_flags.py", folder=tmp_path)
    answers = "from esclusa import Flags; import app_flags as a; f = Flags(); f.publish(open(r'{}', 'rb').read())"
    asked = "print(f.value(a.LIMIT, {'user': '1'}, 3) in (10, 500), f.is_enabled(a.FLAG_2FA), a.__doc__ is not None)"
    program = answers.format(GENERATED.parent.parent / "typed.json") + "; " + asked
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert outcome.stdout == "True True True\n", outcome.stderr
