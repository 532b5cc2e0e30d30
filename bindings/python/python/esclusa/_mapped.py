"""A source whose rows a mapping reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import _asking
from ._layers import Layers
from ._mapping import MappingLike, Stored, mapping_of
from ._rows import Rows
from ._source import Answer, Fetch, News, NotModified, Request, Source

if TYPE_CHECKING:
    from ._mapping import Mapping


def mapped(source: Source | Fetch, mapping: MappingLike | None, /, **parameters: str) -> Source:
    """The same source, whose rows a mapping reads: a `Mapping`, a dict, or the path of a file.

    >>> from esclusa import Flags
    >>> from esclusa.sync import Bundled, mapped
    >>> rows = Bundled('[{"slug": "crm", "is_active": 1, "env": "production"}, {"slug": "old", "is_active": 1, "env": "test"}]')
    >>> mapping = {"esclusa_mapping": 1, "name": "slug", "enabled": "is_active", "counts": [{"column": "env", "is": ["$env"]}]}
    >>> flags = Flags.from_source(mapped(rows, mapping, env="production"))
    >>> flags.is_enabled("crm"), flags.is_enabled("old")
    (True, False)

    Rows that the mapping does not fit as a whole are a failure, and the last set stays. A cached copy holds the rows as the
    store gave them: `Cached(mapped(source, mapping), path)`. Each layer has a mapping of its own: `Layers(Environment(),
    mapped(source, mapping))`.

    With None in place of a mapping it is the one that the rows bring along, as `esclusa.watch` keeps it in Postgres; what
    comes without one is a snapshot. `Postgres` does that by itself.

    Raises MappingError for a mapping that is wrong, OSError for a file that cannot be read, and TypeError for layers.
    """
    if isinstance(source, Layers):
        raise TypeError("layers are snapshots, expected the mapping at the layer whose rows it reads: Layers(mapped(…), …)")
    translation = Stored(parameters) if mapping is None else mapping_of(mapping, parameters)
    return Mapped(_asking.source_of(source), translation)


class Mapped:
    """The result of `mapped`."""

    def __init__(self, source: Source, translation: Mapping | Stored) -> None:
        self._source, self.translation = source, translation

    @property
    def name(self) -> str:
        """The source's."""
        return self._source.name

    @property
    def is_local(self) -> bool:
        """The source's."""
        return _asking.is_local(self._source)

    @property
    def polled(self) -> str | None:
        """The source's."""
        return _asking.polled(self._source)

    def fetch(self, request: Request) -> bytes | str | Rows | Answer | NotModified:
        """The source's rows, unchanged."""
        return self._source.fetch(request)

    def bootstrap(self) -> bytes | None:
        """The bootstrap of the source."""
        return _asking.begin(self._source)

    @property
    def wait(self) -> Callable[[float], News | None] | None:
        """Waits for news, if the source can."""
        return self._wait if _asking.can_wait(self._source) else None

    def _wait(self, seconds: float) -> News | None:
        return _asking.wait(self._source, seconds)

    def close(self) -> None:
        """Closes the source."""
        _asking.close(self._source)
