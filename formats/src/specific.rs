//! A row that applies to some callers only: to whom, and with which outcome (M27).

use esclusa::{Time, Value, row};

use crate::conditions::{TARGETS, is_in};
use crate::entries::{ListOptions, ShareOptions};
use crate::folding::{Fold, Kind};
use crate::found::{Found, id, is_empty, switch, word};
use crate::native::{
    BUCKET_BY, CLIENT, ENABLED, END, FIELDS, FIRST_TARGET, GUARD, GUARD_STATE, KEY, NAME, Native, OFF_VALUE,
    PREREQUISITES, RULES, SALT, SCHEDULE, SHARE, START, STATUS, VARIANTS,
};
use crate::row::Row;
use crate::translation::Reads;
use crate::values::{self, EVERYBODY, Share, percentage, share};

/// The units that a row applies to, each with an id; empty for the general row.
pub(crate) type Units = Vec<(String, String)>;

/// The window in which a row applies; unbounded if absent.
pub(crate) type Window<'v> = [Option<Value<'v>>; 2];

/// The outcome of a specific row for its callers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome<'v> {
    pub(crate) on: bool,
    /// Thousandths of a percent.
    pub(crate) share: i64,
    /// The non-empty target lists.
    pub(crate) targets: Vec<(usize, Vec<String>)>,
    pub(crate) conditions: Vec<Value<'v>>,
    pub(crate) window: Window<'v>,
    /// All other fields of the flag; `None` for a row of a side table, which serves the flag's values.
    pub(crate) extras: Option<Vec<(usize, Value<'v>)>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Specific<'v> {
    pub(crate) units: Units,
    pub(crate) outcome: Outcome<'v>,
    pub(crate) latest: Option<Value<'v>>,
}

impl Outcome<'_> {
    pub(crate) fn of_side(on: bool) -> Self {
        Outcome { on, share: EVERYBODY, ..Outcome::default() }
    }

    /// Whether all of its callers are on, or all off.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_off() || (self.share == EVERYBODY && self.targets.is_empty() && self.conditions.is_empty())
    }

    pub(crate) fn is_off(&self) -> bool {
        !self.on || self.share == 0
    }
}

impl<'v> Outcome<'v> {
    /// The conditions on its callers: targets, conditions, and the share with the flag's own salt.
    pub(crate) fn all_conditions(&self, bucket: &Bucket) -> Vec<Value<'v>> {
        let targets = self
            .targets
            .iter()
            .map(|(target, list)| is_in(ATTRIBUTES.get(*target).copied().unwrap_or_default(), list.clone()));
        let share = (self.share < EVERYBODY).then(|| bucket.admits(self.share));
        targets.chain(self.conditions.iter().cloned()).chain(share).collect()
    }
}

/// The attribute that each target list is compared with, in the order of [`TARGETS`].
pub(crate) const ATTRIBUTES: [&str; TARGETS.len()] = ["plan", "role", "company", "region", "user"];

/// What a flag's share is bucketed by.
pub(crate) struct Bucket {
    pub(crate) of: String,
    pub(crate) salt: String,
}

impl Bucket {
    pub(crate) fn of(native: &Native<'_>, key: &str) -> Self {
        let text = |field, default: &str| native.get(field).and_then(Value::as_str).unwrap_or(default).to_owned();
        Bucket { of: text(BUCKET_BY, "user"), salt: text(SALT, key) }
    }

    /// The share as a condition with the flag's own salt, so that a new rule moves no caller.
    pub(crate) fn admits<'v>(&self, share: i64) -> Value<'v> {
        let percentage = [
            ("of", self.of.clone().into()),
            ("salt", self.salt.clone().into()),
            ("from", 0.into()),
            ("to", percentage(share)),
        ];
        crate::conditions::object([("percentage", crate::conditions::object(percentage))])
    }
}

/// A column by which it is unknown to whom a row applies.
pub(crate) type Unreadable = String;

