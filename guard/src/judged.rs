//! What the metrics of a guard say of one outcome.

/// Which metrics count an outcome as bad, by their places in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Judged(u32);

impl Judged {
    /// An outcome that no metric counts.
    #[must_use]
    pub fn good() -> Self {
        Self(0)
    }

    /// The same, but bad for the metric at this place of the policy, from 0.
    #[must_use]
    pub fn bad_for(self, metric: usize) -> Self {
        let bit = u32::try_from(metric).ok().and_then(|place| 1_u32.checked_shl(place));
        Self(self.0 | bit.unwrap_or(0))
    }

    pub(crate) fn is_bad_for(self, metric: usize) -> bool {
        Self::good().bad_for(metric).0 & self.0 != 0
    }
}
