"""Fixtures for pytest, available as soon as the package is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from ._flags import Flags

Override = Callable[[Flags, Mapping[str, bool | Mapping[str, Any]]], None]
"""The type of the fixture `esclusa_override`."""


@pytest.fixture
def esclusa_flags() -> Flags:
    """A handle of the test's own, into which a snapshot without flags is published."""
    flags = Flags()
    flags.publish('{"esclusa": 1, "flags": []}')
    return flags


@pytest.fixture
def esclusa_override() -> Iterator[Override]:
    """Overrides flags of the app's own handle until the test ends: `esclusa_override(flags, {"key": True})`."""
    with ExitStack() as stack:
        yield lambda flags, overrides: stack.enter_context(flags.override(overrides))
