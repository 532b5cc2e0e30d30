"""Events of browsers over HTTP: real servers, real sessions, and bodies of every shape."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import uvicorn
from fastapi import FastAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from loopback import until
from starlette.routing import Route

from esclusa import Context, Flags, Tracked, asgi, wsgi
from esclusa._pages import BodyError, Limiter, events_of

SPEC = Path(__file__).parents[3] / "spec"
SCHEMA: dict[str, Any] = json.loads((SPEC / "track.schema.json").read_text(encoding="utf-8"))
BODIES = Draft202012Validator(SCHEMA)
ANSWERS = Draft202012Validator({**SCHEMA, "$ref": "#/$defs/events_answer"})


def rows(**guard: Any) -> str:
    crm = {"name": "crm", "enabled": True, "rollout_percentage": 50}
    return json.dumps([{**crm, "guard": {"event": "checkout", "errors": {}, **guard}}, {"name": "plain", "enabled": True}])


def guarded(**guard: Any) -> Flags:
    flags = Flags(guard=True)
    flags.publish(rows(**guard))
    return flags


def context_of(headers: Any) -> Context | None:
    """The session of these tests is a header that a page cannot set in an app."""
    user = headers.get("x-session")
    return Context(user, company="acme") if user else None


def asgi_context(scope: Any) -> Context | None:
    return context_of({name.decode(): value.decode() for name, value in scope["headers"]})


async def asgi_context_later(scope: Any) -> Context | None:
    return asgi_context(scope)


def wsgi_context(environ: Any) -> Context | None:
    return context_of({"x-session": environ.get("HTTP_X_SESSION")})


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(kind: str, flags: Flags) -> Iterator[str]:
    """A server on loopback with the handler at `/v1/track`."""
    if kind == "wsgi":
        handler = wsgi.track_handler(flags, wsgi_context)
        with make_server("127.0.0.1", 0, handler, handler_class=Quiet) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/v1/track"
            server.shutdown()
            thread.join()
        return
    app: Any = asgi.track_handler(flags, asgi_context)
    if kind == "fastapi":
        app = FastAPI()
        handler_of_asgi = asgi.track_handler(flags, asgi_context_later)
        app.router.routes.append(Route("/v1/track", handler_of_asgi, methods=["POST"]))
    # With its protocol by name asyncio sends each answer at once.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        server_of_app = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
        thread = threading.Thread(target=server_of_app.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server_of_app.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/track"
        server_of_app.should_exit = True
        thread.join()


@pytest.fixture(params=["asgi", "fastapi", "wsgi"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def send(url: str, body: Any, user: str | None = "ana", **headers: str) -> tuple[int, Any, Any]:
    """The status, the headers and the document of the answer; a header of None is not sent."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = {"content-type": "application/json"} | ({} if user is None else {"x-session": user})
    known |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, known, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers, json.load(answer)


def events(*events: dict[str, Any]) -> dict[str, Any]:
    return {"esclusa": 1, "events": list(events)}


def test_events_are_taken_and_unknown_ones_refused_each_by_itself(kind: str) -> None:
    flags = guarded(from_browser=True)
    heard: list[Tracked] = []
    flags.on_track(heard.append)
    sent = events(
        {"event": "checkout", "error": True, "duration_ms": 812, "fields": {"step": "payment"}},
        {"event": "chekout"},
        {"event": "crm", "action": "view", "shown": "children", "variant": "b"},
        {"event": "plain.feedback", "value": 4},
        {"event": "nothing.feedback", "value": 4},
    )
    with serving(kind, flags) as url:
        status, headers, answer = send(url, sent)
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/json", "no-store")
    ANSWERS.validate(answer)
    problem = "`{}` is no flag and no event of a guard"
    refused = [{"at": 1, "problem": problem.format("chekout")}, {"at": 4, "problem": problem.format("nothing.feedback")}]
    assert answer == {"taken": 3, "refused": refused}
    context = Context("ana", company="acme")
    assert heard == [
        Tracked("checkout", context, True, 0.812, None, {"step": "payment"}, True),
        Tracked("crm", context, False, None, None, {"action": "view", "shown": "children", "variant": "b"}, True),
        Tracked("plain.feedback", context, False, None, 4, {}, True),
    ]
    [guard] = flags.guards().flags
    assert guard.on_units + guard.off_units == 1 and guard.metrics[0].on_bad + guard.metrics[0].off_bad == 1


