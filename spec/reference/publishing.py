"""Publishing snapshots into a handle: sections 8 and 9.

A handle is a dict whose `current` is a flag set or None.
A flag of a flag set is a dict: its `state` ("good", "off" by 8.7, or "broken" by 7.2), its `definition`, its `off_value`,
whether it was `set_aside`, and what was `kept`.
"""

import json

import forms
import graphs
import reading
from columns import may_be_default
from condition_reading import extent, extents_of, is_too_large, segments_named
from flag_reading import TARGETS, wrong_prerequisites


def new_handle():
    return {"current": None, "trips": {}}


def publish(handle, data, accept_older=False, strict=False):
    """9.1, 9.2 and 8.9: a dict with the `outcome` and, when published, the report."""
    try:
        read = reading.read_snapshot(data)
    except reading.Refused as refusal:
        return {"outcome": "refused", "message": str(refusal), "violations": []}
    if strict and read["violations"]:
        return {"outcome": "refused", "message": "there are violations", "violations": read["violations"]}
    current = handle["current"]
    if is_older(read["revision"], current) and not accept_older:
        return {"outcome": "older", "message": "the revision is older", "violations": read["violations"]}
    new = with_trips(make_set(read, current), handle["trips"])
    handle["current"] = new
    return {"outcome": "published", "violations": read["violations"], **report(current, new)}


def take_trip(handle, key, run):
    """9.11: the report."""
    handle["trips"][key] = max(run, handle["trips"].get(key, 0))
    current = handle["current"]
    if current is None:
        return {"outcome": "published", "violations": [], "added": [], "removed": [], "changed": [], "set_aside": []}
    new = with_trips(current, handle["trips"])
    handle["current"] = new
    return {"outcome": "published", "violations": [], **report(current, new)}


def with_trips(flag_set, trips):
    """9.11: the set with these trips laid over it; forgets those of flags whose run is higher."""
    flags = dict(flag_set["flags"])
    for key in [key for key in trips if key in flags]:
        definition = flags[key]["definition"]
        if definition is None:
            continue
        if definition["run"] > trips[key]:
            del trips[key]
        elif definition["trip"] is None:
            flags[key] = {**flags[key], "definition": {**definition, "enabled": False, "trip": {"run": trips[key]}}}
    return {**flag_set, "flags": flags}


def is_older(revision, current):
    """9.2."""
    return current is not None and revision is not None and current["revision"] is not None and revision < current["revision"]


def make_set(read, current):
    """8.1 to 8.8."""
    columns = {name for row in read["rows"] for name in row["columns"]}
    defaults = defaults_of(read, columns, current)
    flags = {key: make_flag(flag, current, key) for key, flag in read["flags"].items()}
    segments = keep_definitions(flags, read["segments"], current["segments"] if current is not None else {})
    for flag in flags.values():
        if flag["set_aside"]:
            settle(flag, defaults)
    return {"revision": read["revision"], "flags": flags, "segments": segments, "columns": columns, "defaults": defaults}


def defaults_of(read, columns, current):
    """8.17: the fields that are defaults of the store, each with its value."""
    if current is None:
        return {}
    defaults = {name: value for name, value in current["defaults"].items() if name in columns}
    rows = read["rows"]
    for name in columns - current["columns"] - set(defaults):
        values = {value for row in rows for value in row["causes"].get(name, [])}
        everywhere = all(name in row["causes"] for row in rows)
        if len(rows) > 1 and everywhere and len(values) == 1 and may_be_default(name):
            defaults[name] = [*values]
    return defaults


def make_flag(flag, current, key):
    """8.4 and 8.15: a flag that is set aside takes over what the current set has, narrowed."""
    if flag["definition"] is not None:
        return {"state": "good", "definition": flag["definition"], "off_value": None, "set_aside": False, "kept": None, "rows": None}
    before = current["flags"].get(key) if current is not None else None
    made = {"state": "broken", "definition": None, "off_value": None, "set_aside": True, "kept": None, "rows": flag["rows"]}
    if before is not None and before["definition"] is not None:
        made["definition"] = before["definition"]
        if len(flag["rows"]) == 1:
            made["definition"] = narrowed(before["definition"], flag["rows"][0])
        if before["kept"] is None:
            made["kept"] = {"revision": current["revision"], "publishes": 1}
        else:
            made["kept"] = {"revision": before["kept"]["revision"], "publishes": before["kept"]["publishes"] + 1}
    return made


def narrowed(kept, row):
    """8.15."""
    new, kept, is_nobody = row["definition"], dict(kept), False
    for name in TARGETS:
        both = [each for each in kept[name] if each in new[name]] if kept[name] else new[name]
        if new[name] and both:
            kept[name] = both
        is_nobody = is_nobody or bool(new[name] and not both)
    kept["start"] = max((time for time in (kept["start"], new["start"]) if time is not None), default=None)
    kept["end"] = min((time for time in (kept["end"], new["end"]) if time is not None), default=None)
    most = 0 if is_nobody else 100_000 if row["has_schedule"] else new["share"]
    kept["share"] = min(kept["share"], most)
    kept["schedule"] = [{**step, "share": min(step["share"], most)} for step in kept["schedule"]]
    if kept["status"] == "completed" and (is_nobody or new["status"] != "completed"):
        kept["status"] = "active"
    off, more = kept["overrides"]["off"], new["overrides"]["off"]
    off = {side: off[side] + [each for each in more[side] if each is not None and each not in off[side]] for side in off}
    kept["overrides"] = {**kept["overrides"], "off": off}
    return kept


