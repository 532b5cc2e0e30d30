//! The objects of a mapping are closed: an unknown option is refused (M2).

use std::borrow::Cow;
use std::collections::HashSet;

use esclusa::Value;

use crate::error::{MappingError, quoted};

type Result<T> = std::result::Result<T, MappingError>;

/// Maximum number of entries of an array of tables, and of names of a table: each is checked in every row.
const MAX_ENTRIES: usize = 1_000;

/// A value of the mapping with its place.
#[derive(Clone)]
pub(crate) struct At<'m> {
    pub(crate) place: String,
    pub(crate) value: &'m Value<'m>,
}

impl<'m> At<'m> {
    pub(crate) fn expected<T>(&self, wanted: &str) -> Result<T> {
        let found = match self.value {
            Value::Text(text) => quoted(text),
            Value::List(_) => "an array".to_owned(),
            Value::Object(_) => "a table".to_owned(),
            other => other.to_json(),
        };
        Err(MappingError::new(&self.place, format!("{found} does not fit, expected {wanted}")))
    }

    pub(crate) fn text(&self, wanted: &str) -> Result<&'m str> {
        match self.value {
            Value::Text(text) if !text.is_empty() => Ok(text),
            _ => self.expected(wanted),
        }
    }

    pub(crate) fn bool(&self) -> Result<bool> {
        match self.value {
            Value::Bool(value) => Ok(*value),
            _ => self.expected("true or false"),
        }
    }

    /// One of several words, as its index.
    pub(crate) fn word(&self, words: &[&str]) -> Result<usize> {
        let at = self.value.as_str().and_then(|text| words.iter().position(|word| *word == text));
        match at {
            Some(at) => Ok(at),
            None => self.expected(&one_of(words)),
        }
    }

    /// The entries of an array.
    pub(crate) fn list(&self, wanted: &str) -> Result<Vec<At<'m>>> {
        let Value::List(entries) = self.value else { return self.expected(wanted) };
        let entry = |(at, value)| At { place: format!("{}[{at}]", self.place), value };
        Ok(entries.iter().enumerate().map(entry).collect())
    }

    /// The same; a value that is not an array counts as one entry.
    pub(crate) fn one_or_more(&self) -> Vec<At<'m>> {
        self.list("an array").unwrap_or_else(|_| vec![self.clone()])
    }

    /// The entries of an array of tables, limited in number.
    pub(crate) fn few(&self, wanted: &str) -> Result<Vec<At<'m>>> {
        let entries = self.list(wanted)?;
        if entries.len() > MAX_ENTRIES {
            let problem = format!("{} entries are too many, expected at most {MAX_ENTRIES}", entries.len());
            return Err(MappingError::new(&self.place, problem));
        }
        Ok(entries)
    }

    /// Values that are neither arrays nor objects nor null.
    pub(crate) fn scalars(&self) -> Result<Vec<&'m Value<'m>>> {
        let scalar = |at: At<'m>| match at.value {
            Value::List(_) | Value::Object(_) | Value::Null => at.expected("a text, a number, true or false"),
            value => Ok(value),
        };
        self.one_or_more().into_iter().map(scalar).collect()
    }

    /// The fields of an object with free names, each of which occurs once.
    pub(crate) fn named(&self) -> Result<Vec<(&'m str, At<'m>)>> {
        let Value::Object(fields) = self.value else { return self.expected("a table") };
        once(&self.place, fields)?;
        if fields.len() > MAX_ENTRIES {
            let problem = format!("{} names are too many, expected at most {MAX_ENTRIES}", fields.len());
            return Err(MappingError::new(&self.place, problem));
        }
        Ok(fields.iter().map(|(name, value)| (name.as_ref(), At { place: within(&self.place, name), value })).collect())
    }

    /// The options of a closed object.
    pub(crate) fn options(&self, wanted: &str) -> Result<Options<'m>> {
        let Value::Object(fields) = self.value else { return self.expected(wanted) };
        once(&self.place, fields)?;
        Ok(Options { place: self.place.clone(), fields, known: Vec::new() })
    }
}

fn once(place: &str, fields: &[(Cow<'_, str>, Value<'_>)]) -> Result<()> {
    let mut seen = HashSet::with_capacity(fields.len());
    match fields.iter().find(|(name, _)| !seen.insert(name.as_ref())) {
        Some((name, _)) => Err(MappingError::new(within(place, name), "stands more than once, expected once")),
        None => Ok(()),
    }
}

fn within(place: &str, name: &str) -> String {
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name: Cow<'_, str> = if is_plain { name.into() } else { format!("{name:?}").into() };
    if place.is_empty() { name.into_owned() } else { format!("{place}.{name}") }
}

/// The options of an object; unknown ones are refused at the end.
pub(crate) struct Options<'m> {
    place: String,
    fields: &'m [(Cow<'m, str>, Value<'m>)],
    known: Vec<&'static str>,
}

impl<'m> Options<'m> {
    pub(crate) fn get(&mut self, name: &'static str) -> Option<At<'m>> {
        self.known.push(name);
        let value = self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)?;
        Some(At { place: within(&self.place, name), value })
    }

    /// Whether an option is present; does not count as reading it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    pub(crate) fn required(&mut self, name: &'static str, wanted: &str) -> Result<At<'m>> {
        let place = within(&self.place, name);
        self.get(name).ok_or_else(|| MappingError::new(place, format!("is missing, expected {wanted}")))
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Refuses options that were not read.
    pub(crate) fn finish(self) -> Result<()> {
        match self.fields.iter().find(|(name, _)| !self.known.iter().any(|known| known == name)) {
            Some((name, _)) => {
                let wanted = one_of(&self.known);
                let problem = format!("is no option that is known here, expected {wanted}");
                Err(MappingError::new(within(&self.place, name), problem))
            }
            None => Ok(()),
        }
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}
