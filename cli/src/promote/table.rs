//! A table in Postgres as a target: one transaction, in which the rows must be what they were when they were shown.

use esclusa::{Value, row};
use esclusa_impact::Kind;
use esclusa_sync::{Column, Watch};

use super::Plan;
use crate::desk::Trouble;
use crate::postgres::{Field, Postgres};
use crate::source::Place;

pub(super) struct Table {
    postgres: Postgres,
    watch: Watch,
    columns: Vec<Column>,
    rows: Vec<Value<'static>>,
    bytes: Vec<u8>,
}

impl Table {
    pub(super) fn read(place: &Place) -> Result<Self, Trouble> {
        let postgres = Postgres::connect(place)?;
        let mut watches = postgres.watches(place.table.as_deref())?;
        let Some(watch) = watches.pop().filter(|_| watches.is_empty()) else {
            return Err(Trouble::new(format!("{}: several tables are watched, expected `--to-table`", postgres.name)));
        };
        if watch.is_mapped {
            return Err(Trouble::new(format!("a mapping reads `{}`, and this tool does not write by one", watch.name)));
        }
        let columns = postgres.columns(&watch)?;
        let rows = postgres.rows(&watch)?;
        let bytes = Value::List(rows.clone()).to_json().into_bytes();
        Ok(Table { postgres, watch, columns, rows, bytes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn outcome(&self, plan: &Plan) -> Result<Vec<u8>, Trouble> {
        let mut rows = self.rows.clone();
        for change in plan.changes.iter().filter(|change| change.kind == Kind::Changed) {
            let row = rows.iter_mut().find(|row| row::key(row) == Some(&change.key));
            let Some(Value::Object(fields)) = row else { continue };
            for field in &change.fields {
                let column = self.column(&field.field, &change.key)?;
                fields.retain(|(name, _)| name != column);
                fields.push((column.to_owned().into(), field.new.clone().unwrap_or_default()));
            }
        }
        for row in &plan.rows {
            rows.push(self.in_columns(row)?);
        }
        Ok(Value::List(rows).to_json().into_bytes())
    }

    pub(super) fn write(&self, plan: &Plan, by: Option<&str>, reason: &str) -> Result<(), Trouble> {
        self.postgres.transaction_alone(&self.watch, |postgres| {
            postgres.sign(by, reason)?;
            let now = postgres.rows(&self.watch)?;
            for change in &plan.changes {
                let of = |rows: &[Value<'static>]| -> Vec<Value<'static>> {
                    rows.iter().filter(|row| row::key(row) == Some(&change.key)).cloned().collect()
                };
                if of(&now) != of(&self.rows) {
                    let problem = "has changed in the target in between, nothing is changed";
                    return Err(Trouble::new(format!("`{}` {problem}", change.key)));
                }
            }
            for change in plan.changes.iter().filter(|change| change.kind == Kind::Changed) {
                let field = |one: &esclusa_impact::FieldChange| {
                    let column = self.column(&one.field, &change.key)?.to_owned();
                    Ok((column.into(), one.new.clone().unwrap_or_default()))
                };
                let fields = change.fields.iter().map(field).collect::<Result<Vec<_>, Trouble>>()?;
                postgres.update(&self.watch, &self.columns, &change.key, &fields)?;
            }
            plan.rows.iter().try_for_each(|row| match self.in_columns(row)? {
                Value::Object(fields) => postgres.insert(&self.watch, &fields),
                _ => Ok(()),
            })
        })
    }

    /// The column of a field.
    fn column(&self, field: &str, flag: &str) -> Result<&str, Trouble> {
        let name = &self.watch.name;
        self.find(field).ok_or_else(|| {
            Trouble::new(format!("{name} has no column `{field}`, which `{flag}` needs; nothing is changed"))
        })
    }

    fn find(&self, field: &str) -> Option<&str> {
        let mut names = self.columns.iter().map(|column| column.name.as_str());
        names.find(|name| row::field(name).unwrap_or(name) == field)
    }

    /// A new row by the names of the columns, without a description that the table has no place for.
    fn in_columns(&self, row: &Value<'static>) -> Result<Value<'static>, Trouble> {
        let key = row::key(row).unwrap_or_default();
        let Value::Object(fields) = row else { return Ok(Value::Null) };
        let mut found = Vec::new();
        for (field, value) in fields {
            // What names a flag may be `key` in one table and `name` in another.
            let column = match field.as_ref() {
                "key" | "name" => self.watch.keys.first().map(String::as_str),
                "description" => self.find(field),
                other => Some(self.column(other, key)?),
            };
            let is_new = |column: &&str| found.iter().all(|(known, _): &Field| known != column);
            if let Some(column) = column.filter(is_new) {
                found.push((column.to_owned().into(), value.clone()));
            }
        }
        Ok(Value::Object(found))
    }
}
