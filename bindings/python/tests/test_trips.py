"""Trips in stores: off at once here, off in other processes a moment later, written once, and through outages."""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from loopback import QUICK, Loopback, needs_loopback, until

from esclusa import Context, Flags, GuardProposal
from esclusa.sync import Failure, Http, Postgres, Redis, Trip, TripStore, Verdict

psycopg = pytest.importorskip("psycopg")
redis = pytest.importorskip("redis")

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")

MIGRATIONS = Path(__file__).parents[3] / "sync/migrations"
IN_STORE, OVER = "crm: the trip of run 1 is in the store", "crm: the trip of run 1 is void, because a later run has begun"
BEING_PROPOSED = "crm: the trip of run 1 is being proposed to the store"


def rows(run: int = 1, key: str = "crm") -> str:
    guard = {"guard": {"event": "checkout", "errors": {}}, "guard_state": {"run": run}}
    return json.dumps([{"name": key, "enabled": True, "rollout_percentage": 50, **guard}])


def harm(flags: Flags) -> None:
    """Users with the flag on have an error; the others have none."""
    for user in range(400):
        context = Context(f"user-{user}")
        flags.track("checkout", context, error=flags.is_enabled("crm", context))


def cohort(flags: Flags) -> list[int]:
    return [user for user in range(1000) if flags.is_enabled("crm", {"user": f"user-{user}"})]


def proposals(flags: Flags) -> list[str]:
    return [str(proposal) for proposal in flags.guards().proposals]


def close(*every: Flags) -> None:
    for flags in every:
        if flags._sync is not None:
            flags._sync.close()


@pytest.fixture(scope="module")
def postgres(loopback: Loopback) -> Iterator[str]:
    url: str = loopback.tell(postgres="start")["postgres"]
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("001_esclusa.sql", "002_guard.sql"):
            connection.execute((MIGRATIONS / name).read_text(encoding="utf-8"))
        connection.execute("CREATE ROLE app LOGIN; SELECT esclusa.create_flags('public.feature_flags')")
        connection.execute("SELECT esclusa.guard(); SELECT esclusa.allow('app'); SELECT esclusa.allow_guard('app')")
        connection.execute("CREATE POLICY reads ON feature_flags TO app USING (true); GRANT SELECT ON feature_flags TO app")
    yield url


