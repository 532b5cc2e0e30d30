"""The provider inside the real SDK of OpenFeature."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

import pytest
from esclusa import Flags, Tracked
from loopback import QUICK, document, until
from esclusa.openfeature import EsclusaProvider
from esclusa.sync import Bundled, Layers
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode, ProviderFatalError, ProviderNotReadyError
from openfeature.flag_evaluation import FlagEvaluationDetails, FlagEvaluationOptions, Reason
from openfeature.hook import Hook, HookContext, HookHints
from openfeature.provider import ProviderStatus
from openfeature.track import TrackingEventDetails


def serving(name: str, value: object, **more: object) -> dict[str, object]:
    return {"name": name, "enabled": True, "variants": [{"key": f"{name}-variant", "value": value}], **more}


ROWS: list[dict[str, object]] = [
    {"name": "boolean", "enabled": True},
    {"name": "off", "enabled": False},
    serving("string", "text"),
    serving("integer", 3),
    serving("whole", 1e300),
    serving("float", 2.5),
    serving("object", {"a": [1, None]}),
    serving("list", [1, 2]),
    serving("null", None),
    {"name": "premium", "enabled": True, "target_plans": ["PREMIUM"]},
    {"name": "mine", "enabled": True, "target_users": ["user-42"]},
    {"name": "half", "enabled": True, "rollout_percentage": 50},
    {"name": "broken", "enabled": True, "rollout_percentage": 150},
    {"name": "late", "enabled": True, "rules": [{"key": "r", "when": {"attribute": "since", "op": "after", "value": "2025-01-01"}}]},
]


@pytest.fixture
def flags() -> Flags:
    flags = Flags()
    flags.publish(json.dumps(ROWS))
    return flags


@pytest.fixture(autouse=True)
def _no_provider() -> Iterator[None]:
    yield
    api.shutdown()
    api.clear_providers()
    api.clear_hooks()


@pytest.fixture
def client(flags: Flags) -> OpenFeatureClient:
    api.set_provider_and_wait(EsclusaProvider(flags))
    return api.get_client()


def outcome(details: FlagEvaluationDetails[Any]) -> tuple[Any, ...]:
    return details.value, details.variant, details.reason, details.error_code


def test_values_of_each_type(client: OpenFeatureClient) -> None:
    assert client.get_boolean_value("boolean", False) is True
    assert client.get_string_value("string", "") == "text"
    assert client.get_integer_value("integer", 0) == 3
    assert client.get_float_value("float", 0.0) == 2.5
    assert client.get_object_value("object", {}) == {"a": [1, None]}
    assert client.get_object_value("list", []) == [1, 2]


def test_details(client: OpenFeatureClient) -> None:
    assert outcome(client.get_boolean_details("boolean", False)) == (True, None, Reason.STATIC, None)
    assert outcome(client.get_boolean_details("off", True)) == (False, None, Reason.DISABLED, None)
    assert outcome(client.get_string_details("string", "")) == ("text", "string-variant", Reason.STATIC, None)
    premium = EvaluationContext("user-42", {"plan": "PREMIUM"})
    assert outcome(client.get_boolean_details("premium", False, premium)) == (True, None, Reason.TARGETING_MATCH, None)
    assert outcome(client.get_boolean_details("premium", True, EvaluationContext())) == (False, None, Reason.DEFAULT, None)
    assert client.get_boolean_details("half", False, premium).reason == Reason.SPLIT


def test_numbers_that_fit_the_other_type(client: OpenFeatureClient) -> None:
    as_float = client.get_float_value("integer", 0.0)
    assert (as_float, type(as_float)) == (3.0, float)
    as_integer = client.get_integer_value("whole", 0)
    assert (as_integer, type(as_integer)) == (int(1e300), int)


MISMATCHES: list[tuple[str, str, Any]] = [
    ("boolean", "string", True),
    ("boolean", "integer", True),
    ("string", "boolean", "mine"),
    ("string", "integer", "mine"),
    ("integer", "boolean", 7),
    ("integer", "string", 7),
    ("integer", "float", 7),
    ("integer", "object", 7),
    ("float", "string", 7.5),
    ("float", "boolean", 7.5),
    ("object", "string", {"mine": 1}),
]


@pytest.mark.parametrize(("asked", "key", "default"), MISMATCHES)
def test_a_value_of_another_type(client: OpenFeatureClient, asked: str, key: str, default: Any) -> None:
    details = getattr(client, f"get_{asked}_details")(key, default)
    assert outcome(details) == (default, None, Reason.ERROR, ErrorCode.TYPE_MISMATCH)
    assert key in details.error_message


def test_a_null_value_is_no_value(client: OpenFeatureClient) -> None:
    assert outcome(client.get_string_details("null", "mine")) == ("mine", "null-variant", Reason.STATIC, None)
    assert outcome(client.get_boolean_details("null", True)) == (True, "null-variant", Reason.STATIC, None)


def test_errors_give_the_default(client: OpenFeatureClient) -> None:
    for key, code in (
        ("missing", ErrorCode.FLAG_NOT_FOUND),
        ("half", ErrorCode.TARGETING_KEY_MISSING),
        ("broken", ErrorCode.PARSE_ERROR),
    ):
        details = client.get_boolean_details(key, False)
        assert outcome(details) == (False, None, Reason.ERROR, code)
        assert details.error_message
    cyclic: dict[str, Any] = {}
    cyclic["self"] = cyclic
    details = client.get_boolean_details("boolean", False, EvaluationContext("u", {"x": cyclic}))
    assert outcome(details) == (False, None, Reason.ERROR, ErrorCode.INVALID_CONTEXT)


def test_the_flag_answers_even_when_it_cannot_bucket(flags: Flags) -> None:
    """The provider gives the off value with its error code; that the SDK prefers the default then is the SDK's."""
    details = EsclusaProvider(flags).resolve_boolean_details("half", True)
    assert (details.value, details.error_code) == (False, ErrorCode.TARGETING_KEY_MISSING)


