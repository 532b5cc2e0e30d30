"""The columns that a mapping names, and the fields of a flag that it gives (MAPPING.md, M4 and M7)."""

import mapping_values as values
from forms import Fields
from mapping_checks import TARGETS

FIELDS = (
    "key name enabled status rollout_percentage target_plans target_roles target_companies target_regions target_users "
    "start_date end_date bucket_by salt overrides variants off_value rules prerequisites schedule client guard guard_state"
).split()
OVERRIDES = [("on", "users"), ("on", "companies"), ("off", "users"), ("off", "companies")]


def columns_of(mapping):
    """The names of all columns of the flags' own rows, with what they are for."""
    found = []

    def column(entry, use):
        if isinstance(entry, str):
            found.append((entry, (), use))
        elif isinstance(entry, Fields) and "column" in entry:
            found.append((entry["column"], values.path_of(entry), use))

    for name in ["name", "label", "enabled", "default", "status", "rollout_percentage", *TARGETS, "start_date", "end_date", "bucket_by", "salt", "variants", "conditions"]:
        entry = mapping.get(name)
        column(entry, name)
        if isinstance(entry, Fields):
            for one in entry.get("all", []):
                column(one, name)
    for side, kind in OVERRIDES:
        column(mapping.get("overrides", {}).get(side, {}).get(kind), "overrides")
    for entry in mapping.get("require", {}).values():
        column(entry, "require")
    for entry in mapping.get("counts", []):
        column(entry, "counts")
    column(mapping.get("value"), "value")
    if isinstance(mapping.get("value"), Fields):
        column(mapping["value"].get("kind"), "value")
    fold = mapping.get("fold", {})
    for entry in fold.get("by", []):
        column(entry, "fold")
    column(fold.get("kind"), "fold")
    column(fold.get("kind", {}).get("id"), "fold")
    column(fold.get("latest"), "shared")
    for side in mapping.get("side", []):
        column(side if "column" in side else None, "side")
        column(side.get("to"), "shared")
    for entry in mapping.get("off_when", []):
        column(entry, "shared")
    for name in mapping.get("ignore", []):
        found.append((name, (), "ignore"))
    return found


def named(mapping, name):
    return any(column == name for column, _, _ in columns_of(mapping))


def given(mapping):
    """The fields that entries give (M4)."""
    fields = {name for name in ("enabled", "status", "rollout_percentage", *TARGETS, "start_date", "end_date", "bucket_by", "salt", "variants") if name in mapping}
    if "name" in mapping:
        fields.add("key")
    if "value" in mapping:
        fields.add("variants")
        if isinstance(mapping["value"], Fields) and "off" in mapping["value"]:
            fields.add("off_value")
    folds = "fold" in mapping or bool(mapping.get("side"))
    if folds or any(mapping.get("overrides", {}).get(side, {}).get(kind) is not None for side, kind in OVERRIDES):
        fields.add("overrides")
    if folds or mapping.get("require") or "conditions" in mapping:
        fields.add("rules")
    for entry in mapping.get("conditions", {}).get("fields", {}).values():
        entry = entry if isinstance(entry, str) else entry["entry"]
        fields.add(entry.split(".")[0])
    return fields - {"require"}


def field_of(name):
    """2.2.30."""
    for field in FIELDS:
        first, *rest = field.split("_")
        if name in (field, first + "".join(part[:1].upper() + part[1:] for part in rest)):
            return field
    return None
