"""What several files of tests need: servers, and no thread that outlives its test."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from loopback import Loopback, until


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def loopback() -> Iterator[Loopback]:
    servers = Loopback()
    yield servers
    servers.end()


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """After the test its flags are collected, and so is their sync."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    until(lambda: all(thread in before or thread.name not in ("esclusa-sync", "esclusa-events") for thread in threading.enumerate()))
