"""The native half of the package `esclusa`; do not import it directly."""

from collections import abc
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from datetime import datetime
from enum import Enum
from typing import Any, Literal, SupportsIndex, TypeVar, final, overload
from uuid import UUID

from typing_extensions import Self, disjoint_base

from ._questions import FlagSet
from ._typed_key import TypedKey

__all__ = [
    "MAX_SNAPSHOT_BYTES",
    "Context",
    "EventReader",
    "Flags",
    "Mapping",
    "Protocol",
    "Resolution",
    "Stored",
    "VERSION",
    "brings_mapping",
    "_end",
    "_forked",
    "_guards_of",
    "_listen",
    "_names_event",
    "_take_trips",
    "_tick",
    "_track_from_browser",
    "_trips_of",
    "bucket",
    "decide",
    "hash",
    "layered",
    "ranges",
    "revision_of",
    "switches",
]

MAX_SNAPSHOT_BYTES: int
"""The maximum size of a snapshot in bytes."""

VERSION: str
"""The package's."""

_Default = TypeVar("_Default")
_Served = TypeVar("_Served")
_Caller = Context | abc.Mapping[str, object] | None
_Time = datetime | float | None
_Text = str | SupportsIndex | UUID | Enum
# A text is an iterable of texts, and so are the keys of a mapping: a type cannot tell them from a list.
_Roles = Iterable[_Text]
_Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT", "DISABLED", "ERROR"]
_ErrorCode = Literal[
    "PROVIDER_NOT_READY", "FLAG_NOT_FOUND", "PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT"
]

