//! Counts who flips, among people that are given one by one.

use esclusa::{Context, ContextError, Time, Value};

use crate::comparison::{Comparison, Direction};
use crate::flips::Flips;
use crate::group::{Attribute, Group};

/// What is counted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time of the evaluation.
    pub at: Time,
    /// The attributes by which flips are grouped, such as `plan`. People with several roles count for each role.
    pub by: Vec<String>,
    /// Maximum number of examples of one flag, with both explanations.
    pub examples: usize,
}

impl Options {
    /// At that time, with ten examples, not grouped.
    #[must_use]
    pub fn at(at: Time) -> Self {
        Options { at, by: Vec::new(), examples: 10 }
    }
}

/// Counts who flips. Its memory grows with flags and with the values of attributes, not with people.
#[derive(Debug)]
pub struct Census<'c> {
    comparison: &'c Comparison,
    options: Options,
    people: u64,
    without_key: u64,
    flipped: u64,
    turned_off: u64,
    attributes: Vec<Attribute>,
    flags: Vec<FlagTally>,
}

/// The counts of one flag.
#[derive(Clone, Debug)]
pub struct FlagTally {
    key: String,
    flips: Flips,
    groups: Vec<Group>,
    examples: Vec<Example>,
}

/// A person who flips, with both explanations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The person as JSON.
    pub person: String,
    /// How the answer differs.
    pub direction: Direction,
    /// The explanation of the old answer.
    pub before: String,
    /// The explanation of the new answer.
    pub after: String,
}

impl<'c> Census<'c> {
    /// An empty census.
    #[must_use]
    pub fn new(comparison: &'c Comparison, options: Options) -> Self {
        let tally = |key: &String| FlagTally {
            key: key.clone(),
            flips: Flips::default(),
            groups: options.by.iter().map(|attribute| Group::new(attribute)).collect(),
            examples: Vec::new(),
        };
        let flags = comparison.keys().iter().map(tally).collect();
        let attributes = options.by.iter().map(|attribute| Attribute::new(attribute)).collect();
        Census { comparison, options, people: 0, without_key: 0, flipped: 0, turned_off: 0, attributes, flags }
    }

    /// Counts one person, a context as a JSON object (section 3 of SEMANTICS.md).
    ///
    /// # Errors
    /// When the value is not an object; that person is not counted.
    pub fn count(&mut self, person: &Value<'_>) -> Result<(), ContextError> {
        let context = Context::from_value(person.clone())?;
        let (comparison, now) = (self.comparison, self.options.at);
        let (mut flips, mut turns_off) = (false, false);
        for flag in &mut self.flags {
            let Some(flip) = comparison.flip(&flag.key, &context, now) else { continue };
            if !flips {
                self.attributes.iter_mut().for_each(|attribute| attribute.look_at(person));
            }
            flips = true;
            turns_off |= flip.direction == Direction::Off;
            flag.flips.add(flip.direction);
            for (group, attribute) in flag.groups.iter_mut().zip(&self.attributes) {
                group.add(attribute, flip.direction);
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
        self.without_key += u64::from(context.targeting_key().is_none());
        self.flipped += u64::from(flips);
        self.turned_off += u64::from(turns_off);
        Ok(())
    }

    /// Number of people that were counted.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.people
    }

    /// Number of people without a targeting key; a rollout below 100 % is off for them.
    #[must_use]
    pub fn without_key(&self) -> u64 {
        self.without_key
    }

    /// Number of people for whom any flag flips.
    #[must_use]
    pub fn flipped(&self) -> u64 {
        self.flipped
    }

    /// Number of people for whom any flag turns off.
    #[must_use]
    pub fn turned_off(&self) -> u64 {
        self.turned_off
    }

    /// The counts of each flag, by key.
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
