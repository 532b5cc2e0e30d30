"""Why a flag resolved as it did (sentence 10.1 of SEMANTICS.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ._native import Resolution


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to an answer."""

    step: str
    """The part of the flag that was checked, such as `target`, `rollout` or `rule`."""
    code: str
    """The kind of sentence, as a name that does not change: with the details, another language can express the same."""
    outcome: Literal["yes", "no", "unknown"]
    sentence: str
    """The step as a sentence."""
    steps: tuple[Step, ...] = ()
    """The steps inside it: of another flag, or the parts of a condition."""
    details: Mapping[str, Any] | None = None
    """The compared values by name, such as the bucket and the share."""

    def to_dict(self) -> dict[str, Any]:
        """The step as plain values, ready for `json.dumps`."""
        plain = {"step": self.step, "code": self.code, "outcome": self.outcome, "sentence": self.sentence, **(self.details or {})}
        if self.steps:
            plain["steps"] = [step.to_dict() for step in self.steps]
        return plain


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer with every step that led to it. `str()` gives lines of text for support staff."""

    resolution: Resolution
    """The same answer that `resolve` gives."""
    steps: tuple[Step, ...]
    """Every step, in order."""
    first_no: str | None
    """The sentence of the first step that failed, or None if none did."""
    first_no_code: str | None
    """The code of that step, or None if none did or there is no answer."""
    text: str
    """All steps as lines of text."""

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain values, ready for `json.dumps`."""
        path = [step.to_dict() for step in self.steps]
        no = {"first_no": self.first_no, "first_no_code": self.first_no_code}
        return {**self.resolution.to_dict(), **no, "path": path}


def explanation_of(key: object, plain: dict[str, Any]) -> Explanation:
    """An explanation from the native half's values."""
    resolution: Resolution = plain["resolution"]
    if "path" in plain:
        steps = tuple(_step_of(step) for step in plain["path"])
        return Explanation(resolution, steps, plain["first_no"], plain["first_no_code"], plain["text"])
    if "problem" in plain:
        problem = plain["problem"]
        return Explanation(resolution, (), problem, None, f"`{key}` has no answer: {problem}")
    sentence = "an override decides, as in a test"
    step = Step("override", "test-override", "yes" if resolution.enabled else "no", sentence)
    text = f"`{key}` is {'ON' if resolution.enabled else 'OFF'}: {sentence}"
    no, code = (None, None) if resolution.enabled else (sentence, step.code)
    return Explanation(resolution, (step,), no, code, text)


def _step_of(plain: dict[str, Any]) -> Step:
    details = {name: value for name, value in plain.items() if name not in Step.__slots__}
    inner = tuple(_step_of(step) for step in plain.get("steps", ()))
    return Step(plain["step"], plain["code"], plain["outcome"], plain["sentence"], inner, details or None)
