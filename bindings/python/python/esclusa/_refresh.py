"""A request to the source that a thread or a coroutine may wait for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator
from typing import Any


class Refresh:
    """The result of `Flags.refresh`. Waiting for it is optional, and gives the reason if there is no answer."""

    __slots__ = ("_callbacks", "_end", "_over", "_timeout", "_why")

    def __init__(self, timeout: float) -> None:
        """Waits end `timeout` seconds from now."""
        self._timeout = timeout
        self._end = time.monotonic() + timeout
        self._over = threading.Event()
        self._why: str | None = None
        self._callbacks = list[Callable[[], object]]()

    def wait(self) -> str | None:
        """Blocks the thread until the answer has arrived: None, or the reason why there is none. A coroutine awaits
        instead."""
        self._over.wait(min(max(self._end - time.monotonic(), 0.0), threading.TIMEOUT_MAX))
        return self._said()

    def __await__(self) -> Generator[Any, None, str | None]:
        """The same for a coroutine of asyncio."""
        return self._awaited().__await__()

    async def _awaited(self) -> str | None:
        import asyncio

        loop, is_told = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            # The loop may be closed by then.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(is_told.set)

        self._callbacks.append(tell)
        if not self._over.is_set():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(is_told.wait(), max(self._end - time.monotonic(), 0.0))
        return self._said()

    @property
    def is_wanted(self) -> bool:
        """Whether its time has not ended yet."""
        return time.monotonic() < self._end

    @property
    def is_late(self) -> bool:
        """Whether there is no answer yet."""
        return not self._over.is_set()

    def _said(self) -> str | None:
        return f"no answer within {self._timeout:g} s" if self.is_late else self._why

    def _answer(self, why: str | None) -> None:
        self._why = why
        self._over.set()
        for callback in tuple(self._callbacks):
            callback()
