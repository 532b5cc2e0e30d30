//! What a walk gives: a full resolution, or only whether the flag is on.

use crate::flag_set::{Detail, FlagSet, VariantId};
use crate::resolution::{ErrorCode, Reason, Resolution};

/// Why the flag is off.
pub(crate) type No = (Reason, Option<ErrorCode>);

/// The result of a walk: a full resolution, or only whether the flag is on.
pub(crate) trait Answer<'s> {
    fn off(set: &'s FlagSet, detail: Option<&Detail>, no: No) -> Self;
    fn on(set: &'s FlagSet, variant: Option<VariantId>, reason: impl FnOnce() -> Reason) -> Self;
}

impl<'s> Answer<'s> for bool {
    #[inline]
    fn off(_: &'s FlagSet, _: Option<&Detail>, _: No) -> Self {
        false
    }

    #[inline]
    fn on(_: &'s FlagSet, _: Option<VariantId>, _: impl FnOnce() -> Reason) -> Self {
        true
    }
}

impl<'s> Answer<'s> for Resolution<'s> {
    #[inline]
    fn off(set: &'s FlagSet, detail: Option<&Detail>, (reason, error): No) -> Self {
        let value = detail.and_then(|detail| set.off_values.get(detail.off_value? as usize));
        Resolution { value: value.unwrap_or(Resolution::FALSE), variant: None, enabled: false, reason, error }
    }

    #[inline]
    fn on(set: &'s FlagSet, variant: Option<VariantId>, reason: impl FnOnce() -> Reason) -> Self {
        let variant = variant.and_then(|variant| set.variants.get(variant.0 as usize));
        let (value, variant) =
            variant.map_or((Resolution::TRUE, None), |variant| (&variant.value, Some(set.texts.get(variant.key))));
        Resolution { value, variant, enabled: true, reason: reason(), error: None }
    }
}
