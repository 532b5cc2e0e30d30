//! A flag in the engine's form, while it is built.

use std::borrow::Cow;

use esclusa::Value;

use crate::conditions::object;
use crate::found::is_empty;
use crate::values::{EVERYBODY, Share, percentage, share};

/// The fields of a flag (2.2 of SEMANTICS.md) in the order in which they are written: those of [`esclusa::row`].
pub(crate) const FIELDS: [&str; 23] = [
    "key",
    "name",
    "enabled",
    "status",
    "rollout_percentage",
    "target_plans",
    "target_roles",
    "target_companies",
    "target_regions",
    "target_users",
    "start_date",
    "end_date",
    "bucket_by",
    "salt",
    "overrides",
    "variants",
    "off_value",
    "rules",
    "prerequisites",
    "schedule",
    "client",
    "guard",
    "guard_state",
];

/// An index of [`FIELDS`].
pub(crate) type Field = usize;
pub(crate) const KEY: Field = 0;
pub(crate) const NAME: Field = 1;
pub(crate) const ENABLED: Field = 2;
pub(crate) const STATUS: Field = 3;
pub(crate) const SHARE: Field = 4;
pub(crate) const FIRST_TARGET: Field = 5;
pub(crate) const START: Field = 10;
pub(crate) const END: Field = 11;
pub(crate) const BUCKET_BY: Field = 12;
pub(crate) const SALT: Field = 13;
pub(crate) const OVERRIDES: Field = 14;
pub(crate) const VARIANTS: Field = 15;
pub(crate) const OFF_VALUE: Field = 16;
pub(crate) const RULES: Field = 17;
pub(crate) const PREREQUISITES: Field = 18;
pub(crate) const SCHEDULE: Field = 19;
pub(crate) const CLIENT: Field = 20;
pub(crate) const GUARD: Field = 21;
pub(crate) const GUARD_STATE: Field = 22;

/// The field that a column name means by itself, in snake_case or camelCase (2.2.30).
pub(crate) fn field_of(column: &str) -> Option<Field> {
    let name = esclusa::row::field(column)?;
    FIELDS.iter().position(|field| *field == name)
}

/// Why a value could not be read, and in which column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The native field that holds it.
    pub(crate) field: Field,
    pub(crate) column: String,
    /// The problem, if the mapping reports it and not the engine.
    pub(crate) problem: Option<String>,
}

/// A flag that is being built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Native<'v> {
    fields: [Option<(Cow<'v, str>, Value<'v>)>; FIELDS.len()],
    /// Columns that are not fields, or fields that occur again.
    pub(crate) others: Vec<(Cow<'v, str>, Value<'v>)>,
    /// Users and companies that are on and off, in the order of `conditions::OVERRIDES`.
    pub(crate) overrides: [Vec<String>; 4],
    /// Conditions that must hold in addition to everything else.
    pub(crate) conditions: Vec<Value<'v>>,
    pub(crate) notes: Vec<Note>,
    /// The column that withholds the flag.
    pub(crate) withheld: Option<String>,
}

