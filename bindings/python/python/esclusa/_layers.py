"""Layers: several sources are merged into one (section 13 of SEMANTICS.md)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace

from . import _asking
from ._deciding import decide
from ._mapping import MappedBy, snapshot_of
from ._native import layered
from ._source import NOT_MODIFIED, Answer, Failure, Fetch, News, NotModified, Request, Source

# If several layers have notifications, each is awaited this long in turn.
_TURN_SECONDS = 0.1


class Layers:
    """Several sources as one, the uppermost first: the environment over a store over a bundled snapshot.

    They are asked one after the other. If one fails, the merged snapshot has its last content and the answers of the
    others; the status is then `failing`, with the name of the layer.
    """

    def __init__(self, *sources: Source | Fetch) -> None:
        """The first one is the uppermost layer."""
        if not sources:
            raise ValueError("there is no layer, expected at least one")
        self._layers = [_Layer(_asking.source_of(source)) for source in sources]
        self._waiting = [layer.source for layer in self._layers if _asking.can_wait(layer.source)]
        # The state of `decide` from one request to the next.
        self._made = self._given = 0
        self._process = os.getpid()

    @property
    def name(self) -> str:
        """All their names."""
        return " over ".join(layer.name for layer in self._layers)

    @property
    def is_local(self) -> bool:
        """Whether all of them are."""
        return all(_asking.is_local(layer.source) for layer in self._layers)

    @property
    def polled(self) -> str | None:
        """The reasons of the layers that have one, with their names."""
        reasons = [f"{layer.name}: {why}" for layer in self._layers if (why := _asking.polled(layer.source))]
        return "; ".join(reasons) or None

    @property
    def mapped_by(self) -> MappedBy | None:
        """The value of the uppermost layer that has one, except that an app's mapping in place of a stored one always
        shows."""
        by_layers = [by for layer in self._layers if (by := _asking.mapped_by(layer.source))]
        return "app instead of stored" if "app instead of stored" in by_layers else next(iter(by_layers), None)

    def fetch(self, request: Request) -> Answer | NotModified:
        """Asks all layers, and merges their answers."""
        failures = list[dict[str, object]]()
        is_new = False
        for layer in self._layers:
            try:
                is_new |= layer.ask(request)
            except Failure as failure:
                if isinstance(failure.instead, bytes):
                    is_new |= layer.instead(failure.instead)
                elif layer.content is None:
                    is_new |= layer.begin()
                wait = None if failure.retry_after is None else round(failure.retry_after * 1000)
                failures.append({"layer": layer.name, "error": str(failure), "retry_after_ms": wait})
        if self._process != os.getpid():
            # A fork has yet to publish the merged snapshot.
            self._process, self._given = os.getpid(), 0
        answer = decide("layers", made=self._made, given=self._given, etag=request.etag, is_new=is_new, failures=failures)
        self._made, self._given = answer["made"], answer["given"]
        if answer["answer"] == "failure":
            wait = answer["retry_after_ms"]
            raise Failure(
                answer["error"],
                retry_after=None if wait is None else wait / 1000,
                instead=self._merged() if answer["with_snapshot"] else None,
            )
        if answer["answer"] == "not_modified":
            return NOT_MODIFIED
        merged = self._merged()
        if merged is None:
            raise Failure("no layer has answered, expected one")
        return Answer(merged, answer["etag"])

    def bootstrap(self) -> bytes | None:
        """The merged snapshot of the bootstraps."""
        for layer in self._layers:
            if not layer.begin() and _asking.is_local(layer.source):
                with contextlib.suppress(Failure):
                    layer.ask(Request())
        return self._merged()

    @property
    def wait(self) -> Callable[[float], News | None] | None:
        """Waits for news, if a layer can."""
        return self._wait if self._waiting else None

    def close(self) -> None:
        """Closes them all."""
        for layer in self._layers:
            _asking.close(layer.source)

    def _merged(self) -> bytes | None:
        """The merged snapshot; None while too few layers have answered (13.12)."""
        return layered([layer.content for layer in self._layers])

    def _wait(self, seconds: float) -> News | None:
        end = time.monotonic() + seconds
        while True:
            for source in self._waiting:
                left = end - time.monotonic()
                turn = left if len(self._waiting) == 1 else min(left, _TURN_SECONDS)
                news = _asking.wait(source, max(turn, 0.0))
                if news is not None:
                    return news
            if time.monotonic() >= end:
                return None


class _Layer:
    """A source with its last content."""

    def __init__(self, source: Source) -> None:
        self.source, self._translation = source, _asking.translation_of(source)
        self.name = _asking.name_of(source)
        self.content: bytes | None = None
        self._etag: str | None = None

    def ask(self, request: Request) -> bool:
        """Sends a request; True if the content has changed."""
        answer = _asking.ask(self.source, replace(request, etag=self._etag, revision=None))
        if isinstance(answer, NotModified):
            if self.content is None:
                self._etag = None
                raise Failure("not modified, but there is nothing yet, expected a snapshot")
            return False
        snapshot = self._native(_asking.bytes_of(answer.snapshot) or b"")
        _check(snapshot)
        self._etag = answer.etag
        return self.set_content(snapshot)

    def instead(self, snapshot: bytes) -> bool:
        """Takes the source's snapshot in place of an answer."""
        with contextlib.suppress(Failure):
            return self.set_content(self._native(snapshot))
        return False

    def _native(self, given: bytes) -> bytes:
        """The source's answer, as a snapshot."""
        try:
            return snapshot_of(self._translation, given)
        except ValueError as problem:
            raise Failure(str(problem.args[0])) from None

    def set_content(self, snapshot: bytes) -> bool:
        is_new = snapshot != self.content
        self.content = snapshot
        return is_new

    def begin(self) -> bool:
        """Takes the source's bootstrap, if it has one."""
        try:
            begun = _asking.begin_soon(self.source)
            if begun is not None:
                snapshot = self._native(begun)
                _check(snapshot)
                return self.set_content(snapshot)
        except Failure:
            # The source is asked in a moment, and will report the error then.
            pass
        return False


def _check(snapshot: bytes) -> None:
    """Only a snapshot may replace one (13.8)."""
    try:
        layered([snapshot])
    except ValueError as problem:
        raise Failure(str(problem.args[0])) from problem
