"""The rules that specific rows and a general row become: MAPPING.md, M30 and M33."""

import mapping_values as values
from mapping_specifics import ATTRIBUTES, Withheld, is_off, is_plain, said


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


def ranks_of(mapping):
    order = ["user", "company", "role", "plan", "region"]
    fold = mapping.get("fold", {})
    units = [by["as"] for by in fold.get("by", [])]
    of_kind = [unit for unit in fold.get("kind", {}).get("as", {}).values() if unit != "general"]
    units += sorted(of_kind, key=lambda unit: (order.index(unit) if unit in order else len(order), unit.encode()))
    for side in mapping.get("side", []):
        units += ([side["as"]] if "as" in side else []) + [by["as"] for by in side.get("by", [])]
    return list(dict.fromkeys(units))


def level_rules(name, rows, flag):
    rules, outcomes, partly = off_rules(f"{name}-off", [row for row in rows if is_off(row)]), [], []
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
        conditions = [callers(group), *now(group[0]), *targets, *group[0]["conditions"], *share]
        rules.append({"key": f"{name}-on" if number == 0 else f"{name}-on-{number + 1}", "when": values.all_of(conditions)})
        if not is_plain(group[0]):
            partly += group
    return rules + off_rules(f"{name}-rest", partly)


def off_rules(name, rows):
    windows = []
    for row in rows:
        if row["window"] not in windows:
            windows.append(row["window"])
    rules = []
    for number, window in enumerate(windows, 1):
        group = [row for row in rows if row["window"] == window]
        when = values.all_of([callers(group), *now(group[0])])
        rules.append({"key": name if number == 1 else f"{name}-{number}", "when": when, "rollout_percentage": 0})
    return rules


def now(row):
    """M29: the time at which the row speaks."""
    window = {name: time for name, time in zip(("from", "to"), row["window"]) if time is not None}
    return [{"now": window}] if window else []


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
