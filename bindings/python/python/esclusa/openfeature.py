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
from typing import Any, Literal, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode, OpenFeatureError, ProviderFatalError, ProviderNotReadyError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.hook import Hook
from openfeature.provider import AbstractProvider, Metadata
from openfeature.track import TrackingEventDetails

from . import Flags, Report

__all__ = ["EsclusaProvider"]

_T = TypeVar("_T")
_NONE = object()
# The members by value, so that an answer does not call the enumeration.
_REASONS = {reason.value: reason for reason in Reason}


class EsclusaProvider(AbstractProvider):
    """Evaluates a `Flags` for OpenFeature's clients, and emits events when flags change, when the source fails, and
    when it recovers."""

    def __init__(
        self,
        flags: Flags,
        *,
        initialization_timeout: float = 10.0,
        on_track: Callable[[str, EvaluationContext | None, TrackingEventDetails | None], object] | None = None,
        hooks: Sequence[Hook] = (),
        flag_set_id: str | None = None,
    ) -> None:
        """A provider of these flags, into which the app or a source goes on publishing.

        Initialising waits `initialization_timeout` seconds for the source's first good answer. What the app tracks by
        `client.track(name, context, details)` is counted by the flags' guards, as `Flags.track` does; `on_track` receives
        it too, with the context as the SDK has merged it. The SDK runs `hooks` at every evaluation of this provider. The
        metadata of an answer has `flag_set_id` as `flagSetId`, by default the name of the source.

        Raises TypeError if these are not flags.
        """
        if not isinstance(flags, Flags):
            raise TypeError(f"a provider needs flags, expected `Flags()`, got {type(flags).__name__}")
        super().__init__()
        self._flags = flags
        self._initialization_timeout = initialization_timeout
        self._on_track, self._hooks = on_track, list(hooks)
        self._details = flags._details
        self._flag_set_id = flag_set_id
        self._metadata_of_set: dict[str, Any] = {} if flag_set_id is None else {"flagSetId": flag_set_id}
        self._ends = list[Callable[[], None]]()
        # The state that the SDK knows.
        self._state: Literal["waiting", "failed", "ready", "stale"] = "waiting"

    def get_metadata(self) -> Metadata:
        """Its name, `esclusa`."""
        return Metadata(name="esclusa")

    def get_provider_hooks(self) -> list[Hook]:
        """The hooks given to the constructor."""
        return self._hooks

    def track(
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Tracks it, with `error`, `duration` (in seconds) and other attributes of the details, and calls `on_track`."""
        details = tracking_event_details or TrackingEventDetails()
        # Two names are those of the arguments themselves.
        attributes = details.attributes.items()
        told: dict[str, Any] = {name: told for name, told in attributes if name not in ("event", "context")}
        told.setdefault("value", details.value)
        self._flags.track(tracking_event_name, _mapping_of(evaluation_context), **told)
        if self._on_track is not None:
            self._on_track(tracking_event_name, evaluation_context, tracking_event_details)

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Waits for the source's first good answer, or for the first publish if there is no source. At the end of the
        time: ready and stale if anything is published, else an error until something is."""
        self._state = "waiting"
        sync = self._flags._sync
        if self._flag_set_id is None and sync is not None:
            self._metadata_of_set = {"flagSetId": sync.status().source}
        if not self._ends:
            self._ends = [self._flags.on_publish(self._published), self._flags._watch(self._compare)]
        self._flags.ready(self._initialization_timeout)
        if not self._flags.is_ready:
            self._state = "failed"
            raise self._failure()
        self._state = "ready"
        if (problem := self._problem()) is not None:
            # The SDK emits ready after this, so a later failure is emitted again.
            self.emit_provider_stale(ProviderEventDetails(message=problem))

    def shutdown(self) -> None:
        """Ends the events."""
        for end in self._ends:
            end()
        self._ends = []

    def _published(self, report: Report) -> None:
        is_news = self._state in ("ready", "stale")
        if self._state == "failed":
            self._state = "ready"
            self.emit_provider_ready(ProviderEventDetails())
        self._compare()
        if is_news and (keys := sorted({*report.added, *report.removed, *report.changed})):
            self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=keys))

    def _compare(self) -> None:
        """Emits the state of the source, if it has changed."""
        problem = self._problem()
        if problem is None and self._state == "stale":
            self._state = "ready"
            self.emit_provider_ready(ProviderEventDetails())
        elif problem is not None and self._state == "ready":
            self._state = "stale"
            self.emit_provider_stale(ProviderEventDetails(message=problem))

    def _problem(self) -> str | None:
        """Why the flags may be outdated; None if they are fresh."""
        sync = self._flags._sync
        if sync is None:
            return None
        if sync.is_closed:
            return "nothing keeps the flags fresh any more"
        status = sync.status()
        if status.state == "fresh":
            return None
        why = "" if status.last_error is None else f": {status.last_error.error}"
        if status.state == "failing":
            return f"the source fails{why}"
        return f"the source has not answered lately; the flags are from before{why}"

    def _failure(self) -> OpenFeatureError:
        """Why initialising failed: fatal if the sync has ended."""
        sync = self._flags._sync
        if sync is not None and sync.is_closed:
            return ProviderFatalError("nothing is published, and nothing keeps the flags fresh any more")
        error = None if sync is None else sync.status().last_error
        why = "" if error is None else f": {error.error}"
        return ProviderNotReadyError(f"nothing was published within {self._initialization_timeout:g} s{why}")

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
            value, variant, reason, code, revision = self._details(key, None, None)
        else:
            value, variant, reason, code, revision = self._details(key, context.attributes, context.targeting_key)
        # The metadata of the snapshot; telemetry reads `flagSetId` and `version`. Given always, because the class takes longer to make
        # its own.
        known = self._metadata_of_set.copy()
        if revision is not None:
            known["revision"], known["version"] = revision, str(revision)
        # Most values have exactly this type, and need no call to check it.
        if value.__class__ is not kind:
            if value is None:
                value = default
            elif (fit := convert(value)) is not _NONE:
                value = fit
            else:
                if code is None:
                    problem = f"`{key}` serves a {type(value).__name__}, expected a {kind.__name__}"
                    return FlagResolutionDetails(default, ErrorCode.TYPE_MISMATCH, problem, Reason.ERROR, None, known)
                value = default
        if code is None:
            return FlagResolutionDetails(value, None, None, _REASONS[reason], variant, known)
        problem = _PROBLEMS[code].format(key=key)
        return FlagResolutionDetails(value, ErrorCode(code), problem, Reason.ERROR, variant, known)


_PROBLEMS = {
    "PROVIDER_NOT_READY": "nothing is published yet",
    "FLAG_NOT_FOUND": "there is no flag `{key}`",
    "PARSE_ERROR": "the definition of `{key}` is broken, and there is no earlier one",
    "TARGETING_KEY_MISSING": "`{key}` is rolled out by a unit that the context does not have",
    "INVALID_CONTEXT": "the context cannot be read, expected a mapping, or a value in it is too large for the conditions of `{key}`",
}


def _mapping_of(context: EvaluationContext | None) -> Mapping[str, Any] | None:
    """The context as flags read it, with the targeting key that is apart among the attributes."""
    if context is None or context.targeting_key is None:
        return None if context is None else context.attributes
    return {**context.attributes, "targetingKey": context.targeting_key}


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
