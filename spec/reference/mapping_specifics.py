"""Specific rows, which speak for the callers of some units: MAPPING.md, M26 to M28 and M31."""

import json

import forms
import mapping_values as values
from forms import Fields

ATTRIBUTES = {"target_plans": "plan", "target_roles": "role", "target_companies": "company", "target_regions": "region", "target_users": "user"}
SERVED = ("bucket_by", "salt", "variants", "off_value", "schedule", "prerequisites", "client", "guard", "guard_state")


class Withheld(Exception):
    """The key is withheld."""


def units_of(flag, fold):
    """M26."""
    units = []
    for by in fold.get("by", []):
        value = flag.find(by)
        if values.is_empty(value) or values.is_one_of_scalars(value, fold.get("general", [])):
            continue
        units.append((by["as"], id_or_withheld(value)))
    if "kind" in fold:
        kind = fold["kind"]
        value, name = flag.find(kind["id"]), flag.find(kind)
        is_set = not (values.is_empty(value) or values.is_one_of_scalars(value, fold.get("general", [])))
        found = id_or_withheld(value) if is_set else None
        if values.is_empty(name) and found is None:
            return units
        known = [unit for word, unit in kind["as"].items() if values.word(word) == values.word(name) is not None]
        if name is values.UNREADABLE or not known:
            raise Withheld
        if known[0] != "general":
            if found is None:
                raise Withheld
            units.append((known[0], found))
    return units


def id_or_withheld(value):
    found = None if value is values.UNREADABLE else values.id_of(value)
    if found is None:
        raise Withheld
    return found


def outcome_of(flag, has_enabled):
    """M27."""
    if flag.is_unreadable or any(flag.overrides.values()) or flag.has("rules"):
        raise Withheld
    enabled = flag.get("enabled")
    enabled = not has_enabled if enabled is None else forms.switch_of(enabled)
    status = forms.status_of(flag.get("status")) if flag.has("status") else "active"
    share = values.share_of(flag.get("rollout_percentage"), 100) if flag.has("rollout_percentage") else 100_000
    if enabled is None or status is None or share is None or share > 100_000:
        raise Withheld
    on = enabled and flag.default() and status in ("active", "completed")
    targets = []
    for name in ATTRIBUTES:
        if flag.has(name):
            found = values.list_of(flag.get(name), {}) if isinstance(flag.get(name), list) else None
            if found is None:
                raise Withheld
            targets.append((name, found))
    return {
        "on": on,
        "share": 100_000 if status == "completed" and flag.default() else share,
        "targets": targets,
        "conditions": list(flag.conditions),
        "window": window_of(flag),
        "served": served_by(flag),
        "extras": extras_of(flag),
    }


def window_of(flag):
    return [flag.get(name) if flag.has(name) else None for name in ("start_date", "end_date")]


def served_by(flag):
    return [plain(flag.get(name)) if flag.has(name) else "" for name in SERVED]


def extras_of(flag):
    said = ("key", "name", "enabled", "status", "rollout_percentage", *ATTRIBUTES, "start_date", "end_date")
    return {name: flag.get(name) for name in flag.fields if name not in said and flag.has(name)}


def plain(value):
    return json.dumps(value, sort_keys=True)


def of_side(on, units, window=(None, None)):
    return {"on": on, "share": 100_000, "targets": [], "conditions": [], "window": list(window), "served": None, "extras": None, "units": units, "latest": None}


def rows_of_column(flag, side):
    """M28: an object of ids."""
    value = values.as_json(flag.find(side))
    if values.is_empty(value) and value is not values.UNREADABLE:
        return []
    if isinstance(value, Fields):
        found = [(name.strip(values.SPACE), values.switch_of(inner, side)) for name, inner in value.pairs if not values.is_empty(inner)]
        if any(on is None for _, on in found):
            raise Withheld
        return [of_side(on, [(side["as"], name)]) for name, on in found]
    ids = values.list_of(value, {}) if isinstance(value, list) else None
    if ids is None:
        raise Withheld
    return [of_side(True, [(side["as"], one)]) for one in ids]


def rows_of_table(flag, side, tables):
    """M28: the rows of another table that name the flag."""
    name = flag.find(side["to"]) if "to" in side else flag.key()
    name = None if name is values.UNREADABLE or values.is_empty(name) else values.id_of(name)
    found = []
    for row in tables[side["table"]]:
        of = row.get(side["flag"]) if isinstance(row, Fields) else None
        if name is None or values.is_empty(of) or values.id_of(of) != name:
            continue
        on = True
        if "enabled" in side:
            options = side["enabled"] if isinstance(side["enabled"], Fields) else {}
            value = row.get(options.get("column", side["enabled"]) if options else side["enabled"])
            if values.is_empty(value):
                continue
            on = values.switch_of(value, options)
            if on is None:
                raise Withheld
        names = [(side["as"], side["id"])] if "as" in side else []
        names += [(by["as"], by["column"]) for by in side.get("by", [])]
        units = [(unit, id_or_withheld(row.get(column))) for unit, column in names if not values.is_empty(row.get(column))]
        if not units:
            raise Withheld
        window = []
        for place in ("from", "until"):
            options = side[place] if isinstance(side.get(place), Fields) else {}
            value = row.get(options.get("column", side.get(place)) if options else side.get(place)) if place in side else None
            window.append(None if values.is_empty(value) else values.time_of(value, options))
        found.append(of_side(on, units, window))
    return found


def is_later(one, other):
    """M31: None if neither is."""
    if isinstance(one, str) and isinstance(other, str):
        times = forms.time_of(one), forms.time_of(other)
        one, other = times if None not in times else (one.encode(), other.encode())
    elif not (forms.is_number(one) and forms.is_number(other)):
        return None
    return None if one == other else one > other


def distinct(specifics):
    """M31."""
    chosen = {}
    for specific in specifics:
        units = tuple(sorted(specific["units"]))
        specific = {**specific, "units": list(units)}
        if units not in chosen:
            chosen[units] = [specific, False]
            continue
        known = chosen[units]
        later = is_later(specific["latest"], known[0]["latest"])
        if later:
            chosen[units] = [specific, False]
        elif later is None:
            known[1] = known[1] or said(known[0]) != said(specific)
    if any(differs for _, differs in chosen.values()):
        raise Withheld
    return [chosen[units][0] for units in sorted(chosen, key=lambda units: [(unit.encode(), name.encode()) for unit, name in units])]


def said(specific):
    return plain([specific[name] for name in ("on", "share", "targets", "conditions", "window", "extras")])


def is_off(specific):
    return not specific["on"] or specific["share"] == 0


def is_plain(specific):
    return is_off(specific) or (specific["share"] == 100_000 and not specific["targets"] and not specific["conditions"])
