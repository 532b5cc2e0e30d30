//! What the values of one column have in common.

use esclusa::{Time, Value, row};

use crate::found::{is_empty, json_of, number, switch};

/// A column with what its values have in common.
#[derive(Clone, Debug)]
pub struct InspectedColumn {
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) not_empty: u64,
    /// Up to three different values, as JSON.
    pub(super) examples: Vec<String>,
    pub(super) look: Look,
    pub(super) all_switches: bool,
    pub(super) all_times: bool,
    pub(super) all_midnight: bool,
    pub(super) all_texts: bool,
    pub(super) has_spaces: bool,
    pub(super) is_unique: bool,
    pub(super) has_lists: bool,
    pub(super) has_objects: bool,
    /// The smallest and the largest, if all are numbers.
    pub(super) numbers: Option<(f64, f64)>,
    seen: std::collections::HashSet<String>,
}

/// What the engine takes an unread column for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Native,
    Ignored,
    Gate,
    /// It restricts, and looks like a share.
    Share,
    Restriction,
    /// It describes the flag.
    Prose,
    Unknown,
}

impl InspectedColumn {
    pub(super) fn new(name: &str) -> Self {
        InspectedColumn {
            name: name.to_owned(),
            rows: 0,
            not_empty: 0,
            examples: Vec::new(),
            look: look(name),
            all_switches: true,
            all_times: true,
            all_midnight: true,
            all_texts: true,
            has_spaces: false,
            is_unique: true,
            has_lists: false,
            has_objects: false,
            numbers: Some((f64::INFINITY, f64::NEG_INFINITY)),
            seen: std::collections::HashSet::new(),
        }
    }

    pub(super) fn add(&mut self, value: &Value<'_>) {
        self.rows += 1;
        if is_empty(value) {
            return;
        }
        self.not_empty += 1;
        self.all_switches &= switch(value).is_some();
        let time = value.as_str().and_then(Time::parse);
        self.all_times &= time.is_some();
        self.all_midnight &= time.is_some_and(|time| time.as_millis().rem_euclid(86_400_000) == 0);
        self.all_texts &= value.as_str().is_some();
        self.has_spaces |= value.as_str().is_some_and(|text| text.contains(' '));
        let opened = json_of(value);
        let opened = opened.as_ref().unwrap_or(value);
        self.has_lists |= matches!(opened, Value::List(_));
        self.has_objects |= matches!(opened, Value::Object(_));
        self.numbers = match (self.numbers, number(value)) {
            (Some((least, most)), Some(number)) => Some((least.min(number), most.max(number))),
            _ => None,
        };
        let text = value.to_json();
        if self.examples.len() < 3 && !self.examples.contains(&text) {
            self.examples.push(text.chars().take(40).collect());
        }
        self.is_unique &= self.seen.insert(text);
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows that have it, and in how many of them it is not empty.
    #[must_use]
    pub fn rows(&self) -> (u64, u64) {
        (self.rows, self.not_empty)
    }

    /// Up to three values, as JSON and cut after 40 characters. For the user's own terminal.
    #[must_use]
    pub fn examples(&self) -> &[String] {
        &self.examples
    }

    /// The engine's classification without a mapping.
    #[must_use]
    pub fn looks_like(&self) -> &'static str {
        match self.look {
            Look::Native => "a field by its own name",
            Look::Ignored => "ignored by name",
            Look::Gate => "a switch",
            Look::Share | Look::Restriction => "a restriction",
            Look::Prose | Look::Unknown => "harmless",
        }
    }

    pub(super) fn is_filled(&self) -> bool {
        self.not_empty > 0
    }

    /// In small letters, without accents, with `_` between words.
    pub(super) fn plain_name(&self) -> String {
        plain(&self.name)
    }
}

pub(super) fn plain(name: &str) -> String {
    let (mut plain, mut after_small) = (String::new(), false);
    for character in name.chars() {
        if after_small && character.is_uppercase() {
            plain.push('_');
        }
        after_small = character.is_lowercase() || character.is_ascii_digit();
        let letter = match character.to_lowercase().next().unwrap_or(character) {
            'á' | 'à' | 'â' | 'ã' => 'a',
            'é' | 'ê' => 'e',
            'í' => 'i',
            'ó' | 'ô' | 'õ' => 'o',
            'ú' | 'ü' => 'u',
            'ñ' => 'n',
            'ç' => 'c',
            '-' | ' ' | '.' => '_',
            other => other,
        };
        plain.push(letter);
    }
    plain
}

/// By the engine's lists of words.
fn look(name: &str) -> Look {
    if row::field(name).is_some() {
        return Look::Native;
    }
    if row::is_ignored(name) {
        return Look::Ignored;
    }
    match row::list_of(name) {
        Some("gate") => Look::Gate,
        Some("share") => Look::Share,
        Some("prose" | "aside") => Look::Prose,
        Some(_) => Look::Restriction,
        None => Look::Unknown,
    }
}
