"""What an app may write; `mypy --strict` holds it against the package's types."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import UUID, uuid4

from typing_extensions import assert_type

import esclusa
from esclusa import (
    Context,
    Explanation,
    Flags,
    FlagSet,
    GuardProposal,
    GuardStatus,
    Kept,
    LeftOut,
    Mapping,
    MappingError,
    Report,
    Resolution,
    SnapshotError,
    Step,
    Tracked,
    Violation,
    asgi,
    wsgi,
)
from esclusa.openfeature import EsclusaProvider
from esclusa.sync import (
    NOT_MODIFIED,
    Answer,
    Bundled,
    Cached,
    Environment,
    Failure,
    File,
    Http,
    Layers,
    News,
    NotModified,
    Policy,
    Postgres,
    Redis,
    Request,
    Source,
    Status,
    Sync,
    Trip,
    Verdict,
    mapped,
)

flags = Flags()
report = assert_type(flags.publish(b"[]", strict=True, accept_older=True), Report)
assert_type(report.added, tuple[str, ...])
assert_type(report.set_aside[0].kept, Kept | None)
context = Context("user-42", company="acme", plan="PREMIUM", roles=["ADMIN"], region="CO", seats=12)
assert_type(context.targeting_key, str | None)
somebody: UUID = uuid4()
Context(somebody, company=somebody, roles={"ADMIN", "OWNER"}, groups={somebody})
Context(7, roles=frozenset({"ADMIN"}))
Context("user-42", roles=[somebody])
Context("user-42", roles=("ADMIN", 7, somebody))
assert_type(Context.from_mapping({"user": "user-42"}), Context)
assert_type(flags.is_enabled("crm", context), bool)
assert_type(flags.is_enabled("crm", {"user": 42, "anything": object()}, True), bool)
assert_type(flags.variant("crm", default="a"), str | None)
assert_type(flags.value("crm"), Any)
resolution = assert_type(flags.resolve("crm", context, datetime.now(timezone.utc)), Resolution)
if resolution.error_code == "FLAG_NOT_FOUND" and resolution.reason == "ERROR":
    print(resolution.value)
assert_type(flags.resolve_all(context, 1.5), dict[str, Resolution])
explanation = assert_type(flags.explain("crm", context), Explanation)
assert_type(explanation.steps, tuple[Step, ...])
assert_type(flags.project(context, ["crm"]), dict[str, dict[str, Any]])
unsubscribe = flags.on_publish(lambda report: print(report.changed))
unsubscribe()
with flags.override({"crm": True, "layout": {"value": 3, "variant": "b"}}):
    pass
assert_type(flags.generated_at, datetime | None)
assert_type("crm" in flags, bool)
held = assert_type(flags.current(), FlagSet)
assert_type(held.is_enabled("crm", context), bool)
assert_type(held.explain("crm", context), Explanation)
held.publish("[]")  # type: ignore[attr-defined]
try:
    flags.publish("")
except SnapshotError as error:
    assert_type(error.violations, tuple[Violation, ...])
assert_type(esclusa.bucket("user-42", "crm"), int)
EsclusaProvider(flags)


class Table:
    """A source of an app's own."""

    name = "table"

    def fetch(self, request: Request) -> Answer | NotModified:
        """The rows."""
        if request.etag == "1":
            return NOT_MODIFIED
        raise Failure("away", retry_after=5, instead=b"[]")

    def wait(self, seconds: float) -> News | None:
        """Nothing is told."""
        return None


class Account(Flags):
    """A handle of an app's own."""


source: Source = Table()
assert_type(Account.from_file("flags.json"), Account)
assert_type(Flags.from_url("https://example.com/flags.json", token="x", cache="copy.json"), Flags)
assert_type(Flags.from_env(["MY_"]), Flags)
assert_type(Flags.from_source(lambda: b"[]", interval=10), Flags)
with flags.sync(Layers(Environment(), Cached(source, "copy.json"), Bundled("[]")), policy=Policy(jitter=0.5)) as sync:
    assert_type(sync, Sync)
