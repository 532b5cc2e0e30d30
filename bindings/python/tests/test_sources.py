"""The sources that come with the package, each with what can go wrong with it."""

from __future__ import annotations

import time
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from loopback import QUICK, document, until

from esclusa import Flags
from esclusa.sync import (
    NOT_MODIFIED,
    Answer,
    Bundled,
    Environment,
    Failure,
    File,
    Http,
    Layers,
    News,
    Request,
    Cached,
)

pytestmark = pytest.mark.usefixtures("no_thread_left")


def replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


class Store:
    """A source that says what the test says."""

    name = "store"

    def __init__(self, said: str | Exception | None = None) -> None:
        self.said = said

    def fetch(self, _: Request) -> str:
        if isinstance(self.said, Exception):
            raise self.said
        assert self.said is not None
        return self.said


def test_a_file_is_published_before_anybody_waits(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    path.write_text(document(1, crm=True))
    flags = Flags.from_file(path)
    assert flags.is_enabled("crm") and flags.status().state == "fresh"
    assert flags.status().source == str(path) and flags.ready(0)


def test_a_file_that_comes_later_and_goes_and_comes(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    flags = Flags.from_source(File(path), policy=QUICK)
    assert flags.status().state == "starting" and "No such file" in str(flags.status())
    replace(path, document(1, crm=True))
    until(lambda: flags.is_enabled("crm") and flags.status().state == "fresh")
    path.unlink()
    until(lambda: flags.status().state == "failing")
    assert flags.is_enabled("crm")
    replace(path, document(2, crm=False))
    until(lambda: not flags.is_enabled("crm") and flags.status().state == "fresh")


def test_what_is_half_written_is_never_published(tmp_path: Path) -> None:
    """Each content is written in two halves, and is published as a whole, or not while it is none."""
    path = tmp_path / "flags.json"
    path.write_text("[]")
    flags = Flags.from_source(File(path), policy=QUICK)
    lengths = set[int]()
    flags.on_publish(lambda _: lengths.add(len(flags)))
    for turn in range(20):
        with path.open("w") as file:
            file.write(f'[{{"name": "a{turn}"}}')
            file.flush()
            file.write(', {"name": "b"}]')
        until(lambda turn=turn: f"a{turn}" in flags)  # type: ignore[misc]
    with path.open("w") as file:
        file.write('[{"name": "last"')
        file.flush()
        until(lambda: flags.status().state == "failing")
        assert "b" in flags
        file.write("}]")
    until(lambda: "last" in flags)
    assert lengths == {2, 1}


def test_a_file_that_is_a_link_into_a_folder_that_is_replaced(tmp_path: Path) -> None:
    for revision in (1, 2):
        (tmp_path / f"v{revision}").mkdir()
        (tmp_path / f"v{revision}" / "flags.json").write_text(document(revision))
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "flags.json").symlink_to("..data/flags.json")
    flags = Flags.from_source(File(tmp_path / "flags.json"), policy=QUICK)
    assert flags.revision == 1
    (tmp_path / "new").symlink_to("v2")
    os.replace(tmp_path / "new", tmp_path / "..data")
    until(lambda: flags.revision == 2)


def test_a_file_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    replace(path, "[]")
    source = File(path)
    answer = source.fetch(Request())
    assert isinstance(answer, Answer) and answer.snapshot == b"[]"
    assert source.fetch(Request(answer.etag)) is NOT_MODIFIED
    assert source.wait(0) is None
    replace(path, "[ ]")
    assert source.wait(60) is News.CHANGED and source.wait(0) is None
    with pytest.raises(Failure, match="is not a regular file"):
        File(tmp_path).fetch(Request())


def test_the_environment(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("FEATURE_CRM", "true")
    monkeypatch.setenv("ENABLE_QR", "off")
    monkeypatch.setenv("NEXT_PUBLIC_FEATURE_NEW", "1")
    monkeypatch.setenv("FEATURE_WRONG", "hunter2")
    os.environb[b"FEATURE_BYTES"] = b"\xff"
    try:
        flags = Flags.from_env()
    finally:
        del os.environb[b"FEATURE_BYTES"]
    assert [flags.is_enabled(key) for key in ("crm", "qr", "new")] == [True, False, True]
    assert "wrong" not in flags and "bytes" not in flags and flags.status().state == "fresh"
    assert "FEATURE_WRONG" in caplog.text and "hunter2" not in caplog.text
    monkeypatch.setenv("MY_CRM", "yes")
    other = Flags.from_env(["MY_"])
    assert other.keys() == ["crm"] and other.is_enabled("crm")
    with pytest.raises(TypeError):
        Environment("MY_")


def test_switches_as_people_write_them(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for name, value in (("FEATURE_PAY", '"false"'), ("FEATURE_QR", "disabled"), ("FEATURE_CRM_ENABLED", "no"), ("FEATURE_CMR", "off")):
        monkeypatch.setenv(name, value)
    store = Bundled(json.dumps([{"name": key, "enabled": True} for key in ("pay", "qr", "crm", "other")]))
    flags = Flags.from_source(Layers(Environment(), store), policy=QUICK)
    assert [key for key in ("pay", "qr", "crm", "other") if flags.is_enabled(key)] == ["other"]
    assert "no flag below has the key of these switches: cmr" in caplog.text


def test_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATURE_CRM", "false")
    store = Store(OSError("away"))
    bundled = Bundled(json.dumps([{"name": "crm", "enabled": True}, {"name": "billing", "enabled": True}]))
    flags = Flags.from_source(Layers(Environment(), store, bundled), policy=QUICK)
    assert flags.status().source == "environment over store over bundled"
    assert flags.is_enabled("billing") and not flags.is_enabled("crm")
    until(lambda: flags.status().state == "failing" and "store: OSError: away" in str(flags.status()))
    store.said = document(3, billing=False, other=True)
    until(lambda: flags.status().state == "fresh")
    assert flags.revision == 3 and flags.is_enabled("other")
    assert not flags.is_enabled("billing") and not flags.is_enabled("crm")
    store.said = "{"
    until(lambda: flags.status().state == "failing")
    assert flags.is_enabled("other"), "what is no snapshot takes the place of none (13.8)"
    monkeypatch.setenv("FEATURE_CRM", "true")
    until(lambda: flags.is_enabled("crm"))
    assert flags.status().state == "failing", "what is there is published while a layer fails (13.11)"


def test_switches_alone_are_no_whole_while_the_store_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATURE_CRM", "true")
    store = Store(OSError("away"))
    flags = Flags.from_source(Layers(Environment(), store), policy=QUICK)
    until(lambda: flags.status().failures > 2)
    assert flags.status().state == "starting" and not flags.is_ready
    store.said = '[{"name": "crm", "enabled": false, "target_users": ["ana"]}]'
    assert flags.ready(60)
    assert flags.is_enabled("crm", {"user": "ana"}) and not flags.is_enabled("crm", {"user": "eve"})


def test_layers_that_wait_are_all_listened_to(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    replace(one, '[{"name": "one"}]')
    replace(other, '[{"name": "other"}]')
    policy = type(QUICK)(interval=3600, spread=0.01)
    flags = Flags.from_source(Layers(File(one), File(other)), policy=policy)
    assert flags.keys() == ["one", "other"] and flags.status().state == "fresh"
    for path, key in ((other, "new"), (one, "newer"), (other, "newest")):
        replace(path, f'[{{"name": "{key}"}}]')
        until(lambda key=key: key in flags)  # type: ignore[misc]


def test_a_copy_is_kept_and_begins(tmp_path: Path) -> None:
    copy, store = tmp_path / "copy.json", Store(document(5, crm=True))
    flags = Flags.from_source(Cached(store, copy), policy=QUICK)
    assert flags.ready(60)
    until(lambda: copy.exists() and copy.read_text() == document(5, crm=True))
    store.said = document(4, crm=False)
    until(lambda: flags.status().state == "failing")
    store.said = "{"
    until(lambda: "expected complete JSON" in str(flags.status()))
    assert copy.read_text() == document(5, crm=True), "neither what is older nor what is no snapshot is kept"
    away = Flags.from_source(Cached(Store(OSError("away")), copy), policy=QUICK)
    assert away.is_enabled("crm") and away.revision == 5
    until(lambda: away.status().state == "failing")
    assert sorted(os.listdir(tmp_path)) == [".copy.json.lock", "copy.json"]


def test_a_copy_that_cannot_be_used_or_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text("{")
    flags = Flags.from_source(Cached(Bundled(document(1, crm=True)), copy), policy=QUICK)
    assert flags.is_enabled("crm")
    later = Flags.from_source(Cached(Store(OSError("away")), tmp_path / "nowhere" / "copy.json"), policy=QUICK)
    until(lambda: later.status().failures)
    good = Flags.from_source(Cached(Store(document(1, crm=True)), tmp_path / "nowhere" / "copy.json"), policy=QUICK)
    assert good.ready(60) and good.is_enabled("crm")
    until(lambda: "cannot be written" in caplog.text)
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    away = Flags.from_source(Cached(Store(OSError("away")), broken), policy=QUICK)
    assert not away.is_ready and "cannot be used" in caplog.text


SAVING = """
import sys, itertools, threading
from esclusa import Flags
from esclusa.sync import Cached, Policy
revisions = itertools.count(int(sys.argv[2]))
rows = ",".join('{"name": "f%d"}' % at for at in range(500))
is_told = threading.Event()
def store():
    is_told.wait()
    return '{"esclusa": 1, "revision": %d, "flags": [%s]}' % (next(revisions), rows)
flags = Flags.from_source(Cached(store, sys.argv[1]), policy=Policy(interval=0.001, jitter=0, stale_after=60))
print(flags.revision, flush=True)
is_told.set()
threading.Event().wait()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills in another way")
def test_whoever_is_killed_while_saving_leaves_a_whole_copy(tmp_path: Path) -> None:
    copy, before = tmp_path / "copy.json", 0
    for turn in range(15):
        command = [sys.executable, "-c", SAVING, str(copy), str(1 + turn * 100_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                assert process.stdout is not None
                begun = process.stdout.readline().strip()
                assert begun == str(before or None), "what was saved before is what it begins with"
                until(lambda turn=turn: copy.exists() and json.loads(copy.read_text())["revision"] > turn * 100_000)  # type: ignore[misc]
            finally:
                process.send_signal(signal.SIGKILL)
        before = json.loads(copy.read_text())["revision"]
        assert len(json.loads(copy.read_text())["flags"]) == 500


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("flags.json", "cannot be read"),
        ("https://", "cannot be read"),
        ("http://user:secret@exa mple/", "cannot be read"),
        ("http://example.com:99999/secret", "cannot be read"),
        ("http://example.com/secret\n", "cannot be read"),
        ("postgres://user:secret@db/flags", "begins with `postgres:`"),
    ],
)
def test_what_is_no_url_is_refused_at_once_and_not_repeated(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refusal:
        Http(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"token": "secret\n"},
        {"headers": {"X-Key": "secret\r\nX-Other: secret"}},
        {"headers": {"X Key": "secret"}},
        {"headers": {"Host": "secret"}},
        {"timeout": 0},
    ],
)
def test_what_cannot_be_a_header_is_refused_at_once_and_not_repeated(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected") as refusal:
        Http("https://example.com", **arguments)
    assert "secret" not in str(refusal.value)


def test_neither_its_name_nor_its_form_has_secrets() -> None:
    http = Http("https://secret:secret@example.com:8443/flags.json?key=secret#secret", token="secret")
    assert http.name == "https://example.com:8443/flags.json" and "secret" not in repr(http)
    assert Http("http://[::1]:80/x").name == "http://[::1]:80/x" and Http("http://h").name == "http://h/"


def test_a_host_that_nobody_knows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    flags = Flags.from_url("http://secret:secret@127.0.0.1:1/flags.json?key=secret", token="secret", interval=3600)
    until(lambda: "cannot connect" in str(flags.status()))
    assert flags.status().state == "starting" and "secret" not in caplog.text


def test_a_store_that_is_away_has_a_cached_copy(tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text(document(9, crm=True))
    flags = Flags.from_url("http://127.0.0.1:1/flags.json", cache=copy)
    assert flags.is_enabled("crm") and flags.available(0) and not flags.ready(0)
    until(lambda: flags.status().state == "failing")


def test_bundled_layers_are_there_at_once() -> None:
    blocked = threading.Event()

    def store() -> str:
        blocked.wait(60)
        return "[]"

    flags = Flags.from_source(Layers(store, Bundled(document(1, crm=True))))
    assert flags.is_enabled("crm") and flags.status().state == "stale"
    blocked.set()
    with pytest.raises(ValueError, match="no layer"):
        Layers()


def test_a_copy_that_hangs_delays_nothing(tmp_path: Path) -> None:
    """A pipe without a writer is read without end, and /dev/zero too."""
    pipe = tmp_path / "copy.json"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        store = Store(document(1, crm=True))
        begin = time.monotonic()
        flags = Flags.from_source(Cached(store, path), policy=QUICK)
        assert flags.ready(30) and flags.is_enabled("crm") and time.monotonic() - begin < 20
        store.said = document(2, crm=False)
        until(lambda flags=flags: not flags.is_enabled("crm"))  # type: ignore[misc]
        time.sleep(0.1)
        assert path.exists() and not path.is_file(), "what is no file is not replaced by one"


def test_a_bootstrap_that_hangs_is_skipped() -> None:
    class Hanging(Store):
        def bootstrap(self) -> bytes | None:
            threading.Event().wait(20)
            return None

    begin = time.monotonic()
    flags = Flags.from_source(Hanging(document(1, crm=True)), policy=QUICK)
    assert flags.ready(30) and flags.is_enabled("crm") and time.monotonic() - begin < 15


def test_a_shared_copy_never_goes_back(tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    lagging, ahead = Store(document(5, crm=True)), Store(document(9, crm=False))
    first = Flags.from_source(Cached(lagging, copy), policy=QUICK)
    until(lambda: copy.exists() and copy.read_text() == document(5, crm=True))
    second = Flags.from_source(Cached(ahead, copy), policy=QUICK)
    until(lambda: copy.read_text() == document(9, crm=False))
    lagging.said = document(6, crm=True)
    until(lambda: first.revision == 6)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert copy.read_text() == document(9, crm=False)
        time.sleep(0.01)
    lagging.said = document(10, crm=True)
    until(lambda: copy.read_text() == document(10, crm=True))
    assert second.ready(30)


def test_an_answer_without_rows_is_a_failure_unless_it_is_allowed() -> None:
    store = Store("[]")
    flags = Flags.from_source(store, policy=QUICK)
    until(lambda: flags.status().failures)
    assert flags.status().state == "starting"
    store.said = '[{"name": "crm", "enabled": true}]'
    until(lambda: flags.is_enabled("crm"))
    store.said = " [ ] "
    until(lambda: flags.status().state == "failing")
    assert flags.is_enabled("crm") and "has no rows" in str(flags.status())
    store.said = '{"esclusa": 1, "flags": []}'
    until(lambda: not flags.is_enabled("crm"))
    assert Flags.from_source(Store("[]"), policy=QUICK, allow_empty=True).ready(30)
    layers = Layers(Store("[]"), Bundled(document(1, crm=True)))
    assert Flags.from_source(layers, policy=QUICK, allow_empty=True).ready(30)
    assert not Flags.from_source(Store(f"[{' ' * 5000}]"), policy=QUICK).ready(0.2), "however long it is"


def test_an_answer_without_rows_does_not_replace_the_copy(tmp_path: Path) -> None:
    copy, rows = tmp_path / "copy.json", '[{"name": "crm", "enabled": true}]'
    store = Store(rows)
    flags = Flags.from_source(Cached(store, copy), policy=QUICK)
    until(lambda: copy.exists() and copy.read_text() == rows)
    store.said = "[]"
    until(lambda: flags.status().failures > 2)
    time.sleep(0.1)
    assert copy.read_text() == rows


def test_a_layer_is_asked_in_full_when_that_is_due() -> None:
    requests = list[Request]()

    class Recording:
        name = "recording"

        def fetch(self, request: Request) -> Answer:
            requests.append(request)
            return Answer(document(1, crm=True), "tag")

    flags = Flags.from_source(Layers(Recording()), policy=QUICK)
    until(lambda: len(requests) > 1 and flags.is_enabled("crm"))
    assert requests[:2] == [Request(in_full=True), Request("tag")]


def test_an_edit_that_keeps_time_and_length_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    path.write_text(document(1, crm=True))
    look = path.stat()
    flags = Flags.from_source(File(path), policy=QUICK)
    path.write_text(document(2, crm=True))
    os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))
    until(lambda: flags.revision == 2)


def test_the_time_of_the_last_error_does_not_move() -> None:
    flags = Flags.from_source(Store(OSError("away")), policy=QUICK)
    until(lambda: flags.status().last_error)
    times = {last.at for last in (flags.status().last_error for _ in range(50)) if last is not None}
    assert len(times) <= 3, "each is the time of one failure"
