//! Shares and rates on the command line.

use esclusa_guard::Probability;

use crate::desk::Trouble;
use crate::percent::percent;

/// `1%`, `1 %` or `0.01`.
pub(super) fn share(option: &str, text: &str) -> Result<Probability, Trouble> {
    let number = percent(text).map(|percent| percent / 100.0).or_else(|| text.trim().parse().ok());
    number.and_then(Probability::new).ok_or_else(|| {
        Trouble::new(format!("`{option}` is `{text}`, expected a share between 0 and 1, such as 1% or 0.01"))
    })
}
