//! What was understood of a snapshot: its columns, how each was read, and notices (9.7 and 9.8 of SEMANTICS.md).
//!
//! It holds names, counts and kinds, and never a value: reports are passed on, and lists hold people's ids.

use std::borrow::Cow;
use std::fmt;

use crate::bucket::hash;
use crate::columns::{Column as Found, Columns, Count, Kinds, Role};
use crate::error::problem;
use crate::fingerprint::mix;
use crate::guard::Kind;
use crate::value::Value;
use crate::writing::Json;

/// What was understood of a snapshot.
///
/// ```
/// use esclusa::FlagSet;
/// let set = FlagSet::from_json(br#"[{"name": "crm", "enabled": true, "rollout_percent": 5}]"#)?;
/// let column = set.reading().columns().iter().find(|column| column.name() == "rollout_percent").unwrap();
/// assert_eq!((column.read_as(), column.why(), column.withheld()), (None, Some("looks like a restriction"), 1));
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    rows: u64,
    flags: u64,
    columns: Vec<Column>,
    /// Number of columns that are fields of 2.2.
    natives: usize,
    notices: Vec<Notice>,
    fingerprint: u32,
}

/// A field that some flag has, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    name: String,
    read_as: Option<&'static str>,
    why: Option<&'static str>,
    rows: u64,
    not_empty: u64,
    withheld: u64,
    kinds: Kinds,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    code: &'static str,
    problem: Cow<'static, str>,
    rows: u64,
}

/// The text for a column that is not read.
const NOT_READ: &str = "not read";
const LABEL: &str = "label";

/// A switch that matches no flag. Hosts log it: a kill switch with a misspelt key switches nothing off.
const UNKNOWN_SWITCH: &str = "unknown-switch";

impl Reading {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Number of flags.
    #[must_use]
    pub fn flags(&self) -> u64 {
        self.flags
    }

    /// The columns: those that are read, then the others in their order in the snapshot.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Notices for people.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// A hash of the columns and of how they are read; it changes when these change.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digit = |shift: u32| char::from_digit(self.fingerprint >> shift & 0xf, 16).unwrap_or('0');
        [28, 24, 20, 16, 12, 8, 4, 0].map(digit).iter().collect()
    }

    /// `{"rows", "flags", "rows_left_out", "columns", "notices", "fingerprint", "mapping"}` (9.7).
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        Value::Object(vec![
            ("rows".into(), self.rows.into()),
            ("flags".into(), self.flags.into()),
            ("rows_left_out".into(), Value::List(Vec::new())),
            ("columns".into(), Value::List(self.columns.iter().map(Column::to_value).collect())),
            ("notices".into(), Value::List(self.notices.iter().map(Notice::to_value).collect())),
            ("fingerprint".into(), self.fingerprint().into()),
            ("mapping".into(), Value::Null),
        ])
    }

    /// Writes the same as JSON.
    pub fn write(&self, json: &mut Json) {
        json.value(&self.to_value());
    }
}

impl Reading {
    /// Sets the columns that a mapping has read, in place of the fields that it made of them.
    pub fn set_read(&mut self, rows: u64, columns: &[Column]) {
        self.rows = rows;
        self.columns.splice(..self.natives, columns.iter().cloned());
        self.natives = columns.len();
        self.set_fingerprint();
    }

    /// Adds a notice.
    pub fn notice(&mut self, code: &'static str, problem: String, rows: u64) {
        self.notices.push(Notice { code, problem: Cow::Owned(problem), rows });
    }

    /// Adds a notice whose text a build may leave out (9.7).
    #[inline(always)]
    fn note(&mut self, code: &'static str, words: impl fmt::Display, rows: u64) {
        self.notices.push(Notice { code, problem: problem(words), rows });
    }

    fn set_fingerprint(&mut self) {
        let pair = |column: &Column| mix(hash(&column.name), hash(column.read_as.or(column.why).unwrap_or_default()));
        // The order of columns does not matter.
        let sum = self.columns.iter().map(pair).fold(0_u64, u64::wrapping_add);
        self.fingerprint = (mix(sum, 0) >> 32) as u32;
    }
}

impl Column {
    /// A column that a mapping reads as a field, or the reason why it does not.
    #[must_use]
    pub fn mapped(
        name: String,
        (read_as, why): (Option<&'static str>, Option<&'static str>),
        (rows, not_empty): (u64, u64),
    ) -> Self {
        Column { name, read_as, why, rows, not_empty, withheld: 0, kinds: Kinds::default() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The field of 2.2 that it is read as.
    #[must_use]
    pub fn read_as(&self) -> Option<&'static str> {
        self.read_as
    }

    /// Why it is not read: `ignored by name`, `ignored by the document`, `label`, `gate`, `looks like a restriction` or
    /// `not read`.
    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        self.why
    }

    /// Number of rows that have it.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Number of rows in which it is not empty.
    #[must_use]
    pub fn not_empty(&self) -> u64 {
        self.not_empty
    }

    /// Number of rows whose flag it withholds (8.16).
    #[must_use]
    pub fn withheld(&self) -> u64 {
        self.withheld
    }

    /// The kinds of values of a column that is not read.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.names()
    }

    /// Whether it is one of the users' own columns that is ignored on purpose.
    fn is_settled(&self) -> bool {
        self.read_as.is_some() || !matches!(self.why, Some(NOT_READ | GATE | RESTRICTION))
    }

    fn to_value(&self) -> Value<'static> {
        let mut fields: Vec<(Cow<'static, str>, Value<'static>)> = vec![
            ("column".into(), self.name.clone().into()),
            ("read_as".into(), self.read_as.map(str::to_owned).into()),
        ];
        if let Some(why) = self.why {
            fields.push(("why".into(), why.to_owned().into()));
        }
        fields.push(("rows".into(), self.rows.into()));
        fields.push(("not_empty".into(), self.not_empty.into()));
        if !self.is_settled() {
            fields.push(("withheld".into(), self.withheld.into()));
            let kinds = self.kinds().map(|kind| kind.to_owned().into()).collect();
            fields.push(("kinds".into(), Value::List(kinds)));
        }
        Value::Object(fields)
    }
}

