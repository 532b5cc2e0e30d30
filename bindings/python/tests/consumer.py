"""What an app may write; `mypy --strict` holds it against the package's types."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import UUID, uuid4

from typing_extensions import assert_type

import esclusa
from esclusa import Context, Explanation, Flags, Kept, Report, Resolution, SnapshotError, Step, Violation
from esclusa.openfeature import EsclusaProvider

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
try:
    flags.publish("")
except SnapshotError as error:
    assert_type(error.violations, tuple[Violation, ...])
assert_type(esclusa.bucket("user-42", "crm"), int)
EsclusaProvider(flags)

flags.is_enabled(42)  # type: ignore[arg-type]
flags.is_enabled("crm", "user-42")  # type: ignore[arg-type]
flags.publish([])  # type: ignore[arg-type]
Context(b"user-42")  # type: ignore[arg-type]
Context("user-42", roles={"ADMIN": True}.keys())  # type: ignore[arg-type]
context.targeting_key = "other"  # type: ignore[misc]
resolution.reason == "SPLITTED"  # type: ignore[comparison-overlap]
