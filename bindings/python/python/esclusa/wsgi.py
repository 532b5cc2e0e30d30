"""A handler for `POST /v1/track` in any WSGI app: Flask, Django, Pyramid and others.

>>> from esclusa import Context, Flags
>>> from esclusa.wsgi import track_handler
>>> flags = Flags(guard=True)
>>> handler = track_handler(flags, lambda environ: Context(environ["REMOTE_USER"]))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ._flags import Flags
from ._pages import MAX_BYTES
from ._receiving import Caller, Receiver, TrackAnswer

__all__ = ["TrackHandler", "track_handler"]


class TrackHandler:
    """A WSGI app that takes events of browsers; `track_handler` makes it."""

    def __init__(self, flags: Flags, context_of: Callable[[Any], Caller]) -> None:
        """See `track_handler`."""
        self._receiver, self._context_of = Receiver(flags), context_of

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        answer = self._answer(environ)
        headers = [(name.title(), value) for name, value in answer.headers.items()]
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> TrackAnswer:
        text = environ.get("CONTENT_LENGTH") or ""
        length = int(text) if text.isdigit() and text.isascii() else None
        refusal = self._receiver.refusal(environ["REQUEST_METHOD"], environ.get("CONTENT_TYPE") or "", length)
        if refusal is not None:
            return refusal
        caller = self._receiver.session(self._context_of(environ))
        if isinstance(caller, TrackAnswer):
            return caller
        # Without a length only a server that says so ends the body.
        if length is None:
            length = MAX_BYTES + 1 if environ.get("wsgi.input_terminated") else 0
        return self._receiver.answer(caller, environ["wsgi.input"].read(length))


def track_handler(flags: Flags, context_of: Callable[[Any], Caller]) -> TrackHandler:
    """A WSGI app that takes `POST /v1/track`: events of browsers, as `spec/GUARD.md` says.

    `context_of` gets the environ and gives the context of the session's caller, or None without a session. Nothing in
    the body says who the caller is. Events count for guards that say `"from_browser": true`, and go to the listeners of
    `flags.on_track`. A session may send 10 requests at once and then one each second; each process counts its own.

    Raises TypeError if these are not flags.
    """
    return TrackHandler(flags, context_of)
