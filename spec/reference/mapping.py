"""Mappings: MAPPING.md read as literally as it can be. Rows become flags as SEMANTICS.md has them.

`translate` answers the flags, or raises Refused with the place that the whole was refused for (M4).
It is made to be compared with, not to be fast, and it shares no code with the crate.
"""

import json

import forms
import mapping_folding as folding
import mapping_values as values
from mapping_checks import Refused, check
from mapping_columns import columns_of, field_of, given, named
from mapping_flag import Flag
from mapping_rows import counts, is_row, rows_of_fields, tables_of


def translate(text, mapping, parameters):
    """The flags that rows become, in the reference's own form of JSON. Without a mapping it is the document's (M34)."""
    document = forms.read_json(text)
    mapping = document["mapping"] if mapping is None else forms.read_json(json.dumps(mapping))
    check(mapping, parameters)
    tables, main = tables_of(document, mapping)
    rows = tables[main]
    for side in mapping.get("side", []):
        if "table" in side and side["table"] not in tables:
            raise Refused("side")
    for name in tables:
        if name not in (main, *(side.get("table") for side in mapping.get("side", [])), *mapping.get("ignore", [])):
            raise Refused(name)
    check_columns(mapping, rows)
    if mapping.get("each") == "field":
        rows = [each for row in rows for each in rows_of_fields(row, mapping)]
    has_enabled = any(is_row(row) and any(name == "enabled" and not named(mapping, name) for name, _ in row.pairs) for row in rows)
    if rows and not has_enabled and "enabled" not in mapping and not any(name in mapping for name in ("default", "fold", "side")):
        raise Refused("enabled")
    flags, waiting, left_out, keys = [], [], [], set()
    for row in rows:
        if not is_row(row):
            flags.append(row)
            continue
        flag = Flag(row, mapping)
        if not counts(flag, parameters):
            left_out.append(flag.key())
            continue
        flag.translate(has_enabled)
        if ("fold" in mapping or "side" in mapping) and flag.key():
            waiting.append(flag)
        else:
            flags.append(flag.native())
            keys.add(flag.key())
    for flag in folding.fold(waiting, mapping, tables, has_enabled):
        flags.append(flag.native())
        keys.add(flag.key())
    for key in sorted({key for key in left_out if key} - keys):
        flags.append({"name": key, "enabled": False})
    return flags


def check_columns(mapping, rows):
    """M4: what can only be known once there are rows."""
    here = {name for row in rows if is_row(row) for name in row}
    inner = [each for row in rows for each in rows_of_fields(row, mapping)] if mapping.get("each") == "field" else []
    here |= {name for row in inner for name in row}
    for row in [*rows, *inner]:
        for name, value in row.pairs if is_row(row) else ():
            if named(mapping, name) or values.is_empty(value):
                continue
            field = field_of(name)
            if field in given(mapping) and not (field == "name" and "name" in mapping):
                raise Refused(name)
    for name, _, use in columns_of(mapping):
        if rows and name not in here and use != "ignore":
            raise Refused(name)