@pytest.fixture
def app(postgres: str) -> str:
    """The address of a role that may trip and may not resume, with one flag in its first run."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DELETE FROM feature_flags; TRUNCATE release_history")
        flag = "INSERT INTO feature_flags (name, enabled, rollout_percentage, guard) VALUES ('crm', true, 50, %s)"
        connection.execute(flag, ['{"event": "checkout", "errors": {}}'])
    return postgres.replace("postgres@", "app@")


def answer(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


TRIPS = "SELECT count(*) FROM release_history WHERE action = 'guard_trip'"


@needs_loopback
def test_postgres_switches_off_other_processes_and_a_person_brings_the_same_users_back(postgres: str, app: str) -> None:
    source = Postgres(app)
    assert isinstance(source, TripStore)
    # The store of one is the source itself, that of the other another object.
    here = Flags.from_source(source, policy=QUICK, guard=True, propose=source)
    there = Flags.from_source(Postgres(app), policy=QUICK, guard=True, propose=Postgres(app, "public.feature_flags"))
    assert here.ready(60) and there.ready(60)
    before = cohort(here)
    assert len(before) > 400 and cohort(there) == before and here.guards().proposals == ()
    harm(here)
    until(lambda: not cohort(here), 10)
    began = time.monotonic()
    until(lambda: not cohort(there), 10)
    assert time.monotonic() - began < 3
    until(lambda: proposals(here) == proposals(there) == [IN_STORE], 10)
    assert IN_STORE in str(here.guards()).splitlines()
    assert answer(postgres, TRIPS) == 1
    trip = answer(postgres, "SELECT guard_state -> 'trip' FROM feature_flags")
    assert (trip["run"], trip["metric"], trip["by"]) == (1, "errors", f"process {os.getpid()}")
    assert trip["evidence"]["log_e"] >= trip["evidence"]["log_bar"] > 0
    assert answer(postgres, "SELECT esclusa.resume('crm', 'ana')") == 2
    until(lambda: cohort(here) == cohort(there) == before, 10)
    until(lambda: here.guards().proposals == there.guards().proposals == (), 10)
    assert answer(postgres, TRIPS) == 1
    close(here, there)


@needs_loopback
def test_a_trip_while_postgres_is_away_is_off_at_once_and_reaches_it_later(
    loopback: Loopback, postgres: str, app: str, caplog: pytest.LogCaptureFixture
) -> None:
    every = [Flags.from_source(Postgres(app), policy=QUICK, guard=True, propose=Postgres(app)) for _ in range(2)]
    assert all(flags.ready(60) for flags in every)
    loopback.tell(postgres="kill")
    try:
        for flags in every:
            harm(flags)
        began = time.monotonic()
        until(lambda: not any(cohort(flags) for flags in every), 10)
        assert time.monotonic() - began < 3
        begin = "crm: the trip of run 1 is not in the store yet: OperationalError"
        until(lambda: all("\n".join(proposals(flags)).startswith(begin) for flags in every), 20)
        time.sleep(3)
    finally:
        loopback.tell(postgres="start")
    until(lambda: all(proposals(flags) == [IN_STORE] for flags in every), 30)
    assert answer(postgres, TRIPS) == 1 and not any(cohort(flags) for flags in every)
    assert {flags.guards().proposals[0].verdict for flags in every} == {"taken", "known"}
    assert caplog.text.count("trips are not exchanged") == 2, "once for each, however often it failed"
    close(*every)


@needs_loopback
def test_what_postgres_says_of_other_trips(postgres: str, app: str) -> None:
    store = Postgres(app)

    def trip(flag: str, run: int) -> Trip:
        return Trip(flag, run, json.dumps({"run": run, "metric": "errors", "by": "O'Hara \\ ñ"}))

    assert store.propose(trip("no such flag", 1)) == "unguarded"
    with pytest.raises(Failure, match='the run of "crm" is 1, and the trip is of run 2'):
        store.propose(trip("crm", 2))
    assert answer(postgres, "SELECT esclusa.resume('crm')") == 2
    assert [store.propose(trip("crm", run)) for run in (1, 2, 2)] == ["over", "taken", "known"]
    assert answer(postgres, "SELECT guard_state -> 'trip' ->> 'by' FROM feature_flags") == "O'Hara \\ ñ"
    assert store.trips() is None
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN")
    with pytest.raises(Failure, match="permission denied"):
        Postgres(postgres.replace("postgres@", "stranger@")).propose(trip("crm", 2))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP ROLE stranger")


@needs_loopback
def test_a_row_that_is_locked_is_proposed_again(postgres: str, app: str) -> None:
    flags = Flags(guard=True, propose=Postgres(app))
    flags.publish(rows())
    with psycopg.connect(postgres) as connection:
        connection.execute("SELECT FROM feature_flags FOR UPDATE")
        harm(flags)
        until(lambda: not cohort(flags), 3)
        until(lambda: "is not in the store yet: LockNotAvailable" in "".join(proposals(flags)), 20)
    until(lambda: proposals(flags) == [IN_STORE], 20)


@pytest.fixture(scope="module")
def store(loopback: Loopback) -> Iterator[str]:
    url: str = loopback.tell(redis="start")["redis"]
    yield url


@needs_loopback
def test_redis_exchanges_trips_through_an_outage(loopback: Loopback, store: str) -> None:
    source = Redis(store, "one")
    with redis.Redis.from_url(store) as client:
        client.set("one", rows())
    here = Flags.from_source(source, policy=QUICK, guard=True, propose=source)
    there = Flags(guard=True, propose=Redis(store, "one"))
    there.publish(rows())
    assert here.ready(60)
    before = cohort(here)
    loopback.tell(redis="kill")
    try:
        harm(here)
        until(lambda: not cohort(here), 3)
        until(lambda: "is not in the store yet: ConnectionError" in "".join(proposals(here)), 20)
        assert cohort(there) == before
    finally:
        loopback.tell(redis="start")
    until(lambda: proposals(here) == [IN_STORE] and not cohort(there), 30)
    until(lambda: proposals(there) == [IN_STORE], 10)
    assert (here.guards().proposals[0].verdict, there.guards().proposals[0].verdict) == ("taken", "known")
    with redis.Redis.from_url(store) as client:
        fields = client.hgetall("one:trips")
        assert list(fields) == [b"crm"] and json.loads(fields[b"crm"])["run"] == 1
        client.set("one", rows(run=2))
    there.publish(rows(run=2))
    until(lambda: cohort(here) == cohort(there) == before, 30)
    assert source.propose(Trip("crm", 2, '{"run":2}')) == "taken" and source.propose(Trip("crm", 1, '{"run":1}')) == "known"
    close(here)


@needs_loopback
def test_a_new_trip_reaches_another_process_within_about_a_second(store: str) -> None:
    program = f"""
