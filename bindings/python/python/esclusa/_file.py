"""A snapshot in a file: a change is published within a moment, and a half-written file never is."""

from __future__ import annotations

import os
import stat
import time

from ._native import MAX_SNAPSHOT_BYTES
from ._source import NOT_MODIFIED, Answer, Failure, News, NotModified, Request

_LOOK_EVERY_SECONDS = 0.5
# A file that changed less than this ago may still be written to; the clocks of file systems tick a few milliseconds.
_SETTLED_SECONDS = 0.03
# Maximum number of changes of a file while it is read before it counts as being written.
_MAX_READS = 20


class File:
    """A snapshot in a file, which need not exist yet.

    Replace it by renaming another file over it, as `kubectl`, `rsync` and most deployment tools do. A file that is
    written in place is read once it no longer changes, and an incomplete snapshot is not published. It is checked twice
    a second.
    """

    is_local = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """The file of this path."""
        self._path = os.fspath(path)
        # The state of the file at the last check.
        self._seen: str | None = None

    @property
    def name(self) -> str:
        """The path."""
        return self._path

    def __repr__(self) -> str:
        return f"File({self._path!r})"

    def fetch(self, request: Request) -> Answer | NotModified:
        """The file's content, once it no longer changes."""
        try:
            return self._read(request)
        except OSError as problem:
            self._seen = None
            raise Failure(f"`{self._path}`: {problem.strerror or problem}") from problem

    def _read(self, request: Request) -> Answer | NotModified:
        for _ in range(_MAX_READS):
            look = os.stat(self._path)
            if not stat.S_ISREG(look.st_mode):
                # Opening a pipe would block without end.
                raise OSError("it is not a regular file, expected one")
            before = self._seen = _tag(look)
            if request.etag == before:
                return NOT_MODIFIED
            if 0 <= time.time() - look.st_mtime < _SETTLED_SECONDS:
                time.sleep(_SETTLED_SECONDS)
                continue
            if look.st_size > MAX_SNAPSHOT_BYTES:
                size = look.st_size
                raise Failure(f"`{self._path}` has {size} bytes, expected at most {MAX_SNAPSHOT_BYTES}")
            with open(self._path, "rb") as file:
                snapshot = file.read(MAX_SNAPSHOT_BYTES + 1)
            if _tag(os.stat(self._path)) == before:
                return Answer(snapshot, before)
        raise Failure(f"`{self._path}` changes without end, expected it to come to rest")

    def wait(self, seconds: float) -> News | None:
        """Waits until the file's state changes."""
        end = time.monotonic() + seconds
        while True:
            try:
                look = _tag(os.stat(self._path))
            except OSError:
                look = None
            # A file that disappears is news too: the status should not report a good state for an interval.
            if look != self._seen:
                self._seen = look
                return News.CHANGED
            left = end - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(left, _LOOK_EVERY_SECONDS))


def _tag(look: os.stat_result) -> str:
    # The time of the last change alone would miss a second change within the same tick. If that time was set back, the
    # time of the last change of any kind differs.
    return f"{look.st_mtime_ns}-{look.st_size}-{look.st_ino}-{look.st_ctime_ns}"
