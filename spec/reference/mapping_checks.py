"""What a mapping may hold: MAPPING.md, M1, M3 and M4."""

import re

import forms
from forms import Fields

COLUMN = {"column", "at"}
SWITCH = {"on", "off", "null", "invert"}
LIST = {"split", "keys", "empty"}
TARGETS = ("target_plans", "target_roles", "target_companies", "target_regions", "target_users")
ENTRIES = {
    "esclusa_mapping", "table", "each", "name", "label", "ignore", "enabled", "default", "off_when", "status", "rollout_percentage",
    *TARGETS, "overrides", "require", "start_date", "end_date", "bucket_by", "salt", "counts", "fold", "side", "variants", "value", "conditions",
}
STATUSES = ("draft", "active", "paused", "completed", "rolled_back")


class Refused(Exception):
    """The whole is refused; the place says where."""

    def __init__(self, place):
        super().__init__(place)
        self.place = place


def check(mapping, parameters):
    only("", mapping, ENTRIES)
    if mapping.get("esclusa_mapping") != 1 or isinstance(mapping["esclusa_mapping"], bool):
        raise Refused("esclusa_mapping")
    read = {}
    if "table" in mapping:
        text("table", mapping["table"])
    word("each", mapping, ("row", "field"))
    if mapping.get("each") == "field" and "name" not in mapping:
        raise Refused("name")
    for name in ("name", "label"):
        if name in mapping:
            column(name, mapping[name], set(), read)
    for name in ("enabled", "default"):
        if name in mapping:
            switch(name, mapping[name], read)
    if "status" in mapping:
        column("status", mapping["status"], {"words"}, read)
        for name, status in (mapping["status"].get("words", {}) if isinstance(mapping["status"], Fields) else {}).items():
            if status not in STATUSES:
                raise Refused(within("status.words", name))
    if "rollout_percentage" in mapping:
        share("rollout_percentage", mapping["rollout_percentage"], read)
    for name in TARGETS:
        if name in mapping:
            list_entry(name, mapping[name], True, read)
    overrides(mapping.get("overrides"), read)
    for attribute, entry in (mapping.get("require") or {}).items():
        list_entry(within("require", attribute), entry, True, read)
    for name in ("start_date", "end_date"):
        if name in mapping:
            time(name, mapping[name], read)
    for name in ("bucket_by", "salt"):
        if name in mapping:
            const(name, mapping[name], read)
    each("counts", mapping, lambda place, entry: counts(place, entry, read))
    if "variants" in mapping:
        variants(mapping["variants"], read)
    if "value" in mapping:
        if "variants" in mapping:
            raise Refused("value")
        column("value", mapping["value"], {"kind", "off"}, read)
        if isinstance(mapping["value"], Fields) and "kind" in mapping["value"]:
            column("value.kind", mapping["value"]["kind"], set(), read)
    if "conditions" in mapping:
        conditions(mapping["conditions"], read)
    if "fold" in mapping:
        fold(mapping["fold"], read)
    each("side", mapping, lambda place, entry: side(place, entry, read))
    ignored = mapping.get("ignore", [])
    if not isinstance(ignored, list):
        raise Refused("ignore")
    for number, name in enumerate(ignored):
        text(f"ignore[{number}]", name)
        claim(f"ignore[{number}]", (name, ()), read)
    each("off_when", mapping, lambda place, entry: off_when(place, entry, ignored))
    for entry in mapping.get("counts", []):
        for value in entry["is"] if isinstance(entry["is"], list) else [entry["is"]]:
            if isinstance(value, str) and value.startswith("$") and value[1:] not in parameters:
                raise Refused(value)
    fields_once(mapping)


def within(place, name):
    name = name if re.fullmatch("[A-Za-z0-9_]+", name) else f'"{name}"'
    return f"{place}.{name}" if place else name


def only(place, value, known):
    if not isinstance(value, Fields):
        raise Refused(place)
    for name, values in value.all.items():
        if len(values) > 1:
            raise Refused(within(place, name))
    for name in value:
        if name not in known:
            raise Refused(within(place, name))


def required(place, value, names):
    for name in names:
        if name not in value:
            raise Refused(within(place, name))


def text(place, value):
    if not isinstance(value, str) or not value:
        raise Refused(place)


def word(place, value, words):
    name = place.rsplit(".", 1)[-1]
    if name in value and value[name] not in words:
        raise Refused(place)


def boolean(place, value):
    name = place.rsplit(".", 1)[-1]
    if name in value and not isinstance(value[name], bool):
        raise Refused(place)


def scalars(place, value):
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, (str, int, float)):
            raise Refused(place if not isinstance(value, list) else f"{place}[{value.index(one)}]")