from esclusa import Flags
from esclusa.sync import Redis
import time
flags = Flags(guard=True, propose=Redis({store!r}, "two"))
flags.publish({rows()!r})
print("ready", flush=True)
while any(flags.is_enabled("crm", {{"user": f"user-{{n}}"}}) for n in range(100)):
    time.sleep(0.01)
print("off", flush=True)
"""
    flags = Flags(guard=True, propose=Redis(store, "two"))
    flags.publish(rows())
    with subprocess.Popen([sys.executable, "-W", "error", "-c", program], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
        harm(flags)
        until(lambda: not cohort(flags), 10)
        began = time.monotonic()
        assert other.stdout.readline() == "off\n"
        assert time.monotonic() - began < 3
    assert other.returncode == 0


@needs_loopback
def test_trips_in_redis_that_cannot_be_read_hide_no_other(store: str) -> None:
    with redis.Redis.from_url(store) as client:
        wrong = {b"\xff": "{}", "a": "{", "b": "[]", "c": '{"run": 0}', "d": '{"run": true}', "e": '{"run": "1"}'}
        client.hset("three:trips", mapping={**wrong, "crm": '{"run": 1}'})
    assert Redis(store, "three").trips() == [Trip("crm", 1, '{"run":1}')]
    flags = Flags(guard=True, propose=Redis(store, "three"))
    flags.publish(rows())
    until(lambda: not cohort(flags), 10)


@needs_loopback
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_proposes_with_a_connection_of_its_own(store: str) -> None:
    source = Redis(store, "forked")
    flags = Flags(guard=True, propose=source)
    flags.publish(rows())
    until(lambda: source._trip_links.get() is not None, 10)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            harm(flags)
            until(lambda: proposals(flags) == [IN_STORE], 30)
            code = 0
        except BaseException as problem:
            print("in the child:", repr(problem), file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    until(lambda: not cohort(flags), 10)


def test_a_store_that_is_silent_delays_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        stores: list[TripStore] = [
            Redis(f"redis://{place}", timeout=30),
            Postgres(f"postgres://app@{place}/app", timeout=30),
            Http(f"http://{place}/v1/trips", timeout=30),
        ]
        every = [Flags(guard=True, propose=store) for store in stores]
        for flags in every:
            flags.publish(rows())
        time.sleep(1.5)
        for flags in every:
            began = time.monotonic()
            harm(flags)
            assert time.monotonic() - began < 1
            until(lambda flags=flags: not cohort(flags), 3)  # type: ignore[misc]
            flags.guards()
            assert time.monotonic() - began < 4


class Serving:
    """A server of trips that does what 2.1 to 2.4 of GUARD.md say, with failures on request."""

    def __init__(self) -> None:
        self.runs, self.trips = {"crm": 1, "a/b ñ?": 1}, dict[str, Any]()
        self.failures = 0
        self.puts: list[str] = []
        self.not_modified = 0
        serving = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                flags = [{"name": flag, "trip": trip} for flag, trip in serving.trips.items()]
                etag = f'"{len(flags)}"'
                if self.headers.get("If-None-Match") == etag:
                    serving.not_modified += 1
                    return self.answer(304, None)
                self.answer(200, {"esclusa": 1, "layer": "trips", "flags": flags}, ETag=etag)

            def do_PUT(self) -> None:
                trip = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                serving.puts.append(self.path)
                assert self.headers["Authorization"] == "Bearer s3cret"
                flag = unquote(self.path.removeprefix("/v1/trips/"))
                if serving.failures:
                    serving.failures -= 1
                    return self.answer(503, {"problem": "later"})
                if flag not in serving.runs:
                    return self.answer(404, {"problem": "there is no such flag"})
                if serving.runs[flag] != trip["run"]:
                    return self.answer(409, {"run": serving.runs[flag]})
                if flag in serving.trips:
                    return self.answer(200, serving.trips[flag])
                serving.trips[flag] = trip
                self.answer(201, trip)

            def answer(self, status: int, body: object, **headers: str) -> None:
                text = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/trips"

    def http(self) -> Http:
        return Http(self.url, token="s3cret")

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serving() -> Iterator[Serving]:
    server = Serving()
    yield server
    server.end()


def test_http_exchanges_trips(serving: Serving) -> None:
    serving.failures = 2
    here, there = (Flags(guard=True, propose=serving.http()) for _ in range(2))
    for flags in (here, there):
        flags.publish(rows())
    before = cohort(there)
    harm(here)
    until(lambda: "yet: the answer has the status 503 Service Unavailable, expected 201, 200, 404, 409" in str(here.guards()), 10)
    assert not cohort(here) and cohort(there) == before
    until(lambda: not cohort(there) and proposals(here) == proposals(there) == [IN_STORE], 20)
    assert serving.trips["crm"]["run"] == 1
    until(lambda: serving.not_modified > 2, 10)
    assert len(serving.puts) == 4 and set(serving.puts) == {"/v1/trips/crm"}
    assert "s3cret" not in str(here.guards())


def test_what_http_says_of_other_trips(serving: Serving) -> None:
    store = serving.http()
    assert store.propose(Trip("none", 1, '{"run":1}')) == "unguarded"
    assert store.propose(Trip("a/b ñ?", 1, '{"run":1}')) == "taken" and serving.puts[-1] == "/v1/trips/a%2Fb%20%C3%B1%3F"
    assert store.propose(Trip("a/b ñ?", 1, '{"run":1}')) == "known"
    with pytest.raises(Failure, match="the answer of status 409 has no `run` above 2"):
        store.propose(Trip("crm", 2, '{"run":2}'))
    serving.runs["crm"] = 3
    assert store.propose(Trip("crm", 2, '{"run":2}')) == "over"
    assert store.trips() == store.trips() == [Trip("a/b ñ?", 1, '{"run":1}')] and serving.not_modified == 1


class Table:
    """A store that the package does not know."""

    name = "table"

    def __init__(self, propose: Callable[[Trip], Verdict]) -> None:
        self.propose = propose
        self.kept: list[Trip] | None = None

    def trips(self) -> list[Trip] | None:
        return self.kept


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        ("taken", IN_STORE),
        ("known", IN_STORE),
        ("over", OVER),
        ("unguarded", "crm: the trip of run 1 is not taken, because the store has no such flag with a guard"),
    ],
)
def test_each_verdict_is_shown_and_is_the_last(verdict: Verdict, line: str, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[Trip] = []

    def propose(trip: Trip) -> Verdict:
        asked.append(trip)
        return verdict

    flags = Flags(guard=True, propose=Table(propose))
    flags.publish(rows())
    harm(flags)
    until(lambda: proposals(flags) == [line], 10)
    assert flags.guards().proposals == (GuardProposal("crm", 1, verdict),)
    time.sleep(2.2)
    assert [(trip.flag, trip.run, json.loads(trip.text)["metric"]) for trip in asked] == [("crm", 1, "errors")]
    assert (f"table: {line}" in caplog.text) is (verdict != "known")


def test_a_store_of_ones_own_that_raises_or_answers_wrongly_is_asked_with_growing_pauses() -> None:
    times: list[float] = []

    def propose(_: Trip) -> Any:
        times.append(time.monotonic())
        if len(times) == 1:
            raise KeyError("who")
        return "yes" if len(times) == 2 else "taken"

    flags = Flags(guard=True, propose=Table(propose))
    flags.publish(rows())
    harm(flags)
    until(lambda: "yet: KeyError: 'who'" in str(flags.guards()), 10)
    until(lambda: "yet: TypeError: `propose` returned 'yes', expected one of 'taken', 'known', 'over', 'unguarded'" in str(flags.guards()), 10)
    until(lambda: proposals(flags) == [IN_STORE], 10)
    first, second = (later - earlier for earlier, later in zip(times, times[1:]))
    assert 0.9 < first < 3 and 1.9 < second < 5


def test_a_trip_that_the_store_cannot_answer_holds_up_no_other(serving: Serving) -> None:
    flags = Flags(guard=True, propose=serving.http())
    # The store is behind: it has the first run of `a`.
    serving.runs["a"] = 1
    [a], [crm] = json.loads(rows(run=2, key="a")), json.loads(rows())
    flags.publish(json.dumps([a, crm]))
    for user in range(400):
        context = Context(f"user-{user}")
        flags.track("checkout", context, error=flags.is_enabled("a", context) or flags.is_enabled("crm", context))
    behind = "a: the trip of run 2 is not in the store yet: the answer of status 409 has no `run` above 2"
    until(lambda: proposals(flags) == [behind, IN_STORE], 20)
    serving.runs["a"] = 2
    until(lambda: proposals(flags) == ["a: the trip of run 2 is in the store", IN_STORE], 20)


def test_a_proposal_that_hangs_is_shown_and_ends_with_the_process() -> None:
    program = f"""
