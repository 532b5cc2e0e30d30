"""The README's code, run in its order as one program, and the examples in doc strings."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openfeature import api

from esclusa import Flags

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
FIRST_PAGE = Path(__file__).parents[3] / "README.md"


@pytest.fixture(autouse=True)
def _no_provider() -> Iterator[None]:
    yield
    api.shutdown()
    api.clear_providers()


@pytest.mark.filterwarnings("ignore:Using .httpx. with .starlette.testclient.")
def test_the_readme(esclusa_override: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert len(BLOCKS) >= 10
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(ast.parse(block), "README.md", "exec"), names)
    names["test_the_new_crm"](esclusa_override)
    from fastapi.testclient import TestClient

    client = TestClient(names["app"])
    asked = {"user": "user-42", "plan": "PREMIUM", "role": "ADMIN"}
    assert client.get("/crm/advanced", params=asked).json() == {"message": "welcome to the new CRM"}
    with names["flags"].override({"crm_advanced_features": False}):
        assert client.get("/crm/advanced", params=asked).status_code == 404
    for flags in names.values():
        if isinstance(flags, Flags) and flags._sync is not None:
            flags._sync.close()


def test_the_first_page(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", FIRST_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], "README.md", "exec"), {})
    assert "the plan FREE is not among the targets (PREMIUM)" in capsys.readouterr().out


@pytest.mark.parametrize("module", ["esclusa", "esclusa.asgi", "esclusa._flags", "esclusa._mapped", "esclusa._mapping", "esclusa.openfeature", "esclusa.sync", "esclusa.wsgi"])
def test_doc_strings(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0 and results.failed == 0
