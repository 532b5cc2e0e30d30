"""Rows and documents as objects, converted to the text of a snapshot."""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Mapping, Sequence, Set
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from ._report import SnapshotError

Rows: TypeAlias = Sequence[object] | Mapping[str, object]
"""Rows as a driver of a database gives them, or a document; of mappings, or of objects that know their columns."""


def is_rows(snapshot: object) -> bool:
    """Whether these are rows or a document, and not text."""
    return isinstance(snapshot, list | tuple | Mapping)


def text_of(rows: object) -> str:
    """The JSON of rows or a document; raises SnapshotError for what refers to itself, and for rows without names of
    columns, as a cursor gives them by default: they would be no flags at all."""
    for at, row in enumerate(rows if isinstance(rows, list | tuple) else ()):
        if _fields(row) is None:
            kind = type(row).__name__
            raise SnapshotError(f"row {at} is a `{kind}`, expected a mapping, such as psycopg's `row_factory=dict_row` gives")
    try:
        return json.dumps(_plain(rows), ensure_ascii=True)
    except RecursionError:
        raise SnapshotError("the snapshot refers to itself or is nested too deep", ()) from None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, date):
        return value.isoformat()
    fields = _fields(value)
    if fields is not None:
        return {str(name): _plain(fields[name]) for name in fields}
    if isinstance(value, list | tuple | Set):
        return [_plain(element) for element in value]
    if hasattr(value, "__index__"):
        return int(value)
    # A UUID, an address, an interval: `str` gives the text that a database prints.
    return str(value)


def _number(value: Decimal) -> object:
    if not value.is_finite():
        return str(value)
    return int(value) if value == value.to_integral_value() and abs(value) < 10**19 else float(value)


def _fields(value: Any) -> Mapping[str, object] | None:
    """The columns of a row: of a mapping, of SQLAlchemy, a named tuple, sqlite3 or asyncpg."""
    if isinstance(value, Mapping):
        return value
    if hasattr(value, "_mapping"):
        return dict(value._mapping)
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    keys = getattr(value, "keys", None)
    return {name: value[name] for name in keys()} if callable(keys) else None