assert_type(flags.status(), Status)
assert_type(flags.ready(5), bool)
Http("https://example.com", headers={"X-Key": "x"}, max_bytes=1000)

Flags.from_source(lambda: 5)  # type: ignore[arg-type, return-value]
flags.sync("flags.json")  # type: ignore[arg-type]
flags.is_enabled(42)  # type: ignore[arg-type]
flags.is_enabled("crm", "user-42")  # type: ignore[arg-type]
flags.publish(5)  # type: ignore[arg-type]
Context(b"user-42")  # type: ignore[arg-type]
Context("user-42", roles=[{"ADMIN": True}])  # type: ignore[list-item]
context.targeting_key = "other"  # type: ignore[misc]
resolution.reason == "SPLITTED"  # type: ignore[comparison-overlap]
stores: list[Source] = [Postgres("postgres://h/d", 'app."Flags"', password=lambda: "p"), Redis(lambda: "redis://h", key="k")]
assert_type(Flags.from_source(stores[0]).status().polled, str | None)


async def handler() -> None:
    assert_type(await flags.refresh(timeout=2), str | None)
    assert_type(flags.refresh().wait(), str | None)


mapping = Mapping({"esclusa_mapping": 1, "name": "slug", "enabled": "is_active"}, environment="production")
assert_type(Mapping.load("flags.mapping.toml", environment="production"), Mapping)
assert_type(Mapping.from_env().with_parameters(environment="production"), Mapping)
assert_type(mapping.parameters, tuple[str, ...])
assert_type(flags.publish([{"slug": "crm"}], mapping=mapping).reading.rows_left_out, tuple[LeftOut, ...])
flags.publish([{"slug": "crm"}], mapping={"esclusa_mapping": 1})
flags.publish([{"slug": "crm"}], mapping="flags.mapping.toml")
assert_type(Flags.from_file("rows.json", mapping=mapping), Flags)
assert_type(mapped(source, mapping, environment="production"), Source)
flags.publish([], mapping=5)  # type: ignore[arg-type]
mapped(source, mapping, environment=5)  # type: ignore[arg-type]
try:
    Mapping("")
except MappingError as error:
    assert_type(error.place, str)

guarded = Account.from_file("flags.json", guard="trips.json")
assert_type(guarded, Account)
guarded.track("checkout", context, error=True, duration=0.8, value=9, step="payment")
guarded.track("checkout", error="timeout")  # type: ignore[arg-type]
guarded.track("checkout", "user-42")  # type: ignore[arg-type]
assert_type(guarded.guards().flags, tuple[GuardStatus, ...])


class Trips:
    """A store of the app's own."""

    name = "trips"

    def propose(self, trip: Trip) -> Verdict:
        return "known" if trip.run == 1 else "taken"

    def trips(self) -> list[Trip] | None:
        return None


Account.from_env(guard=True, propose=Trips())
Account(guard=True, propose=Postgres("host=h"))
Account(guard=True, propose=Redis("redis://h"))
Account(guard=True, propose=Http("https://h/v1/trips"))
Account(guard=True, propose=File("trips.json"))  # type: ignore[arg-type]
assert_type(guarded.guards().proposals, tuple[GuardProposal, ...])
guarded.on_track(lambda tracked: assert_type(tracked, Tracked))
with guarded.measure("checkout", {"user": "user-42"}) as measured:
    assert_type(measured.error, bool)


@guarded.measure("checkout", lambda user: Context(user))
async def buy(user: str) -> int:
    """Is an `async` function still."""
    return len(user)


async def buying() -> None:
    assert_type(await buy("user-42"), int)


asgi.track_handler(guarded, lambda scope: None)
wsgi.track_handler(guarded, lambda environ: {"user": environ["REMOTE_USER"]})
wsgi.track_handler(guarded, lambda environ: "user-42")  # type: ignore[arg-type, return-value]
