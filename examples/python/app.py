"""A small service behind feature flags: a gate, a projection for the browser, an explanation, and a rollback.

    uvicorn app:app
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from esclusa import Context, Flags, SnapshotError
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

DATA = Path(__file__).parents[1] / "data" / "feature_flags.json"
BROWSER_KEYS = ["crm_advanced_features", "platform_new_navigation", "platform_status_banner"]

flags = Flags()
"""One handle for the whole process."""

rows: list[dict[str, Any]] = json.loads(DATA.read_bytes())
"""What would be the table `feature_flags` in a database."""

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