def test_the_caller_is_the_one_of_the_session(kind: str) -> None:
    with serving(kind, guarded()) as url:
        status, headers, answer = send(url, events({"event": "crm"}), user=None)
        assert (status, headers["content-type"]) == (401, "application/problem+json")
        assert answer == {"title": "Unauthorized", "status": 401, "detail": "there is no session, expected one"}
        status, _, answer = send(url, {**events({"event": "crm"}), "user": "eva"})
        assert (status, answer["detail"]) == (400, "`/user` is not a field, expected one of esclusa, events")


def test_what_is_no_body_is_refused(kind: str) -> None:
    with serving(kind, guarded()) as url:
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
            status, _, answer = send(url, events({"event": "crm"}), content_type=content_type)
            assert status == 415 and answer["detail"].endswith("expected application/json"), content_type
        assert send(url, events({"event": "crm"}), content_type="Application/JSON; charset=utf-8")[0] == 200
        large = events({"event": "crm", "fields": {f"name-{n}": "ñ" * 200 for n in range(20)}})
        status, _, answer = send(url, json.dumps(large).encode())
        assert (status, answer["detail"]) == (413, "the body is too large, expected at most 16384 bytes")
        status, _, answer = send(url, b"{", user="eva")
        assert (status, answer["detail"]) == (400, "the body is not JSON, expected an object in UTF-8")


@pytest.mark.parametrize("handler", ["asgi", "wsgi"])
def test_other_methods_are_refused(handler: str) -> None:
    with serving(handler, guarded()) as url:
        where = urlsplit(url)
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            connection = http.client.HTTPConnection(where.netloc, timeout=20)
            connection.request(method, where.path, headers={"x-session": "ana"})
            answer = connection.getresponse()
            assert (answer.status, answer.headers["allow"]) == (405, "POST")
            assert json.loads(answer.read())["detail"] == f"the method is {method}, expected POST"
            connection.close()


def test_a_body_that_comes_in_pieces_ends_at_the_limit() -> None:
    with serving("asgi", guarded()) as url:
        where = urlsplit(url)
        for pieces, expected in (([json.dumps(events({"event": "crm"})).encode()], 200), ([b" " * 1000] * 50, 413)):
            connection = http.client.HTTPConnection(where.netloc, timeout=20)
            headers = {"x-session": "ana", "content-type": "application/json"}
            connection.request("POST", where.path, iter(pieces), headers, encode_chunked=True)
            assert connection.getresponse().status == expected
            connection.close()


