"""Small files that are read whole, and replaced whole."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import time

from ._native import MAX_SNAPSHOT_BYTES

IRREGULAR = "it is not a regular file, expected one"

_UNFINISHED = ".tmp"
# A live process never has an unfinished file for this long.
_ABANDONED_SECONDS = 60.0


def read(path: str) -> bytes:
    """A regular file's content: a pipe would block, and a device has no end."""
    look = os.stat(path)
    if not stat.S_ISREG(look.st_mode):
        raise OSError(IRREGULAR)
    if look.st_size > MAX_SNAPSHOT_BYTES:
        raise OSError(f"it has {look.st_size} bytes, expected at most {MAX_SNAPSHOT_BYTES}")
    with open(path, "rb") as file:
        return file.read(MAX_SNAPSHOT_BYTES)


def replace(path: str, folder: str, prefix: str, snapshot: bytes) -> None:
    """Replaces the file as a whole."""
    _sweep(folder, prefix)
    handle, unfinished = tempfile.mkstemp(_UNFINISHED, prefix, folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(snapshot)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise
    # The new name is durable only once the folder is flushed; not every system can do that.
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _sweep(folder: str, prefix: str) -> None:
    """Removes the temporary files of processes that were killed while writing."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(_UNFINISHED):
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _ABANDONED_SECONDS:
                        os.unlink(entry.path)
