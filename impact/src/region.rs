//! Who flips, in attributes and buckets instead of people.

use std::fmt;

use esclusa::BUCKETS;

use crate::comparison::Direction;
use crate::grouped::grouped;

/// Callers who all flip. The regions of a flag do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Whether the flag turns on or off for them.
    pub direction: Direction,
    /// What they have in common; empty for all callers.
    pub callers: Vec<Constraint>,
    /// The first bucket of the flag and the one after the last; `None` if the bucket does not matter.
    pub buckets: Option<(u32, u32)>,
}

/// The values of one attribute of the callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Its name.
    pub attribute: String,
    /// Which values.
    pub callers: Callers,
}

/// Which values of an attribute callers have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callers {
    /// One of these; of roles, at least one.
    OneOf(Vec<String>),
    /// None of these, or nothing.
    NoneOf(Vec<String>),
    /// The attribute has a value, but none of these.
    OthersThan(Vec<String>),
    /// The attribute is missing.
    Missing,
}

impl fmt::Display for Region {
    /// As in `on for buckets 10,000 to 24,999 (15 %) of plan PREMIUM or ENTERPRISE, region not US`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for ", self.direction.name())?;
        match self.buckets {
            Some((from, to)) => {
                let share = f64::from(to - from) / f64::from(BUCKETS / 100);
                write!(f, "buckets {} to {} ({share} %)", grouped(from.into()), grouped(to.saturating_sub(1).into()))?;
                f.write_str(if self.callers.is_empty() { " of everybody" } else { " of " })?;
            }
            None if self.callers.is_empty() => f.write_str("everybody")?,
            None => {}
        }
        for (at, constraint) in self.callers.iter().enumerate() {
            let is_phrase = matches!(&constraint.callers, Callers::Missing)
                || matches!(&constraint.callers, Callers::OthersThan(values) if values.is_empty());
            f.write_str(match at {
                0 if is_phrase => "callers ",
                0 => "",
                _ => ", ",
            })?;
            write!(f, "{constraint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.attribute;
        match &self.callers {
            Callers::OneOf(values) => write!(f, "{name} {}", listed(values, "or")),
            Callers::NoneOf(values) => write!(f, "{name} not {}", listed(values, "or")),
            Callers::OthersThan(values) if values.is_empty() => write!(f, "with a {name}"),
            Callers::OthersThan(values) => write!(f, "a {name} other than {}", listed(values, "or")),
            Callers::Missing => write!(f, "without a {name}"),
        }
    }
}

/// Maximum number of values that a sentence names.
const NAMED: usize = 8;

fn listed(values: &[String], last: &str) -> String {
    let (shown, more) = values.split_at(values.len().min(NAMED));
    match (shown, more.len()) {
        ([one], 0) => one.clone(),
        ([others @ .., end], 0) => format!("{} {last} {end}", others.join(", ")),
        (_, more) => format!("{} {last} {more} more", shown.join(", ")),
    }
}
