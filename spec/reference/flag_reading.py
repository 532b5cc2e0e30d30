"""Flags: 2.2 and 2.4.

A definition is a plain dict in which every default is written out, percentages are shares and times are milliseconds.
"""

import json

import columns
import forms
import graphs
from condition_reading import check_references, extent, is_too_large, read_condition, segments_named
from forms import Fields
from places import (
    check_twice,
    inside,
    is_whole,
    optional,
    read_boolean,
    read_end,
    read_key,
    read_list,
    read_object,
    read_percentage,
    read_start,
    read_string,
    read_strings,
    read_switch,
    read_text,
    read_time,
    read_weight,
    required,
    violate,
)
from spelling import as_written, native_flag

MAX_RULES = 10_000
MAX_VARIANTS = 1_000
MAX_CHAIN = 64
MAX_RESOLUTIONS = 10_000
MAX_ANSWER_PARTS = 1_000_000

TARGETS = ("target_plans", "target_roles", "target_companies", "target_regions", "target_users")
IGNORED = ("id", "description", "created_at", "updated_at", "created_by", "metrics")
RESTRICTING = ("enabled", "status", "rollout_percentage", *TARGETS, "start_date", "end_date", "guard_state")
FIELDS = (
    "key",
    "name",
    "enabled",
    "status",
    "rollout_percentage",
    *TARGETS,
    "start_date",
    "end_date",
    "bucket_by",
    "salt",
    "overrides",
    "variants",
    "off_value",
    "rules",
    "prerequisites",
    "schedule",
    "client",
    "guard",
    "guard_state",
)


def read_flags(rows, place, extents, ignored, violations, over=()):
    """2.2, 2.4 and 8.2: by key, {"rows", "definition"}, and all rows; `extents` are those of the segments there are, and the definition of a flag that is set aside is None.

    The flags at the indexes `over` have too many parts of expressions (5.17).
    """
    written, rows = rows, [native_flag(row) for row in rows]
    keys = {row[key_field(row)] for row in rows if isinstance(row, Fields) and read_key(row.get(key_field(row)), "", []) is not None}
    flags, places, reads = {}, {}, []
    for index, row in enumerate(rows):
        found = []
        read = read_row(row, inside(place, index), keys, extents, ignored, found)
        if index in over:
            violate(found, inside(inside(place, index), "rules"), "has too many parts of expressions")
        read["sound"] = not found
        reads.append(read)
        key = read["definition"] and read["definition"]["key"]
        if key is not None and key in flags:
            violate(found, inside(inside(place, index), key_field(row)), "is taken by an earlier flag")
            flags[key]["rows"].append(read)
        elif key is not None:
            flags[key] = {"rows": [read], "definition": None}
            places[key] = inside(inside(place, index), "prerequisites")
        violations.extend(as_written(violation, inside(place, index), written[index]) for violation in found)
    sound = {key: flag["rows"][0]["definition"] for key, flag in flags.items() if is_one_flag(flag["rows"])}
    for key in sound:
        flags[key]["rows"] = flags[key]["rows"][:1]
    wrong = wrong_prerequisites(sound, extents)
    for key, definition in sound.items():
        for message in wrong[key]:
            violate(violations, places[key], message)
        if not wrong[key]:
            flags[key]["definition"] = definition
    return flags, reads


def is_one_flag(rows):
    """8.2: whether rows of one key break no rule and have equal definitions."""
    return all(row["sound"] for row in rows) and len({json.dumps(row["definition"], sort_keys=True) for row in rows}) == 1


def read_row(row, place, keys, extents, ignored, found):
    """A row: its definition, the fields that withhold it because they cannot be read (8.16), and what its columns say (2.2.27, 2.2.28)."""
    read = {"row": row, "definition": None, "unreadable": [], "causes": {}, "columns": [], "gate_is_off": False, "has_schedule": False}
    if isinstance(row, Fields):
        read["columns"] = [*row]
        read_columns(read, place, ignored, found)
    read["definition"] = read_flag(row, place, keys, extents, found, read["unreadable"])
    if read["definition"] is not None:
        cleared = read["definition"].pop("cleared")
        read["has_schedule"] = row.get("schedule") not in (None, []) and cleared != 0
    if read["gate_is_off"]:
        read["definition"]["enabled"] = False
    return read