@final
class Context:
    """Everything that the app knows about the caller. Immutable, and prepared for evaluating many flags."""

    def __new__(
        cls,
        targeting_key: _Text | None = None,
        *,
        company: _Text | None = None,
        plan: _Text | None = None,
        region: _Text | None = None,
        roles: _Text | _Roles | None = None,
        **attributes: object,
    ) -> Self:
        """A context of these fields; every other name is an attribute, with any JSON value.

        `user` and `targetingKey` among them are the targeting key where none is given by itself.
        """

    @classmethod
    def from_mapping(cls, mapping: abc.Mapping[str, object]) -> Self:
        """The context that a mapping describes, such as `{"user": "user-42", "company": "acme", "seats": 12}`.

        Raises TypeError for what is no mapping, and ValueError for one that refers to itself or is nested too deep.
        """

    @property
    def targeting_key(self) -> str | None:
        """The string that identifies the caller, or None."""

    def to_dict(self) -> dict[str, Any]:
        """The context as a dict, as `from_mapping` reads it."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    __hash__ = None  # type: ignore[assignment]

@final
class Resolution:
    """The answer for one flag, with its reason."""

    def __new__(
        cls,
        *,
        enabled: bool,
        value: Any,
        variant: str | None = None,
        reason: _Reason,
        error_code: _ErrorCode | None = None,
    ) -> Self:
        """An answer to compare with."""

    @property
    def enabled(self) -> bool:
        """Whether the flag is on."""

    @property
    def value(self) -> Any:
        """The value that is served, on or off; None without an answer."""

    @property
    def variant(self) -> str | None:
        """The key of the variant that is served, if there is one."""

    @property
    def reason(self) -> _Reason:
        """The reason: OpenFeature's name of it."""

    @property
    def error_code(self) -> _ErrorCode | None:
        """The error code: OpenFeature's name of it, or None."""

    def to_dict(self) -> dict[str, Any]:
        """`{"enabled", "value", "variant", "reason", "error"}`, ready for `json.dumps`."""

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@disjoint_base
class Flags:
    """The current flag set, shared by everything that reads it."""

    def __new__(cls, overrides: ContextVar[Any], held: Flags | None = None, is_guarded: bool = False) -> Self: ...
    def current(self) -> FlagSet:
        """The current set, to be asked for a whole request: what is published meanwhile changes none of its answers.

        The same object until something is published, so asking for it costs next to nothing.
        """

    def is_enabled(self, key: str, context: _Caller = None, default: bool = False) -> bool:
        """Whether the flag is on for this caller; `default` without an answer. It never raises."""

    @overload
    def value(self, key: TypedKey[_Served], context: _Caller = None, default: None = None) -> _Served | None: ...
    @overload
    def value(self, key: TypedKey[_Served], context: _Caller, default: _Default) -> _Served | _Default: ...
    @overload
    def value(self, key: TypedKey[_Served], context: _Caller = None, *, default: _Default) -> _Served | _Default: ...
    @overload
    def value(self, key: str, context: _Caller = None, default: Any = None) -> Any:
        """The value that the flag serves to this caller; `default` where there is no answer. It never raises.

        With a `TypedKey` it has the type of the key.
        """


    def variant(self, key: str, context: _Caller = None, default: _Default | None = None) -> str | _Default | None:
        """The key of the variant that the flag serves to this caller, None if it serves none; `default` without an
        answer. It never raises."""

    def resolve(self, key: str, context: _Caller = None, now: _Time = None) -> Resolution:
        """The answer of the flag for this caller, with its reason and error code.

        `now` is an aware datetime or a number of milliseconds since 1970-01-01T00:00:00Z; without it, the clock's.
        Raises TypeError and ValueError for a `now` that is no time.
        """

    def track(
        self,
        event: str,
        context: _Caller = None,
        *,
        error: bool = False,
        duration: float | None = None,
        value: float | None = None,
        **fields: Any,
    ) -> None:
        """Counts an outcome of an event for every flag whose guard names the event: whether it ended in an error, how
        many seconds it took, a number of the app's, and other fields for listeners (`on_track`).

        Call it where both arms pass, not inside the `if` of the flag. It never raises: what cannot be read is counted as
        dropped, which `guards` shows. Without guards it counts nothing.
        """

    def _details(
        self, key: str, context: abc.Mapping[str, Any] | None, targeting_key: str | None
    ) -> tuple[Any, str | None, str, str | None, int | None]:
        """The value, variant, reason, error code and the snapshot's revision, with a targeting key that replaces the
        context's own: for an OpenFeature provider, without an object for each answer."""

    def resolve_all(self, context: _Caller = None, now: _Time = None) -> dict[str, Resolution]:
        """The answers of all flags for this caller, by key."""

    def project(
        self, context: _Caller = None, keys: Iterable[str] | None = None, now: _Time = None
    ) -> dict[str, dict[str, Any]]:
        """The values, and nothing about why, of the chosen flags (all, if none are named): what may go to a browser.

        Each is `{"enabled", "value"}`, and `"variant"` if it serves one; a key that does not exist is left
        out, so that the browser's default stands.
        """

    def client_snapshot(self, context: _Caller = None, keys: Iterable[str] | None = None, now: _Time = None) -> str:
        """A snapshot, as JSON, for the browser of this caller: of the chosen flags (all, if none are named) those that
        are marked `client`.

        It says nothing about other users and companies. A context of the wrong shape gets no flag.
        """

    def keys(self) -> list[str]:
        """The keys of all flags, in the order of the snapshot."""

    @property
    def revision(self) -> int | None:
        """The revision of the current snapshot, or None."""

    @property
    def is_ready(self) -> bool:
        """Whether something was published."""

    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __contains__(self, key: object, /) -> bool: ...
    def _publish(
        self, snapshot: str | bytes, strict: bool, accept_older: bool, mapping: Mapping | None
    ) -> dict[str, Any]: ...
    def _explain(self, key: str, context: _Caller, now: _Time) -> dict[str, Any]: ...
    def _violations(self) -> list[dict[str, str]]: ...
    def _reading(self) -> dict[str, Any]: ...
    def _generated_at(self) -> int | None: ...
    def _on_fork(self, healer: Callable[[bool], object]) -> None: ...
    def _thaws_at(self, millis: int) -> None: ...
    def _heal(self) -> None: ...
    def _begin_override(self) -> None: ...
    def _end_override(self) -> None: ...

@final
class Mapping:
    """A mapping with the parameters of the app; it never changes."""

    def __new__(cls, text: bytes, name: str | None = None) -> Self:
        """Reads TOML or JSON; the name is shown in the reading. Raises ValueError with the message, the place and the
        problem."""

    def with_(self, name: str, value: str) -> Mapping:
        """The same with one more parameter; raises ValueError as the constructor does."""

    @property
    def name(self) -> str:
        """Its name in the reading."""

    @property
    def parameters(self) -> list[str]:
        """The names of its parameters."""

    def to_json(self) -> str:
        """As JSON, without parameters."""

    def snapshot(self, rows: bytes) -> bytes:
        """The rows as a snapshot that needs no mapping; raises ValueError as the constructor does, or with only a
        message if the bytes are not rows."""


@final
class Stored:
    """The mapping that comes with the rows."""

    def __new__(cls, parameters: Sequence[tuple[str, str]]) -> Self:
        """A state with parameters for the mapping that will come; raises ValueError as the constructor of a mapping
        does."""

    def mapping(self, rows: bytes) -> Mapping | None:
        """The mapping of these rows, None for a snapshot; raises ValueError as the constructor does, and for rows that
        have lost their mapping."""

    @property
    def is_mapped(self) -> bool:
        """Whether the last rows had a mapping."""