def claim(place, column, read):
    if column in read:
        raise Refused(place)
    read[column] = place


def column(place, entry, options, read):
    """A column by its name, or with options; `read` is None where others may read it too."""
    if isinstance(entry, str):
        text(place, entry)
        name, path = entry, ()
    else:
        only(place, entry, COLUMN | options)
        required(place, entry, ["column"])
        text(f"{place}.column", entry["column"])
        steps = entry.get("at", [])
        for number, step in enumerate(steps if isinstance(steps, list) else [steps]):
            text(f"{place}.at[{number}]" if isinstance(steps, list) else f"{place}.at", step)
        name, path = entry["column"], tuple(steps if isinstance(steps, list) else [steps])
    if read is not None:
        claim(place, (name, path), read)


def switch_options(place, entry):
    for name in ("on", "off"):
        if name in entry:
            scalars(f"{place}.{name}", entry[name])
    word(f"{place}.null", entry, ("on", "off"))
    boolean(f"{place}.invert", entry)


def switch(place, entry, read):
    if isinstance(entry, str):
        column(place, entry, set(), read)
        return
    only(place, entry, COLUMN | SWITCH | {"all", "const"})
    if sum(name in entry for name in ("column", "all", "const")) != 1:
        raise Refused(place)
    if "column" not in entry and "at" in entry:
        raise Refused(f"{place}.at")
    boolean(f"{place}.const", entry)
    if "all" in entry:
        if not isinstance(entry["all"], list):
            raise Refused(f"{place}.all")
        for number, one in enumerate(entry["all"]):
            column(f"{place}.all[{number}]", one, set(), read)
    elif "column" in entry:
        column(place, entry, SWITCH, read)
    switch_options(place, entry)


def share_options(place, entry):
    if entry.get("of", 100) not in (1, 100, 1000, 10000) or isinstance(entry.get("of"), bool):
        raise Refused(f"{place}.of")
    word(f"{place}.null", entry, ("everybody", "nobody"))


def share(place, entry, read):
    column(place, entry, {"of", "null"}, read)
    if isinstance(entry, Fields):
        share_options(place, entry)


def list_options(place, entry):
    if "split" in entry:
        text(f"{place}.split", entry["split"])
    boolean(f"{place}.keys", entry)
    word(f"{place}.empty", entry, ("anyone", "nobody"))


def list_entry(place, entry, restricts, read):
    column(place, entry, LIST if restricts else LIST - {"empty"}, read)
    if isinstance(entry, Fields):
        list_options(place, entry)


def overrides(entry, read):
    if entry is None:
        return
    only("overrides", entry, {"on", "off"})
    for name, lists in entry.items():
        only(f"overrides.{name}", lists, {"users", "companies"})
        for kind, one in lists.items():
            list_entry(f"overrides.{name}.{kind}", one, False, read)


def time_options(place, entry):
    if "zone" in entry:
        text(f"{place}.zone", entry["zone"])
        is_offset = re.fullmatch(r"[+-][0-9]{2}:[0-9]{2}", entry["zone"]) and forms.time_of("2000-01-01T00:00:00" + entry["zone"]) is not None
        if entry["zone"] != "Z" and not is_offset:
            raise Refused(f"{place}.zone")
    word(f"{place}.unit", entry, ("s", "ms"))
    boolean(f"{place}.whole_day", entry)


def time(place, entry, read):
    column(place, entry, {"zone", "unit"} | ({"whole_day"} if place == "end_date" else set()), read)
    if isinstance(entry, Fields):
        time_options(place, entry)


def const(place, entry, read):
    if isinstance(entry, Fields) and ("const" in entry) == ("column" in entry):
        raise Refused(place)
    if isinstance(entry, Fields) and "const" in entry:
        only(place, entry, {"const"})
        text(f"{place}.const", entry["const"])
    else:
        column(place, entry, set(), read)


def each(name, mapping, check_one):
    entries = mapping.get(name, [])
    if not isinstance(entries, list) or len(entries) > 1000:
        raise Refused(name)
    for number, entry in enumerate(entries):
        check_one(f"{name}[{number}]", entry)


def counts(place, entry, read):
    if not isinstance(entry, Fields):
        raise Refused(place)
    column(place, entry, {"is", "empty"}, read)
    required(place, entry, ["is"])
    scalars(f"{place}.is", entry["is"])
    word(f"{place}.empty", entry, ("counts", "does not"))


def off_when(place, entry, ignored):
    column(place, entry, {"is"}, None)
    if isinstance(entry, Fields) and "is" in entry:
        scalars(f"{place}.is", entry["is"])
    if (entry if isinstance(entry, str) else entry["column"]) in ignored:
        raise Refused(place)


