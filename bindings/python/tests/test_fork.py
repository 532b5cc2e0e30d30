"""Forked processes: each keeps its own flags fresh as soon as somebody asks there, and the parent is left alone."""

from __future__ import annotations

import json
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, document, until

from esclusa import Flags
from esclusa.sync import File, Request

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.usefixtures("no_thread_left"),
    # Since Python 3.12 it warns of what is tested here.
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]

FORKS = 1000
WAITING = 50


class Restless:
    """A source that has something new each time it is asked."""

    name = "restless"
    text = json.dumps({"name": "crm", "enabled": True, "target_companies": [f"company-{n}" for n in range(50)]})

    def __init__(self) -> None:
        self.revision = 0

    def fetch(self, _: Request) -> str:
        self.revision += 1
        return f'{{"esclusa": 1, "revision": {self.revision}, "flags": [{self.text}]}}'

    def wait(self, seconds: float) -> bool:
        return True


def replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def forked(body: Any, seconds: int = 100) -> int:
    """Runs a function in a forked process, which ends with 0 if that returns true, and is killed if it hangs."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.alarm(seconds)
        code = 0 if body() else 2
    except BaseException as problem:
        print("in the child:", repr(problem), file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def outcome(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_thousand_forks_in_the_middle_of_publishing() -> None:
    """The parent's thread publishes without pause, so that many of them fork in the middle of it."""
    heard = list[int]()
    flags = Flags()
    flags.on_publish(lambda report: heard.append(report.revision or 0))
    policy = type(QUICK)(interval=0.001, jitter=0, stale_after=30, backoff_min=0.001, backoff_max=0.001, spread=0)
    with flags.sync(Restless(), policy=policy):
        assert flags.ready(60)

        def answers() -> bool:
            return flags.is_enabled("crm", {"company": "company-7"}) is not None and flags.status().state != "starting"

        def heals() -> bool:
            first = flags.revision
            until(lambda: flags.revision != first)
            return flags.status().state == "fresh"

        failed = 0
        for turn in range(FORKS):
            failed += outcome(forked(heals if turn % (FORKS // WAITING) == 0 else answers)) != 0
        assert failed == 0
        before = len(heard)
        until(lambda: len(heard) > before + 10)
        assert flags.status().failures == 0


def test_many_children_at_once_see_a_change(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    replace(path, document(1, crm=False))
    flags = Flags.from_source(File(path), policy=QUICK)
    assert flags.revision == 1

    def sees() -> bool:
        until(lambda: flags.is_enabled("crm"))
        # What is published is there a moment before the status says so.
        until(lambda: flags.status().state == "fresh")
        return flags.revision == 2

    children = [forked(sees) for _ in range(20)]
    replace(path, document(2, crm=True))
    assert [outcome(pid) for pid in children] == [0] * len(children)
    until(lambda: flags.is_enabled("crm"))


def test_a_child_has_one_thread_whether_it_asks_or_not(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    replace(path, document(1, crm=True))
    flags = Flags.from_source(File(path), policy=QUICK)
    heard = list[object]()
    flags.on_publish(heard.append)

    def counts() -> bool:
        if threading.active_count() != 2:
            return False
        flags.is_enabled("crm")
        flags.is_enabled("crm")
        until(lambda: flags.status().state == "fresh")
        # The same bytes as the parent has published are not published again.
        return threading.active_count() == 2 and not heard

    assert outcome(forked(counts)) == 0
    assert outcome(forked(lambda: threading.active_count() == 2)) == 0


@pytest.mark.parametrize(
    "first", ["resolve", "value", "keys", "len", "status", "ready", "refresh", "on_publish", "publish", "project"]
)
def test_whatever_is_asked_first_heals(tmp_path: Path, first: str) -> None:
    path = tmp_path / "flags.json"
    replace(path, document(1, crm=True))
    flags = Flags.from_source(File(path), policy=QUICK)
    asked: dict[str, Callable[[], object]] = {
        "resolve": lambda: flags.resolve("crm"),
        "value": lambda: flags.value("crm"),
        "keys": flags.keys,
        "len": lambda: len(flags),
        "status": flags.status,
        "ready": lambda: flags.ready(5),
        "refresh": flags.refresh,
        "on_publish": lambda: flags.on_publish(print),
        "publish": lambda: flags.publish(document(1, crm=True)),
        "project": lambda: flags.project(),
    }

    def heals() -> bool:
        asked[first]()
        return any(thread.name == "esclusa-sync" for thread in threading.enumerate())

    assert outcome(forked(heals)) == 0


def test_a_grandchild_heals_too_and_a_closed_sync_stays_closed(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    replace(path, document(1, crm=True))
    flags = Flags.from_source(File(path), policy=QUICK)

    def heals() -> bool:
        flags.is_enabled("crm")
        until(lambda: flags.status().state == "fresh")
        return outcome(forked(heals_again)) == 0

    def heals_again() -> bool:
        until(lambda: flags.status().state == "fresh")
        return True

    assert outcome(forked(heals)) == 0
    closed = Flags()
    closed.sync(File(path), policy=QUICK).close()
    # The second thread is that of the flags that are kept fresh.
    assert outcome(forked(lambda: closed.is_enabled("crm") and threading.active_count() == 2)) == 0


def test_a_child_in_which_nothing_is_published_waits_for_its_own_answer(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    flags = Flags.from_source(File(path), policy=QUICK)
    assert flags.status().state == "starting"

    def hears() -> bool:
        replace(path, document(1, crm=True))
        return flags.ready(60) and flags.is_enabled("crm")

    assert outcome(forked(hears)) == 0
    assert flags.ready(60)


SHARED: Flags | None = None


def ask_in_the_worker(_: int) -> tuple[int, bool]:
    assert SHARED is not None
    return os.getpid(), SHARED.is_enabled("crm")


def set_up_the_worker(path: str) -> None:
    global SHARED
    SHARED = Flags.from_source(File(path), policy=QUICK)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    path = tmp_path / "flags.json"
    replace(path, document(1, crm=False))
    set_up_the_worker(str(path))
    context = multiprocessing.get_context(method)
    arguments: dict[str, Any] = {"initializer": set_up_the_worker, "initargs": (str(path),)} if method == "spawn" else {}
    try:
        with context.Pool(3, **arguments) as pool:
            assert not any(enabled for _, enabled in pool.map(ask_in_the_worker, range(12), 1))
            replace(path, document(2, crm=True))
            until(lambda: all(enabled for _, enabled in pool.map(ask_in_the_worker, range(12), 1)))
    finally:
        globals()["SHARED"] = None


APP = '''
import os
from esclusa import Flags

flags = Flags.from_file("flags.json")
loaded = os.getpid()

def app(environ, start_response):
    body = f"{os.getpid()} {loaded} {flags.revision} {flags.status().state}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

async def served(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = f"{os.getpid()} {loaded} {flags.revision} {flags.status().state}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
'''


def port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
        return number


COMMANDS = {
    "gunicorn": lambda at: ["gunicorn", "--preload", "--workers", "4", "--bind", f"127.0.0.1:{at}", "app:app"],
    "uvicorn": lambda at: ["uvicorn", "--workers", "3", "--host", "127.0.0.1", "--port", str(at), "app:served"],
}


@pytest.mark.parametrize("server", COMMANDS)
def test_all_workers_of_a_server_see_a_change(tmp_path: Path, server: str) -> None:
    pytest.importorskip(server)
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    path, at = tmp_path / "flags.json", port()
    replace(path, document(1, crm=False))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", *COMMANDS[server](at)], cwd=tmp_path, env=environment, stdout=log, stderr=log
    )
    workers = dict[str, tuple[str, str]]()
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def all_have(revision: str, count: int) -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        for _ in range(count * 4):
            try:
                with direct.open(f"http://127.0.0.1:{at}/", timeout=10) as answer:
                    pid, loaded, had, _state = answer.read().decode().split()
            except (urllib.error.URLError, ConnectionError):
                return False
            # With `--preload` the app was loaded in the parent of all workers.
            assert (pid != loaded) == (server == "gunicorn")
            workers[pid] = (loaded, had)
        return len(workers) == count and all(had == revision for _, had in workers.values())

    try:
        count = 4 if server == "gunicorn" else 3
        until(lambda: all_have("1", count), 120)
        replace(path, document(2, crm=True))
        until(lambda: all_have("2", count), 120)
    finally:
        process.terminate()
        process.wait(60)
        log.close()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_first_answer_of_a_child_is_not_older_than_the_file(tmp_path: Path) -> None:
    """After any time of idling in the child, and without an evaluation in the parent."""
    path = tmp_path / "flags.json"
    replace(path, document(1, crm=True))
    slow = type(QUICK)(interval=3600, stale_after=7200)
    flags = Flags.from_source(File(path), policy=slow)
    (begin, go), (published, tell), parent = os.pipe(), os.pipe(), os.getpid()
    # The child evaluates nothing before its own first publish, which is at another moment than the parent's.
    flags.on_publish(lambda _: os.getpid() == parent or os.write(tell, b"x"))

    def first_answer() -> bool:
        os.read(begin, 1)
        return not flags.is_enabled("crm", default=True)

    child = forked(first_answer)
    replace(path, document(2, crm=False))
    assert select.select([published], [], [], 60)[0], "the child has published"
    os.write(go, b"x")
    assert outcome(child) == 0
    # A child that asks at once waits for the file, for a moment, which on a busy machine may be too short.
    for revision in range(3, 13):
        replace(path, document(revision, crm=revision % 2 == 1))
        if outcome(forked(lambda: flags.is_enabled("crm") is (revision % 2 == 1) and flags.revision == revision)) == 0:  # noqa: B023
            return
    pytest.fail("no child of ten had the file's content in its first answer")


def test_a_child_that_asks_nothing_hears_of_a_rollback(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    replace(path, document(1, crm=True))
    flags = Flags.from_source(File(path), policy=QUICK)

    def hears() -> bool:
        time.sleep(0.3)
        replace(path, document(2, crm=False))
        until(lambda: any(thread.name == "esclusa-sync" for thread in threading.enumerate()))
        time.sleep(1.5)
        return not flags.is_enabled("crm", default=True)

    assert outcome(forked(hears)) == 0
