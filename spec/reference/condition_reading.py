"""Conditions: sections 4 and 5 as far as they say what an author may write, and 2.3.4."""

import expressions
import forms
from forms import Fields
from places import (
    MAX_STRINGS,
    check_fields,
    check_twice,
    inside,
    optional,
    read_boolean,
    read_list,
    read_object,
    read_percentage,
    read_string,
    read_strings,
    read_text,
    read_time,
    required,
    violate,
)

MAX_DEPTH = 100
MAX_PARTS = 100_000

KINDS = ("all", "any", "not", "segment", "percentage", "attribute")
TEXT_OPERATORS = ("in", "contains", "starts_with", "ends_with")
NUMBER_OPERATORS = ("eq", "lt", "le", "gt", "ge")
TIME_OPERATORS = ("before", "after")
VERSION_OPERATORS = ("semver_eq", "semver_lt", "semver_le", "semver_gt", "semver_ge")


def read_condition(value, place, found):
    """4.2 to 4.7, 4.11 and 2.2.22."""
    if not isinstance(value, Fields):
        violate(found, place, "is not an object")
        return None
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) != 1:
        check_twice(value, place, found)
        violate(found, place, "has none or several of the kinds of a condition")
        return None
    kind = kinds[0]
    if kind == "attribute":
        return read_comparison(value, place, found)
    check_fields(value, (kind,), place, found)
    if kind in ("all", "any"):
        return {kind: read_list(value[kind], inside(place, kind), found, None, read_condition)}
    if kind == "not":
        return {"not": read_condition(value["not"], inside(place, "not"), found)}
    if kind == "segment":
        return {"segment": read_string(value["segment"], inside(place, "segment"), found)}
    return {"percentage": read_band(value["percentage"], inside(place, "percentage"), found)}


def read_band(value, place, found):
    """4.6."""
    value = read_object(value, ("of", "salt", "from", "to"), place, found)
    if value is None:
        return None
    band = {
        "of": required(value, "of", place, found, read_text),
        "salt": required(value, "salt", place, found, read_string),
        "from": required(value, "from", place, found, read_percentage),
        "to": required(value, "to", place, found, read_percentage),
    }
    if band["from"] is not None and band["to"] is not None and band["from"] > band["to"]:
        violate(found, inside(place, "to"), "is below `from`")
    return band


def read_comparison(value, place, found):
    """4.7 and section 5."""
    operator = value.get("op")
    known = isinstance(operator, str) and operator in OPERATORS
    fields = OPERATORS[operator] if known else {"value": None, "values": None, "ignore_case": None}
    check_fields(value, ("attribute", "op", *fields), place, found)
    comparison = {"attribute": read_text(value["attribute"], inside(place, "attribute"), found), "op": operator}
    if not known:
        violate(found, inside(place, "op"), "is not an operator")
        return None
    for name, read in fields.items():
        if name == "ignore_case":
            comparison[name] = optional(value, name, place, found, read, False)
        else:
            comparison[name] = required(value, name, place, found, read)
    return comparison


def read_expression(value, place, found):
    """5.4 and 5.5."""
    pattern = expressions.translate(value) if isinstance(value, str) else None
    if pattern is None:
        violate(found, place, "is not a regular expression")
    return pattern


def read_operand_number(value, place, found):
    """5.7."""
    if not forms.is_number(value):
        violate(found, place, "is not a number")
    return value


def read_version(value, place, found):
    """5.9."""
    if forms.version_of(value) is None:
        violate(found, place, "is not a version")
    return value


def read_network(value, place, found):
    """5.10."""
    if forms.network_of(value) is None:
        violate(found, place, "is not a network")
    return value


def read_networks(value, place, found):
    return read_list(value, place, found, MAX_STRINGS, read_network)


OPERATORS = {
    **{name: {"values": read_strings, "ignore_case": read_boolean} for name in TEXT_OPERATORS},
    "matches": {"value": read_expression},
    "is": {"value": read_boolean},
    **{name: {"value": read_operand_number} for name in NUMBER_OPERATORS},
    **{name: {"value": read_time} for name in TIME_OPERATORS},
    **{name: {"value": read_version} for name in VERSION_OPERATORS},
    "in_cidr": {"values": read_networks},
    "present": {},
}


def parts_of(condition):
    """The conditions directly inside a condition that has been read or is still JSON."""
    if not isinstance(condition, dict):
        return []
    if "not" in condition:
        return [("/not", condition["not"])]
    for kind in ("all", "any"):
        if isinstance(condition.get(kind), list):
            return [(f"/{kind}/{index}", part) for index, part in enumerate(condition[kind])]
    return []


def segments_named(condition, place=""):
    """Every (key, place) at which a condition names a segment."""
    named = []
    if isinstance(condition, dict) and isinstance(condition.get("segment"), str):
        named.append((condition["segment"], f"{place}/segment"))
    for step, part in parts_of(condition):
        named.extend(segments_named(part, place + step))
    return named


def extent(condition, segments):
    """2.3.4: depth and number of parts with the segments, whose extents are known, written out."""
    if "segment" in condition:
        return segments[condition["segment"]]["extent"]
    depth, size = 0, 1
    for _, part in parts_of(condition):
        part_depth, part_size = extent(part, segments)
        depth, size = max(depth, part_depth), size + part_size
    return depth + 1, size


def check_extent(condition, segments, place, found):
    """2.3.4 and 8.12; answers the extent."""
    depth, size = extent(condition, segments)
    if depth > MAX_DEPTH or size > MAX_PARTS:
        violate(found, place, "is too deep or has too many parts")
    return depth, size