def test_the_context(client: OpenFeatureClient) -> None:
    assert client.get_boolean_value("mine", False, EvaluationContext("user-42"))
    assert client.get_boolean_value("mine", False, EvaluationContext("user-42", {"user": "other"}))
    assert client.get_boolean_value("mine", False, EvaluationContext(attributes={"user": "user-42"}))
    assert not client.get_boolean_value("mine", False, EvaluationContext("other"))
    since = {"since": datetime(2025, 6, 1, tzinfo=timezone.utc)}
    assert client.get_boolean_value("late", False, EvaluationContext("u", since))


def test_asynchronous_asking(client: OpenFeatureClient) -> None:
    async def ask() -> tuple[Any, ...]:
        return (
            await client.get_boolean_value_async("boolean", False),
            await client.get_string_value_async("integer", "mine"),
            outcome(await client.get_object_details_async("object", {})),
        )

    expected = ({"a": [1, None]}, "object-variant", Reason.STATIC, None)
    assert asyncio.run(ask()) == (True, "mine", expected)


class Seen(Hook):
    """Keeps what the SDK tells hooks."""

    def __init__(self) -> None:
        self.details: list[FlagEvaluationDetails[Any]] = []
        self.errors: list[Exception] = []

    def after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.details.append(details)

    def error(self, hook_context: HookContext, exception: Exception, hints: HookHints) -> None:
        self.errors.append(exception)


def test_hooks_see_variant_and_reason(client: OpenFeatureClient) -> None:
    seen = Seen()
    options = FlagEvaluationOptions(hooks=[seen])
    client.get_string_value("string", "", flag_evaluation_options=options)
    client.get_string_value("missing", "", flag_evaluation_options=options)
    assert [(one.variant, one.reason) for one in seen.details] == [("string-variant", Reason.STATIC)]
    assert [getattr(one, "error_code", None) for one in seen.errors] == [ErrorCode.FLAG_NOT_FOUND]


def test_overrides_count(client: OpenFeatureClient, flags: Flags) -> None:
    with flags.override({"off": True, "string": {"value": "mine", "variant": "m"}}):
        assert client.get_boolean_value("off", False) is True
        assert outcome(client.get_string_details("string", "")) == ("mine", "m", Reason.STATIC, None)


def listen(event: ProviderEvent) -> queue.Queue[EventDetails]:
    heard: queue.Queue[EventDetails] = queue.Queue()
    api.add_handler(event, heard.put)
    return heard


