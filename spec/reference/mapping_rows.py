"""The rows of a document: which table they are in, and which of them count (MAPPING.md, M2, M17 and M25)."""

import mapping_values as values
from forms import Fields
from mapping_checks import Refused


def is_row(row):
    return isinstance(row, Fields)


def tables_of(document, mapping):
    """M2: the tables by their names, and the name of the one of the flags."""
    if isinstance(document, list):
        return {None: document}, None
    if document.get("tables") is None:
        return {"flags": document["flags"]}, "flags"
    if "flags" in document:
        raise Refused("/flags")
    tables = dict(document["tables"])
    sides = [side.get("table") for side in mapping.get("side", [])]
    others = [name for name in tables if name not in sides]
    wanted = mapping.get("table", "flags")
    if wanted not in tables:
        if "table" in mapping or len(others) != 1:
            raise Refused("table")
        wanted = others[0]
    return tables, wanted


def rows_of_fields(row, mapping):
    """M25."""
    column = mapping["name"]
    name = column if isinstance(column, str) else column["column"]
    found = row.all.get(name, [])
    value = values.walk(found[0], values.path_of(column)) if len(found) == 1 else None
    value = values.as_json(value)
    outer = [(other, value) for other, value in row.pairs if other != name and not values.is_empty(value)]
    if not isinstance(value, Fields) or (len(outer) > 64 and len(value.pairs) > 64):
        if not found or (len(found) == 1 and values.is_empty(value) and value is not values.UNREADABLE):
            return []
        return [Row(Fields([("name", None)]), None)]
    enabled = mapping.get("enabled", "enabled")
    if isinstance(enabled, Fields):
        enabled = enabled["all"][0] if "all" in enabled else enabled
        enabled = enabled if isinstance(enabled, str) else enabled.get("column", "enabled")
    return [Row(Fields(outer + (flag.pairs if is_row(flag) else [(enabled, flag)])), key) for key, flag in value.pairs]


class Row(Fields):
    """A row that was a field, with its name."""

    def __init__(self, fields, key):
        super().__init__(fields.pairs)
        self.key = key


def counts(flag, parameters):
    """M17."""
    for entry in flag.mapping.get("counts", []):
        wanted = [parameters[one[1:]] if isinstance(one, str) and one.startswith("$") else one for one in values.as_list(entry["is"])]
        value = flag.find(entry)
        if value is values.UNREADABLE or flag.is_repeated(entry["column"]):
            return False
        if values.is_empty(value):
            if entry.get("empty", "counts") != "counts":
                return False
        elif not values.is_one_of(value, wanted):
            return False
    return True
