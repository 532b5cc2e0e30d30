"""The servers of `esclusa-loopback`, which misbehave on command, and waiting for what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from esclusa.sync import Policy

PROGRAM = os.environ.get("ESCLUSA_LOOPBACK")

needs_loopback = pytest.mark.skipif(
    PROGRAM is None, reason="the variable ESCLUSA_LOOPBACK does not say where `esclusa-loopback` is"
)

QUICK = Policy(interval=0.05, jitter=0, stale_after=30, backoff_min=0.02, backoff_max=0.05, spread=0.01)
"""Short intervals; the store is on the same machine and has no other client."""


def document(revision: int, **flags: bool) -> str:
    """A snapshot with these flags, on or off."""
    rows = [{"name": name, "enabled": enabled} for name, enabled in flags.items()]
    return json.dumps({"esclusa": 1, "revision": revision, "flags": rows})


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Waits until it is so; that it never is fails the test."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it is not so, and was given time enough"
        time.sleep(0.005)


class Loopback:
    """The program, and where its servers are."""

    def __init__(self) -> None:
        assert PROGRAM is not None
        self._process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.places: dict[str, str] = self._line()

    @property
    def url(self) -> str:
        """Where the snapshot is, by way of the proxy."""
        return self.places["url"]

    def tell(self, **command: Any) -> Any:
        """Has a command obeyed, and gives the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._line()
        assert "error" not in answer, answer
        return answer

    def counts(self) -> dict[str, int]:
        """How requests were answered since the start."""
        counts: dict[str, int] = self.tell(counts=True)["counts"]
        return counts

    def end(self) -> None:
        """Ends the program."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())
