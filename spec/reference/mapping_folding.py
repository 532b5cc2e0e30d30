"""Several rows of one flag: MAPPING.md, M29 to M33."""

import forms
import mapping_values as values
from mapping_rules import with_rules
from mapping_specifics import (
    ATTRIBUTES,
    Withheld,
    distinct,
    is_later,
    is_off,
    is_plain,
    outcome_of,
    plain,
    rows_of_column,
    rows_of_table,
    said,
    served_by,
    units_of,
    window_of,
)

HARMLESS = ("id", "description", "created_at", "updated_at", "created_by", "metrics")


def fold(flags, mapping, tables, has_enabled):
    """One flag for each key, or for each row if only `side` is there."""
    groups = {}
    for number, flag in enumerate(flags):
        groups.setdefault(flag.key() if "fold" in mapping else number, []).append(flag)
    return [one_flag(group, mapping, tables, has_enabled) for group in groups.values()]


def one_flag(group, mapping, tables, has_enabled):
    general, specifics, others, is_withheld = [], [], [], False
    for flag in group:
        for side in mapping.get("side", []):
            try:
                rows = rows_of_column(flag, side) if "column" in side else rows_of_table(flag, side, tables)
                specifics.extend(rows)
            except Withheld:
                is_withheld = True
        try:
            units = units_of(flag, mapping["fold"]) if "fold" in mapping else []
        except Withheld:
            units, is_withheld = None, True
        if units == []:
            general.append(flag)
            continue
        others += [(name, value) for name, value in flag.others if name not in HARMLESS and not values.is_empty(value)]
        if units is not None:
            latest = flag.find(mapping["fold"]["latest"]) if "latest" in mapping["fold"] else None
            try:
                specifics.append({**outcome_of(flag, has_enabled), "units": units, "latest": latest})
            except Withheld:
                is_withheld = True
    made, differs = latest_general(general)
    try:
        specifics = distinct(specifics)
        if is_withheld or differs:
            raise Withheld
        made = folded(made, specifics, mapping, group[0])
    except Withheld:
        made = made or blank(group[0])
        made.withhold(fold_label(mapping))
    made.others = made.others + others
    return made


def fold_label(mapping):
    fold = mapping.get("fold", {})
    side = next(iter(mapping.get("side", [])), {})
    for column in [*fold.get("by", [])[:1], fold.get("kind"), side if "column" in side else None]:
        if column is not None:
            return values.label(column)
    return side.get("table", "")


def blank(flag):
    """A flag that is on and has a key only."""
    made = type(flag).__new__(type(flag))
    made.row, made.mapping = flag.row, flag.mapping
    made.fields, made.others, made.conditions = {}, [], []
    made.overrides = {place: [] for place in flag.overrides}
    made.withheld, made.is_unreadable = None, False
    made.set("name", flag.key())
    made.set("enabled", True)
    return made


def latest_general(general):
    """M31: the general row, and whether there are others that differ."""
    if not general:
        return None, False
    chosen, differs = general[0], False
    for flag in general[1:]:
        fold = flag.mapping.get("fold", {})
        later = is_later(flag.find(fold["latest"]), chosen.find(fold["latest"])) if "latest" in fold else None
        if later:
            chosen, differs = flag, False
        elif later is None:
            differs = differs or comparable(chosen) != comparable(flag)
    return chosen, differs


def comparable(flag):
    fields = flag.conditions, list(flag.overrides.values()), [(name, value) for name, value in flag.fields.values()]
    others = [(name, value) for name, value in flag.others if name not in HARMLESS and not values.is_empty(value)]
    filled = sorted((name, plain(value)) for name, value in fields[2] if not values.is_empty(value) and name not in HARMLESS)
    return plain([fields[0], fields[1], filled, sorted((name, plain(value)) for name, value in others), flag.withheld])


def folded(general, specifics, mapping, first):
    """M29, M32 and M33."""
    if not specifics:
        return general
    without = mapping.get("fold", {}).get("without_general") == "on"
    on = [specific for specific in specifics if not is_off(specific)]
    windows = [specific["window"] for specific in specifics]
    if general is None:
        fits = all(window == windows[0] for window in windows) and (windows[0] == [None, None] or not without)
    else:
        fits = all(window in ([None, None], window_of(general)) for window in windows)
    if not fits and not all(is_time(time) for window in windows for time in window if time is not None):
        raise Withheld
    served = [specific["served"] for specific in on if specific["served"] is not None]
    expected = served_by(general) if general is not None else served[0] if served else None
    if any(one != expected for one in served):
        raise Withheld
    window = windows[0] if fits else [None, None]
    shell = general if general is not None else shell_of(first, (on or specifics)[0], window)
    if not fits:
        return with_rules(shell, general is not None, specifics, without, mapping)
    specifics = [{**specific, "window": [None, None]} for specific in specifics]
    on = [specific for specific in specifics if not is_off(specific)]
    if general is None and not without:
        target = target_list(shell, specifics, on)
        if target is not None:
            return target
    if are_overrides(specifics):
        if general is None and not without:
            shell.limit(0)
        for specific in specifics:
            (unit, name), side = specific["units"][0], "off" if is_off(specific) else "on"
            ids = shell.overrides[(side, "users" if unit == "user" else "companies")]
            if name not in ids:
                ids.append(name)
        return shell
    return with_rules(shell, general is not None, specifics, without, mapping)


def is_time(value):
    """4.16."""
    return isinstance(value, str) and (value in ("infinity", "-infinity") or forms.time_of(value) is not None)


def shell_of(flag, shown, window):
    shell = blank(flag)
    for name, value in (shown["extras"] or {}).items():
        shell.set(name, value)
    for name, value in zip(("start_date", "end_date"), window):
        if value is not None:
            shell.set(name, value)
    return shell


def target_list(shell, specifics, on):
    unit = specifics[0]["units"][0][0]
    if unit not in ATTRIBUTES.values() or any(len(specific["units"]) != 1 or specific["units"][0][0] != unit for specific in specifics):
        return None
    if not on:
        shell.limit(0)
        return shell
    target = next(name for name, attribute in ATTRIBUTES.items() if attribute == unit)
    if any(name == target for name, _ in on[0]["targets"]) or any(said(specific) != said(on[0]) for specific in on):
        return None
    if unit == "role" and len(on) < len(specifics):
        return None
    shell.set(target, [specific["units"][0][1] for specific in on])
    for name, ids in on[0]["targets"]:
        shell.set(name, ids)
    if on[0]["share"] < 100_000:
        shell.set("rollout_percentage", values.percentage(on[0]["share"]))
    shell.conditions = list(on[0]["conditions"])
    return shell


def are_overrides(specifics):
    seen = set()
    for specific in specifics:
        if len(specific["units"]) != 1 or specific["units"][0][0] not in ("user", "company") or not is_plain(specific):
            return False
        seen.add((specific["units"][0][0], is_off(specific)))
    return not {("user", False), ("company", True)} <= seen and not {("user", True), ("company", False)} <= seen