def read_columns(read, place, ignored, found):
    """2.2.3 and 2.2.25 to 2.2.28, in any occurrence of a field."""
    for name, values in read["row"].all.items():
        if name in FIELDS or name in IGNORED or name in ignored:
            continue
        kind = columns.kind_of(name)
        restricting = [value for value in values if columns.restricts(kind, value)]
        if restricting:
            violate(found, inside(place, name), "is not read and looks like a restriction")
            read["causes"][name] = sorted({json.dumps(value, sort_keys=True) for value in restricting})
        if any(columns.switches_off(kind, value) for value in values):
            read["gate_is_off"] = True


def read_flag(row, place, keys, extents, found, unreadable):
    """2.2.1 to 2.2.24 and 8.13."""
    if not isinstance(row, Fields):
        violate(found, place, "is not an object")
        return None
    check_twice(row, FIELDS, place, found)
    unreadable.extend(name for name in RESTRICTING if len(row.all.get(name, ())) > 1)
    key = read_key(row.get(key_field(row)), inside(place, key_field(row)), found)

    def field(name, read, default):
        if row.get(name) is None:
            return default
        return read(row[name], inside(place, name), found)

    def restriction(name, read, default):
        before = len(found)
        value = field(name, read, default)
        if len(found) == before:
            return value
        if name != "rollout_percentage" or not forms.is_above_100(row[name]):
            unreadable.append(name)
        return default

    targets = {name: restriction(name, read_strings, []) for name in TARGETS}
    switches = {
        "enabled": restriction("enabled", read_switch, False),
        "status": restriction("status", read_status, None) or "active",
        "share": restriction("rollout_percentage", read_percentage, 100_000),
        "start": restriction("start_date", read_start, None),
        "end": restriction("end_date", read_end, None),
    }
    state = restriction("guard_state", read_guard_state, read_guard_state(Fields([]), "", []))
    before = len(found)
    variants = field("variants", read_variants, [])
    variant_keys = [variant["key"] for variant in variants] if len(found) == before else None
    return {
        "key": key,
        **switches,
        "enabled": switches["enabled"] and state["trip"] is None,
        **targets,
        "bucket_by": field("bucket_by", read_text, "user"),
        "salt": field("salt", read_string, key),
        "overrides": field("overrides", read_overrides, read_overrides(Fields([]), "", [])),
        "variants": variants,
        "off_value": row["off_value"] if row.get("off_value") is not None else None if variants else False,
        "rules": field("rules", lambda value, at, found: read_rules(value, at, found, variant_keys, extents), []),
        "prerequisites": field("prerequisites", lambda value, at, found: read_prerequisites(value, at, found, key, keys), []),
        "schedule": field("schedule", read_schedule, [])[: state["cleared"]],
        "client": field("client", read_boolean, False),
        "guard": field("guard", read_guard, None),
        **state,
    }


def key_field(row):
    """2.2.2: with a `key`, the name is a label."""
    return "name" if row.get("key") is None else "key"


def read_status(value, place, found):
    """2.2.5."""
    status = forms.status_of(value)
    if status is None:
        violate(found, place, "is not a status")
    return status


def read_overrides(value, place, found):
    """2.2.15."""
    value = read_object(value, ("on", "off"), place, found) or Fields([])
    nobody = {"users": [], "companies": []}
    return {side: optional(value, side, place, found, read_override, nobody) for side in ("on", "off")}


def read_override(value, place, found):
    """2.2.15."""
    value = read_object(value, ("users", "companies"), place, found) or Fields([])
    return {name: optional(value, name, place, found, read_strings, []) for name in ("users", "companies")}


