//! Reading checked values from JSON: each function takes a place and a value, and returns the checked value or reports
//! a violation. The module knows JSON pointers and messages, not flags.

use std::borrow::Cow;
use std::fmt;

use ipnet::IpNet;

use crate::MESSAGES;
use crate::bucket::Share;
use crate::code;
use crate::error::{Violation, found, no_time, one_of, problem};
use crate::fingerprint::Set;
use crate::json::parse_number;
use crate::limit::{MAX_LIST_ENTRIES, MAX_VIOLATIONS};
use crate::number::thousandths;
pub(crate) use crate::place::Place;
use crate::place::is_camel_case;
use crate::switching;
use crate::time::Time;
use crate::value::Value;
use crate::whole::digits;

/// Called for each field that is not one of the names; returns true if the field is known nevertheless.
pub(crate) type Look<'f, 'v, 't> = &'f mut dyn FnMut(&mut Reading, &'v Cow<'t, str>, &'v Value<'t>, Known) -> bool;

/// Whether a field is one of the names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Perhaps,
    No,
}

/// How an object treats unknown fields.
pub(crate) enum Unknown<'f, 'v, 't> {
    /// The users' own columns are passed to the function (2.2.3).
    Columns(Look<'f, 'v, 't>),
    /// Unknown fields of a segment are ignored (2.3.1).
    Ignored,
    /// In shapes that only this format has, an unknown field is a mistake (2.2.22).
    Refused,
}

/// The largest weight: a thousand times as much is exact in a double (2.2.16).
const MAX_WEIGHT: f64 = 9_007_199_254_740.0;

pub(crate) const STRINGS: &str = r#"an array of strings such as ["PREMIUM"]"#;
pub(crate) const NETWORKS: &str = r#"an array of networks such as ["10.0.0.0/8"]"#;

/// The violations found so far.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) violations: Vec<Violation>,
    /// Number of violations before the current entry, while an entry is read.
    before: Option<usize>,
    /// Number of the entry's violations beyond the limit, which are not reported one by one.
    more: usize,
}

impl Reading {
    #[inline(always)]
    pub(crate) fn report(&mut self, place: &Place<'_>, code: &'static str, words: impl fmt::Display) {
        self.say(place, code, problem(words));
    }

    /// Reports a violation with a text that every build has.
    #[cold]
    #[inline(never)]
    pub(crate) fn say(&mut self, place: &Place<'_>, code: &'static str, problem: Cow<'static, str>) {
        if self.before.is_none_or(|before| self.violations.len() - before < MAX_VIOLATIONS) {
            self.violations.push(Violation { place: place.pointer(), code, problem });
        } else {
            self.more += 1;
        }
    }

    /// Number of violations up to now, reported or not.
    pub(crate) fn count(&self) -> usize {
        self.violations.len() + self.more
    }

    /// All violations until [`end_entry`](Self::end_entry) belong to one flag or segment.
    pub(crate) fn begin_entry(&mut self) {
        (self.before, self.more) = (Some(self.violations.len()), 0);
    }

    /// Ends the entry; returns whether it has no violation. One more violation counts those beyond the limit (8.18).
    pub(crate) fn end_entry(&mut self, place: &Place<'_>) -> bool {
        let is_sound = self.before.take() == Some(self.violations.len());
        if self.more > 0 {
            let more = format_args!("has {} more violations than the {MAX_VIOLATIONS} that are reported", self.more);
            self.say(place, code::MORE_VIOLATIONS, problem(more));
        }
        is_sound
    }

    /// Reports that something else was expected here.
    pub(crate) fn expected<T>(&mut self, place: &Place<'_>, value: &Value<'_>, wanted: impl fmt::Display) -> Option<T> {
        self.report(place, code::TYPE_MISMATCH, format_args!("{} does not fit, expected {wanted}", found(value)));
        None
    }

    /// Reports a required field that is missing.
    pub(crate) fn missing<T>(&mut self, place: &Place<'_>, wanted: impl fmt::Display) -> Option<T> {
        self.report(place, code::MISSING, format_args!("is missing, expected {wanted}"));
        None
    }

    /// The fields of an object by name, in snake_case or camelCase (2.2.30), each with its value if it is present, even
    /// null.
    pub(crate) fn fields<'v, 't, const N: usize>(
        &mut self,
        place: &Place<'_>,
        value: &'v Value<'t>,
        names: [&str; N],
        mut unknown: Unknown<'_, 'v, 't>,
    ) -> Option<[Option<&'v Value<'t>>; N]> {
        let mut values = [None; N];
        self.named(place, value, &names, &mut unknown, &mut values).then_some(values)
    }

