//! The columns of one row, sorted by their meaning in the mapping.
//!
//! Rows have their columns in one order: the meaning of a column is looked up once, and then mostly only compared.

use std::borrow::Cow;
use std::collections::HashMap;

use esclusa::Value;

use crate::columns::Column;
use crate::found::{Found, is_empty, json_of, walk};
use crate::mapping::Plan;
use crate::native::{ENABLED, FIELDS, Field, NAME, Native, SHARE, field_of};
use crate::values::{has_space, is_plain_list};

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The mapping reads it; its index.
    Mapped(usize),
    Ignored(usize),
    /// A field by its own name.
    Native(Field),
    /// A field by its own name that an entry already gives.
    Given(Field),
    /// The label beside the key.
    Label,
    Other,
}

/// A column that only one entry reads, without options: a value in the right form is moved, not copied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direct {
    List(Field),
    Time(Field),
    Switch,
    Share,
}

impl Direct {
    fn field(self) -> Field {
        match self {
            Direct::List(field) | Direct::Time(field) => field,
            Direct::Switch => ENABLED,
            Direct::Share => SHARE,
        }
    }

    /// Whether a value has the right form.
    fn fits(self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Direct::List(_), value) => is_plain_list(value),
            (Direct::Time(_), Value::Text(_)) => !is_empty(value) && !has_space(value),
            (Direct::Switch, Value::Bool(_)) | (Direct::Share, Value::Integer(0..=100)) => true,
            _ => false,
        }
    }
}

/// How many rows have a column.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) rows: u64,
    pub(crate) not_empty: u64,
}

impl Count {
    fn add(&mut self, value: &Value<'_>) {
        self.rows += 1;
        self.not_empty += u64::from(!is_empty(value));
    }
}

/// The current row, and the counts of the columns of all rows.
pub(crate) struct Row<'p, 'v> {
    pub(crate) plan: &'p Plan,
    /// The fields that entries give.
    given: [bool; FIELDS.len()],
    /// How each column moves into a field unchanged, if it may.
    direct: Vec<Option<Direct>>,
    layout: Vec<(Cow<'v, str>, Kind)>,
    values: Vec<Option<Value<'v>>>,
    /// The indexes of columns that this row has more than once.
    pub(crate) repeated: Vec<usize>,
    pub(crate) counts: Vec<Count>,
    pub(crate) label: Count,
    /// Columns that are fields by their own names, in the spelling of the first row.
    pub(crate) natives: [(String, Count); FIELDS.len()],
    /// A column that is a field which an entry already gives, and the field.
    pub(crate) conflict: Option<(String, Field)>,
}

impl<'p, 'v> Row<'p, 'v> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let columns = plan.columns.names.len();
        Row {
            plan,
            given: plan.given(),
            direct: plan.direct(),
            layout: Vec::new(),
            values: (0..columns).map(|_| None).collect(),
            repeated: Vec::new(),
            counts: vec![Count::default(); columns],
            label: Count::default(),
            natives: Default::default(),
            conflict: None,
        }
    }

    /// Takes the columns of a row; a column that no entry reads goes into the flag unchanged.
    pub(crate) fn take(&mut self, row: impl Iterator<Item = (Cow<'v, str>, Value<'v>)>, native: &mut Native<'v>) {
        self.values.iter_mut().for_each(|value| *value = None);
        self.repeated.clear();
        for (at, (name, value)) in row.enumerate() {
            match self.kind(at, &name) {
                Kind::Mapped(number) => self.mapped(number, value, native),
                Kind::Ignored(number) => self.count(number, &value),
                Kind::Native(field) => {
                    if let Some((written, count)) = self.natives.get_mut(field) {
                        if count.rows == 0 {
                            *written = name.to_string();
                        }
                        count.add(&value);
                    }
                    native.take(field, name, value);
                }
                Kind::Given(field) => {
                    if !is_empty(&value) && self.conflict.is_none() {
                        self.conflict = Some((name.into_owned(), field));
                    }
                }
                Kind::Label => self.label.add(&value),
                Kind::Other => native.others.push((name, value)),
            }
        }
    }

    #[expect(clippy::ptr_arg, reason = "a new column borrows what the name borrows")]
    fn kind(&mut self, at: usize, name: &Cow<'v, str>) -> Kind {
        if let Some((known, kind)) = self.layout.get(at)
            && known == name
        {
            return *kind;
        }
        let kind = match (self.plan.columns.find(name), field_of(name)) {
            (Some(number), _) if self.plan.ignored.contains(&number) => Kind::Ignored(number),
            (Some(number), _) => Kind::Mapped(number),
            (None, Some(NAME)) if self.plan.name.is_some() => Kind::Label,
            (None, Some(field)) if self.given.get(field) == Some(&true) => Kind::Given(field),
            (None, Some(field)) => Kind::Native(field),
            (None, None) => Kind::Other,
        };
        if let Some(slot) = self.layout.get_mut(at) {
            *slot = (name.clone(), kind);
        } else {
            self.layout.push((name.clone(), kind));
        }
        kind
    }

    fn count(&mut self, number: usize, value: &Value<'v>) {
        if let Some(count) = self.counts.get_mut(number) {
            count.add(value);
        }
    }

    fn mapped(&mut self, number: usize, value: Value<'v>, native: &mut Native<'v>) {
        if self.values.get(number).is_none_or(Option::is_some) {
            self.repeated.push(number);
            return;
        }
        self.count(number, &value);
        if let Some(Some(direct)) = self.direct.get(number) {
            let field = direct.field();
            if native.get(field).is_some() {
                return self.repeated.push(number);
            }
            if direct.fits(&value) {
                return native.set(field, value);
            }
        }
        let value = self.opened(number, value, native);
        if let Some(slot) = self.values.get_mut(number) {
            *slot = Some(value);
        }
    }

    /// A text that paths lead into is parsed once, and fields that no path reads are passed on (M7).
    fn opened(&self, number: usize, value: Value<'v>, native: &mut Native<'v>) -> Value<'v> {
        let paths = self.plan.columns.paths(number);
        if paths.is_empty() {
            return value;
        }
        let value = json_of(&value).unwrap_or(value);
        if !paths.iter().any(Vec::is_empty) {
            let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
            hand_on(self.plan.columns.name(number), &value, &paths, &mut native.others);
        }
        value
    }

    pub(crate) fn find(&self, column: &Column) -> Found<'_, 'v> {
        walk(self.values.get(column.root).and_then(Option::as_ref), &column.path)
    }

    /// The value of a column in the row, unless a path leads into it.
    pub(crate) fn raw(&self, column: &Column) -> Option<Value<'v>> {
        if column.path.is_empty() { self.values.get(column.root)?.clone() } else { None }
    }
}

/// Passes on the fields that no path reads or crosses, with names such as `settings.tenant`.
fn hand_on<'v>(name: &str, value: &Value<'v>, paths: &[&[String]], others: &mut Vec<(Cow<'v, str>, Value<'v>)>) {
    let Value::Object(fields) = value else { return };
    let mut steps: HashMap<&str, Vec<&[String]>> = HashMap::new();
    for (step, rest) in paths.iter().filter_map(|path| path.split_first()) {
        steps.entry(step).or_default().push(rest);
    }
    for (field, value) in fields {
        let name = format!("{name}.{field}");
        match steps.get(field.as_ref()) {
            None => others.push((name.into(), value.clone())),
            Some(inner) if inner.iter().any(|path| path.is_empty()) => {}
            Some(inner) => hand_on(&name, value, inner, others),
        }
    }
}
