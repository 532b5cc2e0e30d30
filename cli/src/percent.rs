//! Percentages as people write them.

/// The number of a percentage from 0 to 100, such as `5%` or `0.5 %`; `None` for any other text.
pub(crate) fn percent(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim().parse().ok();
    number.filter(|percent| (0.0..=100.0).contains(percent))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_percentage_has_its_sign_and_its_range() {
        assert_eq!([percent("5%"), percent(" 0.5 % ")], [Some(5.0), Some(0.5)]);
        for other in ["5", "%", "five %", "101%", "-1%", "NaN%"] {
            assert_eq!(percent(other), None, "{other}");
        }
    }
}
