"""What Python's values are as a context: sentences 12.4 to 12.6 of SEMANTICS.md, read in place and copied alike."""

from __future__ import annotations

import copy
import enum
import json
import math
import pickle
from collections import ChainMap, OrderedDict, UserDict
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import esclusa
import pytest
from esclusa import Context, Flags


class Plan(str, enum.Enum):
    PREMIUM = "PREMIUM"


class Seats(enum.IntEnum):
    TWELVE = 12


class Identity(UUID):
    """A UUID of another class, as database drivers have."""

    def __str__(self) -> str:
        return "own " + super().__str__()


class Text(str):
    """A string of another class."""


def matches(condition: dict[str, Any], plain: Mapping[Any, object]) -> set[str]:
    """Whether a condition holds, for the same caller in every form; all forms must agree."""
    flags = Flags()
    rows = [
        {"name": name, "enabled": True, "rules": [{"key": "r", "when": when}]}
        for name, when in (("true", condition), ("false", {"not": condition}))
    ]
    flags.publish(json.dumps(rows), strict=True)
    forms: list[Any] = [plain, ChainMap(dict(plain)), Context.from_mapping(plain), pickle.loads(pickle.dumps(Context.from_mapping(plain)))]
    if isinstance(plain, dict):
        forms += [MappingProxyType(plain), OrderedDict(plain)]
        if all(isinstance(name, str) for name in plain) and "targeting_key" not in plain:
            forms.append(Context(**plain))
    answers = [{name for name in ("true", "false") if flags.is_enabled(name, form)} for form in forms]
    answers += [{name for name in ("true", "false") if flags.resolve(name, form).enabled} for form in forms]
    assert all(answer == answers[0] for answer in answers), list(zip(answers, forms + forms))
    return answers[0]


TRUE, FALSE, UNKNOWN = {"true"}, {"false"}, set[str]()


def is_in(*values: str, attribute: str = "x") -> dict[str, Any]:
    return {"attribute": attribute, "op": "in", "values": list(values)}


def compared(op: str, value: object) -> dict[str, Any]:
    return {"attribute": "x", "op": op, "value": value}


PRESENT = {"attribute": "x", "op": "present"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", "é"),
        ("\U0001f600", "\U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        (Text("sub"), "sub"),
        (Plan.PREMIUM, "PREMIUM"),
        (datetime(2025, 1, 2, 3, 4, 5, 678_999, timezone.utc), "2025-01-02T03:04:05.678Z"),
        (datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-5))), "2025-01-02T08:04:05.000Z"),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, timezone.utc), "1969-12-31T23:59:59.999Z"),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 3, 4), "2025-01-02T03:04:00"),
        (datetime(2025, 1, 2, 3, 4, 5, 678_999), "2025-01-02T03:04:05.678999"),
        (["no", "yes"], "yes"),
        (("no", "yes"), "yes"),
        ([None, 5, "yes"], "yes"),
        (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (UUID("01234567-89AB-CDEF-fedc-ba9876543210"), "01234567-89ab-cdef-fedc-ba9876543210"),
        (UUID(int=2**128 - 1), "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        (Identity(int=7), "own 00000000-0000-0000-0000-000000000007"),
        (["no", UUID(int=7)], "00000000-0000-0000-0000-000000000007"),
        ({"no", "yes"}, "yes"),
        (frozenset({None, 5, b"bytes", "yes"}), "yes"),
        ({UUID(int=7), "no"}, "00000000-0000-0000-0000-000000000007"),
    ],
)
def test_texts(value: object, text: str) -> None:
    assert matches(is_in(text), {"x": value}) == TRUE
    assert matches(is_in(text), {"x": value, "time": datetime.now(timezone.utc)}) == TRUE


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (12, 12),
        (Seats.TWELVE, 12),
        (12.0, 12),
        (-0.0, 0),
        (0.1, 0.1),
        (2**53 - 1, 2**53 - 1),
        (2**53 + 1, 2**53),
        (2**63, 2**63),
        (-(2**63) - 1, -(2**63)),
        (10**300, 1e300),
        (5e-324, 5e-324),
        (Decimal(12), 12),
        (Decimal("12.00"), 12),
        (Decimal("0.1"), 0.1),
        (Decimal("-0"), 0),
        (Decimal("1e300"), 1e300),
        (Decimal(2**53 + 1), 2**53),
    ],
)
def test_numbers(value: object, number: float) -> None:
    assert matches(compared("eq", number), {"x": value}) == TRUE
    assert matches(compared("lt", number), {"x": value}) == FALSE


@pytest.mark.parametrize(
    "value",
    [
        None,
        math.nan,
        math.inf,
        -math.inf,
        10**400,
        b"bytes",
        bytearray(b"bytes"),
        object(),
        len,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1e400"),
        1j,
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
        lambda: "x",
        timedelta(1),
    ],
    ids=repr,
)
def test_what_json_does_not_have_is_missing(value: object) -> None:
    assert matches(PRESENT, {"x": value}) == FALSE
    assert matches(is_in("x"), {"x": value}) == UNKNOWN
    assert matches(is_in("yes"), {"x": [value, "yes"]}) == TRUE


