"""The example, started for real and asked over the network; and asked in the process, as a team tests its own app."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

FOLDER = Path(__file__).parent
# Both are in the target lists of `crm_advanced_features`; its rollout of 10 % lets in the first alone.
IN = {"x-user": "user-3", "x-company": "acme", "x-plan": "PREMIUM", "x-role": "ADMIN", "x-region": "CO"}
OUT = {**IN, "x-user": "user-42"}


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    # The port stays this test's until the server has it: the server is given the socket.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.set_inheritable(True)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "uvicorn", "app:app", "--fd", str(listener.fileno()), "--log-level", "warning"]
        server = subprocess.Popen(command, cwd=FOLDER, pass_fds=[listener.fileno()], env={**os.environ, "PYTHONPATH": ""})
    try:
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            # The socket listens already, so the first request waits until the server is there.
            assert client.get("/openapi.json").status_code == 200
            yield client
    finally:
        server.terminate()
        server.wait(60)


def test_the_gate(service: httpx.Client) -> None:
    assert service.get("/crm/saved-views", headers=IN).json() == ["My deals", "Overdue tasks"]
    assert service.get("/crm/saved-views", headers=OUT).status_code == 404
    assert service.get("/crm/saved-views", headers={**IN, "x-plan": "FREE"}).status_code == 404
    assert service.get("/crm/saved-views").status_code == 404


def test_the_projection(service: httpx.Client) -> None:
    projection = service.get("/flags", headers=IN).json()
    assert projection["crm_advanced_features"] == {"enabled": True, "value": True}
    assert service.get("/flags", headers=OUT).json()["crm_advanced_features"] == {"enabled": False, "value": False}
    assert set(projection) <= {"crm_advanced_features", "platform_new_navigation", "platform_status_banner"}


def test_the_explanation(service: httpx.Client) -> None:
    explanation = service.get("/support/explain/crm_advanced_features", headers=OUT).json()
    assert explanation["reason"] == "SPLIT"
    assert explanation["text"].startswith("`crm_advanced_features` is OFF for user-42 of acme: its rollout is 10 %")
    assert [step["step"] for step in explanation["path"]][-1] == "rollout"
    assert service.get("/support/explain/missing").json()["error"] == "FLAG_NOT_FOUND"


def test_the_rollback(service: httpx.Client) -> None:
    assert service.get("/crm/saved-views", headers=IN).status_code == 200
    report = service.patch("/admin/flags/crm_advanced_features", json={"status": "rolled_back"}).json()
    assert (report["outcome"], report["changed"]) == ("published", ["crm_advanced_features", "crm_deal_forecast"])
    assert service.get("/crm/saved-views", headers=IN).status_code == 404
    service.patch("/admin/flags/crm_advanced_features", json={"status": "active", "rollout_percentage": 100})
    assert service.get("/crm/saved-views", headers=IN).status_code == 200
    assert service.get("/crm/saved-views", headers=OUT).status_code == 200
    refusal = service.patch("/admin/flags/crm_advanced_features", json={"rollout_percentage": 150})
    assert refusal.status_code == 422 and "150 is out of range" in refusal.json()["detail"][0]
    assert service.get("/crm/saved-views", headers=IN).status_code == 200
    assert service.patch("/admin/flags/missing", json={}).status_code == 404


def test_the_guard(service: httpx.Client) -> None:
    [before] = service.get("/admin/guards").json()
    assert before.startswith("platform_new_navigation: waiting, ")
    event = {"esclusa": 1, "events": [{"event": "crm_contacts", "duration_ms": 120}, {"event": "crm_contcts"}]}
    answer = service.post("/v1/track", json=event, headers=IN).json()
    assert answer["taken"] == 1 and answer["refused"][0]["at"] == 1
    assert service.post("/v1/track", json=event).status_code == 401
    assert service.get("/admin/guards").json() == [before], "events of browsers do not count here"
    for user in range(1000):
        caller = {**IN, "x-user": f"user-{user}"}
        if service.get("/crm/contacts", headers=caller, params={"break_new": True}).status_code == 200:
            continue
        if service.get("/admin/guards").json()[0].startswith("platform_new_navigation: tripped"):
            break
    # It takes effect at the next tick, within a second.
    end = time.monotonic() + 20
    while service.get("/crm/contacts", headers=caller, params={"break_new": True}).status_code != 200:
        assert time.monotonic() < end, service.get("/admin/guards").json()
        time.sleep(0.05)


@pytest.mark.filterwarnings("ignore:Using .httpx. with .starlette.testclient.")
def test_as_a_team_tests_its_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    import app
    from fastapi.testclient import TestClient

    client = TestClient(app.app)
    assert client.get("/crm/saved-views").status_code == 404
    with app.flags.override({"crm_advanced_features": True}):
        assert client.get("/crm/saved-views").status_code == 200
        assert client.get("/flags").json()["crm_advanced_features"] == {"enabled": True, "value": True}
    assert client.get("/crm/saved-views").status_code == 404
