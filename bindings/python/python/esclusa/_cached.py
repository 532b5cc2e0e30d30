"""The cached copy: the last good answer of a source, on disk, for a start while the store is down (11.23)."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import weakref
from collections.abc import Callable, Iterator

from . import _asking
from ._deciding import decide
from ._disk import IRREGULAR, read, replace
from ._mapping import MappedBy, Mapping, Stored, native_of
from ._native import revision_of
from ._redaction import describe_error
from ._source import Answer, Fetch, News, NotModified, Request, Source

try:
    import fcntl
except ImportError:  # A system without it has no lock; the copy is compared all the same.
    fcntl = None  # type: ignore[assignment]

_logger = logging.getLogger("esclusa")

# How long closing waits for a copy that is being written.
_CLOSING_SECONDS = 1.0


class Cached:
    """A source whose last good answer is kept in a file and published first at the next start.

    The file is written in a thread and never delays an answer. It is replaced as a whole (written to a temporary file,
    flushed to the disk, renamed), so that a reader finds the old copy or the new one. Several processes may share it:
    only an answer whose revision is not older replaces a copy.
    """

    def __init__(self, source: Source | Fetch, path: str | os.PathLike[str]) -> None:
        """The copy's folder must exist; the file need not."""
        self._source = _asking.source_of(source)
        self._path = os.path.abspath(path)
        self._writer: _Writer | None = None

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

    @property
    def mapped_by(self) -> MappedBy | None:
        """The source's."""
        return _asking.mapped_by(self._source)

    @property
    def translation(self) -> Mapping | Stored | None:
        """The source's."""
        return _asking.translation_of(self._source)

    def fetch(self, request: Request) -> Answer | NotModified:
        """The source's answer, which is cached in the background."""
        answer = _asking.ask(self._source, request)
        if isinstance(answer, Answer) and isinstance(answer.snapshot, bytes):
            if self._writer is None or self._writer.process != os.getpid():
                self._writer = _Writer(self._path, self.translation)
                weakref.finalize(self, self._writer.end)
            self._writer.save(answer.snapshot)
        return answer

    def bootstrap(self) -> bytes | None:
        """The copy, or else the bootstrap of the source."""
        try:
            copy = read(self._path)
            revision_of(copy, native_of(self.translation, copy))
            return copy
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as problem:
            _logger.warning("the copy `%s` cannot be used: %s", self._path, describe_error(problem))
        return _asking.begin(self._source)

    @property
    def wait(self) -> Callable[[float], News | None] | None:
        """Waits for news, if the source can."""
        return self._wait if _asking.can_wait(self._source) else None

    def close(self) -> None:
        """Closes the source, and waits a moment for a copy that is being written."""
        if self._writer is not None and self._writer.process == os.getpid():
            self._writer.end()
            self._writer.join(_CLOSING_SECONDS)
        _asking.close(self._source)

    def _wait(self, seconds: float) -> News | None:
        return _asking.wait(self._source, seconds)


class _Writer:
    """Writes copies in a thread, one at a time and the newest next. If the disk hangs, there is only this one
    thread."""

    def __init__(self, path: str, translation: Mapping | Stored | None) -> None:
        self.process = os.getpid()
        self._path, self._translation = path, translation
        self._next = queue.SimpleQueue[bytes | None]()
        self._thread = threading.Thread(target=self._write, name="esclusa-copy", daemon=True)
        self._is_begun = False

    def save(self, snapshot: bytes) -> None:
        self._next.put(snapshot)
        if not self._is_begun:
            self._is_begun = True
            try:
                self._thread.start()
            except RuntimeError as problem:
                # The interpreter ends, or the system has no more threads.
                _logger.warning("the copy `%s` cannot be written: %s", self._path, describe_error(problem))

    def end(self) -> None:
        self._next.put(None)

    def join(self, seconds: float) -> None:
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _write(self) -> None:
        while (snapshot := self._next.get()) is not None:
            is_last = False
            while not self._next.empty() and not is_last:
                newer = self._next.get()
                is_last, snapshot = newer is None, newer or snapshot
            try:
                _save_newer(self._path, snapshot, self._translation)
            except (OSError, MemoryError) as problem:
                _logger.warning("the copy `%s` cannot be written: %s", self._path, describe_error(problem))
            if is_last:
                return


def _save_newer(path: str, snapshot: bytes, translation: Mapping | Stored | None) -> None:
    """Saves a snapshot that can be published, unless the present copy is newer."""
    try:
        revision = revision_of(snapshot, native_of(translation, snapshot))
    except ValueError:
        return
    # A rename would remove a pipe or a device for every other program.
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(IRREGULAR)
    folder, name = os.path.split(path)
    prefix = f".{name}."
    with _locked(os.path.join(folder, f"{prefix}lock")):
        before: bytes | None = None
        saved: int | None = None
        with contextlib.suppress(OSError, ValueError):
            before = read(path)
            saved = revision_of(before, native_of(translation, before))
        if before != snapshot and decide("save", saved=saved, new=revision):
            replace(path, folder, prefix, snapshot)


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Holds the lock, for one process at a time. The system releases it when that process ends."""
    opened = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
    try:
        if fcntl is not None:
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
