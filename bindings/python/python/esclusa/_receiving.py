"""Events of browsers, as a handler of any server takes them (section 1 of GUARD.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from . import _native
from ._flags import Flags
from ._native import Context
from ._pages import MAX_BYTES, BodyError, Limiter, events_of

Caller = Context | Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class TrackAnswer:
    """The answer to a request."""

    status: int
    """The status code."""
    headers: Mapping[str, str]
    """The headers, in small letters."""
    body: bytes
    """The body, as JSON."""


class Receiver:
    """Answers requests of any server: first `refusal`, before the body is read, and then `answer`."""

    def __init__(self, flags: Flags) -> None:
        """Of these flags.

        Raises TypeError if these are not flags.
        """
        if not isinstance(flags, Flags):
            raise TypeError(f"a handler needs flags, expected `Flags()`, got {type(flags).__name__}")
        self._flags, self._limiter = flags, Limiter()

    def refusal(self, method: str, content_type: str, length: int | None) -> TrackAnswer | None:
        """Why a request is refused whatever its body is; None if it is not."""
        if method != "POST":
            return _problem(405, f"the method is {method[:20]}, expected POST", allow="POST")
        kind = content_type.partition(";")[0].strip().lower()
        if kind != "application/json":
            return _problem(415, f"the type is `{kind[:50]}`, expected application/json")
        return _too_large() if length is not None and length > MAX_BYTES else None

    def session(self, context: Caller) -> TrackAnswer | Context:
        """The caller of the session, or why its request is refused.

        Raises TypeError and ValueError for a context that is neither None nor one.
        """
        if context is None:
            return _problem(401, "there is no session, expected one")
        caller = context if isinstance(context, Context) else Context.from_mapping(context)
        wait = self._limiter.wait(caller.targeting_key or json.dumps(caller.to_dict(), sort_keys=True))
        if wait > 0:
            text = "the session sends too often, expected one request each second"
            return _problem(429, text, **{"retry-after": str(wait)})
        return caller

    def answer(self, caller: Context, body: bytes) -> TrackAnswer:
        """Takes the events of a body."""
        if len(body) > MAX_BYTES:
            return _too_large()
        try:
            events = events_of(body)
        except BodyError as problem:
            return _problem(400, str(problem))
        refused: list[dict[str, Any]] = []
        for at, event in enumerate(events):
            if not _native._names_event(self._flags, event.event):
                refused.append({"at": at, "problem": f"`{event.event}` is no flag and no event of a guard"})
                continue
            _native._track_from_browser(self._flags, event.event, caller, event.error, event.duration_ms)
            duration = None if event.duration_ms is None else event.duration_ms / 1000
            self._flags._tellers(event.event, caller, event.error, duration, event.value, event.fields, True)
        return _answer(200, {"taken": len(events) - len(refused), "refused": refused}, "application/json", {})


def _too_large() -> TrackAnswer:
    return _problem(413, f"the body is too large, expected at most {MAX_BYTES} bytes")


def _problem(status: int, detail: str, **headers: str) -> TrackAnswer:
    """A problem document (RFC 9457)."""
    problem = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return _answer(status, problem, "application/problem+json", headers)


def _answer(status: int, document: Any, kind: str, headers: Mapping[str, str]) -> TrackAnswer:
    body = json.dumps(document).encode()
    known = {"content-type": kind, "content-length": str(len(body)), "cache-control": "no-store"}
    return TrackAnswer(status, {**known, **headers}, body)
