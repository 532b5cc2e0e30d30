"""A snapshot in a file: a change is published within a moment, and what is half written never is."""

from __future__ import annotations

import os
import stat
import time

from ._native import MAX_SNAPSHOT_BYTES
from ._source import NOT_MODIFIED, Answer, Failure, News, NotModified, Request

_LOOK_EVERY_SECONDS = 0.5
# A file that changed less than this ago may still be written; the clocks of file systems tick a few milliseconds.
_SETTLED_SECONDS = 0.03
# So many times a file may change while it is read before it counts as being written.
_MAX_READS = 20


class File:
    """A snapshot in a file, which need not exist yet.

    Replace it by renaming another file over it, as `kubectl`, `rsync` and most deployment tools do. A file that is
    written in place is read when it has come to rest, and what is no whole snapshot is not published. It is looked at
    twice a second.
    """

    is_local = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """The file of this path."""
        self._path = os.fspath(path)
        # What the file looked like when it was looked at last.
        self._seen: str | None = None

    @property
    def name(self) -> str:
        """The path."""
        return self._path

    def __repr__(self) -> str:
        return f"File({self._path!r})"

    def fetch(self, request: Request) -> Answer | NotModified:
        """The file's content, once it has come to rest."""
        try:
            return self._read(request)
        except OSError as problem:
            self._seen = None
            raise Failure(f"`{self._path}`: {problem.strerror or problem}") from problem

    def _read(self, request: Request) -> Answer | NotModified:
        for _ in range(_MAX_READS):
            look = os.stat(self._path)
            if not stat.S_ISREG(look.st_mode):
                # A pipe would be waited for without end.
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
        """Waits until the file looks different."""
        end = time.monotonic() + seconds
        while True:
            try:
                look = _tag(os.stat(self._path))
            except OSError:
                look = None
            # A file that is gone is news too: the status should not say for an interval that all is well.
            if look != self._seen:
                self._seen = look
                return News.CHANGED
            left = end - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(left, _LOOK_EVERY_SECONDS))


def _tag(look: os.stat_result) -> str:
    # The time of the last change alone would miss one within the same tick.
    # A time that was set back changes when anything about the file changed last.
    return f"{look.st_mtime_ns}-{look.st_size}-{look.st_ino}-{look.st_ctime_ns}"