import threading, time
from esclusa import Context, Flags
class Hanging:
    name = "hanging"
    def propose(self, trip): threading.Event().wait()
    def trips(self): return None
flags = Flags(guard=True, propose=Hanging())
flags.publish({rows()!r})
for user in range(400):
    context = Context(f"user-{{user}}")
    flags.track("checkout", context, error=flags.is_enabled("crm", context))
while {BEING_PROPOSED!r} not in str(flags.guards()):
    time.sleep(0.01)
print("shown")
"""
    outcome = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert (outcome.returncode, outcome.stdout) == (0, "shown\n"), outcome.stderr


def test_what_is_no_store_is_refused() -> None:
    wrong: Any
    for wrong in ("redis://h", object(), lambda: "[]"):
        with pytest.raises(TypeError, match="expected a store with `name`, `propose` and `trips`, such as `Postgres`"):
            Flags(guard=True, propose=wrong)
    with pytest.raises(ValueError, match="`propose` needs guards, expected `guard=True` or the path of a file"):
        Flags.from_env(propose=Table(lambda _: "taken"))


def test_flags_that_are_dropped_end_the_thread() -> None:
    before = set(threading.enumerate())

    def proposing() -> int:
        return sum(thread.name == "esclusa-trips" and thread not in before for thread in threading.enumerate())

    released = threading.Event()

    def hang(_: Trip) -> Verdict:
        released.wait(60)
        return "taken"

    flags = Flags(guard=True, propose=Table(hang))
    flags.publish(rows())
    harm(flags)
    until(lambda: proposals(flags) == [BEING_PROPOSED], 10)
    gone = weakref.ref(flags)
    del flags
    gc.collect()
    # The guards may judge at this moment.
    until(lambda: gone() is None, 5)
    released.set()
    until(lambda: proposing() == 0, 60)
