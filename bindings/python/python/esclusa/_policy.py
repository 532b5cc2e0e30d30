"""When a source is asked, and how requests are retried (section 11 of SEMANTICS.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from ._deciding import decide

_STANDARD: dict[str, int] = decide("policy")


def _seconds(name: str) -> float:
    return _STANDARD[f"{name}_ms"] / 1000


@dataclass(frozen=True, slots=True)
class Policy:
    """How often to ask and how to retry; all in seconds but `jitter`. The defaults are those of every language."""

    interval: float = _seconds("interval")
    """From one good answer to the next request."""
    jitter: float = _STANDARD["jitter_percent"] / 100
    """The part of the interval, 0 to 1, of which a random share is subtracted, so that requests of many processes
    spread out."""
    stale_after: float | None = None
    """Data older than this is stale; four intervals by default."""
    backoff_min: float = _seconds("backoff_min")
    """The wait after the first failure; it doubles with each further one."""
    backoff_max: float = _seconds("backoff_max")
    """The longest wait after a failure."""
    spread: float = _seconds("spread")
    """After a notification, the request comes within this time, at random, so that not every process asks at once."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "stale_after":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"`{field.name}` is {value!r}, expected a number")
            if not 0 <= value < math.inf:
                raise ValueError(f"`{field.name}` is {value}, expected a finite number that is not negative")
        if "error" in (checked := decide("policy", **self.to_native())):
            raise ValueError(f"the policy cannot be used: {checked['error']}")

    def to_native(self) -> dict[str, Any]:
        """The policy for the engine."""
        seconds = {
            "interval_ms": self.interval,
            "backoff_min_ms": self.backoff_min,
            "backoff_max_ms": self.backoff_max,
            "spread_ms": self.spread,
        }
        stale_after_ms = None if self.stale_after is None else math.ceil(self.stale_after * 1000)
        times = {name: math.ceil(value * 1000) for name, value in seconds.items()}
        return {"jitter_percent": round(self.jitter * 100), "stale_after_ms": stale_after_ms, **times}
