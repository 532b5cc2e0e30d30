"""When a source is asked, and how asking is retried (section 11 of SEMANTICS.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

# What the engine counts in, and the most that it can be told: a year is enough for anybody.
_MAX_SECONDS = 366 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How often to ask and how to retry; all in seconds but `jitter`."""

    interval: float = 30.0
    """From one good answer to the next ask."""
    jitter: float = 0.2
    """The part of the interval, 0 to 1, of which a random share is taken off, so that processes spread out."""
    stale_after: float | None = None
    """Data older than this is stale; four intervals unless it is given."""
    backoff_min: float = 1.0
    """The wait after the first failure; it doubles with each further one."""
    backoff_max: float = 60.0
    """The longest wait after a failure."""
    spread: float = 0.2
    """Within how long after a notification the source is asked, at random, so that not every process asks at once."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), 1.0 if field.name == "jitter" else _MAX_SECONDS
            if value is None and field.name == "stale_after":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"`{field.name}` is {value!r}, expected a number")
            if math.isnan(value) or not 0 <= value <= most:
                raise ValueError(f"`{field.name}` is {value}, expected 0 to {most:.0f}")
        if self.interval == 0 or self.backoff_min == 0:
            raise ValueError("`interval` and `backoff_min` are to be greater than 0: a source is not asked without end")

    def to_native(self) -> dict[str, Any]:
        """The policy as the engine takes it."""
        seconds = {
            "interval_ms": self.interval,
            "backoff_min_ms": self.backoff_min,
            "backoff_max_ms": self.backoff_max,
            "spread_ms": self.spread,
        }
        stale_after_ms = None if self.stale_after is None else math.ceil(self.stale_after * 1000)
        times = {name: math.ceil(value * 1000) for name, value in seconds.items()}
        return {"jitter_percent": round(self.jitter * 100), "stale_after_ms": stale_after_ms, **times}
