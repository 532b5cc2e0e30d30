"""A snapshot that is built into the app: the lowest layer."""

from __future__ import annotations

from ._asking import bytes_of
from ._source import NOT_MODIFIED, Answer, NotModified, Request

# The source has one answer, with this tag.
_ETAG = "bundled"


class Bundled:
    """A snapshot that never changes, such as `importlib.resources.read_binary("app", "flags.json")`."""

    is_local = True
    name = "bundled"

    def __init__(self, snapshot: bytes | str) -> None:
        """A document or bare rows, as JSON."""
        given = bytes_of(snapshot)
        if given is None:
            raise TypeError(f"expected the snapshot as str or bytes, got {type(snapshot).__name__}")
        self._snapshot = given

    def fetch(self, request: Request) -> Answer | NotModified:
        """The same answer each time."""
        return NOT_MODIFIED if request.etag == _ETAG else Answer(self._snapshot, _ETAG)

    def bootstrap(self) -> bytes:
        """The same snapshot."""
        return self._snapshot
