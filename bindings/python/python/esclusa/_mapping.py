"""Mappings: which column of a table is which field of a flag, so that the table is read as it is (`spec/MAPPING.md`)."""

from __future__ import annotations

import json
import os
from collections import abc
from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from . import _native
from ._report import MappingError, SnapshotError
from ._rows import text_of

if TYPE_CHECKING:
    from typing_extensions import Self

VARIABLE = "ESCLUSA_MAPPING"


class Mapping:
    """Which column of a table is which field of a flag, so that the table is read as it is.

    >>> from esclusa import Context, Flags, Mapping
    >>> mapping = Mapping({"esclusa_mapping": 1, "name": "slug", "enabled": "is_active", "target_plans": "plans"})
    >>> flags = Flags()
    >>> report = flags.publish([{"slug": "crm", "is_active": 1, "plans": ["PRO"]}], mapping=mapping)
    >>> flags.is_enabled("crm", Context("user-42", plan="PRO")), flags.is_enabled("crm", Context("user-42", plan="FREE"))
    (True, False)

    It never changes. `$environment` in `counts` is a parameter, whose value is given by keyword here or later by
    `with_parameters`.
    """

    __slots__ = ("_inner", "_is_over_stored")

    _inner: _native.Mapping
    _is_over_stored: bool
    """Whether the last rows came with a mapping, which this one replaces."""

    def __init__(self, mapping: abc.Mapping[str, object] | str | bytes, /, **parameters: str) -> None:
        """The mapping as a dict, or as the text of one in TOML or JSON.

        Raises MappingError if it breaks a rule of `spec/MAPPING.md`; the error names the entry.
        """
        if isinstance(mapping, abc.Mapping):
            try:
                mapping = text_of(mapping)
            except SnapshotError:
                problem = "refers to itself or is nested too deep"
                raise MappingError(f"mapping: {problem}", "", problem) from None
        elif not isinstance(mapping, str | bytes):
            raise TypeError(f"expected the mapping as a dict, or as text in TOML or JSON, got {type(mapping).__name__}")
        self._inner, self._is_over_stored = _with(_read(mapping, None), parameters), False

    @classmethod
    def load(cls, path: str | os.PathLike[str], /, **parameters: str) -> Self:
        """Reads a file in TOML or JSON; its path is the mapping's name in the reading and the log.

        Raises OSError if it cannot be read, and MappingError, whose message begins with the path, if it is wrong.
        """
        name = os.fspath(path)
        with open(path, "rb") as file:
            text = file.read()
        try:
            return cls._of(_with(_read(text, name), parameters))
        except MappingError as problem:
            raise MappingError(f"`{name}`: {problem}", problem.place, problem.problem) from None

    @classmethod
    def from_env(cls, variable: str = VARIABLE, /, **parameters: str) -> Self:
        """Reads the file whose path an environment variable has, by default `ESCLUSA_MAPPING`.

        Raises MappingError without such a variable, and as `load` does.
        """
        path = os.environ.get(variable, "").strip()
        if not path:
            problem = "is not set, expected the path of a mapping"
            raise MappingError(f"the variable `{variable}` {problem}", variable, problem)
        return cls.load(path, **parameters)

    def with_parameters(self, **parameters: str) -> Self:
        """The same mapping with parameters: `$environment` stands for `environment="production"`.

        Raises MappingError for a name that cannot follow a `$`.
        """
        return self._of(_with(self._inner, parameters))

    @classmethod
    def _of(cls, native: _native.Mapping) -> Self:
        mapping = cls.__new__(cls)
        mapping._inner, mapping._is_over_stored = native, False
        return mapping

    @property
    def name(self) -> str:
        """Its name in the reading and the log: the path that it was loaded from, or `mapping`."""
        return self._inner.name

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, without `$`."""
        return tuple(self._inner.parameters)

    def to_dict(self) -> dict[str, object]:
        """The mapping as plain values, without parameters."""
        plain: dict[str, object] = json.loads(self._inner.to_json())
        return plain

    def __repr__(self) -> str:
        return f"<Mapping {self.name}>"


MappedBy: TypeAlias = Union[Literal["app"], Literal["stored"], Literal["app instead of stored"]]
"""Whose mapping defines the columns: the app's, the one that comes with the rows, or the app's although one comes."""

MappingLike: TypeAlias = Union[Mapping, abc.Mapping[str, object], str, "os.PathLike[str]"]
"""A mapping, a dict that is one, or the path of its file."""


def mapping_of(given: MappingLike, parameters: abc.Mapping[str, str] | None = None) -> Mapping:
    """A mapping from any of its forms; raises as `Mapping` and `Mapping.load` do."""
    parameters = parameters or {}
    if isinstance(given, Mapping):
        return given.with_parameters(**parameters)
    if isinstance(given, abc.Mapping):
        return Mapping(given, **parameters)
    if isinstance(given, str | os.PathLike):
        return Mapping.load(given, **parameters)
    raise TypeError(f"expected a Mapping, a dict, or the path of a file, got {type(given).__name__}")


class Stored:
    """The mapping that comes with the rows, as `esclusa.watch` keeps it in Postgres (M34)."""

    def __init__(self, parameters: abc.Mapping[str, str]) -> None:
        """Raises as `Mapping.with_parameters` does."""
        for name, value in parameters.items():
            _check(name, value)
        try:
            self._native = _native.Stored(list(parameters.items()))
        except ValueError as problem:
            raise MappingError(*problem.args) from None

    def read(self, given: bytes) -> _native.Mapping | None:
        """The mapping of a document, None for a snapshot. Raises MappingError, also for rows that have lost their
        mapping."""
        try:
            return self._native.mapping(given)
        except ValueError as problem:
            raise MappingError(*problem.args) from None


def native_of(translation: Mapping | Stored | None, given: bytes) -> _native.Mapping | None:
    """The native half's mapping for these rows; raises MappingError."""
    if isinstance(translation, Stored):
        return translation.read(given)
    if translation is None:
        return None
    translation._is_over_stored = _native.brings_mapping(given)
    return translation._inner


def mapped_by(translation: Mapping | Stored | None) -> MappedBy | None:
    """Whose mapping read the last rows."""
    if isinstance(translation, Stored):
        return "stored" if translation._native.is_mapped else None
    if translation is None:
        return None
    return "app instead of stored" if translation._is_over_stored else "app"


def snapshot_of(translation: Mapping | Stored | None, rows: bytes) -> bytes:
    """The rows as a snapshot that needs no mapping; raises ValueError if the mapping does not fit."""
    mapping = native_of(translation, rows)
    return rows if mapping is None else mapping.snapshot(rows)


def _read(text: str | bytes, name: str | None) -> _native.Mapping:
    given = text.encode("utf-8", "replace") if isinstance(text, str) else text
    try:
        return _native.Mapping(given, name)
    except ValueError as problem:
        raise MappingError(*problem.args) from None


def _with(native: _native.Mapping, parameters: abc.Mapping[str, str]) -> _native.Mapping:
    for name, value in parameters.items():
        _check(name, value)
        try:
            native = native.with_(name, value)
        except ValueError as problem:
            raise MappingError(*problem.args) from None
    return native


def _check(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"the parameter `{name}` is a `{type(value).__name__}`, expected a string")
