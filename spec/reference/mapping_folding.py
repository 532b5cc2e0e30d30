"""Several rows of one flag: MAPPING.md, M26 to M33."""

import json

import forms
import mapping_values as values
from forms import Fields

ATTRIBUTES = {"target_plans": "plan", "target_roles": "role", "target_companies": "company", "target_regions": "region", "target_users": "user"}
SERVED = ("bucket_by", "salt", "variants", "off_value", "schedule", "prerequisites", "client")
HARMLESS = ("id", "description", "created_at", "updated_at", "created_by", "metrics")


class Withheld(Exception):
    """The key is withheld."""


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
    """A flag that is on, of which nothing but the key is known."""
    made = type(flag).__new__(type(flag))
    made.row, made.mapping = flag.row, flag.mapping
    made.fields, made.others, made.conditions = {}, [], []
    made.overrides = {place: [] for place in flag.overrides}
    made.withheld, made.is_unreadable = None, False
    made.set("name", flag.key())
    made.set("enabled", True)
    return made


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
    served = [specific["served"] for specific in on if specific["served"] is not None]
    expected = served_by(general) if general is not None else served[0] if served else None
    if not fits or any(one != expected for one in served):
        raise Withheld
    shell = general if general is not None else shell_of(first, (on or specifics)[0])
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


def shell_of(flag, shown):
    shell = blank(flag)
    for name, value in (shown["extras"] or {}).items():
        shell.set(name, value)
    for name, value in zip(("start_date", "end_date"), shown["window"]):
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


def ranks_of(mapping):
    order = ["user", "company", "role", "plan", "region"]
    fold = mapping.get("fold", {})
    units = [by["as"] for by in fold.get("by", [])]
    of_kind = [unit for unit in fold.get("kind", {}).get("as", {}).values() if unit != "general"]
    units += sorted(of_kind, key=lambda unit: (order.index(unit) if unit in order else len(order), unit.encode()))
    for side in mapping.get("side", []):
        units += ([side["as"]] if "as" in side else []) + [by["as"] for by in side.get("by", [])]
    return list(dict.fromkeys(units))


def with_rules(flag, has_general, specifics, without, mapping):
    last = general_rules(flag) if has_general else [{"key": "general", "when": {"all": []}}] if without else []
    ranks = ranks_of(mapping)
    levels = {}
    for specific in specifics:
        level = sorted(ranks.index(unit) for unit, _ in specific["units"])
        levels.setdefault((-len(level), *level), []).append(specific)
    rules = []
    for level, rows in sorted(levels.items()):
        rules += level_rules("-".join(ranks[rank] for rank in level[1:]), rows, flag)
    if len(rules) + len(last) > 10_000:
        raise Withheld
    flag.set("rules", rules + last)
    return flag


def level_rules(name, rows, flag):
    rules, outcomes, partly = [], [], []
    off = [row for row in rows if is_off(row)]
    if off:
        rules.append({"key": f"{name}-off", "when": callers(off), "rollout_percentage": 0})
    for row in rows:
        if is_off(row):
            continue
        same = next((group for group in outcomes if said(group[0]) == said(row)), None)
        if same is None:
            outcomes.append([row])
        else:
            same.append(row)
    for number, group in enumerate(outcomes):
        targets = [{"attribute": ATTRIBUTES[target], "op": "in", "values": ids} for target, ids in group[0]["targets"]]
        share = [] if group[0]["share"] == 100_000 else [admits(flag, group[0]["share"])]
        conditions = [callers(group), *targets, *group[0]["conditions"], *share]
        rules.append({"key": f"{name}-on" if number == 0 else f"{name}-on-{number + 1}", "when": values.all_of(conditions)})
        if not is_plain(group[0]):
            partly += group
    if partly:
        rules.append({"key": f"{name}-rest", "when": callers(partly), "rollout_percentage": 0})
    return rules


def callers(rows):
    single, pairs = {}, []
    for row in rows:
        if len(row["units"]) == 1:
            single.setdefault(row["units"][0][0], []).append(row["units"][0][1])
        else:
            pairs.append(values.all_of([{"attribute": unit, "op": "in", "values": [name]} for unit, name in row["units"]]))
    parts = [{"attribute": unit, "op": "in", "values": single[unit]} for unit in sorted(single)] + pairs
    return parts[0] if len(parts) == 1 else {"any": parts}


def admits(flag, share):
    text = {name: flag.get(name) if isinstance(flag.get(name), str) else default for name, default in (("bucket_by", "user"), ("salt", flag.key()))}
    return {"percentage": {"of": text["bucket_by"], "salt": text["salt"], "from": 0, "to": values.percentage(share)}}


def general_rules(flag):
    if flag.has("schedule"):
        raise Withheld
    own, flag.conditions = flag.conditions, []
    if flag.is_unreadable:
        return []
    conditions = []
    for name, attribute in ATTRIBUTES.items():
        found = values.list_of(flag.get(name), {}) if flag.has(name) and isinstance(flag.get(name), list) else None
        if found is not None:
            flag.drop(name)
            conditions.append({"attribute": attribute, "op": "in", "values": found})
    conditions += own
    is_completed = values.word(flag.get("status")) == "completed"
    if flag.has("rollout_percentage"):
        share = values.share_of(flag.get("rollout_percentage"), 100)
        if share is None or share > 100_000:
            return []
        flag.drop("rollout_percentage")
        if share == 0 and not is_completed:
            return []
        if share < 100_000 and not is_completed:
            conditions.append(admits(flag, share))
    rules = flag.drop("rules")
    if isinstance(rules, list) and rules:
        return [values.with_conditions(rule, conditions) for rule in rules]
    return [{"key": "general", "when": values.all_of(conditions) if conditions else {"all": []}}]
