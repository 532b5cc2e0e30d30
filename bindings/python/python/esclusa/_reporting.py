"""What was counted, on its way to a server: once a minute as `POST /v1/usage` (section 4 of GUARD.md).

Through an outage the counts of a report grow, so that it takes no more room; it keeps its minute, of which the highest count
stands, so that a report of which nobody knows whether it has arrived is not counted twice.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import random
import threading
import time
import weakref
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ._counting import Series
from ._redaction import describe_error
from ._source import Failure

if TYPE_CHECKING:
    from ._counting import Counting
    from ._http import Http
    from ._questions import Questions

_logger = logging.getLogger("esclusa")

_EVERY_SECONDS = 60.0
_MINUTE_SECONDS = 60
_OLDEST_SECONDS = 24 * 3600
"""After this time a report gets a new minute, since a server forgets the minutes before yesterday."""
_MAX_SERIES = 10_000
"""How many numbers wait: through an outage there may come more of them."""
_TOGETHER = 1_900
"""How many of them are one body, which is then smaller than 1 MiB."""


@dataclass(frozen=True)
class Reported:
    """How reports have gone."""

    taken: int = 0
    """Bodies that the server has taken."""
    waiting: int = 0
    """Evaluations that are counted and not reported yet."""
    dropped: int = 0
    """Evaluations that are in no report: there were too many flags, variants and reasons, or the server refused them."""
    problem: str | None = None
    """Why the last report was not taken; None if it was."""


class Reporting:
    """Reports until it is closed, or its counting is collected."""

    def __init__(self, counting: Counting, flags: Questions, server: Http) -> None:
        """Starts the thread."""
        self._server, self._flags = server, flags
        self._wakeups = queue.SimpleQueue[None]()
        put = self._wakeups.put
        self._counting = weakref.ref(counting, lambda _: put(None))
        self.is_closed = False
        """Whether nothing is reported any more."""
        self.reported = Reported()
        """How reports have gone."""
        self._pid = -1
        self.begin_in(os.getpid())

    def begin_in(self, pid: int) -> None:
        """Starts the thread, once in each process."""
        if self._pid == pid or self.is_closed:
            return
        self._pid, self._ledger, self._turn = pid, _Ledger(), threading.Lock()
        self._process = f"{pid}-{random.SystemRandom().getrandbits(64):016x}"
        thread = threading.Thread(target=self._live, name="esclusa-usage", daemon=True)
        try:
            thread.start()
        except RuntimeError as problem:
            # The interpreter ends, or the system has no more threads.
            _logger.warning("the reports of counts have no thread: %s", describe_error(problem))

    def flush(self) -> None:
        """Reports now what has been counted: before a process ends.

        Raises Failure if the server does not take it; it is then part of the next report.
        """
        counting = self._counting()
        if counting is None:
            return
        with self._turn:
            self._send(counting)

    def close(self) -> None:
        """Reports nothing any more."""
        self.is_closed = True
        self._wakeups.put(None)

    def _live(self) -> None:
        # Processes that begin together do not report together.
        pause = _EVERY_SECONDS * random.uniform(0.5, 1)
        while not self.is_closed:
            try:
                self._wakeups.get(timeout=pause)
                if self._counting() is None:
                    return
            except queue.Empty:
                pass
            pause = _EVERY_SECONDS
            if self.is_closed:
                return
            try:
                self.flush()
            except Exception as problem:
                _logger.warning("counts are not reported: %s", describe_error(problem))

    def _send(self, counting: Counting) -> None:
        now, ledger = time.time(), self._ledger
        counts, dropped = counting._take()
        ledger.take(counts, dropped, now)
        reported = replace(self.reported, dropped=self.reported.dropped + dropped, problem=None)
        try:
            for body in ledger.bodies(self._process, self._flags.revision):
                is_taken = self._server.report(body)
                if not is_taken:
                    # What is wrong with it stays wrong.
                    reported = replace(reported, dropped=reported.dropped + ledger.waiting)
                    ledger.taken(now)
                    raise Failure("the server refuses a report of counts")
                reported = replace(reported, taken=reported.taken + 1)
            ledger.taken(now)
        except Exception as problem:
            reported = replace(reported, problem=describe_error(problem))
            raise
        finally:
            self.reported = replace(reported, waiting=ledger.waiting)


class _Ledger:
    """What was counted and not taken yet."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: dict[Series, int] = {}
        self._dropped = self._known = 0

    def take(self, counts: dict[Series, int], dropped: int, now: float) -> None:
        """Adds counts."""
        minute = int(now // _MINUTE_SECONDS)
        if self.waiting == 0 and minute > self._minute:
            # A new minute: what the server has is not said again.
            self._counts, self._known = {}, 0
        is_old = self._known == 0 and now - self._minute * _MINUTE_SECONDS > _OLDEST_SECONDS
        if not self._counts or is_old:
            self._minute = minute
        self._dropped += dropped
        for series, count in counts.items():
            if series in self._counts or len(self._counts) < _MAX_SERIES:
                self._counts[series] = self._counts.get(series, 0) + count
            else:
                self._dropped += count

    @property
    def waiting(self) -> int:
        """How much the server has not got."""
        return sum(self._counts.values()) - self._known

    def taken(self, now: float) -> None:
        """The server has all of it. In the same minute it is said again, with what comes."""
        self._dropped, self._known = 0, sum(self._counts.values())
        if int(now // _MINUTE_SECONDS) > self._minute:
            self._counts, self._known = {}, 0

    def bodies(self, process: str, revision: int | None) -> list[bytes]:
        """What there is to send."""
        if self.waiting == 0 and self._dropped == 0:
            return []
        minute = datetime.fromtimestamp(self._minute * _MINUTE_SECONDS, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        counts = [
            {"flag": flag, "variant": variant, "reason": reason, "minute": minute, "count": count}
            for (flag, variant, reason), count in self._counts.items()
        ]
        # One without counts says what was dropped.
        parts = [counts[at : at + _TOGETHER] for at in range(0, len(counts), _TOGETHER)] or [[]]
        head = {"esclusa": 1, "process": process, "revision": revision}
        dropped = [self._dropped] + [0] * len(parts)
        return [
            json.dumps({**head, "counts": part, "dropped": lost}).encode() for part, lost in zip(parts, dropped, strict=False)
        ]
