"""The result of publishing, and the violations of a snapshot (sections 8 and 9 of SEMANTICS.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ._reading import Reading, reading_of

if TYPE_CHECKING:
    from ._flags import Flags


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong in a snapshot, for its author."""

    place: str
    """A JSON pointer into the snapshot; empty for the snapshot as a whole."""
    problem: str
    """What is wrong, and what was expected."""
    code: str
    """The kind of problem, as a name that does not change (sentence 9.9), such as `out-of-range`."""

    def __str__(self) -> str:
        return f"`{self.place}`: {self.problem}" if self.place else self.problem


@dataclass(frozen=True, slots=True)
class Kept:
    """The definition that a flag which was set aside keeps from an earlier snapshot."""

    revision: int | None
    """The revision of the snapshot that it comes from, if it has one."""
    publishes: int
    """Number of publishes for which it has been kept, this one included."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A flag that was set aside because its definition breaks a rule."""

    key: str
    off: bool
    """Whether its row says off."""
    kept: Kept | None
    """The definition that it keeps, or None if it has none."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of publishing a snapshot."""

    outcome: Literal["published", "older"]
    """`older` means that the current snapshot, which has a higher revision, stays."""
    revision: int | None
    """The revision of the snapshot that was to be published."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """The keys whose answers may differ now; all three are sorted."""
    set_aside: tuple[SetAside, ...]
    violations: tuple[Violation, ...]
    reading: Reading
    """What was understood of the snapshot: its columns, how each was read, and notices."""

    @property
    def is_published(self) -> bool:
        """Whether the snapshot is the current one now."""
        return self.outcome == "published"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, ready for `json.dumps`."""
        return asdict(self)


class SnapshotError(ValueError):
    """A snapshot was refused whole; what was published before stays."""

    violations: tuple[Violation, ...]
    """All violations that refused it: in strict mode every one, otherwise at most one."""
    code: str
    """The kind of problem, as a name that does not change (sentence 9.9), such as `not-json`."""

    def __init__(self, problem: str, violations: tuple[Violation, ...] = (), code: str = "not-a-snapshot") -> None:
        """A refusal with its reason in one line, its violations, and its code."""
        super().__init__(problem, violations, code)
        self.violations = violations
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


class MappingError(SnapshotError):
    """A mapping is wrong, or does not fit the rows as a whole; what was published before stays."""

    place: str
    """The place: the entry of the mapping with its options, joined by dots, or a column or a table."""
    problem: str
    """What is wrong, and what was expected."""

    def __init__(self, message: str, place: str, problem: str) -> None:
        """The message in one line, and its parts."""
        super().__init__(message, (), "invalid-mapping")
        self.args = (message, place, problem)
        self.place, self.problem = place, problem


def refusal_of(plain: dict[str, Any]) -> SnapshotError:
    """Why nothing was published, from its JSON."""
    if "mapping" in plain:
        return MappingError(plain["problem"], *plain["mapping"])
    return SnapshotError(plain["problem"], violations_of(plain["violations"]), plain["code"])


def violations_of(plain: list[dict[str, str]]) -> tuple[Violation, ...]:
    """Violations from their JSON."""
    return tuple(Violation(**violation) for violation in plain)


def report_of(plain: dict[str, Any]) -> Report:
    """A report from its JSON (sentence 9.6)."""
    return Report(
        outcome=plain["outcome"],
        revision=plain["revision"],
        added=tuple(plain["added"]),
        removed=tuple(plain["removed"]),
        changed=tuple(plain["changed"]),
        set_aside=tuple(
            SetAside(flag["key"], flag["off"], flag["kept"] and Kept(**flag["kept"])) for flag in plain["set_aside"]
        ),
        violations=violations_of(plain["violations"]),
        reading=reading_of(plain["reading"]),
    )


def tell(flags: Flags, reports: Iterable[dict[str, Any]]) -> None:
    """Gives the listeners of the flags the reports that changed anything, from their JSON."""
    for plain in reports:
        report = report_of(plain)
        if report.changed:
            flags._tell(report)
