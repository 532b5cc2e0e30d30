# Made by `esclusa codegen` from typed.json, revision 42, as of 2026-11-30. Do not edit it: make it again.
# ruff: noqa
"""The flags of this app: `flags.value(KEY, context)` knows their types."""

from typing import Any, Final, Literal

from esclusa import TypedKey

__all__ = [
    "FLAG_2FA",
    "CHECKOUT_LAYOUT",
    "CHECKOUT_LAYOUT_2",
    "CRM_ADVANCED",
    "FACTURACIÓN_NUEVA",
    "LIMIT",
    "MIXED",
    "RATIO",
    "THEME",
]

FLAG_2FA: Final = TypedKey[bool]("2fa")
"""Deprecated: the flag has been on for everybody for 333 days"""

CHECKOUT_LAYOUT: Final = TypedKey[Literal["grid", "list"]]("checkout-layout")

CHECKOUT_LAYOUT_2: Final = TypedKey[Literal["gr\"i\\d\u2028"] | None]("checkoutLayout")

CRM_ADVANCED: Final = TypedKey[bool]("crm_advanced")
"""The new CRM.
For */ \"premium\" plans [beta]."""

FACTURACIÓN_NUEVA: Final = TypedKey[bool]("facturación.nueva")

LIMIT: Final = TypedKey[int]("limit")

MIXED: Final = TypedKey[Literal["a"] | int | list[Any] | None]("mixed")

RATIO: Final = TypedKey[float | None]("ratio")

THEME: Final = TypedKey[dict[str, Any] | None]("theme")
