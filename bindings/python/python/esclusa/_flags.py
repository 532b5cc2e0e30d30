"""The handle that an app holds: the native one with what Python adds to it."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from . import _native
from ._environment import Environment
from ._file import File
from ._guarding import Guarding
from ._guards import GuardProposal
from ._http import Http
from ._mapped import mapped
from ._mapping import Mapping as Translation
from ._mapping import MappingLike, Stored, mapping_of, native_of
from ._override import Block, Overrides, answers_of
from ._policy import Policy
from ._questions import FlagSet, Questions
from ._refresh import Refresh
from ._report import Report, refusal_of, report_of
from ._rows import Rows, is_rows, text_of
from ._cached import Cached
from ._source import Fetch, Source
from ._status import Status
from ._sync import Sync
from ._tracked import Tellers, Tracked
from ._trips import TripStore

if TYPE_CHECKING:
    from typing_extensions import Self

_logger = logging.getLogger("esclusa")

atexit.register(_native._end)


class Flags(Questions):
    """The current flag set, swapped at one instant by `publish` and read by any number of threads.

    >>> flags = Flags()
    >>> flags.is_enabled("crm_advanced_features")
    False
    >>> report = flags.publish('[{"name": "crm_advanced_features", "enabled": true}]')
    >>> report.added
    ('crm_advanced_features',)
    >>> flags.is_enabled("crm_advanced_features")
    True
    """

    # No slots: an object with a `__dict__` can have its methods replaced by `mock.patch.object`.
    _listeners: dict[object, Callable[[Report], object]]
    _watchers: dict[object, Callable[[], object]]
    _overrides: Overrides
    _sync: Sync | None
    _guarding: Guarding | None
    _tellers: Tellers

    def __new__(cls, *, guard: bool | str | os.PathLike[str] = False, propose: TripStore | None = None) -> Self:
        """A handle that has published nothing yet: every default stands.

        With `guard` the flags that have a `guard` are watched: outcomes that `track` and `measure` count are judged once
        a second, in a thread, and a flag that does harm is switched off. A path is that of a file that keeps the trips,
        for the other processes of the host and for a restart; its folder must exist.

        With `propose` each trip is proposed to a store, such as `esclusa.sync.Postgres`, until it answers, in another
        thread; the store's own trips are taken. `guards` shows what has become of them.

        Raises ValueError for `propose` without `guard`, and TypeError for a value that is not a store of trips.
        """
        if propose is not None and guard is False:
            raise ValueError("`propose` needs guards, expected `guard=True` or the path of a file beside it")
        if propose is not None and not isinstance(propose, TripStore):
            kind = type(propose).__name__
            raise TypeError(f"expected a store with `name`, `propose` and `trips`, such as `Postgres`, got {kind}")
        overrides: Overrides = ContextVar("esclusa_overrides", default=None)
        path = None if isinstance(guard, bool) else os.path.abspath(guard)
        flags = super().__new__(cls, overrides, None, guard is not False)
        flags._listeners, flags._watchers, flags._overrides, flags._sync = {}, {}, overrides, None
        flags._tellers, flags._guarding = Tellers(), None
        flags._on_fork(_Healer(flags))
        if guard is not False:
            flags._guarding = Guarding(flags, path, propose)
            flags._guarding.start(flags)
            _guarded.add(flags)
        return flags

    def _hold(self) -> FlagSet:
        return FlagSet(self, self._overrides)

    def _proposals(self) -> tuple[GuardProposal, ...]:
        return () if self._guarding is None else self._guarding.proposals

    def publish(
        self,
        snapshot: str | bytes | bytearray | memoryview | Rows,
        *,
        strict: bool = False,
        accept_older: bool = False,
        mapping: MappingLike | None = None,
    ) -> Report:
        """Makes a snapshot the current one, and returns what changed.

        A snapshot is JSON text, or the rows or the document themselves: a list of mappings as a database driver returns
        them, with times, decimals and UUIDs. With a `mapping` they are rows of a table with columns of its own: a
        `Mapping`, a dict, or the path of a file in TOML or JSON.

        A flag that breaks a rule is set aside and blocks no other flag; the report names it. With `strict`, for
        linting, any violation refuses the snapshot. A snapshot with a lower revision than the current one's is not
        published, and the report's outcome is `older`, unless `accept_older` is true.

        Other threads run while it is parsed and compiled. Listeners are called in this thread before it returns.

        Raises SnapshotError if the snapshot is refused whole, and its subclass MappingError if the mapping is wrong or
        does not fit the rows; the published flags stay.
        """
        translation = None if mapping is None else mapping_of(mapping)
        if isinstance(snapshot, bytearray | memoryview):
            snapshot = bytes(snapshot)
        elif is_rows(snapshot):
            snapshot = text_of(snapshot)
        report = self._swap(cast("str | bytes", snapshot), translation, strict=strict, accept_older=accept_older)
        if report.is_published:
            self._tell(report)
        return report

    def _swap(
        self, snapshot: str | bytes, translation: Translation | Stored | None, *, strict: bool, accept_older: bool
    ) -> Report:
        given = snapshot if isinstance(snapshot, bytes) else b""
        plain = self._publish(snapshot, strict, accept_older, native_of(translation, given))
        if plain["outcome"] == "refused":
            raise refusal_of(plain)
        return report_of(plain)

    def on_publish(self, listener: Callable[[Report], object]) -> Callable[[], None]:
        """Calls a function with the report of each publish from now on. Returns a function that removes the listener.

        The listener runs in the thread that publishes. Its exceptions are logged, to the logger `esclusa`, and affect
        neither the publish nor the other listeners. `SystemExit` and `KeyboardInterrupt` are raised again when all have
        been called.
        """
        if not callable(listener):
            raise TypeError(f"expected a listener that can be called with a report, got {type(listener).__name__}")
        self._heal()
        subscription = object()
        self._listeners[subscription] = listener

        def unsubscribe() -> None:
            self._listeners.pop(subscription, None)

        return unsubscribe

    def on_track(self, listener: Callable[[Tracked], object]) -> Callable[[], None]:
        """Calls a function with each outcome that the app tracks from now on, and with those that browsers send, whether
        a guard counts them or not. Returns a function that removes the listener.

        The listener runs in the thread that tracks, so it should only put the outcome into a queue. Its exceptions are
        logged.
        """
        if not callable(listener):
            raise TypeError(f"expected a listener that can be called with an outcome, got {type(listener).__name__}")
        unsubscribe = self._tellers.add(listener)
        _native._listen(self, self._tellers.weak())
        return unsubscribe

    def _tell(self, report: Report) -> None:
        ending: BaseException | None = None
        for listener in tuple(self._listeners.values()):
            try:
                listener(report)
            except Exception:
                _logger.exception("a listener to publishing raised")
            except BaseException as problem:
                ending = ending or problem
        if ending is not None:
            raise ending

    def _watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Calls a function after each answer or failure of the source, and when it is closed."""
        subscription = object()
        self._watchers[subscription] = watcher

        def unsubscribe() -> None:
            self._watchers.pop(subscription, None)

        return unsubscribe

    def _tell_state(self) -> None:
        for watcher in tuple(self._watchers.values()):
            watcher()

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        interval: float | None = None,
        policy: Policy | None = None,
        mapping: MappingLike | None = None,
        guard: bool | str | os.PathLike[str] = False,
        propose: TripStore | None = None,
    ) -> Self:
        """Flags that a file keeps fresh: when it is replaced or rewritten, it is published within a moment.

        The file's content is published before this returns. A file that is missing, or is not a snapshot, raises no
        error here: `status` and the log have the error. With a `mapping` it has rows of a table with columns of its
        own.
        """
        return cls.from_source(File(path), interval=interval, policy=policy, mapping=mapping, guard=guard, propose=propose)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | Callable[[], str] | None = None,
        timeout: float = 10.0,
        events: str | None = None,
        heartbeat: float = 45.0,
        cache: str | os.PathLike[str] | None = None,
        interval: float | None = None,
        policy: Policy | None = None,
        mapping: MappingLike | None = None,
        guard: bool | str | os.PathLike[str] = False,
        propose: TripStore | None = None,
    ) -> Self:
        """Flags that a store behind a URL keeps fresh; `token` is sent as `Authorization: Bearer …`, and a function is
        called for each request. It needs `pip install 'esclusa[http]'`.

        At the URL `events` server-sent events announce a new snapshot; a stream that is silent for `heartbeat` seconds
        counts as disconnected. `esclusa.sync.Http` has more options.

        With `cache` the last good answer is kept in a file of this path, and published before this returns. The store
        is asked in a thread: `ready` waits for the first answer. With a `mapping` it gives rows of a table with columns
        of its own, and the cached copy has them unchanged.

        Raises ImportError without urllib3, and ValueError for an invalid URL or header.
        """
        source: Source = Http(
            url, headers=headers, token=token, timeout=timeout, events=events, heartbeat=heartbeat
        )
        if mapping is not None:
            source = mapped(source, mapping)
        if cache is not None:
            source = Cached(source, cache)
        return cls.from_source(source, interval=interval, policy=policy, timeout=3 * timeout, guard=guard, propose=propose)

    @classmethod
    def from_env(
        cls,
        prefixes: Iterable[str] | None = None,
        *,
        guard: bool | str | os.PathLike[str] = False,
        propose: TripStore | None = None,
    ) -> Self:
        """Flags that the variables of the environment switch on or off: `FEATURE_X=true`, `ENABLE_X=false`,
        `NEXT_PUBLIC_FEATURE_X=1`, or those whose names begin with other prefixes."""
        return cls.from_source(Environment(prefixes), guard=guard, propose=propose)

    @classmethod
    def from_source(
        cls,
        source: Source | Fetch,
        *,
        interval: float | None = None,
        policy: Policy | None = None,
        mapping: MappingLike | None = None,
        timeout: float = 30.0,
        allow_empty: bool = False,
        thaw: float = 0.0,
        guard: bool | str | os.PathLike[str] = False,
        propose: TripStore | None = None,
    ) -> Self:
        """Flags that a source keeps fresh, as `sync` does; a function that returns a snapshot is a source too. `guard` and
        `propose` are those of the constructor."""
        flags = cls(guard=guard, propose=propose)
        flags.sync(
            source,
            interval=interval,
            policy=policy,
            mapping=mapping,
            timeout=timeout,
            allow_empty=allow_empty,
            thaw=thaw,
        )
        return flags

    def sync(
        self,
        source: Source | Fetch,
        *,
        interval: float | None = None,
        policy: Policy | None = None,
        mapping: MappingLike | None = None,
        timeout: float = 30.0,
        allow_empty: bool = False,
        thaw: float = 0.0,
    ) -> Sync:
        """Keeps the flags fresh from a source, in a thread, until the returned object is closed or the flags are
        collected.

        A local source (a file, the environment, a cached or bundled copy) is published before this returns; any other
        is asked in the thread. `interval` is the policy's, in seconds, 30 by default. A source that takes longer than
        `timeout` seconds counts as failing, but its call cannot be ended: it needs time-outs of its own. Bare rows
        without a row are a failure unless `allow_empty`, because a store that hides its rows answers so.

        If the process is frozen between calls, the first evaluation after that waits up to `thaw` seconds for an answer
        of the source; `status` has the reason if there was none. With 0 no evaluation waits for that.

        A forked process starts a thread of its own, and its first evaluation waits up to 50 milliseconds for a local
        source.

        With a `mapping` the source gives rows of a table with columns of its own, as with `esclusa.sync.mapped`.

        Raises RuntimeError if the flags already have a source, and TypeError for a value that is not a source.
        """
        self._heal()
        if self._sync is not None and not self._sync.is_closed:
            raise RuntimeError(f"the flags are kept fresh already, from {self._sync.status().source}: close that first")
        policy = policy or Policy()
        source = source if mapping is None else mapped(source, mapping)
        sync = Sync(self, source, policy if interval is None else replace(policy, interval=interval), timeout, allow_empty, thaw)
        # Listeners may read the status as soon as something is published.
        self._sync = sync
        _synced.add(self)
        sync._start()
        return sync

    def status(self) -> Status:
        """The status of the source; it does not wait.

        Raises RuntimeError without a source: flags that are only published by hand have no status.
        """
        return self._syncing().status()

    def refresh(self, timeout: float = 10.0) -> Refresh:
        """Sends a request to the source now. `await flags.refresh()`, or `flags.refresh().wait()` in a thread, waits
        for the answer: None, or the reason why there is none within `timeout` seconds. Waiting is optional.

        Raises RuntimeError without a source.
        """
        return self._syncing().refresh(timeout)

    def _syncing(self) -> Sync:
        if self._sync is None:
            raise RuntimeError("nothing keeps the flags fresh, expected `sync` or one of the `from_…` functions before")
        return self._sync

    def ready(self, timeout: float = 10.0) -> bool:
        """Waits for the first good answer of the source; True if it came within `timeout` seconds. Failures do not end
        the wait (11.15). Without a source it is the same as `available`.

        It blocks its thread: in a coroutine, use `await asyncio.to_thread(flags.ready, 5)`.
        """
        return self.available(timeout) if self._sync is None else self._sync._wait_until_ready(timeout)

    def available(self, timeout: float = 10.0) -> bool:
        """Waits until anything is published, a cached or bundled copy too; True if that was within `timeout` seconds.

        It blocks its thread, as `ready` does.
        """
        received = queue.SimpleQueue[Report]()
        unsubscribe = self.on_publish(received.put)
        try:
            if not self.is_ready:
                received.get(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX))
        except queue.Empty:
            pass
        finally:
            unsubscribe()
        return self.is_ready

    @contextmanager
    def override(self, overrides: Mapping[str, bool | Mapping[str, Any]]) -> Iterator[None]:
        """Overrides the answers of flags for a test, in this thread or task, until the block ends.

        An answer is a bool, or a mapping with any of `enabled` (by default True), `value` and `variant`. It counts
        whether or not the flag exists and anything is published; its reason is `STATIC`. Blocks nest, and the inner one
        wins. Other threads are not affected; tasks that start inside are, until the block ends.

        Flags with the overridden one as a prerequisite, `client_snapshot`, `keys`, `len` and `in` use the snapshot.

        Raises TypeError for an invalid answer.
        """
        block = Block(answers_of(overrides), self._overrides.get())
        token = self._overrides.set(block)
        self._begin_override()
        try:
            yield
        finally:
            self._end_override()
            block.close()
            try:
                self._overrides.reset(token)
            except ValueError:
                # It ends in another task than it began in, as an asynchronous fixture may: closing it is enough.
                pass


class _Healer:
    """Called in a fork before its first evaluation; it does not hold the flags."""

    __slots__ = ("_flags",)

    def __init__(self, flags: Flags) -> None:
        self._flags = weakref.ref(flags)

    def __call__(self, is_thawed: bool) -> bool:
        """Waits if necessary; False in the thread that is waited for."""
        flags = self._flags()
        if is_thawed:
            return flags is None or flags._sync is None or flags._sync._was_frozen()
        return flags is None or flags._sync is None or flags._sync._wait_for_local()


# The flags with a source, and those with guards.
_synced: weakref.WeakSet[Flags] = weakref.WeakSet()
_guarded: weakref.WeakSet[Flags] = weakref.WeakSet()


def _begin_in_child() -> None:
    """In a fork: starts threads anew, and leaves the parent's alone."""
    for flags in list(_synced):
        if flags._sync is not None:
            flags._sync._begin_anew(flags)
    for flags in list(_guarded):
        if flags._guarding is not None:
            flags._guarding = flags._guarding.begin_anew(flags)
    # Counted last: the calls above must not wait for the thread that they start.
    _native._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
