"""Values that JSON does not have and that plainly mean one, and what is left: sentences 3.10 and 12.5 of SEMANTICS.md."""

from __future__ import annotations

import enum
import itertools
import json
import logging
import operator
from collections import UserDict, UserString, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import bson
import numpy
import pydantic
import pytest
from esclusa import Context, Flags


class Company(enum.Enum):
    ACME = "acme"
    SEVEN = 7


class Roles:
    """What Django's QuerySet is: something that can be gone through again and again."""

    def __iter__(self) -> Iterator[str]:
        return iter(["AGENT", "ADMIN"])


class Lazy:
    """A text that is not there yet: it has the methods of `str` on its class, as Django's lazy translations do."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    encode, startswith, casefold = str.encode, str.startswith, str.casefold


class Number:
    def __index__(self) -> int:
        return 7


class Half:
    def __float__(self) -> float:
        return 0.5


@dataclass
class Device:
    os: str
    year: int


class Account(pydantic.BaseModel):
    plan: str
    opened: date


class Tenant:
    """An object of the app's own that is no id."""


class Id:
    """An id of its own class, as those of MongoDB and ULIDs are: all that it has is a text."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CompanyId:
    value: str

    def __str__(self) -> str:
        return self.value


class Ulid(Id):
    """A number too, and too large for one."""

    def __index__(self) -> int:
        return 2**100

    def __float__(self) -> float:
        return 2.0**100


class Ids(Id):
    """A collection, whose text is for people."""

    def __iter__(self) -> Iterator[str]:
        return iter([self.value])


class Model(Id):
    """A row of Django, whose text is for people."""

    pk = 7


class Proxy:
    """What Django's lazy objects and Werkzeug's locals are: all methods, and the class of what it stands for."""

    def __init__(self, behind: object) -> None:
        self.behind = behind

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.behind)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.behind)  # type: ignore[call-overload, no-any-return]

    def __index__(self) -> int:
        return operator.index(self.behind)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return str(self.behind)


class NotATime(datetime):
    """As pandas' NaT."""

    def utcoffset(self) -> Any:
        raise ValueError("it has none")


class NearlyNothing:
    """Its text says where it lies in memory."""

    def __str__(self) -> str:
        return super().__str__()


def read(**fields: Any) -> dict[str, Any]:
    """The same from every way of giving a context."""
    one = Context.from_mapping(fields).to_dict()
    assert one == Context.from_mapping(UserDict(fields)).to_dict()
    return one


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (Company.ACME, "acme"),
        (Company.SEVEN, 7),
        ([Company.ACME, {"deep": Company.SEVEN}], ["acme", {"deep": 7}]),
        (Number(), 7),
        (Half(), 0.5),
        (numpy.int64(6012345678901234567), 6012345678901234567),
        (numpy.uint8(7), 7),
        (numpy.float32(0.5), 0.5),
        (numpy.float64(0.5), 0.5),
        (numpy.longdouble(0.5), 0.5),
        (numpy.bool_(True), True),
        (numpy.str_("x"), "x"),
        (numpy.array(7), 7),
        (numpy.array([1, 2]), [1, 2]),
        (numpy.array([[1.5], [2.5]]), [[1.5], [2.5]]),
        (numpy.array(["a", "b"]), ["a", "b"]),
        (numpy.datetime64("2025-01-02T03:04:05"), "2025-01-02T03:04:05"),
        (numpy.datetime64("2025-01-02T03:04:05.000000007"), "2025-01-02T03:04:05.000000007"),
        (numpy.datetime64("2025-01-02"), "2025-01-02"),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 3, 4), "2025-01-02T03:04:00"),
        (Decimal("6012345678901234567"), 6012345678901234567),
        (Decimal("7.50"), 7.5),
        (deque(["a", "b"]), ["a", "b"]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        (range(3), [0, 1, 2]),
        (Roles(), ["AGENT", "ADMIN"]),
        (Lazy("Bogotá"), "Bogotá"),
        (UserString("x"), "x"),
        (Proxy("x"), "x"),
        (Proxy(7), 7),
        (Proxy(["x"]), ["x"]),
        (Device("ios", 2025), {"os": "ios", "year": 2025}),
        (Account(plan="PRO", opened=date(2025, 1, 2)), {"plan": "PRO", "opened": "2025-01-02"}),
    ],
    ids=repr,
)
def test_what_plainly_means_a_value_is_that_value(value: object, meant: object) -> None:
    assert read(x=value) == {"x": meant}


def test_a_generator_is_a_list_once() -> None:
    assert Context(roles=(role for role in ["AGENT", "ADMIN"])).to_dict() == {"roles": ["AGENT", "ADMIN"]}
    assert Context(x=map(str, [1, 2])).to_dict() == {"x": ["1", "2"]}


