//! The guard: judges an unknown field by its name and its value (2.2.25 to 2.2.28 of SEMANTICS.md).
//!
//! It knows single names and single values. Which fields are read is decided where flags are read.

mod letters;
mod words;

use std::borrow::Cow;

use crate::definition::Status;
use crate::json::parse_number;
use crate::switching;
use crate::value::Value;
use words::{Entry, IDLE, WORDS, alike, lists_of};

/// A list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Gate,
    /// What may stand beside words of a gate.
    Beside,
    Prose,
    Strong,
    Aside,
    Share,
    State,
    Scope,
    /// What a name that ends in `id` may consist of without restricting anything.
    Last,
}

impl List {
    fn bit(self) -> u16 {
        1 << self as u16
    }

    /// Its name in `spec/words.json`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            List::Gate => "gate",
            List::Beside => "beside",
            List::Prose => "prose",
            List::Strong => "strong",
            List::Aside => "aside",
            List::Share => "share",
            List::State => "state",
            List::Scope => "scope",
            List::Last => "last",
        }
    }

    /// The list of a letter in [`words`].
    fn of_letter(letter: u8) -> Self {
        match letter {
            b'g' => List::Gate,
            b'b' => List::Beside,
            b'p' => List::Prose,
            b's' => List::Strong,
            b'a' => List::Aside,
            b'h' => List::Share,
            b't' => List::State,
            b'c' => List::Scope,
            _ => List::Last,
        }
    }
}

/// Those that may decide about a name of which no word is one of a gate, in their order.
const DECIDING: [List; 6] = [List::Prose, List::Strong, List::Aside, List::Share, List::State, List::Scope];

/// The values that mean everyone.
const ANYONE: [&str; 9] = ["*", "all", "any", "everybody", "everyone", "global", "public", "todas", "todos"];

/// What may be joined to words of the lists.
const JOINED: [&str; 6] = ["at", "by", "date", "id", "ids", "is"];
/// Two parts of two letters.
const SHORTEST_DIVIDED: usize = 4;
const LONGEST_DIVIDED: usize = 40;
/// No word of the lists is longer, in whatever form.
const LONGEST_PART: usize = 18;

/// The list that decides about a name (2.2.26).
pub(crate) fn deciding_list(name: &str) -> Option<List> {
    Words::of(name).deciding()
}

/// The kind of a field, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Off if its value says off.
    Gate,
    /// It restricts if its value does.
    Restriction {
        /// Its list, [`List::Last`] for a name that ends in `id`.
        list: List,
        /// Whether its name allows that it is a default of the store: no word of it names people or a state (8.17).
        may_be_default: bool,
    },
    /// It does nothing.
    Harmless,
}

impl Kind {
    /// The kind of a name (2.2.26).
    pub(crate) fn of(name: &str) -> Self {
        let words = Words::of(name);
        match words.deciding() {
            Some(List::Gate) => Kind::Gate,
            Some(List::Prose | List::Aside) | None => Kind::Harmless,
            Some(list) => {
                Kind::Restriction { list, may_be_default: !words.has(List::Strong) && !words.has(List::State) }
            }
        }
    }

    /// Whether a field of this kind restricts with this value (2.2.27).
    pub(crate) fn restricts(self, value: &Value<'_>) -> bool {
        if is_empty(value) {
            return false;
        }
        let list = match self {
            Kind::Harmless => return false,
            Kind::Gate => return matches!(value, Value::List(_) | Value::Object(_)),
            Kind::Restriction { list, .. } => list,
        };
        match value {
            Value::Bool(value) => *value && list != List::Scope,
            Value::List(entries) => !matches!(entries.as_slice(), [Value::Text(text)] if is_anyone(text)),
            Value::Text(text) if is_anyone(text) => false,
            other => match number_of(other) {
                Some(number) if list == List::Share => number < 100.0,
                Some(number) => number != 0.0,
                None => !switching::reads_as_off(other),
            },
        }
    }

    /// Whether a field of this kind switches the flag off with this value (2.2.28).
    pub(crate) fn switches_off(self, value: &Value<'_>) -> bool {
        self == Kind::Gate && (switching::reads_as_off(value) || is_idle(value))
    }
}

/// Whether a text says of a flag that it is not in use.
fn is_idle(value: &Value<'_>) -> bool {
    let is_known = |text: &str| IDLE.split(' ').any(|known| known.eq_ignore_ascii_case(text.trim_ascii()));
    switching::status(value).is_some_and(Status::is_off) || value.as_str().is_some_and(is_known)
}

/// Whether a value says nothing: null, a blank text, an empty array or object, or a text that holds one (2.2.27).
pub(crate) fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        // Most texts begin with a letter or a digit that no empty one begins with.
        Value::Text(text)
            if text.as_bytes().first().is_some_and(|byte| byte.is_ascii_alphanumeric() && *byte != b'n') =>
        {
            false
        }
        Value::Text(text) => matches!(text.trim_ascii(), "" | "[]" | "{}" | "null"),
        Value::List(entries) => entries.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn is_anyone(text: &str) -> bool {
    ANYONE.iter().any(|known| known.eq_ignore_ascii_case(text.trim_ascii()))
}

