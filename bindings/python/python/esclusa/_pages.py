"""Events of pages: the body of `POST /v1/track`, checked, and how often a session may send one (section 1 of GUARD.md)."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 16 * 1024
"""The largest body."""

_MAX_EVENTS = 100
_MAX_DURATION_MS = 86_400_000
_MAX_FIELDS = 20
_MAX_NAME = 50
_MAX_TEXT = 200

_FIELDS = ("event", "action", "shown", "variant", "error", "duration_ms", "value", "fields")
_TEXTS = {"event": _MAX_TEXT, "action": _MAX_NAME, "variant": _MAX_TEXT}


@dataclass(frozen=True, slots=True)
class PageEvent:
    """One event of a page."""

    event: str
    error: bool
    duration_ms: float | None
    value: float | None
    fields: Mapping[str, Any]
    """The other fields, with `action`, `shown` and `variant` among them."""


class BodyError(ValueError):
    """A body is not of its form; the text says where, what, and what was expected."""


def events_of(body: bytes) -> list[PageEvent]:
    """The events of a body.

    Raises BodyError for a body that is not of the form of 1.1.
    """
    try:
        document = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BodyError("the body is not JSON, expected an object in UTF-8") from None
    _check_object("", document, ("esclusa", "events"))
    version = document.get("esclusa")
    if isinstance(version, bool) or version != 1:
        raise _wrong("/esclusa", version, "1")
    events = document.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= _MAX_EVENTS:
        raise BodyError(f"`/events` does not fit, expected a list of 1 to {_MAX_EVENTS} events")
    return [_event(f"/events/{at}", event) for at, event in enumerate(events)]


def _event(place: str, event: Any) -> PageEvent:
    _check_object(place, event, _FIELDS)
    if "event" not in event:
        raise BodyError(f"`{place}` has no `event`, expected the name of one")
    for name, most in _TEXTS.items():
        if name in event and not (isinstance(event[name], str) and 1 <= len(event[name]) <= most):
            raise _wrong(f"{place}/{name}", event[name], f"a text of 1 to {most} characters")
    if "shown" in event and event["shown"] not in ("children", "fallback"):
        raise _wrong(f"{place}/shown", event["shown"], "`children` or `fallback`")
    error = event.get("error", False)
    if not isinstance(error, bool):
        raise _wrong(f"{place}/error", error, "true or false")
    duration_ms = event.get("duration_ms", 0)
    if not _is_number(duration_ms) or not 0 <= duration_ms <= _MAX_DURATION_MS:
        raise _wrong(f"{place}/duration_ms", duration_ms, f"a number from 0 to {_MAX_DURATION_MS}")
    value = event.get("value", 0)
    if not _is_number(value):
        raise _wrong(f"{place}/value", value, "a number")
    fields = _fields(f"{place}/fields", event.get("fields", {}))
    fields = {**fields, **{name: event[name] for name in ("action", "shown", "variant") if name in event}}
    return PageEvent(event["event"], error, event.get("duration_ms"), event.get("value"), fields)


def _fields(place: str, fields: Any) -> dict[str, Any]:
    if not isinstance(fields, dict) or len(fields) > _MAX_FIELDS:
        raise BodyError(f"`{place}` does not fit, expected an object of at most {_MAX_FIELDS} fields")
    for name, value in fields.items():
        if not 1 <= len(name) <= _MAX_NAME:
            raise _wrong(place, name, f"names of 1 to {_MAX_NAME} characters")
        is_text = isinstance(value, str) and len(value) <= _MAX_TEXT
        if not (is_text or isinstance(value, bool) or _is_number(value)):
            expected = f"a boolean, a number, or a text of at most {_MAX_TEXT} characters"
            raise _wrong(f"{place}/{name}", value, expected)
    return fields


def _check_object(place: str, value: Any, names: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise BodyError(f"`{place}` does not fit, expected an object")
    for name in value:
        if name not in names:
            raise BodyError(f"`{place}/{_shown(name)}` is not a field, expected one of {', '.join(names)}")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _wrong(place: str, value: Any, expected: str) -> BodyError:
    return BodyError(f"`{place}`: {_shown(json.dumps(value))} does not fit, expected {expected}")


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]}…"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


class Limiter:
    """How often each session may send: 10 requests at once, then one each second (1.6).

    A session is one number: when the next request would be due if the session sent one each second. The sessions of one
    process are known, and of those only the last 100,000.
    """

    _BURST = 10
    _MOST = 100_000

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        # In a fork the lock may have been taken by a thread that does not exist there.
        self._process, self._lock = os.getpid(), threading.Lock()
        self._due = OrderedDict[str, float]()

    def wait(self, session: str, now: float | None = None) -> int:
        """Counts a request; 0 if it may be answered, else the number of whole seconds until one may."""
        if self._process != os.getpid():
            self._begin()
        now = time.monotonic() if now is None else now
        with self._lock:
            due = max(self._due.get(session, now), now)
            wait = due - now - (self._BURST - 1)
            self._due[session] = due if wait > 0 else due + 1
            # The first are those that were quiet for longest.
            self._due.move_to_end(session)
            for _ in range(2):
                quiet = next(iter(self._due))
                if self._due[quiet] <= now or len(self._due) > self._MOST:
                    del self._due[quiet]
        return math.ceil(wait) if wait > 0 else 0