def brings_mapping(rows: bytes) -> bool:
    """Whether a document has a mapping."""


@final
class Protocol:
    """When to ask, what to ask, and what an answer means; all times are milliseconds of one monotonic clock."""

    def __new__(
        cls,
        seed: int,
        *,
        interval_ms: int,
        jitter_percent: int,
        stale_after_ms: int | None,
        backoff_min_ms: int,
        backoff_max_ms: int,
        spread_ms: int,
    ) -> Self:
        """A protocol that asks at once; raises ValueError for a number that is out of range."""

    def next(self, now_ms: int) -> int | tuple[str | None, int | None, bool]:
        """The next action: to wait for that many milliseconds, or to send a request with this entity tag and revision,
        and whether in full."""

    def refresh(self, now_ms: int) -> None:
        """A person asked for a refresh."""

    def notified(self, now_ms: int) -> None:
        """The source has news."""

    def disconnected(self, now_ms: int) -> None:
        """The connection for notifications was lost."""

    def inherited(self, now_ms: int, revision: int | None) -> None:
        """This process is a fork of one that had published."""

    def is_known(self, bytes: bytes) -> bool:
        """Whether these are the bytes that the source sent last."""

    def from_cache(self, now_ms: int, revision: int | None) -> None:
        """Something other than an answer was published."""

    def published(self, now_ms: int, revision: int | None, etag: str | None) -> None:
        """An answer was published."""

    def older(self, now_ms: int, revision: int, current: int) -> None:
        """An answer was not published, because its revision is older than the current one."""

    def not_modified(self, now_ms: int) -> None:
        """The source answered that nothing has changed."""

    def failed(self, now_ms: int, error: str, retry_after_ms: int | None) -> None:
        """There was no usable answer."""

    def status(self, now_ms: int) -> dict[str, Any]:
        """The status, as JSON (11.13)."""

@final
class EventReader:
    """Finds events in a stream of server-sent events, whose bytes it reads in pieces."""

    def __new__(cls) -> Self:
        """A reader at the beginning of a stream."""

    def read(self, bytes: bytes) -> bool:
        """Whether these bytes end an event that is news."""

def _end() -> None:
    """Called when the interpreter is about to end; waits until no thread works without its lock."""

def _forked() -> None:
    """Called in a fork: the threads of the parent do not exist in it."""

def layered(layers: Sequence[bytes | None]) -> bytes | None:
    """Merges snapshots, the uppermost first; None is a layer that has not answered yet, and the result without a merged
    snapshot. Raises ValueError for any other bytes."""

def decide(question: str) -> str | None:
    """A decision of staying fresh that is the same in every host, as JSON; None for an unknown question."""

def revision_of(snapshot: bytes, mapping: Mapping | None = None) -> int | None:
    """The revision of a valid snapshot, or of rows that a mapping reads; raises ValueError for any other."""

def switches(
    variables: Sequence[tuple[str, str]], prefixes: Sequence[str] | None = None
) -> tuple[bytes, list[dict[str, str]]]:
    """The switches of environment variables, as a snapshot, and the violations of the others."""

def hash(text: str) -> int:
    """XXH3_64 of the text's UTF-8 bytes, seed 0: the hash of units and salts."""

def bucket(unit: str, salt: str) -> int:
    """The bucket of a unit in a salt, from 0 to 99,999."""

def ranges(weights: Sequence[int]) -> list[tuple[int, int]]:
    """The half-open ranges of buckets of these weights."""

def _tick(flags: Flags) -> tuple[list[tuple[str, dict[str, Any]]], list[dict[str, Any]]]:
    """Judges what was counted: the trips since the last call, and the reports of what they changed."""

def _take_trips(flags: Flags, document: bytes) -> list[dict[str, Any]]:
    """Takes the trips of a document; the reports of what they changed. Raises ValueError for any other text."""

def _trips_of(flags: Flags, document: bytes | None) -> str | None:
    """A document with the trips that keep flags off beside those that it has; None if it has all of them."""

def _guards_of(flags: Flags) -> dict[str, Any] | None:
    """How the guards are, as JSON; None without guards."""

def _listen(flags: Flags, tracker: Callable[..., object] | None) -> None:
    """Sets what is called with each outcome that the app tracks."""

def _names_event(flags: Flags, event: str) -> bool:
    """Whether an event is one that a page may send."""

def _track_from_browser(
    flags: Flags, event: str, context: Context | abc.Mapping[str, object], error: bool, duration_ms: float | None
) -> bool:
    """Counts an outcome that a browser has sent, of the session's caller; False for a context that cannot be read."""
