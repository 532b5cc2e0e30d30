//! The columns of a row become fields of a flag (M8 to M24).

use esclusa::Value;

use crate::columns::Column;
use crate::conditions::{Conditions, ListField, Shape, is_in, object};
use crate::entries::{
    From, ListOptions, Of, Scalars, Served, ShareOptions, Switch, SwitchWords, Text, TimeOptions, VariantShape,
    Variants,
};
use crate::found::{Found, is_empty, json_of, switch, word};
use crate::native::{
    BUCKET_BY, ENABLED, END, FIRST_TARGET, Field, NAME, Native, OFF_VALUE, RULES, SALT, SHARE, START, STATUS, VARIANTS,
};
use crate::row::Row;
use crate::values::{self, Share, percentage, share, time};
use crate::variants::{leave_rest, of_objects, parsed, weights, with_values};

/// The result of reading a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    On,
    Off,
    Unreadable(Column),
}

/// The number for everyone under this `of`, for a message.
fn everybody(options: &ShareOptions) -> &'static str {
    match options.shift {
        2 => "a number from 0 to 1",
        0 => "a number from 0 to 100",
        -1 => "a number from 0 to 1000",
        _ => "a number from 0 to 10000",
    }
}

impl<'v> Row<'_, 'v> {
    fn label(&self, column: &Column) -> String {
        self.plan.columns.label(column)
    }

    /// Fills in the flag; `has_enabled` if any row has a switch of its own.
    pub(crate) fn translate(&self, native: &mut Native<'v>, has_enabled: bool) {
        self.enabled(native, has_enabled);
        self.status(native);
        if let Some(Of { column, options }) = &self.plan.share {
            self.share(native, column, &self.find(column), options);
        }
        self.lists(native);
        for (field, entry) in [(START, &self.plan.start), (END, &self.plan.end)] {
            if let Some(Of { column, options }) = entry {
                self.time(native, (field, column), &self.find(column), options);
            }
        }
        for (field, entry) in [(BUCKET_BY, &self.plan.bucket_by), (SALT, &self.plan.salt)] {
            self.text(native, field, entry.as_ref());
        }
        if let Some(conditions) = &self.plan.conditions {
            self.conditions(native, conditions);
        }
        if let Some(variants) = &self.plan.variants {
            self.variants(native, variants);
        }
        if let Some(value) = &self.plan.value {
            self.value(native, value);
        }
        if let Some(Reads::Off) = self.default() {
            native.nobody();
        }
        if let Some(number) = self.repeated.first() {
            native.withhold(self.plan.columns.name(*number), "stands more than once, expected once");
        }
    }

    /// The key, if the mapping has a column for it.
    pub(crate) fn key_column(&self, native: &mut Native<'v>) {
        let Some(column) = &self.plan.name else { return };
        let found = self.find(column);
        let name = match found.value() {
            Some(Value::Integer(number)) => number.to_string().into(),
            Some(value) => value.clone(),
            None => Value::Null,
        };
        native.set(NAME, name);
    }

    fn enabled(&self, native: &mut Native<'v>, has_enabled: bool) {
        let is_moved = self.plan.enabled.is_some() && native.get(ENABLED).is_some();
        match self.plan.enabled.as_ref().filter(|_| !is_moved).map(|switch| self.switch(switch)) {
            None if is_moved => {}
            Some(Reads::On) => native.set(ENABLED, true.into()),
            Some(Reads::Off) => native.set(ENABLED, false.into()),
            Some(Reads::Unreadable(column)) => {
                native.unreadable(ENABLED, &self.label(&column), self.raw(&column), None);
            }
            None if !has_enabled && self.plan.may_do_without_enabled() => native.set(ENABLED, true.into()),
            None => {}
        }
        if let Some(Reads::Unreadable(column)) = self.default() {
            native.withhold(&self.label(&column), "does not say on or off, expected true or false");
        }
        if self.is_switched_off() {
            native.set(ENABLED, false.into());
        }
    }

    /// The result of `default`, if the mapping has it.
    pub(crate) fn default(&self) -> Option<Reads> {
        self.plan.default.as_ref().map(|switch| self.switch(switch))
    }

    /// The result of a switch: off if any of its columns is off, unreadable if any is, else on.
    fn switch(&self, Switch { from, words }: &Switch) -> Reads {
        let columns = match from {
            From::Const(value) => return if *value { Reads::On } else { Reads::Off },
            From::All(columns) => columns,
        };
        let mut reads = Reads::On;
        for column in columns {
            match reads_as(&self.find(column), words) {
                Some(true) => {}
                Some(false) => return Reads::Off,
                None if reads == Reads::On => reads = Reads::Unreadable(column.clone()),
                None => {}
            }
        }
        reads
    }

    /// Whether an item of `off_when` switches the flag off; an unreadable value does.
    fn is_switched_off(&self) -> bool {
        self.plan.off_when.iter().any(|item| match (self.find(&item.column), &item.is) {
            (Found::Empty, _) => false,
            (Found::Unreadable, _) => true,
            (Found::Here(value), Some(is)) => holds(is, value),
            (Found::Here(value), None) => switch(value) != Some(false),
        })
    }

    fn status(&self, native: &mut Native<'v>) {
        let Some(status) = &self.plan.status else { return };
        let found = self.find(&status.column);
        let known = |value: &Value<'_>| {
            let word = word(value)?;
            status
                .words
                .iter()
                .find(|(known, _)| known.trim_ascii().eq_ignore_ascii_case(&word))
                .map(|(_, status)| *status)
        };
        match &found {
            Found::Empty => {}
            Found::Here(value) => native.set(STATUS, known(value).map_or_else(|| (*value).clone(), Value::from)),
            Found::Unreadable => native.unreadable(STATUS, &self.label(&status.column), None, None),
        }
    }

    fn share(&self, native: &mut Native<'v>, column: &Column, found: &Found<'_, 'v>, options: &ShareOptions) {
        match found {
            Found::Empty if options.null_is_nobody => native.nobody(),
            Found::Empty => {}
            Found::Here(value) => match share(value, options) {
                Share::Thousandths(share) => native.set(SHARE, percentage(share)),
                Share::TooLarge => {
                    // A number that is too large for the engine too, so that the last good share stays.
                    let problem = format!("is out of range, expected {}", everybody(options));
                    native.unreadable(SHARE, &self.label(column), Some(101.into()), Some(&problem));
                }
                Share::Unreadable => {
                    let problem = format!("does not fit, expected {}", everybody(options));
                    native.unreadable(SHARE, &self.label(column), Some((*value).clone()), Some(&problem));
                }
            },
            Found::Unreadable => native.unreadable(SHARE, &self.label(column), None, None),
        }
    }

    fn lists(&self, native: &mut Native<'v>) {
        for (target, entry) in self.plan.targets.iter().enumerate() {
            if let Some(Of { column, options }) = entry {
                self.target(native, (target, column), &self.find(column), options);
            }
        }
        for (at, entry) in self.plan.overrides.iter().enumerate() {
            if let Some(Of { column, options }) = entry {
                self.overridden(native, (at, column), &self.find(column), options);
            }
        }
        for (attribute, Of { column, options }) in &self.plan.require {
            self.required(native, (attribute, column), &self.find(column), options);
        }
    }

    fn target(
        &self,
        native: &mut Native<'v>,
        (target, column): (usize, &Column),
        found: &Found<'_, 'v>,
        options: &ListOptions,
    ) {
        let field = FIRST_TARGET + target;
        if let Found::Here(value) = found
            && values::is_plain_list(value)
        {
            return native.set(field, (*value).clone());
        }
        match found.value().map(|value| (value, values::list(value, options))) {
            Some((_, Some(list))) if !list.is_empty() => native.set(field, list.into()),
            Some((value, None)) => native.unreadable(field, &self.label(column), Some(value.clone()), None),
            None if matches!(found, Found::Unreadable) => native.unreadable(field, &self.label(column), None, None),
            _ if options.empty_is_nobody => native.nobody(),
            _ => {}
        }
    }

    /// The entries of a list; `None` if that withheld the flag.
    fn texts(
        &self,
        native: &mut Native<'v>,
        column: &Column,
        found: &Found<'_, 'v>,
        options: &ListOptions,
    ) -> Option<Vec<String>> {
        let list = match found {
            Found::Empty => Some(Vec::new()),
            Found::Here(value) => values::list(value, options),
            Found::Unreadable => None,
        };
        if list.is_none() {
            native.withhold(&self.label(column), "is no list of texts, expected an array of strings");
        }
        list
    }

    fn overridden(
        &self,
        native: &mut Native<'v>,
        (at, column): (usize, &Column),
        found: &Found<'_, 'v>,
        options: &ListOptions,
    ) {
        if let Some(list) = self.texts(native, column, found, options)
            && let Some(overrides) = native.overrides.get_mut(at)
        {
            *overrides = list;
        }
    }

    fn required(
        &self,
        native: &mut Native<'v>,
        (attribute, column): (&str, &Column),
        found: &Found<'_, 'v>,
        options: &ListOptions,
    ) {
        match self.texts(native, column, found, options) {
            Some(list) if !list.is_empty() => native.conditions.push(is_in(attribute, list)),
            Some(_) if options.empty_is_nobody => native.nobody(),
            _ => {}
        }
    }

    fn time(
        &self,
        native: &mut Native<'v>,
        (field, column): (Field, &Column),
        found: &Found<'_, 'v>,
        options: &TimeOptions,
    ) {
        match found {
            Found::Empty => {}
            Found::Here(value) => native.set(field, time(value, options).unwrap_or_else(|| (*value).clone())),
            Found::Unreadable => native.unreadable(field, &self.label(column), None, None),
        }
    }

    fn text(&self, native: &mut Native<'v>, field: Field, entry: Option<&Text>) {
        match entry {
            None => {}
            Some(Text::Const(text)) => native.set(field, text.clone().into()),
            Some(Text::Column(column)) => match self.find(column) {
                Found::Empty => {}
                Found::Here(Value::Integer(number)) => native.set(field, number.to_string().into()),
                Found::Here(value) => native.set(field, value.clone()),
                Found::Unreadable => native.unreadable(field, &self.label(column), None, None),
            },
        }
    }

    fn conditions(&self, native: &mut Native<'v>, Conditions { column, shape }: &Conditions) {
        let found = self.find(column);
        let value = match &found {
            Found::Empty => return,
            Found::Here(value) => json_of(value).unwrap_or_else(|| (*value).clone()),
            Found::Unreadable => {
                return native.withhold(&self.label(column), "cannot be walked into, expected an object");
            }
        };
        match shape {
            Shape::Native => match value {
                Value::List(rules) => native.set(RULES, Value::List(rules)),
                Value::Object(_) => native.conditions.push(value),
                _ => native.withhold(&self.label(column), "holds no rules, expected an array of rules or a condition"),
            },
            Shape::Lists(fields) => self.named_lists(native, column, fields, &value),
            Shape::Tests(tests) => match tests.condition(&value) {
                Ok(condition) => native.conditions.extend(condition),
                Err(problem) => native.withhold(&self.label(column), &problem),
            },
        }
    }

    fn named_lists(&self, native: &mut Native<'v>, column: &Column, known: &[(String, ListField)], value: &Value<'v>) {
        let Value::Object(fields) = value else {
            return native.withhold(&self.label(column), "holds no lists, expected an object");
        };
        for (name, value) in fields {
            if !is_empty(value) && !known.iter().any(|(known, _)| known == name) {
                let problem = format!("has `{name}`, which is not read, expected it among `conditions.fields`");
                return native.withhold(&self.label(column), &problem);
            }
        }
        for (name, field) in known {
            if fields.iter().filter(|(field, _)| field == name).count() > 1 {
                let problem = format!("has `{name}` more than once, expected it once");
                return native.withhold(&self.label(column), &problem);
            }
            let inner = fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
            let found = match inner.filter(|value| !is_empty(value)) {
                None => Found::Empty,
                Some(value) => Found::Here(value),
            };
            match field {
                ListField::Target(at, options) => self.target(native, (*at, column), &found, options),
                ListField::Override(at, options) => self.overridden(native, (*at, column), &found, options),
                ListField::Require(attribute, options) => self.required(native, (attribute, column), &found, options),
                ListField::Share(options) => self.share(native, column, &found, options),
                ListField::Start(options) => self.time(native, (START, column), &found, options),
                ListField::End(options) => self.time(native, (END, column), &found, options),
            }
        }
    }

    fn variants(&self, native: &mut Native<'v>, variants: &Variants) {
        let found = self.find(&variants.column);
        let value = match &found {
            Found::Empty => return,
            Found::Here(value) => json_of(value).unwrap_or_else(|| (*value).clone()),
            Found::Unreadable => {
                return native.unreadable(VARIANTS, &self.label(&variants.column), None, None);
            }
        };
        let read = match &variants.shape {
            VariantShape::Native => Some(value),
            VariantShape::Weights => weights(&value),
            VariantShape::Values => with_values(value),
            VariantShape::List { key, value: served, weight } => of_objects(&value, [key, served, weight]),
        };
        let read = read.filter(|read| !variants.rest_is_off || leave_rest(native, read));
        match read {
            Some(read) => native.set(VARIANTS, read),
            None => {
                let problem = "does not fit the shape that the mapping names, expected variants with weights";
                native.unreadable(VARIANTS, &self.label(&variants.column), None, Some(problem));
            }
        }
    }

    fn value(&self, native: &mut Native<'v>, served: &Served) {
        if let Some(off) = &served.off {
            native.set(OFF_VALUE, off.clone());
        }
        let found = self.find(&served.column);
        let Found::Here(value) = found else {
            if matches!(found, Found::Unreadable) {
                native.unreadable(VARIANTS, &self.label(&served.column), None, None);
            }
            return;
        };
        let parsed = match &served.kind {
            None => Some(value.clone()),
            Some(kind) => match self.find(kind) {
                Found::Empty => Some(value.clone()),
                Found::Here(kind) => parsed(value, kind),
                Found::Unreadable => None,
            },
        };
        match parsed {
            Some(value) => {
                let on = object([("key", "on".into()), ("value", value)]);
                native.set(VARIANTS, Value::List(vec![on]));
            }
            None => {
                let problem = "is not of its kind, expected a value of the kind boolean, number, string or json";
                native.unreadable(VARIANTS, &self.label(&served.column), None, Some(problem));
            }
        }
    }
}

/// Whether a column is on (M9): by the mapping's own values, then by the words of 2.2.4; `invert` is applied last.
pub(crate) fn reads_as(found: &Found<'_, '_>, words: &SwitchWords) -> Option<bool> {
    let value = match found {
        Found::Empty => return Some(words.null_is_on),
        Found::Unreadable => return None,
        Found::Here(value) => *value,
    };
    let on = if words.on.hold(value) {
        true
    } else if words.off.hold(value) {
        false
    } else {
        switch(value)?
    };
    Some(on != words.invert)
}

/// Whether a value, or any entry of a list, equals one of some scalars.
pub(crate) fn holds(is: &Scalars, value: &Value<'_>) -> bool {
    match value {
        Value::List(entries) => entries.iter().any(|entry| is.hold(entry)),
        Value::Text(text) if text.trim_ascii().starts_with(['[', '{']) => values::list(value, &ListOptions::default())
            .is_some_and(|entries| entries.into_iter().any(|entry| is.hold(&entry.into()))),
        other => is.hold(other),
    }
}