    /// Puts the value of each name at its index, if the value is an object. Not generic over N, to avoid one copy per
    /// N.
    fn named<'v, 't>(
        &mut self,
        place: &Place<'_>,
        value: &'v Value<'t>,
        names: &[&str],
        unknown: &mut Unknown<'_, 'v, 't>,
        values: &mut [Option<&'v Value<'t>>],
    ) -> bool {
        let Value::Object(fields) = value else {
            return self.expected::<()>(place, value, "an object").is_some();
        };
        let place = &place.object(value);
        // One bit for each name that was found twice: there are at most 32 names.
        let mut repeated = 0_u32;
        // The unknown names: each is reported once.
        let mut strange: Set<&str> = Set::default();
        // Rows have their columns in one order: the search that starts after the last hit mostly succeeds at once.
        let mut next = 0;
        for (name, value) in fields {
            let found = |at: &usize| names.get(*at).is_some_and(|known| *known == *name);
            // A column that is already known to be unknown needs no comparison with each name.
            if let Unknown::Columns(look) = unknown
                && !found(&next)
                && look(self, name, value, Known::Perhaps)
            {
                continue;
            }
            let in_camel_case = |at: &usize| names.get(*at).is_some_and(|known| is_camel_case(known, name));
            let at = (next..names.len()).find(found).or_else(|| (0..next).find(found)).or_else(|| {
                let may_be = name.bytes().any(|byte| byte.is_ascii_uppercase());
                (0..names.len()).filter(|_| may_be).find(in_camel_case)
            });
            match at.and_then(|at| Some((at, names.get(at)?, values.get_mut(at)?))) {
                Some((at, name, slot)) => {
                    next = at + 1;
                    if slot.replace(value).is_some() {
                        let bit = 1 << (at % 32);
                        if repeated & bit == 0 {
                            self.report(
                                &place.field(name),
                                code::REPEATED_FIELD,
                                "stands more than once, expected once",
                            );
                        }
                        repeated |= bit;
                    }
                }
                None => match unknown {
                    Unknown::Columns(look) => {
                        look(self, name, value, Known::No);
                    }
                    Unknown::Refused if name != "description" && strange.insert(name) => {
                        self.report(
                            &place.field(name),
                            code::UNKNOWN_FIELD,
                            format_args!("is not a field that is known here, expected one of {}", one_of(names)),
                        );
                    }
                    _ => {}
                },
            }
        }
        true
    }

