"""What was understood of a snapshot (sentences 9.7 and 9.8 of SEMANTICS.md): names, counts and kinds, never values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A field that some flag has, and how it is read."""

    column: str
    read_as: str | None
    """The field that it is read as, or None if it is not read."""
    why: str | None
    """Why it is not read, such as `not read` or `looks like a restriction`; None if it is read."""
    rows: int
    """Number of rows that have it."""
    not_empty: int
    """Number of rows in which it is not empty."""
    withheld: int
    """Number of rows whose flag is off because of it, until it is renamed to a known field or ignored."""
    kinds: tuple[str, ...]
    """The kinds of its values, if it is not read: `boolean`, `number`, `text`, `array`, `object`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should look at."""

    code: str
    """The kind of notice, such as `no-switch`, `twins` or `new-column`."""
    problem: str
    rows: int
    """Number of rows that it concerns."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that do not count, because of a mapping."""

    why: str
    """The column of `counts` that leaves them out, or the side table whose rows name no flag."""
    rows: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a snapshot."""

    rows: int
    flags: int
    columns: tuple[Column, ...]
    notices: tuple[Notice, ...]
    fingerprint: str
    """A hash of the columns and of how they are read; it changes when these change."""
    mapping: str | None = None
    """The name of the mapping that has read the rows, such as the path of its file; None without one."""
    rows_left_out: tuple[LeftOut, ...] = ()
    """The rows that the mapping does not count."""


def reading_of(plain: dict[str, Any]) -> Reading:
    """A reading from its JSON."""
    columns = (
        Column(
            column["column"],
            column["read_as"],
            column.get("why"),
            column["rows"],
            column["not_empty"],
            column.get("withheld", 0),
            tuple(column.get("kinds", ())),
        )
        for column in plain["columns"]
    )
    notices = (Notice(notice["code"], notice["problem"], notice["rows"]) for notice in plain["notices"])
    left_out = (LeftOut(rows["why"], rows["rows"]) for rows in plain["rows_left_out"])
    return Reading(
        plain["rows"],
        plain["flags"],
        tuple(columns),
        tuple(notices),
        plain["fingerprint"],
        plain["mapping"],
        tuple(left_out),
    )