def test_events() -> None:
    flags = Flags()
    with pytest.raises(ProviderNotReadyError, match=r"nothing was published within 0\.05 s"):
        api.set_provider_and_wait(EsclusaProvider(flags, initialization_timeout=0.05))
    client = api.get_client()
    assert client.get_provider_status() == ProviderStatus.ERROR
    assert outcome(client.get_boolean_details("a", True)) == (True, None, Reason.ERROR, ErrorCode.PROVIDER_NOT_READY)
    ready, changed = listen(ProviderEvent.PROVIDER_READY), listen(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)

    flags.publish('[{"name": "a"}, {"name": "b"}, {"name": "c"}]')
    assert ready.get(timeout=60).provider_name == "esclusa"
    assert client.get_provider_status() == ProviderStatus.READY

    flags.publish('[{"name": "a", "enabled": true}, {"name": "b"}, {"name": "d"}]')
    assert changed.get(timeout=60).flags_changed == ["a", "c", "d"]
    flags.publish('[{"name": "a", "enabled": true}, {"name": "b"}, {"name": "d"}]')
    flags.publish("[]")
    assert changed.get(timeout=60).flags_changed == ["a", "b", "d"], "publishing the same again is no change"
    assert ready.empty() and changed.empty()

    api.shutdown()
    flags.publish('[{"name": "a"}]')
    api.clear_providers()
    assert changed.empty()


