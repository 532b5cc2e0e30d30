//! Counting who flips, among people that are shown one by one.

use std::collections::BTreeMap;

use esclusa::{Context, ContextError, Time, Value};

use crate::comparison::{Comparison, Direction};
use crate::flips::Flips;

/// The most values of an attribute that are counted apart for one flag.
const MAX_GROUP_VALUES: usize = 10_000;

/// What is counted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time at which people ask.
    pub at: Time,
    /// The attributes by which flips are grouped, such as `plan`. People with several roles count for each.
    pub by: Vec<String>,
    /// The most examples of one flag, with both explanations.
    pub examples: usize,
}

impl Options {
    /// At that time, ten examples, by nothing.
    #[must_use]
    pub fn at(at: Time) -> Self {
        Options { at, by: Vec::new(), examples: 10 }
    }
}

/// Counts who flips. What it holds grows with flags and with the values of attributes, not with people.
#[derive(Debug)]
pub struct Census<'c> {
    comparison: &'c Comparison,
    options: Options,
    people: u64,
    flipped: u64,
    flags: Vec<FlagTally>,
}

/// What was counted of one flag.
#[derive(Clone, Debug)]
pub struct FlagTally {
    key: String,
    flips: Flips,
    groups: Vec<Group>,
    examples: Vec<Example>,
}

/// The flips of one flag by an attribute.
#[derive(Clone, Debug)]
pub struct Group {
    attribute: String,
    values: BTreeMap<String, Flips>,
    others: Flips,
}

/// Somebody who flips, with both explanations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The person as JSON.
    pub person: String,
    /// How the answer differs.
    pub direction: Direction,
    /// Why it was as it was.
    pub before: String,
    /// Why it is as it is.
    pub after: String,
}

impl<'c> Census<'c> {
    /// A census of no people yet.
    #[must_use]
    pub fn new(comparison: &'c Comparison, options: Options) -> Self {
        let group = |attribute: &String| Group {
            attribute: attribute.clone(),
            values: BTreeMap::new(),
            others: Flips::default(),
        };
        let tally = |key: &String| FlagTally {
            key: key.clone(),
            flips: Flips::default(),
            groups: options.by.iter().map(group).collect(),
            examples: Vec::new(),
        };
        let flags = comparison.keys().iter().map(tally).collect();
        Census { comparison, options, people: 0, flipped: 0, flags }
    }

    /// Counts one person, a context as a JSON object (section 3 of SEMANTICS.md).
    ///
    /// # Errors
    /// When the value is not an object; that person is not counted.
    pub fn count(&mut self, person: &Value<'_>) -> Result<(), ContextError> {
        let context = Context::from_value(person.clone())?;
        let (comparison, now) = (self.comparison, self.options.at);
        let mut flips = false;
        for flag in &mut self.flags {
            let Some(flip) = comparison.flip(&flag.key, &context, now) else { continue };
            flips = true;
            flag.flips.add(flip.direction);
            for group in &mut flag.groups {
                group.add(person, flip.direction);
            }
            if flag.examples.len() < self.options.examples {
                let explained = |set: &esclusa::FlagSet| set.explain(&flag.key, &context, now).to_string();
                flag.examples.push(Example {
                    person: person.to_json(),
                    direction: flip.direction,
                    before: explained(comparison.old()),
                    after: explained(comparison.new_set()),
                });
            }
        }
        self.people += 1;
        self.flipped += u64::from(flips);
        Ok(())
    }

    /// Number of people that were counted.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.people
    }

    /// Number of people for whom any flag flips.
    #[must_use]
    pub fn flipped(&self) -> u64 {
        self.flipped
    }

    /// What was counted, by key.
    #[must_use]
    pub fn flags(&self) -> &[FlagTally] {
        &self.flags
    }
}

impl FlagTally {
    /// The flag.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Number of people that flip.
    #[must_use]
    pub fn flips(&self) -> Flips {
        self.flips
    }

    /// The flips by each attribute of the options.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The first people that flip.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }
}

impl Group {
    /// The attribute.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The flips by value, those with the most first. A person without the attribute has the value `(none)`.
    #[must_use]
    pub fn values(&self) -> Vec<(&str, Flips)> {
        let mut values: Vec<_> = self.values.iter().map(|(value, flips)| (value.as_str(), *flips)).collect();
        values.sort_by_key(|(_, flips)| std::cmp::Reverse(flips.total()));
        values
    }

    /// The flips of values beyond the 10,000 that are counted apart.
    #[must_use]
    pub fn others(&self) -> Flips {
        self.others
    }

    fn add(&mut self, person: &Value<'_>, direction: Direction) {
        let found = person.get(&self.attribute).or_else(|| match self.attribute.as_str() {
            "user" => person.get("targetingKey"),
            "role" => person.get("roles"),
            _ => None,
        });
        match found {
            Some(Value::List(values)) => values.iter().for_each(|value| self.add_value(&said(value), direction)),
            Some(value) => self.add_value(&said(value), direction),
            None => self.add_value("(none)", direction),
        }
    }

    fn add_value(&mut self, value: &str, direction: Direction) {
        if let Some(flips) = self.values.get_mut(value) {
            flips.add(direction);
        } else if self.values.len() < MAX_GROUP_VALUES {
            self.values.entry(value.to_owned()).or_default().add(direction);
        } else {
            self.others.add(direction);
        }
    }
}

/// A value as people read it.
fn said(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.clone().into_owned(),
        Value::Null => "(none)".to_owned(),
        other => other.to_json(),
    }
}
