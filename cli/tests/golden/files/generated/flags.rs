//! Made by `esclusa codegen` from typed.json, revision 42, as of 2026-11-30. Do not edit it: make it again.

use esclusa::{TypedKey, Value};

/// The flag `2fa`.
#[deprecated(note = "the flag has been on for everybody for 333 days")]
pub const FLAG_2FA: TypedKey<bool> = TypedKey::new("2fa");

/// The flag `checkout-layout`.
pub const CHECKOUT_LAYOUT: TypedKey<str> = TypedKey::new("checkout-layout");

/// The flag `checkoutLayout`.
pub const CHECKOUT_LAYOUT_2: TypedKey<str> = TypedKey::new("checkoutLayout");

/// The new CRM.
/// For */ "premium" plans \[beta].
pub const CRM_ADVANCED: TypedKey<bool> = TypedKey::new("crm_advanced");

/// The flag `facturación.nueva`.
pub const FACTURACIÓN_NUEVA: TypedKey<bool> = TypedKey::new("facturación.nueva");

/// The flag `limit`.
pub const LIMIT: TypedKey<i64> = TypedKey::new("limit");

/// The flag `mixed`.
pub const MIXED: TypedKey<Value<'static>> = TypedKey::new("mixed");

/// The flag `ratio`.
pub const RATIO: TypedKey<f64> = TypedKey::new("ratio");

/// The flag `theme`.
pub const THEME: TypedKey<Value<'static>> = TypedKey::new("theme");
