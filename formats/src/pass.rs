//! One pass over all rows: each becomes a flag, is left out, or is collected for folding.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use esclusa::{Value, rows};

use crate::entries::{Scalars, ValueOrParameter};
use crate::error::ReadError;
use crate::fold::Folding;
use crate::found::{Found, is_empty, json_of};
use crate::mapping::{Mapping, Plan};
use crate::native::{ENABLED, KEY, NAME, Native, Note};
use crate::reading::LeftOut;
use crate::row::Row;
use crate::translation::holds;
use crate::understanding::{Origin, Places, columns};

/// What is known before the pass.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) table: Option<String>,
    pub(crate) has_enabled: Option<bool>,
    pub(crate) ignored: Vec<String>,
}

/// Receives the flags.
pub(crate) type Give<'g, 'v> = &'g mut dyn FnMut(&Value<'v>);

/// A pass, with its results at the end.
pub(crate) struct Pass<'p, 'v> {
    plan: &'p Plan,
    pub(crate) row: Row<'p, 'v>,
    pub(crate) head: Value<'v>,
    /// The name of the table of the flags, if there are tables.
    pub(crate) table: String,
    pub(crate) tables: Vec<String>,
    pub(crate) rows: u64,
    pub(crate) saw_enabled: bool,
    /// Whether rows without `enabled` were assumed to be on.
    pub(crate) assumed_none: bool,
    has_enabled: Option<bool>,
    counts: Vec<Scalars>,
    rows_left_out: BTreeMap<String, u64>,
    left_out_keys: Vec<Cow<'v, str>>,
    origins: Vec<Origin<'v>>,
    notes: HashMap<usize, Vec<Note>>,
    folding: Folding<'v>,
    flag: Value<'v>,
    /// An empty flag with capacity for the columns of the next row.
    spare: Option<Box<Native<'v>>>,
}

impl<'p, 'v> Pass<'p, 'v> {
    pub(crate) fn over(
        bytes: &'v [u8],
        mapping: &'p Mapping,
        known: &Known,
        give: Give<'_, 'v>,
    ) -> Result<Self, ReadError> {
        mapping.check_parameters()?;
        let plan = &*mapping.plan;
        let table = known.table.clone().or_else(|| plan.table.clone()).unwrap_or_else(|| "flags".to_owned());
        let mut pass = Pass {
            plan,
            row: Row::new(plan),
            head: Value::Null,
            table,
            tables: Vec::new(),
            rows: 0,
            saw_enabled: false,
            assumed_none: known.has_enabled == Some(false),
            has_enabled: known.has_enabled,
            counts: plan.counts.iter().map(|counts| values_of(&counts.is, mapping)).collect(),
            rows_left_out: BTreeMap::new(),
            left_out_keys: Vec::new(),
            origins: Vec::new(),
            notes: HashMap::new(),
            folding: Folding::new(plan),
            flag: Value::Null,
            spare: None,
        };
        let head = rows(bytes, &mut |table, at, row| pass.show(table, at, row, give))?;
        if let Some(Value::Object(tables)) = head.get("tables") {
            pass.tables.extend(tables.iter().map(|(name, _)| name.to_string()));
        } else if head.get("flags").is_some() {
            pass.tables.push("flags".to_owned());
        }
        pass.head = head;
        pass.end(give);
        Ok(pass)
    }

    fn show(&mut self, table: Option<&str>, at: usize, row: &mut Value<'v>, give: Give<'_, 'v>) {
        match table {
            Some(table) if table != self.table => self.folding.side_row(self.plan, table, row),
            _ => self.main_row(at, row, give),
        }
    }

    fn main_row(&mut self, at: usize, row: &mut Value<'v>, give: Give<'_, 'v>) {
        self.rows += 1;
        match row {
            Value::Object(fields) if self.plan.each_field => {
                let fields = std::mem::take(fields);
                self.each_field(at, fields, give);
            }
            Value::Object(fields) => self.one(at, None, fields.drain(..), give),
            other => {
                // The engine reports that it is not a flag.
                self.origins.push(Origin { row: at, field: None, key: "".into() });
                give(other);
            }
        }
    }

    /// Each field of one column is a flag; the other columns of the row apply to each of them (M25).
    fn each_field(&mut self, at: usize, row: Vec<(Cow<'v, str>, Value<'v>)>, give: Give<'_, 'v>) {
        let Some(column) = &self.plan.name else { return };
        let name = self.plan.columns.name(column.root);
        let (flags, outer): (Vec<_>, Vec<_>) = row.into_iter().partition(|(column, _)| column == name);
        let outer: Vec<_> = outer.into_iter().filter(|(_, value)| !is_empty(value)).collect();
        let [(_, flags)] = flags.as_slice() else {
            return self.no_fields(at, flags.is_empty(), give);
        };
        let opened = json_of(flags).unwrap_or_else(|| flags.clone());
        let mut inner = Some(&opened);
        for step in &column.path {
            inner = inner.and_then(|value| value.get(step));
        }
        let Some(Value::Object(fields)) = inner else {
            return self.no_fields(at, inner.is_none_or(is_empty), give);
        };
        if outer.len() > MAX_OUTER && fields.len() > MAX_OUTER {
            return self.no_fields(at, false, give);
        }
        let switch = match self.plan.enabled.as_ref().map(|switch| &switch.from) {
            Some(crate::entries::From::All(columns)) => {
                columns.first().map(|column| self.plan.columns.name(column.root).to_owned())
            }
            _ => None,
        };
        let switch: Cow<'v, str> = switch.map_or("enabled".into(), Cow::Owned);
        for (key, value) in fields {
            let own = match value {
                Value::Object(own) => own.clone(),
                scalar => vec![(switch.clone(), scalar.clone())],
            };
            self.one(at, Some(key), outer.iter().cloned().chain(own), give);
        }
        if let Some(count) = self.row.counts.get_mut(column.root) {
            count.rows += 1;
            count.not_empty += 1;
        }
    }

