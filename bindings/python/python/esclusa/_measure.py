"""Measuring an event: a block or a function whose exception is an error, and whose duration counts."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._native import Context

if TYPE_CHECKING:
    from ._native import Flags

_Caller = Context | Mapping[str, object] | None
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Measured:
    """The outcome of a block while it runs; what is set here is tracked at its end."""

    __slots__ = ("error", "fields", "value")

    def __init__(self) -> None:
        self.error: bool = False
        """Set it where an error is an answer and no exception."""
        self.value: float | None = None
        """A number of the app's."""
        self.fields: dict[str, Any] = {}
        """Other fields, for listeners."""


class Measure:
    """Measures one block with `with`, or each call of a function as a decorator; `Flags.measure` returns it."""

    __slots__ = ("_began", "_context", "_event", "_flags", "_measured")

    def __init__(self, flags: Flags, event: str, context: _Caller | Callable[..., _Caller]) -> None:
        """Nothing is measured yet."""
        self._flags, self._event, self._context = flags, event, context
        self._began, self._measured = 0.0, Measured()

    def __enter__(self) -> Measured:
        self._measured = Measured()
        self._began = time.perf_counter()
        return self._measured

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end(self._context, self._began, self._measured, problem)

    def __call__(self, function: _Function) -> _Function:
        """The function, measured; of an `async` one the time until it has ended.

        Raises TypeError for a generator: it runs when it is read, which is not the call.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"`{function.__qualname__}` is a generator, expected a function or an `async` function")
        if inspect.iscoroutinefunction(function):
            return cast("_Function", self._asynchronous(function))

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            context, measured, began = self._caller(arguments, named), Measured(), time.perf_counter()
            try:
                result = function(*arguments, **named)
            except BaseException as problem:
                self._end(context, began, measured, problem)
                raise
            self._end(context, began, measured, None)
            return result

        return cast("_Function", call)

    def _asynchronous(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(function)
        async def call(*arguments: Any, **named: Any) -> Any:
            context, measured, began = self._caller(arguments, named), Measured(), time.perf_counter()
            try:
                result = await function(*arguments, **named)
            except BaseException as problem:
                self._end(context, began, measured, problem)
                raise
            self._end(context, began, measured, None)
            return result

        return call

    def _caller(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The context of a call. One that cannot be made is none that can be read, so the outcome is dropped."""
        if not callable(self._context):
            return self._context
        try:
            return self._context(*arguments, **named)
        except Exception as problem:
            return problem

    def _end(self, context: Any, began: float, measured: Measured, problem: BaseException | None) -> None:
        # What is cancelled or interrupted has no outcome.
        if problem is not None and not isinstance(problem, Exception):
            return
        fields = {name: value for name, value in measured.fields.items() if name not in ("event", "context")}
        known = {"error": measured.error or problem is not None, "value": measured.value}
        fields.update(known, duration=time.perf_counter() - began)
        self._flags.track(self._event, context, **fields)
