//! The allowed distance between a measured and an expected number.
//!
//! Units are independent of each other, and all users of a company that is bucketed by company change together. The
//! number of users who are on is then a sum of independent parts, one for each user and one for each company, whose
//! variances add up; for a flag that is bucketed by user it is the binomial distribution.

/// Maximum distance in standard deviations.
const SIGMAS: f64 = 5.0;

/// The expected number of users, each of whom is on with some probability.
#[derive(Default)]
pub(super) struct Chance {
    expected: f64,
    /// The variance of the users' own buckets.
    variance: f64,
    /// For each company that has a bucket: the standard deviation that it adds, and the number of its users.
    companies: Vec<(f64, f64)>,
}

/// How a measured number compares with what was expected.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    pub(super) is_allowed: bool,
    /// The distance in standard deviations; `None` without randomness.
    pub(super) sigmas: Option<f64>,
}

impl Chance {
    /// Adds a user, who is on if the company is, with the first probability, and the user is, with the second.
    pub(super) fn add(&mut self, company: usize, by_company: f64, by_user: f64) {
        self.expected += by_company * by_user;
        self.variance += by_company * by_user * (1.0 - by_user);
        if by_company > 0.0 && by_company < 1.0 {
            if self.companies.len() <= company {
                self.companies.resize(company + 1, (0.0, 0.0));
            }
            if let Some((root, users)) = self.companies.get_mut(company) {
                *root += by_user * (by_company * (1.0 - by_company)).sqrt();
                *users += by_user;
            }
        }
    }

    pub(super) fn expected(&self) -> f64 {
        self.expected
    }

    /// Bernstein's inequality: a number exceeds this distance less often than the normal distribution exceeds five
    /// standard deviations. For large audiences it is five standard deviations; for small ones, where the normal
    /// distribution does not apply, it allows a little more.
    pub(super) fn judge(&self, measured: u32) -> Verdict {
        let variance = self.variance + self.companies.iter().map(|(root, _)| root * root).sum::<f64>();
        let off = f64::from(measured) - self.expected;
        // Sums of a million products of doubles have rounding errors.
        let slack = 1e-6 * (1.0 + self.expected);
        if variance <= slack * slack {
            return Verdict { is_allowed: off.abs() <= slack, sigmas: None };
        }
        let largest = self.companies.iter().map(|(_, users)| *users).fold(1.0, f64::max);
        let linear = SIGMAS * SIGMAS * largest / 6.0;
        let allowed = linear + (linear * linear + SIGMAS * SIGMAS * variance).sqrt();
        Verdict { is_allowed: off.abs() <= allowed + slack, sigmas: Some(off / variance.sqrt()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_binomial() {
        let mut chance = Chance::default();
        (0..10_000).for_each(|user| chance.add(user % 7, 1.0, 0.1));
        let verdict = chance.judge(1_030);
        assert!(verdict.is_allowed && (verdict.sigmas.unwrap() - 1.0).abs() < 1e-6);
        assert!(chance.judge(1_150).is_allowed && !chance.judge(1_160).is_allowed);
    }

    #[test]
    fn a_company_moves_all_its_users() {
        let mut chance = Chance::default();
        (0..10_000).for_each(|user| chance.add(user % 100, 0.5, 1.0));
        assert!((chance.judge(5_500).sigmas.unwrap() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn without_chance_the_number_is_exact() {
        let mut chance = Chance::default();
        (0..1_000).for_each(|_| chance.add(0, 1.0, 1.0));
        assert!(chance.judge(1_000).is_allowed && !chance.judge(999).is_allowed);
    }
}