def test_a_list_without_an_end_cannot_be_read() -> None:
    flags = Flags()
    flags.publish('[{"name": "on", "enabled": true}]')
    assert flags.resolve("on", {"x": itertools.count()}).error_code == "INVALID_CONTEXT"


def asked(*overrides: tuple[str, object], **fields: Any) -> bool:
    """Whether a flag with these `overrides.off` is on, in every way of asking."""
    flags = Flags()
    flags.publish(json.dumps([{"name": "f", "enabled": True, "overrides": {"off": dict(overrides)}}]), strict=True)
    forms: list[Any] = [fields, UserDict(fields), Context.from_mapping(fields), Context(**fields)]
    forms.append(Context.from_mapping(Context.from_mapping(fields).to_dict()))
    answers = {flags.is_enabled("f", form) for form in forms} | {flags.resolve("f", form).enabled for form in forms}
    assert len(answers) == 1
    return answers.pop()


COMPANIES = ("companies", ["acme", "7"])


@pytest.mark.parametrize("company", [Company.ACME, Company.SEVEN, numpy.int64(7), Number(), 7, "acme", Decimal(7), Id("acme"), CompanyId("acme"), Ulid("acme")], ids=repr)
def test_whatever_the_type_of_an_id_a_deny_list_holds(company: object) -> None:
    assert not asked(COMPANIES, company=company)
    assert not asked(("users", ["acme", 7]), user=company)


@pytest.mark.parametrize("company", [Tenant(), object(), Proxy(Tenant()), NotATime(2025, 1, 1), Ids("x"), Model("x"), NearlyNothing(), ValueError("x"), Decimal("7.5"), timedelta, ["acme"], {"id": 7}, True, 7.5, float("nan"), b"acme", Tenant, Device("a", 1), numpy.array([7])], ids=repr)
def test_an_id_that_cannot_be_read_is_let_past_no_deny_list(company: object) -> None:
    assert not asked(COMPANIES, company=company)
    assert asked(COMPANIES, user=company), "only where the field is asked for"
    assert not asked(("users", ["u"]), user=company)
    assert not asked(("users", ["u"]), targetingKey=company)
    assert asked(("users", ["u"]), user=company, targetingKey="v")
    assert asked(("companies", []), company=company)
    assert asked(COMPANIES, company=None)


def test_the_ids_of_mongodb_are_ids() -> None:
    one = bson.ObjectId("507f1f77bcf86cd799439011")
    assert Context(one, company=one).to_dict() == {"user": str(one), "company": str(one)}  # type: ignore[arg-type]
    assert not asked(("users", [str(one)]), user=one) and asked(("users", ["u"]), user=one)


@pytest.mark.parametrize("kind", [Id, CompanyId, Ulid])
def test_an_id_by_its_own_text_is_read_where_an_id_is_wanted(kind: Any) -> None:
    assert read(user=kind("u"), company=kind("c"), plan=kind("p")) == {"user": "u", "company": "c", "plan": "p"}
    assert Context(kind("u")).targeting_key == "u"
    assert asked(COMPANIES, company=kind("other")) and not asked(("users", ["u"]), user=kind("u"))


def test_explain_says_what_the_field_holds() -> None:
    flags = Flags()
    flags.publish('[{"name": "f", "enabled": true, "overrides": {"off": {"companies": ["acme"]}}}]')
    for context in ({"company": Tenant()}, Context(company=Tenant())):  # type: ignore[arg-type]
        assert "the company is a `Tenant`, which is no text" in str(flags.explain("f", context))


def test_what_is_left_is_warned_of_once_for_each_name_and_class(caplog: pytest.LogCaptureFixture) -> None:
    class Once:
        pass

    flags = Flags()
    flags.publish('[{"name": "f", "enabled": true}]')
    with caplog.at_level(logging.WARNING, logger="esclusa"):
        for _ in range(3):
            flags.is_enabled("f", {"company": Once(), "x": [Once()]})
            Context("u", company=Once(), x=Once())  # type: ignore[arg-type]
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "context: `company` is a `Once`, which is no text: it counts as missing, and a flag with `overrides.off` for it is off",
        "context: `x` is a `Once`, which is inside and is no value of JSON: it counts as missing there",
    ]


def test_what_is_fine_is_warned_of_not_at_all(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="esclusa"):
        Context(7, company=None, plan=Company.ACME, roles=Roles(), seats=7.5, tags=[None, "x"], at=date(2025, 1, 2))
    assert not caplog.records


def test_a_mapping_is_no_targeting_key() -> None:
    for mapping in ({"user": "u"}, UserDict({"user": "u"})):
        with pytest.raises(TypeError, match="Context.from_mapping reads the fields of a mapping"):
            Context(mapping)  # type: ignore[arg-type]