const GATE: &str = "gate";
const RESTRICTION: &str = "looks like a restriction";

impl Notice {
    /// The kind of notice, such as `no-switch`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What was noticed, in a sentence.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Number of rows that it concerns.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn to_value(&self) -> Value<'static> {
        Value::Object(vec![
            ("code".into(), self.code.to_owned().into()),
            ("problem".into(), self.problem.clone().into_owned().into()),
            ("rows".into(), self.rows.into()),
        ])
    }
}

/// Counts of the fields of 2.2 while rows are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Rows in which a `name` is a label, because there is a `key`.
    pub(crate) labels: u32,
    pub(crate) shares_above_0: u32,
    pub(crate) shares_above_1: u32,
    pub(crate) ends_at_midnight: u32,
    pub(crate) twins: u32,
}

/// A field of 2.2, its first spelling, and the number of rows that have it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Native<'v> {
    pub(crate) written: Cow<'v, str>,
    pub(crate) count: Count,
}

impl Reading {
    /// The reading of a snapshot's columns, with these names for the fields of 2.2.
    pub(crate) fn of(names: &[&'static str], natives: &[Native<'_>], columns: &Columns<'_>, counts: &Counts) -> Self {
        let mut reading = Reading { rows: columns.rows.into(), ..Reading::default() };
        for (name, native) in names.iter().zip(natives).filter(|(_, native)| native.count.rows > 0) {
            let is_label = *name == "name" && counts.labels == native.count.rows;
            reading.columns.push(Column {
                name: native.written.clone().into_owned(),
                read_as: (!is_label).then_some(*name),
                why: is_label.then_some(LABEL),
                rows: native.count.rows.into(),
                not_empty: native.count.not_empty.into(),
                withheld: 0,
                kinds: Kinds::default(),
            });
        }
        reading.natives = reading.columns.len();
        reading.columns.extend(columns.others.iter().map(column));
        reading.set_fingerprint();
        let has_switch = names.iter().zip(natives).any(|(name, native)| *name == "enabled" && native.count.rows > 0);
        reading.notice_counts(counts, has_switch);
        reading
    }

    fn notice_counts(&mut self, counts: &Counts, has_switch: bool) {
        let rows = self.rows;
        let mut notice = |code, words: &str, rows: u64| {
            if rows > 0 {
                self.note(code, words, rows);
            }
        };
        notice("label", "`name` is a label where there is a `key`, and `key` is the key", counts.labels.into());
        notice("no-switch", "no row has `enabled`, so every flag is off", if has_switch { 0 } else { rows });
        if counts.shares_above_0 >= 3 && counts.shares_above_1 == 0 {
            let words = "no share is above 1, and they are read as percent: 0.5 is half a percent";
            notice("shares-never-above-1", words, counts.shares_above_0.into());
        }
        let words = "keys are in several rows: where their definitions differ, the flag is off";
        notice("twins", words, counts.twins.into());
        let words = "`end_date` is a date without a time: the flag ends when that day begins, in UTC";
        notice("date-only-end", words, counts.ends_at_midnight.into());
    }

    /// Adds a notice for each switch that matched no flag (13.14).
    pub(crate) fn notice_switches(&mut self, keys: &[String]) {
        if !keys.is_empty() {
            let words = format_args!("no flag below has the key of these switches: {}", keys.join(", "));
            self.note(UNKNOWN_SWITCH, words, keys.len() as u64);
        }
    }

    /// A column that is none of the fields of 2.2, by its place among those.
    pub(crate) fn other(&self, at: u32) -> Option<&Column> {
        self.columns.get(self.natives + at as usize)
    }

    /// The columns that are none of the fields of 2.2.
    pub(crate) fn others(&self) -> &[Column] {
        self.columns.get(self.natives..).unwrap_or_default()
    }

    pub(crate) fn set_flags(&mut self, flags: u64) {
        self.flags = flags;
    }

    /// Adds a notice for each column that is not read and that no row of the set before had.
    pub(crate) fn notice_new(&mut self, has: impl Fn(&str) -> bool) {
        let new = self.columns.iter().filter(|column| !column.is_settled() && !has(&column.name));
        let notice = |column: &Column| Notice {
            code: "new-column",
            problem: problem(format_args!("`{}` was in no row of the set before", column.name)),
            rows: column.rows,
        };
        let new: Vec<Notice> = new.map(notice).collect();
        self.notices.extend(new);
    }

    /// Adds a notice for a column that is a default of the store (8.17).
    pub(crate) fn notice_default(&mut self, name: &str, rows: u64) {
        let why = "looks like a restriction and has one value in every row: flags keep their last definition";
        self.note("default-column", format_args!("`{name}` {why}"), rows);
    }
}

fn column(found: &Found<'_>) -> Column {
    Column {
        name: found.name.clone().into_owned(),
        read_as: None,
        why: Some(match found.role {
            Role::Known => "ignored by name",
            Role::Ignored => "ignored by the document",
            Role::Unread(Kind::Gate) => GATE,
            Role::Unread(Kind::Restriction { .. }) => RESTRICTION,
            Role::Unread(Kind::Harmless) => NOT_READ,
        }),
        rows: found.count.rows.into(),
        not_empty: found.count.not_empty.into(),
        withheld: found.withheld.into(),
        kinds: found.kinds,
    }
}