@pytest.mark.parametrize("handler", ["asgi", "wsgi"])
def test_forged_errors_of_one_session_trip_nothing_and_are_limited(handler: str) -> None:
    """10^5 events of errors, as fast as they go."""
    flags = guarded(errors={"at_most": 0.001, "at_most_times": 1})
    body = json.dumps(events(*[{"event": "checkout", "error": True, "duration_ms": 1}] * 100)).encode()
    answers: dict[int, int] = {}
    with serving(handler, flags) as url:
        where = urlsplit(url)
        connection = http.client.HTTPConnection(where.netloc, timeout=20)
        for _ in range(1000):
            connection.request("POST", where.path, body, {"x-session": "eva", "content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            answers[answer.status] = answers.get(answer.status, 0) + 1
            if answer.status == 429:
                assert re.fullmatch(r"[1-9]\d?", answer.headers["retry-after"]), answer.headers["retry-after"]
                assert json.loads(text)["status"] == 429
        connection.close()
        assert send(url, events({"event": "checkout"}), user="luz")[0] == 200, "others are not limited"
    time.sleep(1.2)
    assert answers.keys() == {200, 429} and answers[200] < 100
    [guard] = flags.guards().flags
    assert (guard.state, guard.on_units, guard.off_units, guard.trip) == ("waiting", 0, 0, None)


def test_honest_events_trip_a_guard_that_says_so() -> None:
    flags = guarded(from_browser=True)
    with serving("asgi", flags) as url:
        for user in range(200):
            context = Context(f"user-{user}", company="acme")
            sent = events({"event": "checkout", "error": flags.is_enabled("crm", context)})
            assert send(url, sent, user=f"user-{user}")[0] == 200
            if flags.guards().flags[0].state == "tripped":
                break
    until(lambda: not any(flags.is_enabled("crm", {"user": str(user)}) for user in range(100)), 10)


def test_one_session_with_many_errors_is_one_unit_of_a_guard_that_says_so() -> None:
    flags = guarded(from_browser=True)
    answer = asgi.track_handler(flags, asgi_context)._receiver.answer
    body = json.dumps(events(*[{"event": "checkout", "error": True}] * 100)).encode()
    for _ in range(1000):
        assert answer(Context("eva"), body).status == 200
    [guard] = flags.guards().flags
    assert guard.on_units + guard.off_units == 1 and guard.state == "waiting"


def test_without_guards_listeners_have_the_events() -> None:
    flags = Flags()
    flags.publish(rows())
    heard: list[Tracked] = []
    flags.on_track(heard.append)
    answer = wsgi.track_handler(flags, wsgi_context)._receiver.answer(
        Context("ana"), json.dumps(events({"event": "checkout"}, {"event": "other"})).encode()
    )
    assert json.loads(answer.body)["taken"] == 1 and [tracked.event for tracked in heard] == ["checkout"]


def test_flags_and_contexts_of_the_wrong_kind_are_told_to_the_app() -> None:
    wrong: Any = {}
    for module in (asgi, wsgi):
        with pytest.raises(TypeError, match=r"a handler needs flags, expected `Flags\(\)`, got dict"):
            module.track_handler(wrong, lambda _: None)
    receiver = asgi.track_handler(guarded(), asgi_context)._receiver
    mistaken: Any = "ana"
    with pytest.raises(TypeError, match="expected a context"):
        receiver.session(mistaken)
    assert receiver.session({"user": "ana"}) == Context("ana")


GOOD: list[dict[str, Any]] = [
    events({"event": "crm"}),
    events(*[{"event": "a"}] * 100),
    events({"event": "ñ" * 200, "action": "a" * 50, "variant": "v" * 200, "shown": "fallback", "error": False}),
    events({"event": "a", "duration_ms": 0, "value": -1e300, "fields": {}}),
    events({"event": "a", "duration_ms": 86_400_000, "fields": {f"n{n}": n for n in range(20)}}),
    events({"event": "a", "fields": {"b": True, "n": 1.5, "t": "", "x" * 50: "y" * 200}}),
    {"esclusa": 1.0, "events": [{"event": "a", "value": 10**30}]},
]

BAD: list[tuple[Any, str]] = [
    (None, "`` does not fit, expected an object"),
    ([], "`` does not fit, expected an object"),
    ({}, "`/esclusa`: null does not fit, expected 1"),
    ({"esclusa": 1}, "`/events` does not fit, expected a list of 1 to 100 events"),
    ({"esclusa": True, "events": [{"event": "a"}]}, "`/esclusa`: true does not fit, expected 1"),
    ({"esclusa": 2, "events": [{"event": "a"}]}, "`/esclusa`: 2 does not fit, expected 1"),
    (events(), "`/events` does not fit, expected a list of 1 to 100 events"),
    (events(*[{"event": "a"}] * 101), "`/events` does not fit, expected a list of 1 to 100 events"),
    ({"esclusa": 1, "events": {"event": "a"}}, "`/events` does not fit, expected a list of 1 to 100 events"),
    (events({"event": "a"}, {}), "`/events/1` has no `event`, expected the name of one"),
    ({"esclusa": 1, "events": ["a"]}, "`/events/0` does not fit, expected an object"),
    (events({"event": ""}), '`/events/0/event`: "" does not fit, expected a text of 1 to 200 characters'),
    (events({"event": 7}), "`/events/0/event`: 7 does not fit, expected a text of 1 to 200 characters"),
    (events({"event": "a" * 201}), "does not fit, expected a text of 1 to 200 characters"),
    (events({"event": "a", "action": "a" * 51}), "does not fit, expected a text of 1 to 50 characters"),
    (events({"event": "a", "variant": None}), "`/events/0/variant`: null does not fit, expected a text of 1 to 200 characters"),
    (events({"event": "a", "shown": "both"}), '`/events/0/shown`: "both" does not fit, expected `children` or `fallback`'),
    (events({"event": "a", "error": 1}), "`/events/0/error`: 1 does not fit, expected true or false"),
    (events({"event": "a", "duration_ms": -1}), "`/events/0/duration_ms`: -1 does not fit, expected a number from 0 to 86400000"),
    (events({"event": "a", "duration_ms": 86_400_001}), "does not fit, expected a number from 0 to 86400000"),
    (events({"event": "a", "duration_ms": "1"}), "does not fit, expected a number from 0 to 86400000"),
    (events({"event": "a", "duration_ms": True}), "does not fit, expected a number from 0 to 86400000"),
    (events({"event": "a", "value": "1"}), '`/events/0/value`: "1" does not fit, expected a number'),
    (events({"event": "a", "value": None}), "`/events/0/value`: null does not fit, expected a number"),
    (events({"event": "a", "fields": []}), "`/events/0/fields` does not fit, expected an object of at most 20 fields"),
    (events({"event": "a", "fields": {f"n{n}": n for n in range(21)}}), "expected an object of at most 20 fields"),
    (events({"event": "a", "fields": {"": 1}}), '`/events/0/fields`: "" does not fit, expected names of 1 to 50 characters'),
    (events({"event": "a", "fields": {"x" * 51: 1}}), "does not fit, expected names of 1 to 50 characters"),
    (events({"event": "a", "fields": {"x": None}}), "`/events/0/fields/x`: null does not fit, expected a boolean, a number, or a text of at most 200 characters"),
    (events({"event": "a", "fields": {"x": "y" * 201}}), "expected a boolean, a number, or a text of at most 200 characters"),
    (events({"event": "a", "fields": {"x": [1]}}), "`/events/0/fields/x`: [1] does not fit"),
    (events({"event": "a", "user": "eva"}), "`/events/0/user` is not a field, expected one of event, action, shown"),
]  # fmt: skip


@pytest.mark.parametrize("body", GOOD)
def test_what_the_schema_allows_is_taken(body: dict[str, Any]) -> None:
    BODIES.validate(body)
    assert len(events_of(json.dumps(body).encode())) == len(body["events"])


@pytest.mark.parametrize(("body", "problem"), BAD)
def test_what_the_schema_forbids_is_refused_with_the_place(body: Any, problem: str) -> None:
    assert not BODIES.is_valid(body)
    with pytest.raises(BodyError) as refusal:
        events_of(json.dumps(body).encode())
    assert problem in str(refusal.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"NaN", b"[" * 16_000, b'{"esclusa": 1, "events": [{"event": "a", "value": Infinity}]}', b"{} {}"],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(BodyError, match="the body is not JSON, expected an object in UTF-8"):
        events_of(body)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400])
