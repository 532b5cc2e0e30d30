"""Outcomes that the app tracks, for its listeners."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ._native import Context

_logger = logging.getLogger("esclusa")


@dataclass(frozen=True, slots=True)
class Tracked:
    """What the app, or the browser of one of its users, tracked of one event."""

    event: str
    """The name of the event."""
    context: Context | Mapping[str, object] | None
    """The caller."""
    error: bool
    """Whether it ended in an error."""
    duration: float | None
    """How long it took, in seconds."""
    value: float | None
    """A number of the app's."""
    fields: Mapping[str, Any]
    """Every other field."""
    from_browser: bool
    """Whether a browser has sent it: then anybody can have written it, but for the context."""


class Tellers:
    """The listeners of one handle."""

    __slots__ = ("__weakref__", "_listeners")

    def __init__(self) -> None:
        self._listeners: dict[object, Callable[[Tracked], object]] = {}

    def add(self, listener: Callable[[Tracked], object]) -> Callable[[], None]:
        """Adds a listener, and returns a function that removes it."""
        subscription = object()
        self._listeners[subscription] = listener

        def unsubscribe() -> None:
            self._listeners.pop(subscription, None)

        return unsubscribe

    def weak(self) -> Callable[..., None]:
        """Calls the listeners as long as the handle is there: native code, whose references the garbage collector does not
        see, would keep a listener that refers to the handle, and so the handle, for ever."""
        tellers = weakref.ref(self)

        def tell(*told: Any) -> None:
            if (alive := tellers()) is not None:
                alive(*told)

        return tell

    def __call__(
        self,
        event: str,
        context: Context | Mapping[str, object] | None,
        error: bool,
        duration: float | None,
        value: float | None,
        fields: Mapping[str, Any] | None,
        from_browser: bool,
    ) -> None:
        """Calls the listeners; their exceptions are logged."""
        if not self._listeners:
            return
        tracked = Tracked(event, context, error, duration, value, fields or {}, from_browser)
        for listener in tuple(self._listeners.values()):
            try:
                listener(tracked)
            except Exception:
                _logger.exception("a listener to tracking raised")
