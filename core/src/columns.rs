//! The columns of a snapshot: which fields its flags have, how each is read, and in how many rows (9.7 of
//! SEMANTICS.md).
//!
//! A column is classified once, by its name. The lookup starts at the column that followed last time, because most rows
//! have their columns in one order.

use std::borrow::Cow;

use crate::fingerprint::{Set, fingerprint};
use crate::guard::{Kind, is_empty};
use crate::index::Index;
use crate::value::Value;

/// Fields that are ignored by their names (2.2.3).
pub(crate) const IGNORED: [&str; 6] = ["id", "description", "created_at", "updated_at", "created_by", "metrics"];

/// How a field that is not one of 2.2 is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ignored by its name.
    Known,
    /// Ignored, because the document says so (2.1.10).
    Ignored,
    /// Not read; the kind says what its name means.
    Unread(Kind),
}

/// The kinds of values of a column, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    const NAMES: [&'static str; 5] = ["boolean", "number", "text", "array", "object"];

    fn add(&mut self, value: &Value<'_>) {
        self.0 |= match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Integer(_) | Value::Number(_) => 2,
            Value::Text(_) => 4,
            Value::List(_) => 8,
            Value::Object(_) => 16,
        };
    }

    /// The names of these kinds.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        Kinds::NAMES.into_iter().enumerate().filter(move |(at, _)| self.0 >> at & 1 == 1).map(|(_, name)| name)
    }
}

/// The number of rows that have a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) rows: u32,
    pub(crate) not_empty: u32,
}

impl Count {
    #[inline]
    pub(crate) fn add(&mut self, value: &Value<'_>) {
        self.rows += 1;
        self.not_empty += u32::from(!is_empty(value));
    }
}

/// A column that is not one of the fields of 2.2.
#[derive(Clone, Debug)]
pub(crate) struct Column<'v> {
    pub(crate) name: Cow<'v, str>,
    pub(crate) role: Role,
    pub(crate) count: Count,
    pub(crate) kinds: Kinds,
    /// The number of rows in which it restricts.
    pub(crate) withheld: u32,
    /// The fingerprint of the value with which it restricts, and whether there are other values.
    pub(crate) value: u64,
    pub(crate) differs: bool,
    /// The last row that it was in, and the last in which it restricted.
    row: u32,
    restricted: u32,
}

/// Why a flag is withheld (8.16): a column that restricts, with the fingerprint of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Its index among the [columns](Columns::others).
    pub(crate) column: u32,
    pub(crate) value: u64,
}

/// What the unknown fields of one row mean for its flag.
#[derive(Debug, Default)]
pub(crate) struct Strange {
    /// Whether a gate is off (2.2.28).
    pub(crate) is_off: bool,
    pub(crate) causes: Vec<Cause>,
}

/// The columns so far.
#[derive(Debug, Default)]
pub(crate) struct Columns<'v> {
    pub(crate) others: Vec<Column<'v>>,
    pub(crate) rows: u32,
    index: Index,
    /// The index at which the next column is expected.
    next: usize,
    ignored: Set<Cow<'v, str>>,
}

impl<'v> Columns<'v> {
    /// Ignores fields by these names (2.1.10).
    pub(crate) fn ignore(&mut self, names: impl Iterator<Item = Cow<'v, str>>) {
        self.ignored.extend(names);
    }

    /// The columns that may be defaults of the store: each restricts every flag with one value (8.17).
    pub(crate) fn uniform(&self) -> Vec<Cause> {
        let is_uniform = |column: &Column<'_>| {
            let may = matches!(column.role, Role::Unread(Kind::Restriction { may_be_default: true, .. }));
            self.rows > 1 && column.withheld == self.rows && !column.differs && may
        };
        let columns = (0..).zip(&self.others).filter(|(_, column)| is_uniform(column));
        columns.map(|(at, column)| Cause { column: at, value: column.value }).collect()
    }

    pub(crate) fn begin_row(&mut self) {
        self.rows += 1;
        self.next = 0;
    }

    /// Whether a field is the column that is expected next.
    #[inline]
    pub(crate) fn expects(&self, name: &str) -> bool {
        self.others.get(self.next).is_some_and(|column| column.name == name)
    }

    /// Records a field of the row that is not one of 2.2; true if it restricts, for the first time in this row.
    #[expect(clippy::ptr_arg, reason = "a new column borrows what the name borrows")]
    pub(crate) fn look(&mut self, name: &Cow<'v, str>, value: &Value<'v>, strange: &mut Strange) -> bool {
        let at = self.place(name);
        self.next = at + 1;
        let Some(column) = self.others.get_mut(at) else { return false };
        if column.row != self.rows {
            column.row = self.rows;
            column.count.add(value);
        }
        let Role::Unread(kind) = column.role else { return false };
        column.kinds.add(value);
        if kind == Kind::Harmless {
            return false;
        }
        strange.is_off |= kind.switches_off(value);
        if !kind.restricts(value) {
            return false;
        }
        let own = fingerprint(value);
        strange.causes.push(Cause { column: u32::try_from(at).unwrap_or(u32::MAX), value: own });
        column.differs |= column.withheld > 0 && column.value != own;
        column.value = own;
        if column.restricted == self.rows {
            return false;
        }
        column.restricted = self.rows;
        column.withheld += 1;
        true
    }

    #[expect(clippy::ptr_arg, reason = "a new column borrows what the name borrows")]
    fn place(&mut self, name: &Cow<'v, str>) -> usize {
        let is_it = |at: usize| self.others.get(at).is_some_and(|column| column.name == *name);
        if is_it(self.next) {
            return self.next;
        }
        if let Some(at) = self.index.find(self.index.hash(name), |at| is_it(at as usize)) {
            return at as usize;
        }
        self.others.push(Column {
            name: name.clone(),
            role: self.role(name),
            count: Count::default(),
            kinds: Kinds::default(),
            withheld: 0,
            value: 0,
            differs: false,
            row: 0,
            restricted: 0,
        });
        self.index.add(self.others.len(), |at| self.others.get(at).map_or("", |column| &column.name));
        self.others.len() - 1
    }

    fn role(&self, name: &str) -> Role {
        if IGNORED.contains(&name) {
            Role::Known
        } else if self.ignored.contains(name) {
            Role::Ignored
        } else {
            Role::Unread(Kind::of(name))
        }
    }
}
