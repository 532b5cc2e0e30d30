"""The last good copy: what a source said last, on disk, for a start while the store is away."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable

from . import _asking
from ._native import revision_of
from ._redaction import told
from ._source import Answer, Fetch, News, NotModified, Request, Source

_logger = logging.getLogger("esclusa")

_UNFINISHED = ".tmp"
# Nobody writes a copy for so long.
_ABANDONED_SECONDS = 60.0


class Saved:
    """Another source, of which the last good answer is kept in a file and published first at the next start.

    The file is replaced as a whole (written beside it, flushed to the disk, renamed), so that whoever reads it, and
    whatever dies in between, finds the old copy or the new one. It is checked when it is written and when it is read.
    """

    def __init__(self, source: Source | Fetch, path: str | os.PathLike[str]) -> None:
        """The copy's folder must exist; the file need not."""
        self._source = _asking.source_of(source)
        self._path = os.path.abspath(path)
        # The revision of the copy.
        self._revision: int | None = None

    @property
    def name(self) -> str:
        """The source's."""
        return self._source.name

    @property
    def at_hand(self) -> bool:
        """The source's."""
        return _asking.is_at_hand(self._source)

    def fetch(self, request: Request) -> Answer | NotModified:
        """What the source answers, which is saved."""
        answer = _asking.ask(self._source, request)
        if isinstance(answer, Answer) and isinstance(answer.snapshot, bytes):
            try:
                self._save_newer(answer.snapshot)
            except OSError as problem:
                # The answer is good all the same.
                _logger.warning("the copy `%s` cannot be written: %s", self._path, told(problem))
        return answer

    def to_begin_with(self) -> bytes | None:
        """The copy, or else what the source begins with."""
        try:
            with open(self._path, "rb") as file:
                copy = file.read()
            self._revision = revision_of(copy)
            return copy
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as problem:
            _logger.warning("the copy `%s` cannot be used: %s", self._path, told(problem))
        return _asking.begin(self._source)

    @property
    def wait(self) -> Callable[[float], News | None] | None:
        """Waits for news, if there is anything to wait for."""
        return self._wait if _asking.can_wait(self._source) else None

    def close(self) -> None:
        """Closes the source."""
        _asking.close(self._source)

    def _wait(self, seconds: float) -> News | None:
        return _asking.wait(self._source, seconds)

    def _save_newer(self, snapshot: bytes) -> None:
        """Saves a snapshot that would be published."""
        try:
            revision = revision_of(snapshot)
        except ValueError:
            return
        if self._revision is None or revision is None or revision >= self._revision:
            self._save(snapshot)
            self._revision = revision

    def _save(self, snapshot: bytes) -> None:
        """Replaces the file as a whole."""
        folder, name = os.path.split(self._path)
        prefix = f".{name}."
        _sweep(folder, prefix)
        handle, unfinished = tempfile.mkstemp(_UNFINISHED, prefix, folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(snapshot)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
            raise
        # The new name is safe only when the folder is on the disk too; not every system can do that.
        with contextlib.suppress(OSError):
            opened = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)


def _sweep(folder: str, prefix: str) -> None:
    """Removes what processes that were killed in the middle of writing left behind."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(_UNFINISHED):
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _ABANDONED_SECONDS:
                        os.unlink(entry.path)
