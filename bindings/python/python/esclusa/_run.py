"""The thread that keeps flags fresh: it sends requests when the protocol says so, and publishes the answers."""

from __future__ import annotations

import atexit
import hashlib
import logging
import math
import os
import queue
import threading
import time
import weakref
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from . import _asking
from ._deciding import decide
from ._native import Protocol
from ._policy import Policy
from ._reading import Reading
from ._redaction import describe_error
from ._refresh import Refresh
from ._report import Report, SnapshotError
from ._source import Answer, Failure, News, NotModified, Request, Source
from ._status import LastError, Status

if TYPE_CHECKING:
    from ._flags import Flags

_logger = logging.getLogger("esclusa")

# Number of violations of one snapshot that are logged one by one.
_MAX_LOGGED = 10
# How long a source waits for news before the thread does other work.
_TURN_SECONDS = 0.25
# A thread that runs this much late was in a frozen process (11.26).
_SLACK_SECONDS = 1.0
# Number of pending refreshes after which those that are over are removed.
_FORGETTING = 1000
_YEAR_SECONDS = 366 * 86_400.0
# The pause after an unexpected error, such as one of the app's log handler.
_REST_SECONDS = 1.0


class Run:
    """One source, one protocol, one thread, in one process.

    It takes no lock: each step of the protocol and of the queue is one step for the interpreter, so a fork is safe at
    any moment. It holds the flags weakly, so that they can be collected.
    """

    def __init__(
        self, flags: Flags, source: Source, name: str, policy: Policy, timeout: float, allow_empty: bool, thaw: float
    ) -> None:
        self.source, self.name = source, name
        self._timeout, self._allow_empty = timeout, allow_empty
        # Set when the source has given a good answer, and when it has been asked once.
        self.is_ready, self.was_asked = threading.Event(), threading.Event()
        # Set after the first publish from a local source or a cached copy was tried.
        self.has_begun = threading.Event()
        self._is_copy = False
        self._protocol = Protocol(int.from_bytes(os.urandom(8), "big"), **policy.to_native())
        self._began = time.monotonic()
        # The same by the system clock; the times of errors are computed from it, so they never change.
        self._began_at = datetime.now(timezone.utc)
        self._wakeups = queue.SimpleQueue[None]()
        self._asking_since: float | None = None
        self._is_publishing = False
        # The digest of the last published snapshot, also of a bootstrap or of the parent process.
        self._current: bytes | None = None
        # The fingerprint of the reading that was logged last.
        self._understood: str | None = None
        self._can_wait = _asking.can_wait(source)
        self._translation = _asking.translation_of(source)
        self.is_stopped = False
        # Number of requests so far, and the refreshes that wait for one of them.
        self._asks = 0
        self._waiting = dict[Refresh, int]()
        self._has_thaw = thaw > 0
        # When this thread will have run again, by the system clock, unless the process is frozen; after a thaw, the
        # index of the answer that an evaluation waits for.
        self._thaws_at = math.inf
        self._thawed: int | None = None
        # Ends the thread when the flags are collected.
        put = self._wakeups.put
        self._flags = weakref.ref(flags, lambda _: put(None))
        self._thread = threading.Thread(target=self._live, name="esclusa-sync", daemon=True)

    def _begin(self, flags: Flags) -> None:
        """Publishes from a local source, or else the cached copy."""
        if _asking.is_local(self.source) and isinstance(request := self._protocol.next(self._now_ms()), tuple):
            self._ask(Request(*request, self._allow_empty))
            if flags.is_ready:
                return
        try:
            begun = _asking.begin_soon(self.source)
        except Failure as failure:
            _logger.warning("%s: the bootstrap failed: %s", self.name, str(failure))
        else:
            if begun is not None:
                self._restore(flags, begun)

    def inherit(self, flags: Flags, before: Run) -> None:
        """Begins in a fork, with the published flags."""
        self._is_copy = True
        if flags.is_ready:
            self._current = before._current
            self._protocol.inherited(self._now_ms(), flags.revision)
            if _asking.is_local(self.source):
                # Reading locally does not burden a shared store, so it need not be spread out.
                self._protocol.refresh(self._now_ms())

    def start(self) -> None:
        """Starts the thread."""
        _running.add(self)
        try:
            self._thread.start()
        except RuntimeError as problem:
            # The interpreter ends, or the system has no more threads; the published flags stay.
            _logger.warning("%s: nothing keeps the flags fresh: %s", self.name, str(problem))
            self.has_begun.set()

    def refresh(self, timeout: float, wanted: int | None = None) -> Refresh:
        """Sends a request as soon as the thread can, unless the wanted answer is pending."""
        refresh = Refresh(timeout)
        if self.is_stopped or self.is_own_thread:
            refresh._answer("it is closed" if self.is_stopped else "the thread that asks cannot wait for itself")
        else:
            if len(self._waiting) % _FORGETTING == _FORGETTING - 1:
                self._forget()
            # A pending answer may be from before this call.
            self._waiting[refresh] = self._asks + 1 if wanted is None else wanted
        if wanted is None or wanted > self._asks:
            self._wakeups.put(None)
        return refresh

    def _answer(self, asks: int, why: str | None) -> None:
        for refresh, wanted in list(self._waiting.items()):
            if wanted <= asks:
                self._waiting.pop(refresh, None)
                refresh._answer(why)

    def _forget(self) -> None:
        """Removes refreshes whose time is over: a source that hangs answers none of them."""
        for refresh in list(self._waiting):
            if not refresh.is_wanted:
                self._waiting.pop(refresh, None)

    def was_frozen(self, timeout: float) -> None:
        """Waits for an answer before the first evaluation after a thaw; the status has the reason if there is none."""
        refresh = self.refresh(timeout, self._thawed)
        refresh.wait()
        if refresh.is_late:
            why = f"the process was frozen, and there was no answer within {timeout:g} s after that"
            self._protocol.failed(self._now_ms(), why, None)
            _logger.warning("%s: %s", self.name, why)

    def _thaws_in(self, seconds: float) -> None:
        """Sets the time after which an evaluation knows that this thread has not run."""
        flags = self._flags()
        if not self._has_thaw or flags is None:
            return
        now = time.time()
        if now > self._thaws_at and self._thawed is None:
            # The thread ran before any evaluation, which then waits for its next request.
            self._thawed = self._asks + 1
        if self._thawed is None or self.is_stopped:
            self._thaws_at = now + min(seconds, _YEAR_SECONDS) + _SLACK_SECONDS
            flags._thaws_at(0 if self.is_stopped else int(self._thaws_at * 1000))

    def _is_thawed(self) -> None:
        """Notes that there was an answer after the thaw, good or not."""
        flags = self._flags()
        if self._thawed is not None and self._asks >= self._thawed and flags is not None:
            flags._thaws_at(0)
            self._thaws_at, self._thawed = math.inf, None

    def stop(self) -> None:
        """Ends the thread after its current step; a publish in progress completes."""
        self.is_stopped = True
        self._wakeups.put(None)

    def join(self, seconds: float) -> None:
        """Waits until no publish is in progress, and at most `seconds` for the thread to end."""
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            while self._is_publishing and self._thread.is_alive():
                time.sleep(0.001)
            self._thread.join(seconds)

    def status(self) -> Status:
        """The status now."""
        since = self._asking_since
        if since is not None and time.monotonic() - since > self._timeout:
            # A call that hangs cannot be ended, but the status shows it.
            self._asking_since = None
            self._protocol.failed(self._now_ms(), f"no answer within {self._timeout:g} s", None)
            _logger.warning("%s: no answer within %g s, and it is still waited for", self.name, self._timeout)
        now_ms = self._now_ms()
        plain = self._protocol.status(now_ms)
        last, age_ms = plain["last_error"], plain["age_ms"]
        return Status(
            state=plain["state"],
            source=self.name,
            revision=plain["revision"],
            age=None if age_ms is None else age_ms / 1000,
            failures=plain["failures"],
            last_error=last and LastError(last["error"], self._began_at + timedelta(milliseconds=last["at_ms"])),
            polled=_asking.polled(self.source),
            mapped_by=_asking.mapped_by(self.source),
        )

    def _now_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller is the thread of this run."""
        return threading.current_thread() is self._thread

    def _live(self) -> None:
        flags = self._flags()
        if flags is not None and not self._is_copy:
            try:
                self._begin(flags)
            except BaseException as problem:
                _logger.error("%s: going on after %s", self.name, describe_error(problem))
        del flags
        self.has_begun.set()
        while not self.is_stopped and self._flags() is not None:
            try:
                self._step()
            except BaseException as problem:
                try:
                    _logger.error("%s: going on after %s", self.name, describe_error(problem))
                except BaseException:
                    pass
                self._pause(_REST_SECONDS)
        self._thaws_in(0.0)
        self._answer(self._asks + 1, "it is closed")
        try:
            _asking.close(self.source)
        except Failure as failure:
            _logger.warning("%s: closing it failed: %s", self.name, str(failure))

    def _step(self) -> None:
        action = self._protocol.next(self._now_ms())
        if isinstance(action, tuple):
            self._thaws_in(self._timeout)
            self._ask(Request(*action, self._allow_empty))
        else:
            self._thaws_in(action / 1000)
            self._wait(action / 1000)

    def _pause(self, seconds: float) -> bool:
        """Waits; True if a request or the end was asked for before the time is over."""
        try:
            self._wakeups.get(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))
            while not self._wakeups.empty():
                self._wakeups.get_nowait()
        except queue.Empty:
            return False
        if not self.is_stopped:
            self._protocol.refresh(self._now_ms())
        return True

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._can_wait and (left := end - time.monotonic()) > 0:
            if not self._wakeups.empty():
                break
            turn = time.monotonic() + min(left, _TURN_SECONDS)
            try:
                news = _asking.wait(self.source, min(left, _TURN_SECONDS))
            except Failure as failure:
                _logger.info("%s: it cannot tell of news: %s", self.name, str(failure))
                news = News.DISCONNECTED
            if news is News.CHANGED:
                self._protocol.notified(self._now_ms())
                # The source is asked soon; until then it need not wait for news.
                self._can_wait = False
                return
            if news is News.DISCONNECTED:
                self._protocol.disconnected(self._now_ms())
                self._can_wait = False
                return
            # A source that does not wait would be called without pause.
            if (early := turn - time.monotonic()) > 0 and self._pause(early):
                return
        self._pause(end - time.monotonic())

    def _ask(self, request: Request) -> None:
        self._asks += 1
        asks, self._asking_since = self._asks, time.monotonic()
        try:
            outcome: Answer | NotModified | Failure = _asking.ask(self.source, request)
        except Failure as failure:
            # Its traceback refers to this frame, and would keep everything in it alive.
            outcome = failure.with_traceback(None)
            outcome.__context__ = None
        finally:
            self._asking_since = None
        self._can_wait = _asking.can_wait(self.source)
        flags = self._flags()
        if flags is not None:
            self._take(flags, outcome)
        self.was_asked.set()
        self._is_thawed()
        status = self._protocol.status(self._now_ms())
        self._answer(asks, status["last_error"]["error"] if status["failures"] else None)

    def _take(self, flags: Flags, outcome: Answer | NotModified | Failure) -> None:
        before, report = self._protocol.status(self._now_ms())["state"], None
        if isinstance(outcome, Failure):
            if isinstance(outcome.instead, bytes):
                self._restore(flags, outcome.instead)
            asked_for = outcome.retry_after
            retry_after_ms = None if asked_for is None else int(min(max(asked_for, 0.0), 1e9) * 1000)
            self._protocol.failed(self._now_ms(), str(outcome), retry_after_ms)
        elif isinstance(outcome, NotModified):
            self._protocol.not_modified(self._now_ms())
        else:
            snapshot = _asking.bytes_of(outcome.snapshot) or b""
            if self._protocol.is_known(snapshot):
                self._protocol.not_modified(self._now_ms())
            else:
                report = self._publish(flags, snapshot, outcome.etag)
        if self._protocol.status(self._now_ms())["age_ms"] is not None:
            self.is_ready.set()
        self._log(before, report)
        if report is not None and report.is_published:
            flags._tell(report)
        flags._tell_state()

    def _publish(self, flags: Flags, snapshot: bytes, etag: str | None) -> Report | None:
        if self._current == _digest(snapshot):
            # The source confirms the bootstrap: it is fresh now, and listeners need not be called.
            self._protocol.published(self._now_ms(), flags.revision, etag)
            return None
        try:
            report = self._swap(flags, snapshot)
        except (SnapshotError, MemoryError) as problem:
            text = str(problem) if isinstance(problem, SnapshotError) else describe_error(problem)
            self._protocol.failed(self._now_ms(), text, None)
            return None
        if report is None:
            return None
        if report.is_published:
            self._protocol.published(self._now_ms(), report.revision, etag)
        else:
            self._protocol.older(self._now_ms(), report.revision or 0, flags.revision or 0)
        return report

    def _restore(self, flags: Flags, snapshot: bytes) -> None:
        """Publishes a bootstrap, or a snapshot in place of an answer."""
        try:
            report = self._swap(flags, snapshot)
        except SnapshotError as problem:
            _logger.warning("%s: a copy is refused: %s", self.name, str(problem))
            return
        if report is not None and report.is_published:
            self._protocol.from_cache(self._now_ms(), report.revision)
            self._tell_understood(report.reading)
            _logger.info("%s: published a copy, revision %s", self.name, _shown(report.revision))
            flags._tell(report)

    def _swap(self, flags: Flags, snapshot: bytes) -> Report | None:
        """Publishes without calling listeners; None after the end."""
        self._is_publishing = True
        try:
            if self.is_stopped:
                return None
            report = flags._swap(snapshot, self._translation, strict=False, accept_older=False)
        finally:
            self._is_publishing = False
        if report.is_published:
            self._current = _digest(snapshot)
        for violation in report.violations[:_MAX_LOGGED]:
            _logger.warning("%s: %s", self.name, violation)
        for notice in report.reading.notices:
            # A kill switch that matches no flag switches nothing off (13.14).
            if notice.code == "unknown-switch":
                _logger.warning("%s: %s", self.name, notice.problem)
        if (more := len(report.violations) - _MAX_LOGGED) > 0:
            _logger.warning("%s: %d more violations", self.name, more)
        return report

    def _tell_understood(self, reading: Reading) -> None:
        """Logs the reading, if it differs from the last one that was logged (11.24)."""
        if reading.fingerprint == self._understood:
            return
        self._understood = reading.fingerprint
        block = decide("understood", source=self.name, reading=asdict(reading))
        _logger.log(logging.WARNING if block["is_warning"] else logging.INFO, "%s", block["text"])

    def _log(self, before: str, report: Report | None) -> None:
        status = self.status()
        if status.failures:
            _logger.warning("%s", status)
        elif status.state != before:
            _logger.info("%s", status)
        if report is not None and report.is_published:
            self._tell_understood(report.reading)
            changes = len(report.added), len(report.removed), len(report.changed)
            revision = _shown(report.revision)
            _logger.info("%s: published revision %s: %d added, %d removed, %d changed", self.name, revision, *changes)


def _digest(snapshot: bytes) -> bytes:
    return hashlib.blake2b(snapshot, digest_size=16).digest()


def _shown(revision: int | None) -> str:
    return "none" if revision is None else str(revision)


_running: weakref.WeakSet[Run] = weakref.WeakSet()


def _stop_all() -> None:
    """Before the interpreter ends: a thread that logs during that may end it with an error."""
    running = [run for run in _running if not run.is_stopped]
    for run in running:
        run.stop()
    for run in running:
        run.join(0.1)


atexit.register(_stop_all)