def variants(entry, read):
    if not isinstance(entry, Fields):
        raise Refused("variants")
    shape = entry.get("shape")
    more = {"list": {"key", "value", "weight", "rest"}, "weights": {"rest"}}.get(shape, set()) if isinstance(shape, str) else set()
    if shape not in ("native", "weights", "values", "list"):
        raise Refused("variants.shape")
    column("variants", entry, {"shape"} | more, read)
    for name in ("key", "value", "weight"):
        if name in entry:
            text(f"variants.{name}", entry[name])
    word("variants.rest", entry, ("off",))


def conditions(entry, read):
    if not isinstance(entry, Fields):
        raise Refused("conditions")
    shape = entry.get("shape")
    if shape not in ("native", "lists", "tests"):
        raise Refused("conditions.shape")
    more = {"lists": {"fields"}, "tests": {"attribute", "op", "values", "ops", "join"}}.get(shape, set())
    column("conditions", entry, {"shape"} | more, read)
    if shape == "lists":
        required("conditions", entry, ["fields"])
        for name, field in entry["fields"].items():
            list_field(within("conditions.fields", name), field)
    for name in ("attribute", "op", "values"):
        if name in entry:
            text(f"conditions.{name}", entry[name])
    for number, one in enumerate(entry["join"] if isinstance(entry.get("join"), list) else []):
        if one not in ("all", "any"):
            raise Refused(f"conditions.join[{number}]")
    if not isinstance(entry.get("join", []), list) and entry["join"] not in ("all", "any"):
        raise Refused("conditions.join")


def list_field(place, field):
    name = field
    if isinstance(field, Fields):
        required(place, field, ["entry"])
        name = field["entry"]
    kinds = [*TARGETS, *(f"overrides.{side}.{kind}" for side in ("on", "off") for kind in ("users", "companies"))]
    is_list = name in kinds or (isinstance(name, str) and name.startswith("require.") and len(name) > len("require."))
    if not is_list and name not in ("rollout_percentage", "start_date", "end_date"):
        raise Refused(place)
    if isinstance(field, Fields):
        options = LIST if is_list else {"of", "null"} if name == "rollout_percentage" else {"zone", "unit", "whole_day"}
        only(place, field, {"entry"} | options)
        list_options(place, field) if is_list else share_options(place, field) if name == "rollout_percentage" else time_options(place, field)


def fields_once(mapping):
    """M21."""
    taken = {name for name in (*TARGETS, "rollout_percentage", "start_date", "end_date") if name in mapping}
    taken |= {f"overrides.{side}.{kind}" for side, lists in mapping.get("overrides", {}).items() for kind in lists}
    taken |= {f"require.{attribute}" for attribute in mapping.get("require", {})}
    for name, field in mapping.get("conditions", {}).get("fields", {}).items():
        entry = field if isinstance(field, str) else field["entry"]
        if entry in taken:
            raise Refused(f"conditions.fields.{name}")
        taken.add(entry)


def fold(entry, read):
    only("fold", entry, {"by", "kind", "general", "without_general", "latest"})
    for number, one in enumerate(entry.get("by", [])):
        by(f"fold.by[{number}]", one, read)
    if "kind" in entry:
        column("fold.kind", entry["kind"], {"id", "as"}, read)
        required("fold.kind", entry["kind"], ["id", "as"])
        column("fold.kind.id", entry["kind"]["id"], set(), read)
    if not entry.get("by") and "kind" not in entry:
        raise Refused("fold")
    if "general" in entry:
        scalars("fold.general", entry["general"])
    word("fold.without_general", entry, ("off", "on"))
    if "latest" in entry:
        column("fold.latest", entry["latest"], set(), None)


def by(place, entry, read):
    if not isinstance(entry, Fields):
        raise Refused(place)
    column(place, entry, {"as"}, read)
    required(place, entry, ["as"])
    text(f"{place}.as", entry["as"])


def side(place, entry, read):
    if not isinstance(entry, Fields) or ("table" in entry) == ("column" in entry):
        raise Refused(place)
    if "column" in entry:
        column(place, entry, {"as"} | SWITCH, read)
        required(place, entry, ["as"])
        switch_options(place, entry)
        return
    only(place, entry, {"table", "flag", "to", "as", "id", "by", "enabled", "from", "until"})
    required(place, entry, ["flag"])
    if "to" in entry:
        column(f"{place}.to", entry["to"], set(), None)
    if "as" in entry or "id" in entry:
        required(place, entry, ["as", "id"])
    elif not entry.get("by"):
        raise Refused(place)
    for name in ("enabled", "from", "until"):
        if name in entry:
            options = SWITCH if name == "enabled" else {"zone", "unit", "whole_day"}
            column(f"{place}.{name}", entry[name], options, None)