    /// A value that means on or off, also as a word (2.2.4).
    pub(crate) fn switch(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<bool> {
        switching::switch(value).or_else(|| self.expected(place, value, "true or false"))
    }

    pub(crate) fn boolean(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<bool> {
        match value {
            Value::Text(text) if MESSAGES && (text == "true" || text == "false") => {
                self.in_quotes(place, value, "true or false")
            }
            other => other.as_bool().or_else(|| self.expected(place, value, "true or false")),
        }
    }

    /// Reports a string that would be valid without its quotes.
    fn in_quotes<T>(&mut self, place: &Place<'_>, value: &Value<'_>, wanted: impl fmt::Display) -> Option<T> {
        self.report(
            place,
            code::TYPE_MISMATCH,
            format_args!("the string {} does not fit, expected {wanted} without quotes", found(value)),
        );
        None
    }

    pub(crate) fn text<'t>(&mut self, place: &Place<'_>, value: &Value<'t>) -> Option<Cow<'t, str>> {
        self.text_of(place, value, "a string")
    }

    /// A key or an id: a string, or a whole number, which stands for its digits (2.2.29).
    fn id<'t>(&mut self, place: &Place<'_>, value: &Value<'t>) -> Option<Cow<'t, str>> {
        match value {
            Value::Integer(number) => Some(Cow::Owned(digits(*number))),
            _ => self.text(place, value),
        }
    }

    /// A key, which is not empty.
    pub(crate) fn key<'t>(&mut self, place: &Place<'_>, value: &Value<'t>) -> Option<Cow<'t, str>> {
        match value {
            Value::Integer(number) => Some(Cow::Owned(digits(*number))),
            _ => self.name(place, value),
        }
    }

    /// A string with content.
    pub(crate) fn text_of<'t>(
        &mut self,
        place: &Place<'_>,
        value: &Value<'t>,
        wanted: impl fmt::Display,
    ) -> Option<Cow<'t, str>> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => self.expected(place, value, wanted),
        }
    }

    /// A string that is not empty.
    pub(crate) fn name<'t>(&mut self, place: &Place<'_>, value: &Value<'t>) -> Option<Cow<'t, str>> {
        match value {
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => self.expected(place, value, "a string that is not empty"),
        }
    }

    pub(crate) fn number(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<f64> {
        match value {
            Value::Text(text) if parse_number(text).is_some() => self.in_quotes(place, value, "a number"),
            other => other.as_f64().or_else(|| self.expected(place, value, "a number")),
        }
    }

    /// A percentage as its share (2.2.6).
    pub(crate) fn percentage(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<Share> {
        let Some(number) = percent(value) else {
            return self.expected(place, value, "a number from 0 to 100");
        };
        if !(0.0..=100.0).contains(&number) {
            self.report(place, code::OUT_OF_RANGE, format_args!("{} is out of range, expected 0 to 100", found(value)));
            return None;
        }
        Share::of_percentage(number)
    }

    /// A weight in thousandths (2.2.16).
    pub(crate) fn weight(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<u64> {
        let fits = |weight: &f64| (0.0..=MAX_WEIGHT).contains(weight);
        match value {
            // Without messages the text would be the same, so this is not worth parsing.
            Value::Text(text) if MESSAGES && parse_number(text).as_ref().is_some_and(fits) => {
                self.in_quotes(place, value, format_args!("a number from 0 to {MAX_WEIGHT}"))
            }
            other => match other.as_f64().filter(fits) {
                Some(weight) => Some(thousandths(weight)),
                None => self.expected(place, value, format_args!("a number from 0 to {MAX_WEIGHT}")),
            },
        }
    }

    pub(crate) fn time(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<Time> {
        let time = value.as_str().and_then(Time::parse);
        if time.is_none() {
            self.report(place, code::INVALID_TIME, no_time(value));
        }
        time
    }

    /// The start or end of a window.
    pub(crate) fn bound(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<Time> {
        let time = value.as_str().and_then(Time::parse_bound);
        if time.is_none() {
            self.report(place, code::INVALID_TIME, no_time(value));
        }
        time
    }

    /// An array with a limited number of entries; `of` names them in messages.
    pub(crate) fn list<'v, 't>(
        &mut self,
        place: &Place<'_>,
        value: &'v Value<'t>,
        (most, what): (usize, &str),
    ) -> Option<&'v [Value<'t>]> {
        match value {
            Value::List(entries) => {
                if entries.len() > most {
                    self.report(
                        place,
                        code::TOO_MANY,
                        format_args!("{} {what} are too many, expected at most {most}", entries.len()),
                    );
                }
                Some(entries)
            }
            _ => self.expected(place, value, format_args!("an array of {what}")),
        }
    }

    pub(crate) fn texts<'t>(&mut self, place: &Place<'_>, value: &Value<'t>) -> Option<Vec<Cow<'t, str>>> {
        self.strings(place, value, Reading::text)
    }

    /// The same for keys and ids (2.2.29).
    pub(crate) fn ids<'t>(&mut self, place: &Place<'_>, value: &Value<'t>) -> Option<Vec<Cow<'t, str>>> {
        self.strings(place, value, Reading::id)
    }

    fn strings<'t>(
        &mut self,
        place: &Place<'_>,
        value: &Value<'t>,
        read: fn(&mut Self, &Place<'_>, &Value<'t>) -> Option<Cow<'t, str>>,
    ) -> Option<Vec<Cow<'t, str>>> {
        let Value::List(_) = value else {
            return self.expected(place, value, STRINGS);
        };
        let entries = self.list(place, value, (MAX_LIST_ENTRIES, "strings"))?;
        // Every entry is read, so that all violations are reported.
        let mut texts = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            texts.extend(read(self, &place.entry(at), entry));
        }
        Some(texts)
    }

    /// Networks in CIDR notation, or single addresses (5.10), in ascending order and without those that others contain.
    pub(crate) fn networks(&mut self, place: &Place<'_>, value: &Value<'_>) -> Option<Vec<IpNet>> {
        let Value::List(_) = value else {
            return self.expected(place, value, NETWORKS);
        };
        let entries = self.list(place, value, (MAX_LIST_ENTRIES, "networks"))?;
        let mut networks = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            match entry.as_str().and_then(network) {
                Some(network) => networks.push(network),
                None => self
                    .expected(&place.entry(at), entry, "a network such as 10.0.0.0/8 or an address such as 10.0.0.1")
                    .unwrap_or_default(),
            }
        }
        Some(IpNet::aggregate(&networks))
    }
}

/// The number of a percentage (2.2.6), of any size.
pub(crate) fn percent(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Text(text) => parse_number(text),
        other => other.as_f64(),
    }
}

fn network(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        // ipnet would also accept a sign or leading zeros.
        Some((_, bits))
            if bits.len() > 3
                || !bits.bytes().all(|byte| byte.is_ascii_digit())
                || (bits.len() > 1 && bits.starts_with('0')) =>
        {
            None
        }
        Some((address, bits)) => {
            IpNet::new(address.parse().ok()?, bits.parse().ok()?).ok().map(|network| network.trunc())
        }
        None => text.parse::<std::net::IpAddr>().ok().map(IpNet::from),
    }
}