def test_numbers_beyond_doubles_are_refused(number: str) -> None:
    with pytest.raises(BodyError, match=r"`/events/0/value`: .* does not fit, expected a number"):
        events_of(f'{{"esclusa": 1, "events": [{{"event": "a", "value": {number}}}]}}'.encode())


def test_half_a_surrogate_pair_names_no_event() -> None:
    answer = wsgi.track_handler(guarded(), wsgi_context)._receiver.answer(
        Context("ana"), rb'{"esclusa": 1, "events": [{"event": "\ud800"}, {"event": "crm"}]}'
    )
    assert answer.status == 200 and json.loads(answer.body)["taken"] == 1


def test_the_examples_of_the_specification() -> None:
    text = (SPEC / "GUARD.md").read_text(encoding="utf-8")
    first, second = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)[:2])
    assert [event.event for event in events_of(json.dumps(first).encode())] == [event["event"] for event in first["events"]]
    flags = Flags()
    flags.publish(json.dumps([{"name": "crm_advanced_features", "enabled": True}]))
    body = {**first, "events": [first["events"][0], {"event": "chekout"}, first["events"][2]]}
    answer = asgi.track_handler(flags, asgi_context)._receiver.answer(Context("ana"), json.dumps(body).encode())
    assert json.loads(answer.body) == second


