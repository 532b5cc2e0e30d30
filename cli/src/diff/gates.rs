//! Limits: how many may flip.

use std::str::FromStr;

use clap::ValueEnum;

use super::Arguments;
use super::difference::{Difference, Failure, PeopleCounted, percent};
use crate::desk::Trouble;

/// How many people may flip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// In percent of all people.
    Percent(f64),
    /// A number of people.
    People(u64),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let people = || written.trim().parse().ok().map(Limit::People);
        let limit = crate::percent::percent(written).map(Limit::Percent).or_else(people);
        limit.ok_or_else(|| "expected a share such as 5% or a number of people such as 200".to_owned())
    }
}

/// What may not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// A change of salt, unit or the order of variants
    Reshuffles,
}

/// What is beyond the limits.
///
/// # Errors
/// When a limit counts people and there are none.
pub(super) fn check(arguments: &Arguments, difference: &Difference) -> Result<Vec<Failure>, Trouble> {
    let mut failures = Vec::new();
    let limits = [("max-flips", arguments.max_flips), ("max-off", arguments.max_off)];
    for (gate, limit) in limits.into_iter().filter_map(|(gate, limit)| Some((gate, limit?))) {
        let Some(people) = &difference.people else {
            // Without a flag that differs no answer changes.
            if difference.flags.is_empty() {
                continue;
            }
            return Err(Trouble::new(format!("`--{gate}` counts people, expected `--contexts`")));
        };
        if people.counted == 0 {
            return Err(Trouble::new(format!("`--{gate}` counts people, and {} has none", people.from)));
        }
        failures.extend(exceeded(gate, limit, people));
    }
    if arguments.deny.contains(&Deny::Reshuffles) {
        for flag in difference.flags.iter().filter(|flag| !flag.reshuffles.is_empty()) {
            let fields = flag.reshuffles.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(" and ");
            failures.push(Failure {
                gate: "reshuffles",
                flag: Some(flag.flag.clone()),
                problem: format!("`{}` puts people into other buckets: {fields} differs", flag.flag),
            });
        }
    }
    Ok(failures)
}

fn exceeded(gate: &'static str, limit: Limit, people: &PeopleCounted) -> Option<Failure> {
    let (found, verb) = if gate == "max-off" { (people.turned_off, "lose a flag") } else { (people.flipped, "flip") };
    let problem = match limit {
        Limit::People(most) if found > most => format!("{found} people {verb}, at most {most} allowed"),
        Limit::Percent(most) if is_more(found, people.counted, most) => {
            format!("{} {verb}, at most {most} % allowed", percent(found, people.counted))
        }
        _ => return None,
    };
    Some(Failure { gate, flag: None, problem })
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 people a share is exact enough")]
fn is_more(found: u64, people: u64, most: f64) -> bool {
    found as f64 * 100.0 > most * people as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_share_or_a_number() {
        let limit = |written: &str| written.parse::<Limit>();
        assert_eq!(limit("5%"), Ok(Limit::Percent(5.0)));
        assert_eq!(limit("0.5 %"), Ok(Limit::Percent(0.5)));
        assert_eq!(limit("0"), Ok(Limit::People(0)));
        for wrong in ["", "%", "-1", "101%", "5.5", "NaN%", "many"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
        assert!(!is_more(5, 100, 5.0) && is_more(6, 100, 5.0));
    }
}