@pytest.mark.parametrize(("value", "truth"), [(date(2025, 1, 2), FALSE), (date(2025, 1, 1), TRUE), (datetime(2025, 1, 1, 23, 59), TRUE), (datetime(2025, 1, 2), FALSE)])
def test_dates_and_naive_datetimes_are_in_utc(value: object, truth: object) -> None:
    assert matches({"attribute": "x", "op": "before", "value": "2025-01-02T00:00:00Z"}, {"x": value}) == truth


def test_booleans_are_no_numbers() -> None:
    assert matches(compared("is", True), {"x": True}) == TRUE
    assert matches(compared("eq", 1), {"x": True}) == UNKNOWN


def test_objects() -> None:
    for inner in ({"y": "deep"}, UserDict({"y": "deep"}), MappingProxyType({"y": "deep"}), OrderedDict(y="deep")):
        assert matches(is_in("deep", attribute="x.y"), {"x": inner}) == TRUE
    assert matches(is_in("own", attribute="x.y"), {"x": {"y": "deep"}, "x.y": "own"}) == TRUE
    assert matches(PRESENT, {"x": {}}) == TRUE
    assert matches(PRESENT, {"x": []}) == TRUE


def test_names_that_are_no_strings_are_no_names() -> None:
    assert matches(PRESENT, {1: "x", None: "x", "x": 1}) == TRUE
    assert matches({"attribute": "1", "op": "present"}, {1: "x"}) == FALSE
    assert matches(PRESENT, {Text("x"): 1}) == TRUE
    assert matches({"attribute": "\ufffd", "op": "present"}, {"\ud800": 1}) == TRUE


@pytest.mark.parametrize(
    ("plain", "user"),
    [
        ({"user": "a"}, "a"),
        ({"targetingKey": "b"}, "b"),
        ({"user": "a", "targetingKey": "b"}, "b"),
        ({"targetingKey": "b", "user": "a"}, "b"),
        ({"targetingKey": None, "user": "a"}, "a"),
        ({"targetingKey": ["b"], "user": "a"}, "a"),
        ({"targetingKey": 2.5, "user": "a"}, "a"),
        ({"targetingKey": 7, "user": "a"}, "7"),
        ({"targetingKey": "b", "user": 7}, "b"),
        ({"user": 7}, "7"),
        ({"user": 7.0}, "7"),
        ({"user": 2**53}, "9007199254740992"),
        ({"user": 6012345678901234567}, "6012345678901234567"),
        ({"user": -(2**63)}, "-9223372036854775808"),
        ({"user": 2**63}, None),
        ({"user": float(2**53)}, None),
        ({"user": True}, None),
        ({"user": UUID(int=7)}, "00000000-0000-0000-0000-000000000007"),
        ({"user": Identity(int=7)}, "own 00000000-0000-0000-0000-000000000007"),
        ({"targetingKey": UUID(int=7), "user": "a"}, "00000000-0000-0000-0000-000000000007"),
        ({"user": Decimal(7)}, "7"),
        ({"user": {"a"}}, None),
        ({"user": ""}, ""),
        ({}, None),
    ],
)
def test_the_targeting_key(plain: dict[str, Any], user: str | None) -> None:
    assert Context.from_mapping(plain).targeting_key == user
    assert matches({"attribute": "user", "op": "present"}, plain) == (FALSE if user is None else TRUE)
    if user is not None:
        assert matches(is_in(user, attribute="user"), plain) == TRUE


@pytest.mark.parametrize(
    "plain",
    [
        {"role": "ADMIN"},
        {"roles": "ADMIN"},
        {"roles": ["ADMIN"]},
        {"roles": ("AGENT", "ADMIN")},
        {"role": "AGENT", "roles": ["ADMIN"]},
        {"roles": ["AGENT"], "role": ["ADMIN"]},
        {"role": "ADMIN", "roles": []},
        {"roles": [None, {}, "ADMIN"]},
        {"roles": {"ADMIN"}},
        {"roles": frozenset({"AGENT", "ADMIN"})},
        {"role": {"ADMIN", None, 5}},
    ],
)
def test_roles(plain: dict[str, Any]) -> None:
    for name in ("role", "roles"):
        assert matches(is_in("ADMIN", attribute=name), plain) == TRUE
        assert matches(is_in("OWNER", attribute=name), plain) == FALSE


def test_numbers_are_usable_texts_of_the_fixed_fields() -> None:
    for name in ("company", "plan", "region", "role", "roles"):
        assert matches(is_in("12", attribute=name), {name: 12}) == TRUE
        assert matches({"attribute": name, "op": "present"}, {name: 1.5}) == FALSE


def test_a_set_has_its_texts_in_order() -> None:
    texts = [f"role-{number:03}" for number in range(100)]
    assert Context(roles=set(texts), numbers={3, 1, 2}, none=set()).to_dict() == {
        "roles": texts,
        "numbers": [1, 2, 3],
        "none": [],
    }
    assert matches({"attribute": "roles", "op": "present"}, {"roles": frozenset()}) == TRUE