def test_ten_requests_at_once_and_then_one_each_second() -> None:
    limiter = Limiter()
    assert [limiter.wait("ana", 100.0) for _ in range(12)] == [0] * 10 + [1, 1]
    assert limiter.wait("eva", 100.0) == 0
    assert [limiter.wait("ana", 100.5), limiter.wait("ana", 101.0), limiter.wait("ana", 101.0)] == [1, 0, 1]
    assert [limiter.wait("ana", 1000.0) for _ in range(11)] == [0] * 10 + [1]


def test_sessions_that_are_quiet_are_forgotten_and_their_number_is_limited() -> None:
    limiter = Limiter()
    for session in range(150_000):
        assert limiter.wait(str(session), 0.0) == 0
    assert len(limiter._due) == Limiter._MOST
    for session in range(100_000):
        limiter.wait(f"later-{session}", 100.0)
    assert len(limiter._due) <= Limiter._MOST
    for step in range(200_000):
        limiter.wait("one", 200.0 + step)
    assert len(limiter._due) == 1


def test_workers_of_gunicorn_take_events(tmp_path: Path) -> None:
    """Prefork with `--preload`: the guards, the limiter and the listeners are those of the worker."""
    (tmp_path / "served.py").write_text(
        f"""
from esclusa import Context, Flags
from esclusa.wsgi import track_handler
flags = Flags(guard="trips.json")
flags.publish({rows(from_browser=True)!r})
handler = track_handler(flags, lambda environ: Context(environ["HTTP_X_SESSION"]))
def app(environ, start_response):
    if environ["PATH_INFO"] == "/v1/track":
        return handler(environ, start_response)
    start_response("200 OK", [("content-type", "application/json")])
    return [b"[" + b",".join(b"true" if flags.is_enabled("crm", {{"user": str(n)}}) else b"false" for n in range(100)) + b"]"]
""",
        encoding="utf-8",
    )
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    arguments = ["-m", "gunicorn", "--preload", "--workers", "2", "--threads", "2", "--bind", f"127.0.0.1:{port}", "served:app"]
    with subprocess.Popen([sys.executable, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        try:
            url = f"http://127.0.0.1:{port}/v1/track"

            def is_up() -> bool:
                try:
                    return send(url, events({"event": "crm"}), user="first")[0] == 200
                except (urllib.error.URLError, ConnectionError):
                    return False

            until(is_up)
            flags = guarded()
            for user in range(400):
                is_on = flags.is_enabled("crm", {"user": str(user)})
                assert send(url, events({"event": "checkout", "error": is_on}), user=str(user))[0] == 200

            def on() -> int:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                    return sum(json.load(answer))

            # Whichever worker answers.
            until(lambda: all(on() == 0 for _ in range(20)), 20)
            assert (tmp_path / "trips.json").exists()
        finally:
            server.terminate()
            server.communicate(timeout=60)