impl<'v> Native<'v> {
    pub(crate) fn get(&self, field: Field) -> Option<&Value<'v>> {
        self.fields.get(field).and_then(Option::as_ref).map(|(_, value)| value)
    }

    pub(crate) fn set(&mut self, field: Field, value: Value<'v>) {
        if let (Some(slot), Some(name)) = (self.fields.get_mut(field), FIELDS.get(field)) {
            *slot = Some((Cow::Borrowed(*name), value));
        }
    }

    /// A column that is a field by its own name; if there are two, the engine gets both and reports them.
    pub(crate) fn take(&mut self, field: Field, name: Cow<'v, str>, value: Value<'v>) {
        match self.fields.get_mut(field) {
            Some(slot @ None) => *slot = Some((name, value)),
            _ => self.others.push((name, value)),
        }
    }

    pub(crate) fn remove(&mut self, field: Field) -> Option<Value<'v>> {
        self.fields.get_mut(field).and_then(Option::take).map(|(_, value)| value)
    }

    /// Whether a field holds anything.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.get(field).is_some_and(|value| !is_empty(value))
    }

    /// Puts an unreadable value into its field, so that the engine reports it. If a path led into the column, only the
    /// column's name is put there.
    pub(crate) fn unreadable(&mut self, field: Field, column: &str, raw: Option<Value<'v>>, problem: Option<&str>) {
        self.set(field, raw.unwrap_or_else(|| mark(column)));
        self.note(field, column, problem);
    }

    pub(crate) fn note(&mut self, field: Field, column: &str, problem: Option<&str>) {
        self.notes.push(Note { field, column: column.to_owned(), problem: problem.map(str::to_owned) });
    }

    /// Withholds the flag because of a column that has no field (M6).
    pub(crate) fn withhold(&mut self, column: &str, problem: &str) {
        if self.withheld.is_none() {
            self.withheld = Some(column.to_owned());
            self.note(START, column, Some(problem));
        }
    }

    /// Sets the share to 0 (M10).
    pub(crate) fn nobody(&mut self) {
        self.limit(0);
    }

    /// Multiplies the share by `most` thousandths of a percent (M18).
    pub(crate) fn limit(&mut self, most: i64) {
        let now = match self.get(SHARE).filter(|value| !is_empty(value)) {
            None => EVERYBODY,
            Some(value) => match share(value, &crate::entries::ShareOptions::default()) {
                Share::Thousandths(share) => share,
                // The share is unreadable: the engine reports it, and a narrower share would hide that.
                _ => return,
            },
        };
        self.set(SHARE, percentage(now * most / EVERYBODY));
        self.remove(SCHEDULE);
        let is_completed =
            self.get(STATUS).is_some_and(|status| crate::found::word(status).is_some_and(|word| word == "completed"));
        if is_completed {
            self.set(STATUS, "active".into());
        }
    }

    /// The flag as a value, replacing the old one. The fields are in the order of [`FIELDS`].
    pub(crate) fn write(&mut self, flag: &mut Value<'v>) {
        self.write_conditions();
        self.write_overrides();
        if let Some(column) = self.withheld.take() {
            self.set(START, mark(&column));
        }
        let mut fields = match std::mem::take(flag) {
            Value::Object(mut fields) => {
                fields.clear();
                fields
            }
            _ => Vec::new(),
        };
        fields.extend(self.fields.iter_mut().filter_map(Option::take));
        fields.append(&mut self.others);
        *flag = Value::Object(fields);
    }

    /// One rule for all conditions, or each of the flag's own rules with these in addition.
    fn write_conditions(&mut self) {
        if self.conditions.is_empty() {
            return;
        }
        let conditions = std::mem::take(&mut self.conditions);
        let rules = match self.remove(RULES) {
            Some(Value::List(rules)) if !rules.is_empty() => {
                rules.into_iter().map(|rule| with_conditions(rule, &conditions)).collect()
            }
            _ => vec![object([("key", "conditions".into()), ("when", crate::conditions::all(conditions))])],
        };
        self.set(RULES, Value::List(rules));
    }

    fn write_overrides(&mut self) {
        if self.overrides.iter().all(Vec::is_empty) {
            return;
        }
        let [on_users, on_companies, off_users, off_companies] = std::mem::take(&mut self.overrides);
        let side = |users: Vec<String>, companies: Vec<String>| {
            let lists = [("users", users), ("companies", companies)].into_iter().filter(|(_, list)| !list.is_empty());
            Value::Object(lists.map(|(name, list)| (name.into(), list.into())).collect())
        };
        let sides = [("on", side(on_users, on_companies)), ("off", side(off_users, off_companies))];
        let sides = sides.into_iter().filter(|(_, side)| !is_empty(side));
        self.set(OVERRIDES, Value::Object(sides.map(|(name, side)| (name.into(), side)).collect()));
    }
}

/// The content of a field whose value could not be read.
pub(crate) fn mark<'v>(column: &str) -> Value<'v> {
    object([("unreadable", column.to_owned().into())])
}

pub(crate) fn with_conditions<'v>(rule: Value<'v>, conditions: &[Value<'v>]) -> Value<'v> {
    let Value::Object(mut fields) = rule else { return rule };
    if let Some((_, when)) = fields.iter_mut().find(|(name, _)| name == "when") {
        let parts = conditions.iter().cloned().chain([std::mem::take(when)]).collect();
        *when = crate::conditions::all(parts);
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_the_engine() {
        let sorted = |mut fields: [&'static str; FIELDS.len()]| {
            fields.sort_unstable();
            fields
        };
        assert_eq!(sorted(FIELDS), sorted(esclusa::row::FIELDS));
        for (field, name) in
            [(KEY, "key"), (SHARE, "rollout_percentage"), (FIRST_TARGET, "target_plans"), (CLIENT, "client")]
        {
            assert_eq!(field_of(name), Some(field));
        }
    }
}