def test_one_list_in_many_places_is_counted_in_each() -> None:
    def places(levels: int) -> list[object]:
        nested: list[object] = [1]
        for _ in range(levels):
            nested = [nested, nested]
        return nested

    assert matches(PRESENT, {"x": places(10)}) == TRUE
    with pytest.raises(ValueError, match="more than 1000000 values"):
        Context(x=places(30))
    with pytest.raises(ValueError, match="more than 1000000 values"):
        Context.from_mapping({f"x{at}": places(16) for at in range(40)})
    flags = Flags()
    flags.publish([{"name": "on", "enabled": True}])
    assert flags.resolve("on", {"x": places(30)}).error_code == "INVALID_CONTEXT"
    assert flags.resolve("on", {"x": places(10)}).value is True


def test_a_set_is_counted_among_what_is_nested() -> None:
    nested: object = "deep"
    for _ in range(98):
        nested = frozenset({nested})
    assert matches(PRESENT, {"x": [nested]}) == TRUE
    with pytest.raises(ValueError, match="nested too deep"):
        Context(x=[[nested]])


def test_a_uuid_without_a_number_is_an_object_that_cannot_be_read() -> None:
    flags = Flags()
    flags.publish('[{"name": "on", "enabled": true}]')
    assert flags.is_enabled("on", {"user": UUID(int=7)})
    hollow, strange = UUID.__new__(UUID), UUID(int=7)
    object.__setattr__(strange, "int", "seven")
    for broken in (hollow, strange):
        assert flags.is_enabled("on", {"user": broken}) is False
        assert flags.resolve("on", {"user": broken}).error_code == "INVALID_CONTEXT"


def test_a_context_is_a_copy() -> None:
    plain: dict[str, Any] = {"user": "a", "seats": {"count": [1]}}
    context = Context.from_mapping(plain)
    plain["seats"]["count"].append(2)
    plain["user"] = "b"
    context.to_dict()["seats"]["count"].append(3)
    assert context.to_dict() == {"user": "a", "seats": {"count": [1]}}
    with pytest.raises(AttributeError):
        context.targeting_key = "b"  # type: ignore[misc]


def test_a_context_as_a_value() -> None:
    one = Context("a", company="acme", roles=["ADMIN"], seats=12, nothing=None)
    assert one == Context.from_mapping({"seats": 12, "roles": ["ADMIN"], "company": "acme", "user": "a"})
    assert one != Context("a")
    assert one != {"user": "a"}
    assert one.to_dict() == {"user": "a", "company": "acme", "roles": ["ADMIN"], "seats": 12}
    assert eval(repr(one), {"Context": Context}) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.deepcopy(one) == one
    with pytest.raises(TypeError):
        hash(one)


def test_giving_the_targeting_key_twice() -> None:
    assert Context(user="a").targeting_key == "a"
    assert Context(None, user="a").targeting_key == "a"
    assert Context(user="a", targetingKey="b").targeting_key == "b"
    others: list[dict[str, Any]] = [{"user": "b"}, {"targetingKey": "b"}, {"user": "b", "targetingKey": "c"}, {"targetingKey": 7}, {"user": None}]
    for named in others:
        context = Context("a", **named)
        assert context.targeting_key == "a"
        assert Context.from_mapping(context.to_dict()) == context == pickle.loads(pickle.dumps(context))
        assert Context.from_mapping(context.to_dict()).targeting_key == "a"
    assert Context(7, user="b", targetingKey="c").targeting_key == "7"
    # What is no usable text counts as missing, here as elsewhere.
    assert Context(True, user="b").targeting_key == "b"
    with pytest.raises(TypeError):
        Context("a", "acme")  # type: ignore[call-arg]


def test_reading_may_change_the_mapping() -> None:
    """A value whose reading runs code that changes the dict around it."""
    plain: dict[str, Any] = {}

    class Growing(UserDict[str, object]):
        def items(self) -> Any:
            plain.clear()
            plain.update({str(number): number for number in range(1000)})
            return {"y": "deep"}.items()

    flags = Flags()
    flags.publish('[{"name": "on", "enabled": true, "target_users": ["a"]}]')
    for read in (flags.is_enabled, flags.resolve, lambda key, context: Context.from_mapping(context)):
        ask: Callable[[str, Any], object] = read
        plain.clear()
        plain.update({"user": "a", "growing": Growing(), "after": 1})
        assert ask("on", plain)


def test_tools_for_porting() -> None:
    assert esclusa.hash("") == 0x2D06800538D394C2
    assert esclusa.bucket("user-42", "crm_advanced_features") == 85_510
    assert esclusa.ranges([1, 1, 1]) == [(0, 33_334), (33_334, 66_667), (66_667, 100_000)]
    assert esclusa.ranges([]) == []
    for wrong in ([-1], [2**64], ["1"], 5):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            esclusa.ranges(wrong)  # type: ignore[arg-type]