def keep_definitions(flags, segments, before):
    """8.5 and 8.6: drops kept definitions that do not fit, and answers the segments with those that are kept."""
    definitions = {key: flag["definition"] for key, flag in flags.items() if flag["definition"] is not None and flag["kept"] is None}
    for key, flag in flags.items():
        if flag["kept"] is None:
            continue
        with_this = {**definitions, key: flag["definition"]}
        with_these = {**segments, **missing_segments(flag["definition"], segments, before)}
        extents = extents_of(with_these)
        too_large = any(is_too_large(extent(rule["when"], extents)) for rule in flag["definition"]["rules"])
        if too_large or any(wrong_prerequisites(with_this, extents).values()):
            flag["definition"] = flag["kept"] = None
        else:
            definitions, segments = with_this, with_these
    return segments


def settle(flag, defaults):
    """7.2, 8.7, 8.8 and 8.16."""
    rows = flag.pop("rows")
    if any(row["gate_is_off"] or row["definition"]["trip"] is not None or is_off_whatever_else(row["row"]) for row in rows):
        flag["state"] = "off"
    elif flag["definition"] is not None and not is_withheld(rows, defaults):
        flag["state"] = "good"
    if flag["definition"] is not None and flag["state"] != "broken":
        flag["off_value"] = flag["definition"]["off_value"]
    else:
        values = [off_value_of(row, len(rows) > 1) for row in rows]
        flag["off_value"] = values[0] if len({json.dumps(value, sort_keys=True) for value in values}) == 1 else None


def is_withheld(rows, defaults):
    """8.2, 8.16 and 8.17."""
    causes = rows[0]["causes"].items()
    return len(rows) > 1 or bool(rows[0]["unreadable"]) or any(defaults.get(name) != values for name, values in causes)


def off_value_of(row, differs):
    """2.2.17 and 8.8: what a row serves when it is off."""
    if differs and row["sound"]:
        return row["definition"]["off_value"]
    if row["row"].get("off_value") is not None:
        return row["row"]["off_value"]
    return False if row["row"].get("variants") is None else None


def is_off_whatever_else(row):
    """8.7."""
    if "enabled" not in row:
        return True
    if any(value is None or forms.switch_of(value) is False for value in row.all["enabled"]):
        return True
    return any(forms.status_of(value) in ("draft", "paused", "rolled_back") for value in row.all.get("status", ()))


def missing_segments(definition, segments, before):
    """8.5: the segments that a kept definition needs and the new set lacks, from the set before."""
    missing = {}
    waiting = segments_of(definition)
    while waiting:
        name = waiting.pop()
        if name not in segments and name not in missing:
            missing[name] = before[name]
            waiting.extend(key for key, _ in segments_named(before[name]))
    return missing


def segments_of(definition):
    return [name for rule in definition["rules"] for name, _ in segments_named(rule["when"])]


def report(before, after):
    """9.3 to 9.5."""
    old = before["flags"] if before is not None else {}
    new = after["flags"]
    touched = touched_nodes(before, after)
    return {
        "added": sorted(key for key in new if key not in old),
        "removed": sorted(key for key in old if key not in new),
        "changed": sorted(key for key in new if key in old and ("flag", key) in touched),
        "set_aside": [
            {"key": key, "off": new[key]["state"] == "off", "kept": new[key]["kept"]} for key in sorted(new) if new[key]["set_aside"]
        ],
    }


def touched_nodes(before, after):
    """9.4: what has changed itself, and what uses or depends on that."""
    old, new = fingerprints(before), fingerprints(after)
    changed = [node for node in old.keys() | new.keys() if old.get(node) != new.get(node)]
    used_by = {}
    for node, names in uses(after).items():
        for name in names:
            used_by.setdefault(name, []).append(node)
    return graphs.reached_from(used_by, changed)


def fingerprints(flag_set):
    """9.4: every flag and segment as text that differs when its definition or its state does."""
    if flag_set is None:
        return {}
    prints = {("segment", key): json.dumps(condition, sort_keys=True) for key, condition in flag_set["segments"].items()}
    for key, flag in flag_set["flags"].items():
        is_defined = flag["definition"] is not None and flag["state"] != "broken"
        served = flag["definition"] if is_defined else flag["off_value"]
        prints["flag", key] = json.dumps([flag["state"], is_defined, served], sort_keys=True)
    return prints


def uses(flag_set):
    """The segments and flags that each segment and flag names."""
    named = {}
    for key, condition in flag_set["segments"].items():
        named["segment", key] = [("segment", name) for name, _ in segments_named(condition)]
    for key, flag in flag_set["flags"].items():
        definition = flag["definition"]
        if definition is not None and flag["state"] != "broken":
            named["flag", key] = [("segment", name) for name in segments_of(definition)]
            named["flag", key] += [("flag", each["flag"]) for each in definition["prerequisites"]]
    return named