    /// A row without an object of flags: no flag if it is empty, else the engine reports a flag without a key.
    fn no_fields(&mut self, at: usize, is_empty: bool, give: Give<'_, 'v>) {
        if let Some(column) = &self.plan.name {
            if let Some(count) = self.row.counts.get_mut(column.root) {
                count.rows += 1;
            }
            if !is_empty {
                self.origins.push(Origin { row: at, field: None, key: "".into() });
                give(&Value::Object(vec![("name".into(), Value::Null)]));
            }
        }
    }

    fn one(
        &mut self,
        at: usize,
        field: Option<&Cow<'v, str>>,
        row: impl Iterator<Item = (Cow<'v, str>, Value<'v>)>,
        give: Give<'_, 'v>,
    ) {
        let mut native = self.spare.take().unwrap_or_default();
        self.row.take(row, &mut native);
        let has_enabled = native.get(ENABLED).is_some();
        self.saw_enabled |= has_enabled;
        let has_enabled = *self.has_enabled.get_or_insert(has_enabled);
        self.assumed_none |= !has_enabled;
        match field {
            Some(key) => native.set(NAME, Value::Text(key.clone())),
            None => self.row.key_column(&mut native),
        }
        if let Some(column) = self.does_not_count() {
            *self.rows_left_out.entry(column).or_default() += 1;
            self.left_out_keys.extend(key_of(&native));
            return;
        }
        self.row.translate(&mut native, has_enabled);
        let field = field.map(|field| field.clone().into_owned());
        let origin = Origin { row: at, field, key: key_of(&native).unwrap_or_default() };
        if self.folding.waits() && !origin.key.is_empty() {
            self.folding.row(&self.row, *native, origin, has_enabled);
        } else {
            self.give(native, origin, give);
        }
    }

    /// The column by which the row does not count.
    fn does_not_count(&self) -> Option<String> {
        self.plan.counts.iter().zip(&self.counts).find_map(|(entry, is)| {
            let counts = match self.row.find(&entry.column) {
                Found::Empty => entry.empty_counts,
                Found::Here(value) => holds(is, value),
                Found::Unreadable => false,
            };
            let repeated = self.row.repeated.contains(&entry.column.root);
            (!counts || repeated).then(|| self.plan.columns.label(&entry.column))
        })
    }

    fn give(&mut self, mut native: Box<Native<'v>>, origin: Origin<'v>, give: Give<'_, 'v>) {
        if !native.notes.is_empty() {
            self.notes.insert(self.origins.len(), std::mem::take(&mut native.notes));
        }
        self.origins.push(origin);
        native.write(&mut self.flag);
        self.spare = Some(native);
        give(&self.flag);
    }

    /// Gives the collected rows, and the flags without a row that counts: they are off (M17).
    fn end(&mut self, give: Give<'_, 'v>) {
        let mut folding = std::mem::take(&mut self.folding);
        for (native, origin) in folding.flags(self.plan) {
            self.give(Box::new(native), origin, give);
        }
        self.rows_left_out.extend(folding.strangers());
        let counting: HashSet<&str> = self.origins.iter().map(|origin| origin.key.as_ref()).collect();
        let mut left_out: Vec<Cow<'v, str>> = std::mem::take(&mut self.left_out_keys);
        left_out.retain(|key| !counting.contains(key.as_ref()));
        left_out.sort_unstable();
        left_out.dedup();
        for key in left_out {
            let mut native = Box::<Native<'v>>::default();
            native.set(NAME, Value::Text(key.clone()));
            native.set(ENABLED, false.into());
            self.give(native, Origin { row: 0, field: None, key }, give);
        }
    }

    pub(crate) fn places(&self, is_bundle: bool) -> Places<'_, 'v> {
        let prefix = match &self.head {
            Value::Object(_) if is_bundle => format!("/tables/{}", self.table.replace('~', "~0").replace('/', "~1")),
            Value::Object(_) => "/flags".to_owned(),
            _ => String::new(),
        };
        Places {
            prefix,
            origins: &self.origins,
            notes: &self.notes,
            columns: self.plan.columns_of_fields(),
            plan: self.plan,
        }
    }

    /// Sets the columns that were read, in place of the fields that they became.
    pub(crate) fn describe(&self, reading: &mut esclusa::Reading) {
        reading.set_read(self.rows, &columns(self.plan, &self.row));
    }

    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        self.rows_left_out.iter().map(|(why, rows)| LeftOut { why: why.clone(), rows: *rows }).collect()
    }
}

/// Maximum number of columns next to one with many flags: each of them is checked for each flag.
const MAX_OUTER: usize = 64;

fn values_of(is: &[ValueOrParameter], mapping: &Mapping) -> Scalars {
    let values: Vec<Value<'_>> = is
        .iter()
        .filter_map(|one| match one {
            ValueOrParameter::Value(value) => Some(value.clone()),
            ValueOrParameter::Parameter(name) => mapping.parameters.get(name).map(|text| text.as_str().into()),
        })
        .collect();
    Scalars::from_values(values.iter())
}

/// The key of a flag, as the engine finds it (2.2.2).
fn key_of<'v>(native: &Native<'v>) -> Option<Cow<'v, str>> {
    let key = native.get(KEY).filter(|key| !key.is_null()).or_else(|| native.get(NAME))?;
    match key {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}
