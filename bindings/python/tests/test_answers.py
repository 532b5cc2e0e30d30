"""What a host must answer: section 12 of SEMANTICS.md, and the answers beside the vectors."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from esclusa import Context, Explanation, Flags, Resolution, Step

FLAGS = [
    {"name": "on", "enabled": True},
    {"name": "off", "enabled": False},
    {"name": "premium", "enabled": True, "target_plans": ["PREMIUM"]},
    {"name": "half", "enabled": True, "rollout_percentage": 50, "off_value": "half off"},
    {"name": "broken", "enabled": True, "rollout_percentage": 150, "off_value": "broken off"},
    {"name": "layout", "enabled": True, "variants": [{"key": "b", "value": {"columns": [1, 2.5, "x", None, True]}}]},
    {"name": "window", "enabled": True, "start_date": "2025-01-01T00:00:00.500Z"},
    {"name": "null", "enabled": True, "variants": [{"key": "none"}]},
]


@pytest.fixture
def flags() -> Flags:
    flags = Flags()
    flags.publish(json.dumps({"esclusa": 1, "revision": 7, "generated_at": "2025-06-15T12:00:00.25Z", "flags": FLAGS}))
    return flags


class Unreadable(Mapping[str, object]):
    """A mapping whose reading fails."""

    def __init__(self, problem: BaseException) -> None:
        self.problem = problem

    def __getitem__(self, name: str) -> object:
        raise self.problem

    def __iter__(self) -> Iterator[str]:
        yield "user"

    def __len__(self) -> int:
        return 1


def nested(depth: int) -> dict[str, Any]:
    """A context that is nested so deep, itself counted."""
    plain: dict[str, Any] = {"leaf": True}
    for _ in range(depth - 1):
        plain = {"x": plain}
    return plain


def cyclic_dict() -> dict[str, Any]:
    plain: dict[str, Any] = {"user": "u"}
    plain["again"] = plain
    return plain


def cyclic_list() -> dict[str, Any]:
    elements: list[Any] = []
    elements.append(elements)
    return {"user": "u", "elements": elements}


WRONG: dict[str, Callable[[], Any]] = {
    "a string": lambda: "user-42",
    "bytes": lambda: b"user-42",
    "a number": lambda: 42,
    "true": lambda: True,
    "a list of pairs": lambda: [("user", "user-42")],
    "a class": lambda: Context,
    "a mapping that cannot be read": lambda: Unreadable(RuntimeError("no")),
    "a value that cannot be read": lambda: {"user": "u", "x": Unreadable(KeyError("no"))},
    "a dict inside itself": cyclic_dict,
    "a list inside itself": cyclic_list,
    "101 deep": lambda: nested(101),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_context_of_the_wrong_shape_has_no_answer(flags: Flags, wrong: Callable[[], Any]) -> None:
    context = wrong()
    assert flags.is_enabled("on", context) is False
    assert flags.is_enabled("on", context, True) is True
    assert flags.value("on", context) is None
    assert flags.value("on", context, "mine") == "mine"
    assert flags.variant("layout", context) is None
    assert flags.variant("layout", context, "mine") == "mine"
    none = Resolution(enabled=False, value=None, reason="ERROR", error_code="INVALID_CONTEXT")
    assert flags.resolve("on", context) == none
    assert flags.resolve_all(context) == {flag["name"]: none for flag in FLAGS}
    assert flags.project(context) == {}
    explanation = flags.explain("on", context)
    assert explanation.resolution == none
    assert explanation.first_no is not None
    assert "context" in str(explanation) or "no" in str(explanation)
    # What the key lacks is said first.
    assert flags.resolve("missing", context).error_code == "FLAG_NOT_FOUND"
    assert Flags().resolve("on", context).error_code == "PROVIDER_NOT_READY"
    with pytest.raises((TypeError, ValueError, RuntimeError, KeyError)):
        Context.from_mapping(context)


def test_an_interrupt_is_no_wrong_context(flags: Flags) -> None:
    for ask in (flags.is_enabled, flags.value, flags.variant, flags.resolve, flags.explain):
        with pytest.raises(KeyboardInterrupt):
            ask("on", Unreadable(KeyboardInterrupt()))


def test_one_hundred_deep_is_a_context(flags: Flags) -> None:
    assert flags.is_enabled("on", nested(100))
    assert flags.is_enabled("on", Context.from_mapping(nested(100)))
    assert flags.is_enabled("on", ChainMap(nested(100)))


@pytest.mark.parametrize("key", ["missing", "", "on\x00", "\ud800", 42, None, b"on", ["on"], object()])
def test_an_unknown_key_has_no_answer(flags: Flags, key: Any) -> None:
    assert flags.is_enabled(key) is False
    assert flags.is_enabled(key, None, True) is True
    assert flags.is_enabled(key, default=True) is True
    assert flags.value(key, default="mine") == "mine"
    assert flags.variant(key, default="mine") == "mine"
    none = Resolution(enabled=False, value=None, reason="ERROR", error_code="FLAG_NOT_FOUND")
    assert flags.resolve(key) == none
    assert flags.explain(key).resolution == none
    assert key not in flags
    assert flags.project(keys=[key, "on"]) == {"on": {"enabled": True, "value": True}}


def test_keys_that_are_asked_for_often() -> None:
    """The native half remembers such keys by their objects; the answers are those of their texts, before and after."""
    flags, other, keys = Flags(), Flags(), [f"flag-{at}" for at in range(300)]
    for turn in range(6):
        on = {key for at, key in enumerate(keys) if (at + turn) % 3 == 0}
        flags.publish(json.dumps([{"name": key, "enabled": key in on} for key in keys if len(key) + turn != 10]))
        other.publish(json.dumps([{"name": key, "enabled": key not in on} for key in keys]))
        there = set(flags.keys())
        for _ in range(70):
            for key in keys[turn:250] if turn % 2 else keys:
                assert flags.is_enabled(key) is (key in on & there)
            assert flags.is_enabled(keys[7]) is (keys[7] in on & there)
        for key in keys[:5]:
            for _ in range(70):
                assert flags.is_enabled(key) is (key in on & there)
                assert other.is_enabled(key) is (key not in on)
                assert flags.is_enabled("".join(key)) is flags.is_enabled(key + "") is flags.is_enabled(f"{key}")
        for at in range(2000):
            assert flags.is_enabled(f"flag-{at % 300}") is (f"flag-{at % 300}" in on & there)


def test_before_anything_is_published(flags: Flags) -> None:
    flags = Flags()
    assert flags.is_enabled("on") is False
    assert flags.is_enabled("on", {"user": "u"}, default=True) is True
    assert flags.value("on") is None
    assert flags.value("on", default=3) == 3
    assert flags.variant("on", default="a") == "a"
    assert flags.resolve("on") == Resolution(
        enabled=False, value=None, variant=None, reason="ERROR", error_code="PROVIDER_NOT_READY"
    )
    assert flags.resolve_all() == {}
    assert flags.project() == {}
    assert flags.explain("on").resolution.error_code == "PROVIDER_NOT_READY"
    assert (flags.keys(), flags.revision, flags.generated_at, len(flags)) == ([], None, None, 0)
    assert (flags.is_ready, flags.violations, "on" in flags) == (False, (), False)
    assert bool(flags)


def test_what_is_published(flags: Flags) -> None:
    assert flags.keys() == [flag["name"] for flag in FLAGS]
    assert (flags.revision, len(flags), flags.is_ready) == (7, len(FLAGS), True)
    assert flags.generated_at == datetime(2025, 6, 15, 12, 0, 0, 250_000, timezone.utc)
    assert "on" in flags and "broken" in flags
    assert [violation.place for violation in flags.violations] == ["/flags/4/rollout_percentage"]
    assert repr(flags) == "<Flags revision=7 len=8>"


def test_other_errors_are_answers_and_the_default_lets_nobody_in(flags: Flags) -> None:
    for key, code in (("half", "TARGETING_KEY_MISSING"), ("broken", "PARSE_ERROR")):
        assert flags.resolve(key) == Resolution(
            enabled=False, value=f"{key} off", reason="ERROR", error_code=code  # type: ignore[arg-type]
        )
        assert flags.is_enabled(key, default=True) is False
        assert flags.value(key, default="mine") == f"{key} off"
        assert flags.variant(key, default="mine") is None
        assert flags.project()[key] == {"enabled": False, "value": f"{key} off"}


def test_answers(flags: Flags) -> None:
    context = Context("user-42", plan="PREMIUM")
    assert flags.is_enabled("premium", context) is True
    assert flags.is_enabled(key="premium", context={"plan": "FREE"}, default=True) is False
    assert flags.value("layout") == {"columns": [1, 2.5, "x", None, True]}
    assert [type(one) for one in flags.value("layout")["columns"]] == [int, float, str, type(None), bool]
    assert flags.variant("layout") == "b"
    assert flags.variant("on", default="mine") is None
    assert flags.value("null", default="mine") is None
    assert flags.resolve("premium", context).reason == "TARGETING_MATCH"
    assert flags.resolve("on").reason == "STATIC"
    assert flags.resolve("off").reason == "DISABLED"
    assert flags.project(context, ["premium", "layout", "missing", "premium"]) == {
        "layout": {"enabled": True, "value": {"columns": [1, 2.5, "x", None, True]}, "variant": "b"},
        "premium": {"enabled": True, "value": True},
    }
    assert flags.project(context, iter(["on"])) == {"on": {"enabled": True, "value": True}}
    assert set(flags.project(context)) == {flag["name"] for flag in FLAGS}


def test_a_served_value_is_the_callers_own(flags: Flags) -> None:
    flags.value("layout")["columns"].clear()
    flags.resolve("layout").value["columns"].clear()
    assert flags.value("layout") == {"columns": [1, 2.5, "x", None, True]}


def test_one_string_is_no_list_of_keys(flags: Flags) -> None:
    with pytest.raises(TypeError, match="one string"):
        flags.project(None, "on")


def test_a_client_snapshot() -> None:
    server, browser = Flags(), Flags()
    rows = [
        {"name": "open", "enabled": True, "client": True, "target_plans": ["PREMIUM"], "description": "secret"},
        {"name": "decided", "enabled": True, "client": True, "target_companies": ["acme", "secret"]},
        {"name": "served", "enabled": True, "client": True, "prerequisites": [{"flag": "open", "on": True}]},
        {"name": "hidden", "enabled": True},
    ]
    server.publish(json.dumps({"esclusa": 1, "revision": 7, "flags": rows}))
    context = Context("user-42", company="acme", plan="PREMIUM")
    text = server.client_snapshot(context)
    assert "secret" not in text and "hidden" not in text
    browser.publish(text, strict=True)
    assert (browser.revision, browser.keys()) == (7, ["open", "decided", "served"])
    assert browser.project(context) == server.project(context, ["open", "decided", "served"])
    browser.publish(server.client_snapshot({"company": "globex"}, ["decided", "missing"]), strict=True)
    assert browser.project() == {"decided": {"enabled": False, "value": False}}
    wrong: Any = 5
    assert json.loads(server.client_snapshot(wrong))["flags"] == []
    with pytest.raises(TypeError):
        server.client_snapshot(context, "open")


def test_explaining(flags: Flags) -> None:
    explanation = flags.explain("premium", Context("user-42", plan="FREE"))
    assert isinstance(explanation, Explanation)
    assert explanation.resolution == flags.resolve("premium", Context("user-42", plan="FREE"))
    assert explanation.first_no == "the plan FREE is not among the targets (PREMIUM)"
    details = {"target": "plan", "value": "FREE", "targets": ["PREMIUM"], "more": 0}
    assert explanation.steps == (Step("target", "target", "no", explanation.first_no, details=details),)
    assert explanation.first_no_code == "target"
    assert str(explanation).startswith("`premium` is OFF for user-42")
    rolled = flags.explain("half", {"user": "user-42"}).steps[-1]
    assert rolled.step == "rollout"
    assert rolled.details is not None and isinstance(rolled.details["bucket"], int)
    plain = flags.explain("half", {"user": "user-42"}).to_dict()
    assert plain["path"][-1]["step"] == "rollout"
    assert json.loads(json.dumps(plain)) == plain


START = datetime(2025, 1, 1, 0, 0, 0, 500_000, timezone.utc)


@pytest.mark.parametrize(
    ("now", "enabled"),
    [
        (START, True),
        (START - timedelta(microseconds=1), False),
        (START + timedelta(microseconds=1), True),
        (START.astimezone(timezone(timedelta(hours=-5))), True),
        (START.timestamp() * 1000, True),
        (START.timestamp() * 1000 - 0.25, False),
        (int(START.timestamp() * 1000), True),
        (int(START.timestamp() * 1000) - 1, False),
        (-1, False),
        (datetime.max.replace(tzinfo=timezone.utc), True),
        (datetime.min.replace(tzinfo=timezone.utc), False),
        (None, True),
    ],
)
def test_the_time_of_asking(flags: Flags, now: datetime | float | None, enabled: bool) -> None:
    assert flags.resolve("window", None, now).enabled is enabled
    assert flags.resolve("window", now=now).enabled is enabled
    assert flags.resolve_all(now=now)["window"].enabled is enabled
    assert flags.explain("window", now=now).resolution.enabled is enabled
    assert flags.project(now=now)["window"]["enabled"] is enabled


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (datetime(2025, 1, 1), ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        (1e300, ValueError),
        (10**30, ValueError),
        (True, TypeError),
        ("2025-01-01T00:00:00Z", TypeError),
        (START.date(), TypeError),
        (object(), TypeError),
    ],
)
def test_a_bad_time_of_asking_raises(flags: Flags, now: Any, problem: type[Exception]) -> None:
    for ask in (
        lambda: flags.resolve("on", now=now),
        lambda: flags.resolve_all(now=now),
        lambda: flags.explain("on", now=now),
        lambda: flags.project(now=now),
    ):
        with pytest.raises(problem, match="now|time zone"):
            ask()


@pytest.mark.parametrize("key", ["on", "half", "broken", "layout", "nowhere"])
def test_resolutions_are_pickled_and_copied(flags: Flags, key: str) -> None:
    resolution = flags.resolve(key, {"user": "user-42"})
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(resolution, protocol)) == resolution
    assert copy.copy(resolution) == copy.deepcopy(resolution) == resolution


def test_a_deep_copy_has_a_value_of_its_own(flags: Flags) -> None:
    resolution = flags.resolve("layout")
    copied = copy.deepcopy(resolution)
    copied.value["columns"].append(4)
    assert resolution.value == {"columns": [1, 2.5, "x", None, True]}