def read_variants(value, place, found):
    """2.2.16."""
    variants = read_list(value, place, found, read_variant, MAX_VARIANTS)
    check_unique(variants, "key", place, found)
    check_weights(variants, place, found)
    return variants


def read_variant(value, place, found):
    """2.2.16."""
    value = read_object(value, ("key", "value", "weight"), place, found)
    if value is None:
        return None
    return {
        "key": required(value, "key", place, found, read_text),
        "value": value.get("value"),
        "weight": optional(value, "weight", place, found, read_weight, 1000),
    }


def check_unique(values, name, place, found):
    """The keys of 2.2.16 and 2.2.18: one that an earlier value has is wrong."""
    taken = set()
    for index, value in enumerate(values):
        if value is not None and value[name] is not None:
            if value[name] in taken:
                violate(found, inside(inside(place, index), name), "is taken by an earlier one")
            taken.add(value[name])


def check_weights(values, place, found):
    """2.2.16: not all weights 0."""
    if values and all(value is not None and value["weight"] == 0 for value in values):
        violate(found, place, "has only weights of 0")


def read_rules(value, place, found, variant_keys, extents):
    """2.2.18; `variant_keys` are None when anything is wrong with the variants (8.13)."""
    rules = read_list(value, place, found, lambda rule, at, found: read_rule(rule, at, found, variant_keys, extents), MAX_RULES)
    check_unique(rules, "key", place, found)
    if parts_of_rules(rules, extents) > MAX_ANSWER_PARTS:
        violate(found, place, "have too many parts with their segments written out")
    return rules


def parts_of_rules(rules, extents):
    """2.4.6: the parts of the conditions of rules; 0 where a condition is not within its own limits."""
    conditions = [rule["when"] for rule in rules if rule is not None]
    if any(name not in extents for condition in conditions for name, _ in segments_named(condition)):
        return 0
    each = [extent(condition, extents) for condition in conditions]
    return 0 if any(is_too_large(one) for one in each) else sum(size for _, size in each)


def read_rule(value, place, found, variant_keys, extents):
    """2.2.18, 2.3.3 and 2.3.4."""
    value = read_object(value, ("key", "when", "rollout_percentage", "bucket_by", "variant", "split"), place, found)
    if value is None:
        return None
    if value.get("variant") is not None and value.get("split") is not None:
        violate(found, place, "has both `variant` and `split`")

    def read_choice(choice, at, found):
        choice = read_text(choice, at, found)
        if choice is not None and variant_keys is not None and choice not in variant_keys:
            violate(found, at, "is not the key of a variant")
            return None
        return choice

    return {
        "key": required(value, "key", place, found, read_text),
        "when": required(value, "when", place, found, lambda when, at, found: read_rule_condition(when, at, found, extents)),
        "share": optional(value, "rollout_percentage", place, found, read_percentage, 100_000),
        "bucket_by": optional(value, "bucket_by", place, found, read_text, None),
        "variant": optional(value, "variant", place, found, read_choice, None),
        "split": optional(value, "split", place, found, lambda split, at, found: read_split(split, at, found, read_choice), None),
    }


def read_rule_condition(value, place, found, extents):
    """2.3.3 and 2.3.4."""
    condition = read_condition(value, place, found)
    check_references(condition, place, extents, found)
    return condition


def read_split(value, place, found, read_choice):
    """2.2.18."""

    def read_share(share, at, found):
        share = read_object(share, ("variant", "weight"), at, found)
        if share is None:
            return None
        return {
            "variant": required(share, "variant", at, found, read_choice),
            "weight": optional(share, "weight", at, found, read_weight, 1000),
        }

    split = read_list(value, place, found, read_share)
    if value == []:
        violate(found, place, "is empty")
    check_unique(split, "variant", place, found)
    check_weights(split, place, found)
    return split


