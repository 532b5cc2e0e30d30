"""Conditions: sections 4 and 5 as far as they say what an author may write, 2.3.4 and 8.13."""

import expressions
import forms
import graphs
from places import (
    inside,
    optional,
    read_boolean,
    read_end,
    read_list,
    read_object,
    read_percentage,
    read_start,
    read_string,
    read_strings,
    read_text,
    read_time,
    required,
    violate,
)

MAX_DEPTH = 100
MAX_PARTS = 100_000

KINDS = ("all", "any", "not", "segment", "percentage", "now", "attribute")
OPERANDS = ("value", "values", "ignore_case")
FIELDS = (*KINDS, "op", *OPERANDS)
TEXT_OPERATORS = ("in", "contains", "starts_with", "ends_with")
NUMBER_OPERATORS = ("eq", "lt", "le", "gt", "ge")
TIME_OPERATORS = ("before", "after")
VERSION_OPERATORS = ("semver_eq", "semver_lt", "semver_le", "semver_gt", "semver_ge")


def read_condition(value, place, found):
    """4.2 to 4.7, 4.11, 4.16, 2.2.22 and 8.13."""
    value = read_object(value, FIELDS, place, found)
    if value is None:
        return None
    kinds = [kind for kind in KINDS if value.get(kind) is not None]
    if len(kinds) != 1:
        violate(found, place, "has none or several of the kinds of a condition")
        return None
    kind = kinds[0]
    if kind == "attribute":
        return read_comparison(value, place, found)
    check_fitting(value, (kind,), place, found)
    if kind in ("all", "any"):
        return {kind: read_list(value[kind], inside(place, kind), found, read_condition)}
    if kind == "not":
        return {"not": read_condition(value["not"], inside(place, "not"), found)}
    if kind == "segment":
        return {"segment": read_string(value["segment"], inside(place, "segment"), found)}
    if kind == "now":
        return {"now": read_window(value["now"], inside(place, "now"), found)}
    return {"percentage": read_band(value["percentage"], inside(place, "percentage"), found)}


def check_fitting(value, wanted, place, found):
    """4.11 and 2.2.22: of the fields that some condition has, this one takes only those that are wanted."""
    for name in FIELDS:
        if name not in wanted and value.get(name) is not None:
            violate(found, inside(place, name), "is not a field that stands here")


def read_window(value, place, found):
    """4.16."""
    value = read_object(value, ("from", "to"), place, found)
    if value is None:
        return None
    return {
        "from": optional(value, "from", place, found, read_start, None),
        "to": optional(value, "to", place, found, read_end, None),
    }


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
    """4.7, section 5 and 8.13."""
    operator = value.get("op")
    known = isinstance(operator, str) and operator in OPERATORS
    fields = OPERATORS[operator] if known else {}
    check_fitting(value, ("attribute", "op", *(fields if known else OPERANDS)), place, found)
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
    return read_list(value, place, found, read_network)


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


def expressions_in(value):
    """The texts of all regular expressions in a condition that is still JSON."""
    found = set()
    if isinstance(value, dict) and value.get("op") == "matches" and isinstance(value.get("value"), str):
        found.add(value["value"])
    for _, part in parts_of(value):
        found |= expressions_in(part)
    return found


def extent(condition, extents):
    """2.3.4: depth and number of parts with the segments, whose extents are given, written out.

    A condition that could not be read, and the name of a segment that could not, count 1.
    """
    if isinstance(condition, dict) and condition.get("segment") is not None:
        depth, size = extents[condition["segment"]]
        return depth + 1, size + 1
    depth, size = 0, 1
    for _, part in parts_of(condition):
        part_depth, part_size = extent(part, extents)
        depth, size = max(depth, part_depth), size + part_size
    return depth + 1, size


def is_too_large(extent):
    """2.3.4."""
    depth, size = extent
    return depth > MAX_DEPTH or size > MAX_PARTS


def check_references(condition, place, extents, found):
    """2.3.3, 2.3.4 and 8.12; a condition that names a segment that does not exist has no extent."""
    missing = [at for name, at in segments_named(condition, place) if name not in extents]
    for at in missing:
        violate(found, at, "names a segment that does not exist")
    if not missing and is_too_large(extent(condition, extents)):
        violate(found, place, "is too deep or has too many parts")


def extents_of(conditions):
    """The extents of the conditions of segments; those on a cycle, and those that name one that is, have none."""
    graph = {key: [name for name, _ in segments_named(condition)] for key, condition in conditions.items()}
    extents = {}
    for key in graphs.leaves_first(graph, cut=()):
        extents[key] = extent(conditions[key], extents)
    return extents
