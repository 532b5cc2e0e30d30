//! Flips by the value of an attribute.

use std::collections::HashMap;

use esclusa::Value;

use crate::comparison::Direction;
use crate::flips::Flips;

/// Maximum number of values of an attribute that are counted separately.
const MAX_GROUP_VALUES: usize = 10_000;

/// The value of people without the attribute.
const NONE: &str = "(none)";

/// An attribute of the people, and its values so far.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    name: String,
    numbers: HashMap<String, usize>,
    /// Values by index.
    values: Vec<String>,
    /// The values of the current person: their indexes, and whether there are others.
    own: Vec<usize>,
    has_others: bool,
}

impl Attribute {
    pub(crate) fn new(name: &str) -> Self {
        Attribute {
            name: name.to_owned(),
            numbers: HashMap::new(),
            values: Vec::new(),
            own: Vec::new(),
            has_others: false,
        }
    }

    /// Reads the values of a person.
    pub(crate) fn look_at(&mut self, person: &Value<'_>) {
        self.own.clear();
        self.has_others = false;
        let names: &[&str] = match self.name.as_str() {
            "user" | "targetingKey" => &["targetingKey", "user"],
            "role" | "roles" => &["role", "roles"],
            name => {
                let found = person.get(name);
                return Attribute::add_all(self, found);
            }
        };
        for name in names {
            if let Some(found) = person.get(name).filter(|found| !found.is_null()) {
                self.add_all(Some(found));
                if *name == "targetingKey" {
                    return;
                }
            }
        }
        if self.own.is_empty() && !self.has_others {
            self.add(NONE);
        }
    }

    fn add_all(&mut self, found: Option<&Value<'_>>) {
        match found {
            Some(Value::List(values)) => values.iter().for_each(|value| self.add_one(value)),
            Some(value) => self.add_one(value),
            None => self.add(NONE),
        }
    }

    fn add_one(&mut self, value: &Value<'_>) {
        match value {
            Value::Text(text) => self.add(text),
            Value::Null => self.add(NONE),
            other => self.add(&other.to_json()),
        }
    }

    fn add(&mut self, value: &str) {
        let number = match self.numbers.get(value) {
            Some(number) => *number,
            None if self.values.len() < MAX_GROUP_VALUES => {
                let number = self.values.len();
                self.values.push(value.to_owned());
                self.numbers.insert(value.to_owned(), number);
                number
            }
            None => {
                self.has_others = true;
                return;
            }
        };
        // A person with the same role twice counts once.
        if !self.own.contains(&number) {
            self.own.push(number);
        }
    }
}

/// The flips of one flag by an attribute.
#[derive(Clone, Debug)]
pub struct Group {
    attribute: String,
    /// By the index of the value: its position among those with flips.
    places: Vec<Option<usize>>,
    values: Vec<(String, Flips)>,
    others: Flips,
}

impl Group {
    pub(crate) fn new(attribute: &str) -> Self {
        Group { attribute: attribute.to_owned(), places: Vec::new(), values: Vec::new(), others: Flips::default() }
    }

    /// The attribute.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The flips by value, those with the most first. A person without the attribute has the value `(none)`.
    #[must_use]
    pub fn values(&self) -> Vec<(&str, Flips)> {
        let mut values: Vec<_> = self.values.iter().map(|(value, flips)| (value.as_str(), *flips)).collect();
        values.sort_by(|one, other| other.1.total().cmp(&one.1.total()).then_with(|| one.0.cmp(other.0)));
        values
    }

    /// The flips of values beyond the 10,000 that are counted separately.
    #[must_use]
    pub fn others(&self) -> Flips {
        self.others
    }

    /// Counts a flip of the person of the last [`Attribute::look_at`].
    pub(crate) fn add(&mut self, attribute: &Attribute, direction: Direction) {
        for number in &attribute.own {
            if let Some(flips) = self.flips_of(attribute, *number) {
                flips.add(direction);
            }
        }
        if attribute.has_others {
            self.others.add(direction);
        }
    }

    fn flips_of(&mut self, attribute: &Attribute, number: usize) -> Option<&mut Flips> {
        if self.places.len() <= number {
            self.places.resize(number + 1, None);
        }
        let place = self.places.get_mut(number)?;
        if place.is_none() {
            *place = Some(self.values.len());
            self.values.push((attribute.values.get(number)?.clone(), Flips::default()));
        }
        let at = (*place)?;
        self.values.get_mut(at).map(|(_, flips)| flips)
    }
}