def read_prerequisites(value, place, found, key, keys):
    """2.2.19 and 2.4.1."""

    def read_other(other, at, found):
        if not isinstance(other, str) or other == key or other not in keys:
            violate(found, at, "is not the key of another flag of the snapshot")
        return other

    def read_served(served, at, found):
        if served == []:
            violate(found, at, "is empty")
        return read_strings(served, at, found)

    def read_prerequisite(prerequisite, at, found):
        prerequisite = read_object(prerequisite, ("flag", "on", "variants"), at, found)
        if prerequisite is None:
            return None
        if (prerequisite.get("on") is None) == (prerequisite.get("variants") is None):
            violate(found, at, "has not exactly one of `on` and `variants`")
        return {
            "flag": required(prerequisite, "flag", at, found, read_other),
            "on": optional(prerequisite, "on", at, found, read_boolean, None),
            "variants": optional(prerequisite, "variants", at, found, read_served, None),
        }

    return read_list(value, place, found, read_prerequisite)


def read_schedule(value, place, found):
    """2.2.20."""

    def read_step(step, at, found):
        step = read_object(step, ("at", "rollout_percentage"), at, found)
        if step is None:
            return {"at": None, "share": None}
        return {
            "at": required(step, "at", at, found, read_time),
            "share": required(step, "rollout_percentage", at, found, read_percentage),
        }

    steps = read_list(value, place, found, read_step)
    for index in range(1, len(steps)):
        before, after = steps[index - 1]["at"], steps[index]["at"]
        if before is not None and after is not None and after <= before:
            violate(found, inside(inside(place, index), "at"), "is not later than the step before")
    return steps


def read_guard(value, place, found):
    """2.2.34."""
    if not isinstance(value, Fields):
        violate(found, place, "is not an object")
    return value


def read_guard_state(value, place, found):
    """2.2.35: the trip is None if it does not keep the flag off, and `cleared` is None if all steps are cleared."""

    def read_whole(least):
        def read(number, at, found):
            if is_whole(number, least, 2**63 - 1):
                return number
            violate(found, at, f"is not a whole number from {least} on")
            return None

        return read

    def read_trip(trip, at, found):
        if not isinstance(trip, Fields):
            violate(found, at, "is not an object")
            return None
        check_twice(trip, ("run",), at, found)
        required(trip, "run", at, found, read_whole(1))
        return trip

    if not isinstance(value, Fields):
        violate(found, place, "is not an object")
        return None
    before = len(found)
    check_twice(value, ("run", "trip", "cleared_steps"), place, found)
    run = optional(value, "run", place, found, read_whole(1), 1)
    trip = optional(value, "trip", place, found, read_trip, None)
    cleared = optional(value, "cleared_steps", place, found, read_whole(0), None)
    is_over = trip is None or len(found) > before or trip["run"] < run
    return {"run": run, "trip": None if is_over else trip, "cleared": cleared}


def wrong_prerequisites(definitions, extents):
    """2.4.2 to 2.4.6: what is wrong with the prerequisites of each definition, as a list of messages."""
    graph = {key: [each["flag"] for each in definition["prerequisites"]] for key, definition in definitions.items()}
    cyclic = graphs.nodes_on_cycles(graph)
    wrong = {key: [f"is on a cycle: {graphs.path_back(graph, key)}"] if key in cyclic else [] for key in graph}
    lengths, counts, parts = {}, {}, {}
    for key in graphs.leaves_first(graph, cut=cyclic):
        names = [] if key in cyclic else [name for name in graph[key] if name in graph]
        lengths[key] = max((1 + lengths[name] for name in names), default=0)
        counts[key] = sum(1 + counts[name] for name in names)
        parts[key] = parts_of_rules(definitions[key]["rules"], extents) + sum(parts[name] for name in names)
        if lengths[key] > MAX_CHAIN:
            wrong[key].append("begins a chain of more than 64 prerequisites")
        if counts[key] > MAX_RESOLUTIONS:
            wrong[key].append("could take more than 10,000 resolutions")
        if parts[key] > MAX_ANSWER_PARTS:
            wrong[key].append("could take more than 1,000,000 parts of conditions")
    return wrong