/// A number, or a text that holds one, also with `%` behind it.
fn number_of(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Text(text) => {
            let text = text.trim_ascii();
            parse_number(text.strip_suffix('%').map_or(text, str::trim_ascii_end))
        }
        other => other.as_f64(),
    }
}

/// What the words of a name say together.
struct Words {
    count: usize,
    /// The lists that any of them is on, one bit each.
    any: u16,
    /// Whether all are words of a gate, or what may stand beside them.
    is_all_gate: bool,
    /// Whether all are on [`List::Last`].
    is_all_last: bool,
    ends_in_id: bool,
    ends_in_for: bool,
    /// The word that is being read.
    word: String,
}

impl Default for Words {
    fn default() -> Self {
        Words {
            count: 0,
            any: 0,
            is_all_gate: true,
            is_all_last: true,
            ends_in_id: false,
            ends_in_for: false,
            word: String::new(),
        }
    }
}

impl Words {
    fn of(name: &str) -> Self {
        let mut words = Words::default();
        words.read(name);
        words
    }

    fn has(&self, list: List) -> bool {
        self.any & list.bit() != 0
    }

    /// The list that decides about the name (2.2.26).
    fn deciding(&self) -> Option<List> {
        if self.has(List::Gate) && self.is_all_gate && !self.ends_in_for {
            return Some(List::Gate);
        }
        let is_of_others = self.count > 1 && self.ends_in_id && !self.is_all_last;
        DECIDING.into_iter().find(|list| self.has(*list)).or(is_of_others.then_some(List::Last))
    }

    /// Reads the words of a name (2.2.25).
    fn read(&mut self, name: &str) {
        let name = letters::without_accents(name);
        let bytes = name.as_bytes();
        let at = |at: usize| bytes.get(at).copied().unwrap_or_default();
        for (place, byte) in bytes.iter().enumerate() {
            let before = place.checked_sub(1).map_or(0, at);
            // `IDs` is one word, `HTTPHosts` two.
            let is_plural = at(place + 1) == b's' && !at(place + 2).is_ascii_lowercase();
            let begins = at(place + 1).is_ascii_lowercase() && !is_plural;
            let is_cut =
                byte.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit() || begins);
            if is_cut || !byte.is_ascii_alphabetic() {
                self.end_word();
            }
            if byte.is_ascii_alphabetic() {
                self.word.push(char::from(byte.to_ascii_lowercase()));
            }
        }
        self.end_word();
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let mut word = std::mem::take(&mut self.word);
        let is_whole = word.len() < SHORTEST_DIVIDED || word.len() > LONGEST_DIVIDED;
        let parts = if is_whole || lists_of(&one_form(&word), &WORDS) != 0 { None } else { divided(&word, &mut 0) };
        match parts {
            Some(parts) => parts.into_iter().for_each(|part| self.count(part)),
            None => self.count(&word),
        }
        word.clear();
        self.word = word;
    }

    fn count(&mut self, word: &str) {
        let word = one_form(word);
        let lists = lists_of(&word, &WORDS);
        let on = |list: List| lists & list.bit() != 0;
        self.count += 1;
        self.any |= lists;
        self.is_all_gate &= on(List::Gate) || on(List::Beside);
        self.is_all_last &= on(List::Last) || word == "ids";
        self.ends_in_id = matches!(word.as_ref(), "id" | "ids");
        self.ends_in_for = word == "for";
    }
}

/// One form for one thing and for several (2.2.25).
fn one_form(word: &str) -> Cow<'_, str> {
    if word.len() <= 3 {
        return word.into();
    }
    match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y").into(),
        None if word.ends_with("ches") => word.strip_suffix("es").unwrap_or(word).into(),
        None if word.ends_with("ss") => word.into(),
        None => word.strip_suffix('s').unwrap_or(word).into(),
    }
}

/// The parts of a word that is written together, each as long as the rest allows (2.2.25).
///
/// `hopeless` has a bit for each length of a rest that is known not to be divisible.
fn divided<'a>(word: &'a str, hopeless: &mut u64) -> Option<Vec<&'a str>> {
    if word.is_empty() {
        return Some(Vec::new());
    }
    let bit = 1 << (word.len() % 64);
    if *hopeless & bit != 0 {
        return None;
    }
    let alike = alike(word);
    for end in (2..=word.len().min(LONGEST_PART)).rev() {
        if let Some((part, rest)) = word.split_at_checked(end)
            && is_part(part, alike)
            && let Some(mut parts) = divided(rest, hopeless)
        {
            parts.insert(0, part);
            return Some(parts);
        }
    }
    *hopeless |= bit;
    None
}

fn is_part(text: &str, alike: &[Entry]) -> bool {
    (text.len() > 2 && lists_of(&one_form(text), alike) != 0) || JOINED.contains(&text)
}