def test_a_source_that_fails_and_recovers_is_told() -> None:
    answers = queue.SimpleQueue[object]()
    last: object = document(1, a=True)

    def store() -> Any:
        nonlocal last
        while not answers.empty():
            last = answers.get()
        if isinstance(last, Exception):
            raise last
        return last

    changed = listen(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    flags = Flags()
    with flags.sync(store, policy=QUICK):
        api.set_provider_and_wait(EsclusaProvider(flags))
        client = api.get_client()
        stale, ready = listen(ProviderEvent.PROVIDER_STALE), listen(ProviderEvent.PROVIDER_READY)
        # The SDK tells a new handler at once what is so.
        assert ready.get(timeout=60) and stale.empty()
        for revision in (2, 3):
            answers.put(ConnectionError("gone"))
            assert stale.get(timeout=60).message == "the source fails: ConnectionError: gone"
            assert client.get_provider_status() == ProviderStatus.STALE
            assert client.get_boolean_value("a", False) is (revision == 2), "it goes on answering"
            answers.put(document(revision, a=False))
            assert ready.get(timeout=60).provider_name == "esclusa"
            assert client.get_provider_status() == ProviderStatus.READY
    assert changed.get(timeout=60).flags_changed == ["a"] and changed.empty()
    assert stale.get(timeout=60).message == "nothing keeps the flags fresh any more"
    assert stale.empty() and ready.empty()


def test_a_source_that_is_away_at_the_start() -> None:
    go = threading.Event()

    def store() -> str:
        if not go.is_set():
            raise ConnectionError("gone")
        return document(1, a=True)

    flags = Flags()
    with flags.sync(store, policy=QUICK):
        with pytest.raises(ProviderNotReadyError, match=r"nothing was published within 0\.05 s: ConnectionError: gone"):
            api.set_provider_and_wait(EsclusaProvider(flags, initialization_timeout=0.05))
        assert api.get_client().get_provider_status() == ProviderStatus.ERROR
        ready = listen(ProviderEvent.PROVIDER_READY)
        go.set()
        assert ready.get(timeout=60) and api.get_client().get_boolean_value("a", False)
    api.clear_providers()
    go.clear()
    bundled, stale = Flags(), listen(ProviderEvent.PROVIDER_STALE)
    with bundled.sync(Layers(store, Bundled(document(1, a=True))), policy=QUICK):
        api.set_provider_and_wait(EsclusaProvider(bundled, initialization_timeout=0.05))
        # A copy answers, and the SDK is told that it may be old.
        assert "the source fails" in str(stale.get(timeout=60).message)
        assert api.get_client().get_boolean_value("a", False)
        until(lambda: api.get_client().get_provider_status() == ProviderStatus.STALE)
        go.set()
        until(lambda: api.get_client().get_provider_status() == ProviderStatus.READY)


def test_what_never_gets_better_is_fatal() -> None:
    flags = Flags()
    flags.sync(lambda: "no snapshot", policy=QUICK).close()
    failed = listen(ProviderEvent.PROVIDER_ERROR)
    with pytest.raises(ProviderFatalError, match="nothing keeps the flags fresh any more"):
        api.set_provider_and_wait(EsclusaProvider(flags))
    assert api.get_client().get_provider_status() == ProviderStatus.FATAL
    event = failed.get(timeout=60)
    assert event.error_code == ErrorCode.PROVIDER_FATAL
    assert str(event.message).endswith("nothing is published, and nothing keeps the flags fresh any more")


def test_metadata_says_what_snapshot_it_was(client: OpenFeatureClient, flags: Flags) -> None:
    assert client.get_boolean_details("boolean", False).flag_metadata == {}
    flags.publish(document(42, boolean=True))
    for key in ("boolean", "missing"):
        details = client.get_boolean_details(key, False)
        assert details.flag_metadata == {"revision": 42, "version": "42"}
    assert client.get_string_details("boolean", "").flag_metadata == {"revision": 42, "version": "42"}
    with flags.override({"boolean": False}):
        assert client.get_boolean_details("boolean", False).flag_metadata == {}


def test_metadata_says_what_set_of_flags_it_was(flags: Flags) -> None:
    api.set_provider_and_wait(EsclusaProvider(flags, flag_set_id="shop"))
    for _ in range(2):
        details = api.get_client().get_boolean_details("boolean", False)
        assert details.flag_metadata == {"flagSetId": "shop"}
    with flags.sync(Bundled(document(7, boolean=True))):
        assert api.get_client().get_boolean_details("boolean", False).flag_metadata["version"] == "7"
        api.set_provider_and_wait(EsclusaProvider(flags))
        expected = {"flagSetId": "bundled", "revision": 7, "version": "7"}
        assert api.get_client().get_boolean_details("missing", False).flag_metadata == expected


class Telemetry(Hook):
    """The hook of the README: the event of OpenTelemetry, by its newest names."""

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []

    def finally_after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        metadata, provider = details.flag_metadata, hook_context.provider_metadata
        attributes = {
            "feature_flag.key": details.flag_key,
            "feature_flag.result.reason": str(details.reason or "unknown").lower(),
            "feature_flag.result.variant": details.variant,
            "feature_flag.set.id": metadata.get("flagSetId"),
            "feature_flag.version": metadata.get("version"),
            "feature_flag.context.id": hook_context.evaluation_context.targeting_key,
            "feature_flag.provider.name": provider and provider.name,
            "error.type": details.error_code and details.error_code.value.lower(),
        }
        self.events.append({name: value for name, value in attributes.items() if value is not None})


def test_events_of_opentelemetry_say_which_flags_answered(flags: Flags) -> None:
    telemetry = Telemetry()
    api.set_provider_and_wait(EsclusaProvider(flags, flag_set_id="shop", hooks=[telemetry]))
    flags.publish(json.dumps({"esclusa": 1, "revision": 42, "flags": ROWS}))
    client, caller = api.get_client(), EvaluationContext("user-42")
    client.get_string_value("string", "", caller)
    client.get_boolean_value("half", False, caller)
    client.get_boolean_value("missing", False, caller)
    of_all = {
        "feature_flag.set.id": "shop",
        "feature_flag.version": "42",
        "feature_flag.context.id": "user-42",
        "feature_flag.provider.name": "esclusa",
    }
    of_string = {"feature_flag.result.reason": "static", "feature_flag.result.variant": "string-variant"}
    of_missing = {"feature_flag.result.reason": "error", "error.type": "flag_not_found"}
    assert telemetry.events == [
        {"feature_flag.key": "string", **of_string, **of_all},
        {"feature_flag.key": "half", "feature_flag.result.reason": "split", **of_all},
        {"feature_flag.key": "missing", **of_missing, **of_all},
    ]


def test_tracking_and_hooks_of_the_provider(flags: Flags) -> None:
    tracked: list[tuple[Any, ...]] = []
    seen = Seen()
    api.set_provider_and_wait(EsclusaProvider(flags, on_track=lambda *about: tracked.append(about), hooks=[seen]))
    client, context, about = api.get_client(), EvaluationContext("user-42", {"plan": "PRO"}), TrackingEventDetails(9.5)
    client.track("bought", context, about)
    [(name, caller, details)] = tracked
    assert (name, details) == ("bought", about) and caller.targeting_key == "user-42" and caller.attributes == {"plan": "PRO"}
    client.get_string_value("string", "")
    assert [one.variant for one in seen.details] == ["string-variant"]
    api.clear_providers()
    api.set_provider_and_wait(EsclusaProvider(flags))
    api.get_client().track("bought", context, about)


def test_tracking_reaches_the_guards() -> None:
    flags = Flags(guard=True)
    crm = {"name": "crm", "enabled": True, "rollout_percentage": 50}
    flags.publish(json.dumps([{**crm, "guard": {"event": "checkout", "errors": {}, "slow": {"above_ms": 3000}}}]))
    heard: list[Tracked] = []
    flags.on_track(heard.append)
    api.set_provider_and_wait(EsclusaProvider(flags))
    client = api.get_client()
    context = EvaluationContext("user-42", {"plan": "PRO"})
    attributes: dict[str, Any] = {"error": True, "duration": 3.5, "action": "click", "context": "taken", "event": "taken"}
    client.track("checkout", context, TrackingEventDetails(99.77, attributes))
    caller = {"plan": "PRO", "targetingKey": "user-42"}
    assert heard == [Tracked("checkout", caller, True, 3.5, 99.77, {"action": "click"}, False)]
    client.track("checkout", EvaluationContext("user-43"))
    client.track("checkout", EvaluationContext(None, {"user": "user-44"}), TrackingEventDetails(attributes={"duration": 1}))
    client.track("checkout")
    client.track("checkout", context, TrackingEventDetails(attributes={"duration": -1.0}))
    client.track("checkout", context, TrackingEventDetails(attributes={"error": "timeout"}))
    guards = flags.guards()
    [guard] = guards.flags
    bad = {metric.name: metric.on_bad + metric.off_bad for metric in guard.metrics}
    assert guard.on_units + guard.off_units == 3 and bad == {"errors": 1, "slow": 1} and guards.dropped == 2
    changed = listen(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    for user in range(400):
        caller_of = EvaluationContext(f"user-{user}")
        is_on = client.get_boolean_value("crm", False, caller_of)
        client.track("checkout", caller_of, TrackingEventDetails(attributes={"error": is_on}))
    assert changed.get(timeout=60).flags_changed == ["crm"], "the guard has switched it off"
    assert not any(client.get_boolean_value("crm", False, EvaluationContext(f"user-{user}")) for user in range(100))


def test_no_flags_are_refused() -> None:
    wrong: Any
    for wrong in (None, Flags, {}):
        with pytest.raises(TypeError, match=r"a provider needs flags, expected `Flags\(\)`, got"):
            EsclusaProvider(wrong)


class Text(str):
    """A string that is not looked at where it stands."""


@pytest.mark.parametrize("targeting_key", [None, "", "user-42", "user-43", Text("user-42"), "half \ud800", "ñandú"])
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"plan": "PREMIUM"},
        {"user": "user-42"},
        {"targetingKey": "user-42", "plan": "FREE"},
        {"user": "user-7", "targetingKey": "user-42", "plan": "PREMIUM"},
        MappingProxyType({"plan": "PREMIUM", "user": "user-42"}),
        {"when": datetime(2026, 1, 1, tzinfo=timezone.utc), "plan": "PREMIUM"},
        {"plan": object()},
        {"nested": {"deep": [1, {"plan": "PREMIUM"}]}, "roles": ("ADMIN",)},
    ],
)
def test_a_targeting_key_apart_is_one_among_the_attributes(attributes: Mapping[str, Any], targeting_key: str | None) -> None:
    flags = Flags()
    flags.publish(json.dumps([*ROWS, {"name": "half", "enabled": True, "rollout_percentage": 50}]))
    merged = {**attributes} if targeting_key is None else {**attributes, "targetingKey": targeting_key}
    for key in [*flags.keys(), "nowhere"]:
        answer = flags.resolve(key, merged)
        expected = (answer.value, answer.variant, answer.reason, answer.error_code)
        assert flags._details(key, attributes, targeting_key) == (*expected, None)
    with flags.override({"premium": {"value": "chosen"}}):
        assert flags._details("premium", attributes, targeting_key)[0] == "chosen"
