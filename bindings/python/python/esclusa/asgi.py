"""A handler for `POST /v1/track` in any ASGI app: FastAPI, Starlette, Litestar, Quart and others.

>>> from esclusa import Context, Flags
>>> from esclusa.asgi import track_handler
>>> flags = Flags(guard=True)
>>> handler = track_handler(flags, lambda scope: Context(scope["session"]["user"]))

`app.router.routes.append(Route("/v1/track", handler, methods=["POST"]))`, with `starlette.routing.Route`, adds it to an app
of FastAPI or Starlette.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ._flags import Flags
from ._pages import MAX_BYTES
from ._receiving import Caller, Receiver, TrackAnswer

__all__ = ["TrackHandler", "track_handler"]

_Message = MutableMapping[str, Any]


class TrackHandler:
    """An ASGI app that takes events of browsers; `track_handler` makes it."""

    def __init__(self, flags: Flags, context_of: Callable[[Any], Caller | Awaitable[Caller]]) -> None:
        """See `track_handler`."""
        self._receiver, self._context_of = Receiver(flags), context_of

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            raise ValueError(f"the connection is a {scope['type']}, expected a request over HTTP")
        answer = await self._answer(scope, receive)
        if answer is None:
            return
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[_Message]]
    ) -> TrackAnswer | None:
        """The answer; None if the client is gone."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").decode("latin-1")
        length = headers.get(b"content-length", b"")
        refusal = self._receiver.refusal(scope["method"], kind, int(length) if length.isdigit() else None)
        if refusal is not None:
            return refusal
        context = self._context_of(scope)
        caller = self._receiver.session(await context if inspect.isawaitable(context) else context)
        if isinstance(caller, TrackAnswer):
            return caller
        body, is_more = b"", True
        while is_more and len(body) <= MAX_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            is_more = message.get("more_body", False)
        return self._receiver.answer(caller, body)


def track_handler(flags: Flags, context_of: Callable[[Any], Caller | Awaitable[Caller]]) -> TrackHandler:
    """An ASGI app that takes `POST /v1/track`: events of browsers, as `spec/GUARD.md` says.

    `context_of` gets the scope and gives the context of the session's caller, or None without a session; it may be
    `async`. Nothing in the body says who the caller is. Events count for guards that say `"from_browser": true`, and go
    to the listeners of `flags.on_track`. A session may send 10 requests at once and then one each second; each process
    counts its own.

    Raises TypeError if these are not flags.
    """
    return TrackHandler(flags, context_of)