impl<'v> Row<'_, 'v> {
    /// The units of the row; empty for the general row.
    pub(crate) fn units(&self, fold: &Fold) -> Result<Units, Unreadable> {
        let mut units = Units::new();
        for by in &fold.by {
            let problem = || format!("{} is no id", self.plan.columns.label(&by.column));
            match self.find(&by.column) {
                Found::Empty => {}
                Found::Unreadable => return Err(problem()),
                Found::Here(value) if fold.general.hold(value) => {}
                Found::Here(value) => units.push((by.unit.clone(), id(value).ok_or_else(problem)?)),
            }
        }
        if let Some(kind) = &fold.kind {
            units.extend(self.unit_of_kind(kind, fold)?);
        }
        Ok(units)
    }

    fn unit_of_kind(&self, kind: &Kind, fold: &Fold) -> Result<Option<(String, String)>, Unreadable> {
        let problem = |what: &str| format!("{} {what}", self.plan.columns.label(&kind.column));
        let id_of = match self.find(&kind.id) {
            Found::Empty => None,
            Found::Here(value) if fold.general.hold(value) => None,
            Found::Here(value) => Some(id(value).ok_or_else(|| problem("has an id that is none"))?),
            Found::Unreadable => return Err(problem("has an id that is none")),
        };
        let known = match self.find(&kind.column) {
            Found::Empty if id_of.is_none() => return Ok(None),
            Found::Here(value) => {
                let word = word(value).ok_or_else(|| problem("is no word"))?;
                kind.units.iter().find(|(known, _)| known.trim_ascii().eq_ignore_ascii_case(&word))
            }
            _ => None,
        };
        match (known, id_of) {
            (Some((_, None)), _) => Ok(None),
            (Some((_, Some(unit))), Some(id)) => Ok(Some((unit.clone(), id))),
            (Some(_), None) => Err(problem("has no id beside it")),
            (None, _) => Err(problem("is none of the words that `kind.as` names")),
        }
    }

    /// The outcome of the row for its callers, from the translated flag.
    pub(crate) fn outcome(&self, native: &mut Native<'v>, has_enabled: bool) -> Result<Outcome<'v>, Unreadable> {
        if let Some(note) = native.notes.first() {
            return Err(format!("{} cannot be read", note.column));
        }
        if native.overrides.iter().any(|list| !list.is_empty()) {
            return Err("a row for some callers has overrides".to_owned());
        }
        let enabled = match native.remove(ENABLED) {
            None | Some(Value::Null) => !has_enabled,
            Some(value) => switch(&value).ok_or("enabled cannot be read")?,
        };
        let is_default = !matches!(self.default(), Some(Reads::Off));
        let status =
            native.remove(STATUS).filter(|value| !is_empty(value)).map_or(Some("active"), |value| row::status(&value));
        let status = status.ok_or("status cannot be read")?;
        let on = enabled && is_default && matches!(status, "active" | "completed");
        let share = match native.remove(SHARE).filter(|value| !is_empty(value)) {
            None => EVERYBODY,
            Some(value) => match share(&value, &ShareOptions::default()) {
                Share::Thousandths(share) => share,
                _ => return Err("rollout_percentage cannot be read".to_owned()),
            },
        };
        let share = if status == "completed" && is_default { EVERYBODY } else { share };
        let mut targets = Vec::new();
        for target in 0..TARGETS.len() {
            let Some(value) = native.remove(FIRST_TARGET + target).filter(|value| !is_empty(value)) else { continue };
            let list = value.as_list().and_then(|_| values::list(&value, &ListOptions::default()));
            targets.push((target, list.ok_or("a target list cannot be read")?));
        }
        let window = [START, END].map(|field| native.remove(field).filter(|value| !is_empty(value)));
        let conditions = std::mem::take(&mut native.conditions);
        if native.has(RULES) {
            return Err("a row for some callers has rules".to_owned());
        }
        Ok(Outcome { on, share, targets, conditions, window, extras: Some(extras(native)) })
    }
}

/// The fields in which rows of one key may not differ.
pub(crate) fn extras<'v>(native: &Native<'v>) -> Vec<(usize, Value<'v>)> {
    let said = [KEY, NAME, ENABLED, STATUS, SHARE, START, END];
    let others = (0..FIELDS.len()).filter(|field| !said.contains(field) && !(FIRST_TARGET..START).contains(field));
    others.filter_map(|field| Some((field, native.get(field).filter(|value| !is_empty(value))?.clone()))).collect()
}

/// Whether two rows serve the same values (M32).
pub(crate) fn is_alike(extras: &[(usize, Value<'_>)], others: &[(usize, Value<'_>)]) -> bool {
    let served = |extras: &[(usize, Value<'_>)]| -> Vec<String> {
        let fields = [BUCKET_BY, SALT, VARIANTS, OFF_VALUE, SCHEDULE, PREREQUISITES, CLIENT, GUARD, GUARD_STATE];
        fields
            .iter()
            .map(|field| {
                extras.iter().find(|(other, _)| other == field).map_or(String::new(), |(_, value)| value.to_json())
            })
            .collect()
    };
    served(extras) == served(others)
}

/// Whether one value is later than another: as numbers, as times, or else as texts; `None` if they are equal or of two
/// kinds.
pub(crate) fn is_later(one: &Value<'_>, other: &Value<'_>) -> Option<bool> {
    let order = match (one, other) {
        (Value::Text(one), Value::Text(other)) => match (Time::parse(one), Time::parse(other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one.as_bytes().cmp(other.as_bytes()),
        },
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?)?,
    };
    (order != std::cmp::Ordering::Equal).then_some(order == std::cmp::Ordering::Greater)
}

/// The columns that SEMANTICS ignores, which are not passed on again.
pub(crate) fn is_harmless(name: &str, value: &Value<'_>) -> bool {
    is_empty(value) || row::is_ignored(name)
}

/// Text of a row's key, for a side table that names it.
pub(crate) fn key_text(value: Option<&Value<'_>>) -> Option<String> {
    value.filter(|value| !is_empty(value)).and_then(id)
}
