"""An OpenFeature provider that answers from a `Flags` (sentence 12.8 of SEMANTICS.md).

>>> from openfeature import api
>>> from esclusa import Flags
>>> from esclusa.openfeature import EsclusaProvider
>>> flags = Flags()
>>> report = flags.publish('[{"name": "crm_advanced_features", "enabled": true}]')
>>> api.set_provider_and_wait(EsclusaProvider(flags))
>>> api.get_client().get_boolean_value("crm_advanced_features", False)
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from . import Flags, Report

__all__ = ["EsclusaProvider"]

_T = TypeVar("_T")
_NONE = object()
# The members by their values, so that no answer has to call the enumeration.
_REASONS = {reason.value: reason for reason in Reason}


class EsclusaProvider(AbstractProvider):
    """Gives the values of a `Flags` to OpenFeature's clients, and tells them when something is published."""

    def __init__(self, flags: Flags, *, initialization_timeout: float = 10.0) -> None:
        """A provider of these flags, which the app or a source goes on publishing into. Initialising waits
        `initialization_timeout` seconds for the source's first good answer."""
        if not isinstance(flags, Flags):
            raise TypeError(f"expected Flags, got {type(flags).__name__}")
        super().__init__()
        self._flags = flags
        self._initialization_timeout = initialization_timeout
        self._details = flags._details
        self._unsubscribe: Callable[[], None] | None = None
        self._was_ready = False

    def get_metadata(self) -> Metadata:
        """Its name, `esclusa`."""
        return Metadata(name="esclusa")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Ready with the source's first good answer. When the time is over: ready and stale if anything is published,
        else an error until something is."""
        if self._unsubscribe is None:
            self._unsubscribe = self._flags.on_publish(self._published)
        is_ready = self._flags.ready(self._initialization_timeout)
        self._was_ready = self._flags.is_ready
        if not self._was_ready:
            raise ProviderNotReadyError("no snapshot is published yet")
        if not is_ready:
            details = ProviderEventDetails(message="the source has not answered yet; the flags are from a copy")
            self.emit_provider_stale(details)

    def shutdown(self) -> None:
        """From here on no event is emitted."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _published(self, report: Report) -> None:
        if not self._was_ready:
            self._was_ready = True
            self.emit_provider_ready(ProviderEventDetails())
        elif keys := sorted({*report.added, *report.removed, *report.changed}):
            self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=keys))

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """The flag's value, which must be a boolean."""
        return self._resolve(flag_key, default_value, evaluation_context, bool, _boolean)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The flag's value, which must be a string."""
        return self._resolve(flag_key, default_value, evaluation_context, str, _string)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """The flag's value, which must be a whole number."""
        return self._resolve(flag_key, default_value, evaluation_context, int, _integer)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """The flag's value, which must be a number."""
        return self._resolve(flag_key, default_value, evaluation_context, float, _float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """The flag's value, which must be an object or an array."""
        return self._resolve(flag_key, default_value, evaluation_context, dict, _structure)

    def _resolve(
        self,
        key: str,
        default: _T,
        context: EvaluationContext | None,
        kind: type,
        convert: Callable[[Any], Any],
    ) -> FlagResolutionDetails[_T]:
        if context is None:
            value, variant, reason, code = self._details(key, None, None)
        else:
            value, variant, reason, code = self._details(key, context.attributes, context.targeting_key)
        # Most values are of the very type, and need no call to say so.
        if value.__class__ is not kind:
            if value is None:
                value = default
            elif (value := convert(value)) is _NONE:
                value = default
                if code is None:
                    problem = f"the value of `{key}` is of another type than the one that was asked for"
                    return FlagResolutionDetails(value, ErrorCode.TYPE_MISMATCH, problem, Reason.ERROR)
        if code is None:
            # With metadata, because the class takes longer to make its own.
            return FlagResolutionDetails(value, None, None, _REASONS[reason], variant, {})
        return FlagResolutionDetails(value, ErrorCode(code), _PROBLEMS[code], Reason.ERROR, variant)


_PROBLEMS = {
    "PROVIDER_NOT_READY": "no snapshot is published yet",
    "FLAG_NOT_FOUND": "there is no flag of this key",
    "PARSE_ERROR": "the flag is set aside: its definition breaks a rule",
    "TARGETING_KEY_MISSING": "the flag is rolled out by something that the context does not have",
    "INVALID_CONTEXT": "the context refers to itself, is nested too deep or cannot be read",
}


def _boolean(value: object) -> object:
    return value if isinstance(value, bool) else _NONE


def _string(value: object) -> object:
    return value if isinstance(value, str) else _NONE


def _integer(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else _NONE


def _float(value: object) -> object:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else _NONE


def _structure(value: object) -> object:
    return value if isinstance(value, dict | list) else _NONE
