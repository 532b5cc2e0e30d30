"""What several files of tests need: servers, and no thread that outlives its test."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from loopback import Loopback, until


@pytest.fixture(scope="module")
def loopback() -> Iterator[Loopback]:
    servers = Loopback()
    yield servers
    servers.end()


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """After the test nobody holds its flags any more, and so nothing keeps them fresh."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    until(lambda: all(thread in before or thread.name != "esclusa-sync" for thread in threading.enumerate()))
