//! What a sample says about the whole population.

/// The share of the whole population that a sample leaves possible: the two ends, from 0 to 1, of Wilson's interval with
/// 95 % (E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927).
///
/// `hits` of `people` in the sample have the property; for an empty sample it is 0 to 1.
#[must_use]
pub fn wilson(hits: u64, people: u64) -> (f64, f64) {
    /// The quantile of the normal distribution that leaves 2.5 % on each side.
    const Z: f64 = 1.959_963_984_540_054;
    if people == 0 {
        return (0.0, 1.0);
    }
    #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 people a share is exact enough")]
    let (hits, people) = (hits as f64, people as f64);
    let share = hits / people;
    let scale = 1.0 + Z * Z / people;
    let middle = (share + Z * Z / (2.0 * people)) / scale;
    let half = Z / scale * (share * (1.0 - share) / people + Z * Z / (4.0 * people * people)).sqrt();
    // With no hits or only hits the end is exact, which rounding would miss.
    let least = if hits > 0.0 { (middle - half).max(0.0) } else { 0.0 };
    let most = if hits < people { (middle + half).min(1.0) } else { 1.0 };
    (least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_textbook_says() {
        // 186 of 12,400, by the formula in a spreadsheet.
        let (least, most) = wilson(186, 12_400);
        assert!((least - 0.013_006).abs() < 1e-5 && (most - 0.017_295).abs() < 1e-5, "{least} {most}");
        assert_eq!((wilson(0, 10).0, wilson(10, 10).1, wilson(0, 0)), (0.0, 1.0, (0.0, 1.0)));
    }

    #[test]
    fn it_holds_the_share_and_narrows_with_people() {
        for people in [1_u64, 10, 100, 10_000] {
            for thirds in [0, 1, 3] {
                let hits = people * thirds / 3;
                let (least, most) = wilson(hits, people);
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let share = hits as f64 / people as f64;
                assert!(least <= share && share <= most, "{hits} of {people}: {least} to {most}");
            }
        }
        let width = |people: u64| wilson(people / 10, people).1 - wilson(people / 10, people).0;
        assert!(width(100) > 2.0 * width(1_000) && width(1_000) > 2.0 * width(10_000));
    }
}
