"""Switches from the variables of this process's environment (section 13 of SEMANTICS.md)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from ._native import switches
from ._report import violations_of
from ._source import Request

_logger = logging.getLogger("esclusa")


class Environment:
    """The environment variables that switch flags on or off: `FEATURE_X=true`, `ENABLE_X=false`,
    `NEXT_PUBLIC_FEATURE_X=1`.

    Put it above a store with `Layers`: a switch turns a flag on or off and keeps the store's targets. A flag that the
    store does not have is on or off for everyone.
    """

    is_local = True
    name = "environment"

    def __init__(self, prefixes: Iterable[str] | None = None) -> None:
        """Variables whose names begin with one of these, instead of the three above."""
        if isinstance(prefixes, str):
            raise TypeError("expected the prefixes as a list of strings, got one string")
        self._prefixes = None if prefixes is None else [str(prefix) for prefix in prefixes]
        self._logged: set[str] = set()

    def fetch(self, _: Request) -> bytes:
        """The switches now."""
        snapshot, violations = switches(
            [(name, value) for name, value in os.environ.items() if _is_text(name) and _is_text(value)],
            self._prefixes,
        )
        for violation in violations_of(violations):
            # The source is asked repeatedly, and a variable seldom changes.
            if violation.place not in self._logged:
                self._logged.add(violation.place)
                _logger.warning("environment: %s", violation)
        return snapshot


def _is_text(value: str) -> bool:
    """Whether it is valid Unicode: other variables are ignored."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
