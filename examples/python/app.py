"""A small service behind feature flags: a gate, a projection for the browser, an explanation, a rollback, and a guard that
rolls back by itself.

    uvicorn app:app
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from esclusa import Context, Flags, SnapshotError
from esclusa.asgi import track_handler
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel
from starlette.routing import Route

DATA = Path(__file__).parents[1] / "data" / "feature_flags.json"
BROWSER_KEYS = ["crm_advanced_features", "platform_new_navigation", "platform_status_banner"]

flags = Flags(guard=True)
"""One handle for the whole process, whose guards switch off what does harm."""

rows: list[dict[str, Any]] = json.loads(DATA.read_bytes())
"""What would be the table `feature_flags` in a database."""

GUARD = {"event": "crm_contacts", "errors": {"at_most_times": 1}, "slow": {"above_ms": 3000}}
rows[:] = [{**row, "guard": GUARD} if row["name"] == "platform_new_navigation" else row for row in rows]
flags.publish(json.dumps(rows))

app = FastAPI(title="CRM")


def caller(
    x_user: Annotated[str | None, Header()] = None,
    x_company: Annotated[str | None, Header()] = None,
    x_plan: Annotated[str | None, Header()] = None,
    x_role: Annotated[str | None, Header()] = None,
    x_region: Annotated[str | None, Header()] = None,
) -> Context:
    """Who is asking. A real service reads this from the session, never from what a caller may write."""
    return Context(x_user, company=x_company, plan=x_plan, region=x_region, roles=x_role)


Caller = Annotated[Context, Depends(caller)]


def gate(key: str) -> Any:
    """A dependency that hides an endpoint from those who do not have the flag."""

    def check(context: Caller) -> None:
        if not flags.is_enabled(key, context):
            raise HTTPException(404)

    return Depends(check)


@app.get("/crm/saved-views", dependencies=[gate("crm_advanced_features")])
def saved_views() -> list[str]:
    """Part of the advanced CRM."""
    return ["My deals", "Overdue tasks"]


@app.get("/crm/contacts")
def contacts(context: Caller, break_new: bool = False) -> list[str]:
    """With the new navigation or the old one: what happens here is counted for both, so that the guard can compare."""
    with flags.measure("crm_contacts", context):
        if flags.is_enabled("platform_new_navigation", context):
            if break_new:
                raise HTTPException(500, "the new navigation is broken")
            return ["Ana", "Eva"]
        return ["Eva", "Ana"]


@app.get("/admin/guards")
def guards() -> list[str]:
    """How the guarded rollouts are, in words."""
    return [str(guard) for guard in flags.guards().flags]


@app.get("/flags")
def projection(context: Caller) -> dict[str, dict[str, Any]]:
    """What the front end starts from: values, and nothing about why."""
    return flags.project(context, BROWSER_KEYS)


@app.get("/support/explain/{key}")
def explain(key: str, context: Caller) -> dict[str, Any]:
    """For the support team: why this caller has a feature or not."""
    explanation = flags.explain(key, context)
    return {"text": str(explanation), **explanation.to_dict()}


class Change(BaseModel):
    """What may be changed in a hurry."""

    enabled: bool | None = None
    status: str | None = None
    rollout_percentage: float | None = None


@app.patch("/admin/flags/{key}")
def change(key: str, change: Change) -> dict[str, Any]:
    """Changes a row and publishes: a feature is back in, or out, before this returns."""
    changed = [{**row, **(change.model_dump(exclude_unset=True) if row["name"] == key else {})} for row in rows]
    if key not in flags:
        raise HTTPException(404, f"there is no flag `{key}`")
    try:
        report = flags.publish(json.dumps(changed), strict=True)
    except SnapshotError as refusal:
        raise HTTPException(422, [str(violation) for violation in refusal.violations]) from refusal
    rows[:] = changed
    return report.to_dict()


def session(scope: dict[str, Any]) -> Context | None:
    """The caller of a page that sends events; a real service reads this from the session too."""
    headers = Request(scope).headers
    user = headers.get("x-user")
    return None if user is None else caller(user, headers.get("x-company"), headers.get("x-plan"))


# Events of browsers, which count for guards that say `"from_browser": true`.
app.router.routes.append(Route("/v1/track", track_handler(flags, session), methods=["POST"]))
