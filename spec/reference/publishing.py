"""Publishing snapshots into a handle: sections 8 and 9.

A handle is a dict whose `current` is a flag set or None.
A flag of a flag set is a dict: its `state` ("good", "off" by 8.7, or "broken" by 7.2), its `definition`, its `off_value`,
whether it was `set_aside`, and what was `kept`.
"""

import json

import forms
import graphs
import reading
from condition_reading import extent, extents_of, is_too_large, segments_named
from flag_reading import wrong_prerequisites


def new_handle():
    return {"current": None}


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
    new = make_set(read, current)
    handle["current"] = new
    return {"outcome": "published", "violations": read["violations"], **report(current, new)}


def is_older(revision, current):
    """9.2."""
    return current is not None and revision is not None and current["revision"] is not None and revision < current["revision"]


def make_set(read, current):
    """8.1 to 8.8."""
    flags = {key: make_flag(flag, current, key) for key, flag in read["flags"].items()}
    segments = keep_definitions(flags, read["segments"], current["segments"] if current is not None else {})
    for flag in flags.values():
        if flag["set_aside"]:
            settle(flag)
    return {"revision": read["revision"], "flags": flags, "segments": segments}


def make_flag(flag, current, key):
    """8.4: a flag that is set aside takes over what the current set has."""
    if flag["definition"] is not None:
        return {"state": "good", "definition": flag["definition"], "off_value": None, "set_aside": False, "kept": None, "row": None}
    before = current["flags"].get(key) if current is not None else None
    made = {"state": "broken", "definition": None, "off_value": None, "set_aside": True, "kept": None, "row": flag["row"]}
    if before is not None and before["definition"] is not None:
        made["definition"] = before["definition"]
        if before["kept"] is None:
            made["kept"] = {"revision": current["revision"], "publishes": 1}
        else:
            made["kept"] = {"revision": before["kept"]["revision"], "publishes": before["kept"]["publishes"] + 1}
    return made


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


def settle(flag):
    """7.2, 8.7 and 8.8."""
    row = flag.pop("row")
    if is_off_whatever_else(row):
        flag["state"] = "off"
    elif flag["definition"] is not None:
        flag["state"] = "good"
    if flag["definition"] is not None:
        flag["off_value"] = flag["definition"]["off_value"]
    elif row.get("off_value") is not None:
        flag["off_value"] = row["off_value"]
    else:
        flag["off_value"] = False if row.get("variants") is None else None


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
        served = flag["definition"] if flag["definition"] is not None else flag["off_value"]
        prints["flag", key] = json.dumps([flag["state"], flag["definition"] is None, served], sort_keys=True)
    return prints


def uses(flag_set):
    """The segments and flags that each segment and flag names."""
    named = {}
    for key, condition in flag_set["segments"].items():
        named["segment", key] = [("segment", name) for name, _ in segments_named(condition)]
    for key, flag in flag_set["flags"].items():
        definition = flag["definition"]
        if definition is not None:
            named["flag", key] = [("segment", name) for name in segments_of(definition)]
            named["flag", key] += [("flag", each["flag"]) for each in definition["prerequisites"]]
    return named
