//! Outcomes: what an app reports of one event.

use std::time::Duration;

/// What an app reports of one event: it went well or ended in an error, how long it took, a value.
///
/// ```
/// use std::time::Duration;
/// use esclusa_guard::Outcome;
/// let outcome = Outcome::error().lasted(Duration::from_millis(812));
/// # let _ = outcome;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    pub(crate) error: bool,
    pub(crate) lasted_ms: Option<f64>,
}

impl Outcome {
    /// It went well.
    #[must_use]
    pub fn ok() -> Self {
        Self::default()
    }

    /// It ended in an error.
    #[must_use]
    pub fn error() -> Self {
        Self { error: true, lasted_ms: None }
    }

    /// The same, and it took this time.
    #[must_use]
    pub fn lasted(self, time: Duration) -> Self {
        self.lasted_ms(time.as_secs_f64() * 1000.0)
    }

    /// The same in milliseconds. A negative or infinite number, or NaN, is ignored.
    #[must_use]
    pub fn lasted_ms(mut self, ms: f64) -> Self {
        self.lasted_ms = Some(ms).filter(|ms| ms.is_finite() && *ms >= 0.0);
        self
    }
}
