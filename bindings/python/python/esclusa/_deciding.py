"""Decisions of staying fresh that are the same in every host: the engine takes them, as JSON (sections 11 and 13)."""

from __future__ import annotations

import json
from typing import Any

from . import _native


def decide(what: str, **given: object) -> Any:
    """The engine's decision; its documentation lists the questions."""
    answer = _native.decide(json.dumps({"decide": what, **given}))
    if answer is None:
        raise ValueError(f"there is no decision `{what}` of {sorted(given)}")
    return json.loads(answer)
