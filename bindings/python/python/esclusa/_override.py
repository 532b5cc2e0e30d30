"""Overrides of flags for a test: for one thread or one task, until a block ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from ._native import Resolution

Overrides = ContextVar["Block | None"]

_FIELDS = frozenset({"enabled", "value", "variant"})


class Block:
    """The overrides of one block, and the enclosing block.

    A task that outlives the block still has it in its own context, so leaving the block ends it in all contexts.
    """

    __slots__ = ("_answers", "_outer")

    def __init__(self, answers: Mapping[str, Resolution], outer: Block | None) -> None:
        self._answers = dict(answers)
        self._outer = outer

    def answers(self) -> dict[str, Resolution]:
        """All overrides in force; the innermost block wins."""
        return {**self._outer.answers(), **self._answers} if self._outer else dict(self._answers)

    def close(self) -> None:
        """Ends the overrides."""
        self._answers.clear()


def answers_of(overrides: Mapping[str, object]) -> dict[str, Resolution]:
    """The answer of each flag; raises TypeError for an invalid one."""
    if not isinstance(overrides, Mapping):
        raise TypeError(f"expected the overrides as a mapping of keys to answers, got {type(overrides).__name__}")
    return {key: _answer_of(key, answer) for key, answer in overrides.items()}


def _answer_of(key: object, answer: Any) -> Resolution:
    if not isinstance(key, str):
        raise TypeError(f"an override's key is {key!r}, expected a string")
    if isinstance(answer, bool):
        return Resolution(enabled=answer, value=answer, reason="STATIC")
    if not isinstance(answer, Mapping) or not answer.keys() <= _FIELDS:
        raise TypeError(f"the override of `{key}` is {answer!r}, expected a bool or a mapping of {sorted(_FIELDS)}")
    enabled, variant = answer.get("enabled", True), answer.get("variant")
    if not isinstance(enabled, bool):
        raise TypeError(f"`enabled` in the override of `{key}` is {enabled!r}, expected a bool")
    if not isinstance(variant, str | None):
        raise TypeError(f"`variant` in the override of `{key}` is {variant!r}, expected a string or None")
    try:
        value = json.loads(json.dumps(answer.get("value", enabled), allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise TypeError(f"`value` in the override of `{key}` is no JSON value: {problem}") from problem
    return Resolution(enabled=enabled, value=value, variant=variant, reason="STATIC")
