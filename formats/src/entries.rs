//! The entries of a mapping that read one value each (M8 to M19).

use std::borrow::Cow;
use std::collections::HashSet;

use esclusa::Value;

use crate::columns::{Column, Columns};
use crate::error::MappingError;
use crate::found::word;
use crate::options::{At, Options};

type Result<T> = std::result::Result<T, MappingError>;

/// Scalars that a value is compared with (M6).
#[derive(Clone, Debug, Default)]
pub(crate) struct Scalars {
    words: HashSet<Cow<'static, str>>,
    /// Numbers that are not whole.
    numbers: HashSet<u64>,
}

impl Scalars {
    pub(crate) fn of(at: Option<At<'_>>) -> Result<Self> {
        let scalars = at.map_or(Ok(Vec::new()), |at| at.scalars())?;
        Ok(Scalars::from_values(scalars.into_iter()))
    }

    pub(crate) fn from_values<'v>(values: impl Iterator<Item = &'v Value<'v>>) -> Self {
        let mut scalars = Scalars::default();
        for value in values {
            match value {
                Value::Number(number) => drop(scalars.numbers.insert(number.to_bits())),
                other => scalars.words.extend(word(other)),
            }
        }
        scalars
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.numbers.is_empty()
    }

    pub(crate) fn hold(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Number(number) => self.numbers.contains(&number.to_bits()),
            other => !self.words.is_empty() && word(other).is_some_and(|word| self.words.contains(&word)),
        }
    }
}

/// `enabled`, `default` and the like.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    pub(crate) from: From,
    pub(crate) words: SwitchWords,
}

#[derive(Clone, Debug)]
pub(crate) enum From {
    Const(bool),
    /// All of them must be on.
    All(Vec<Column>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SwitchWords {
    pub(crate) on: Scalars,
    pub(crate) off: Scalars,
    pub(crate) null_is_on: bool,
    pub(crate) invert: bool,
}

impl SwitchWords {
    /// Whether it reads only the words of 2.2.4.
    pub(crate) fn is_plain(&self) -> bool {
        self.on.is_empty() && self.off.is_empty() && !self.null_is_on && !self.invert
    }

    pub(crate) fn of(options: &mut Options<'_>) -> Result<Self> {
        Ok(SwitchWords {
            on: Scalars::of(options.get("on"))?,
            off: Scalars::of(options.get("off"))?,
            null_is_on: options.get("null").map_or(Ok(0), |at| at.word(&["off", "on"]))? == 1,
            invert: options.get("invert").map_or(Ok(false), |at| at.bool())?,
        })
    }
}

impl Switch {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        if at.value.as_str().is_some() {
            let column = columns.column(at)?;
            return Ok(Switch { from: From::All(vec![column]), words: SwitchWords::default() });
        }
        let mut options = at.options("the name of a column, or a table with `column`, `all` or `const`")?;
        let kinds = ["column", "all", "const"].iter().filter(|name| options.has(name)).count();
        if kinds != 1 {
            return Err(MappingError::new(&at.place, "does not fit, expected exactly one of column, all and const"));
        }
        let from = if let Some(value) = options.get("const") {
            From::Const(value.bool()?)
        } else if let Some(all) = options.get("all") {
            let all = all.list("an array of columns")?;
            From::All(all.iter().map(|at| columns.column(at)).collect::<Result<_>>()?)
        } else {
            From::All(vec![columns.column_of(&mut options)?])
        };
        let words = SwitchWords::of(&mut options)?;
        options.finish()?;
        Ok(Switch { from, words })
    }
}

/// An item of `off_when`.
#[derive(Clone, Debug)]
pub(crate) struct OffWhen {
    pub(crate) column: Column,
    pub(crate) is: Option<Scalars>,
}

impl OffWhen {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        if at.value.as_str().is_some() {
            return Ok(OffWhen { column: columns.shared(at)?, is: None });
        }
        let mut options = at.options(crate::columns::WANTED)?;
        let column = columns.shared_of(&mut options)?;
        let is = options.get("is").map(|at| Scalars::of(Some(at))).transpose()?;
        options.finish()?;
        Ok(OffWhen { column, is })
    }
}

/// `status`: the author's words in addition to those of 2.2.5.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) column: Column,
    pub(crate) words: Vec<(String, &'static str)>,
}

const STATUSES: [&str; 5] = ["draft", "active", "paused", "completed", "rolled_back"];

impl Status {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        if at.value.as_str().is_some() {
            return Ok(Status { column: columns.column(at)?, words: Vec::new() });
        }
        let mut options = at.options(crate::columns::WANTED)?;
        let column = columns.column_of(&mut options)?;
        let words = options.get("words").map_or(Ok(Vec::new()), |at| at.named())?;
        let word = |(word, at): (&str, At<'_>)| {
            let status = at.word(&STATUSES)?;
            Ok((word.to_owned(), STATUSES.get(status).copied().unwrap_or_default()))
        };
        let words = words.into_iter().map(word).collect::<Result<_>>()?;
        options.finish()?;
        Ok(Status { column, words })
    }
}

/// `rollout_percentage`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ShareOptions {
    /// By how many places the decimal point moves to the right to give a percentage: 2, 0, -1 or -2.
    pub(crate) shift: i32,
    pub(crate) null_is_nobody: bool,
}

impl ShareOptions {
    pub(crate) fn of(options: &mut Options<'_>) -> Result<Self> {
        let shift = match options.get("of") {
            None => 0,
            Some(at) => match at.value {
                Value::Integer(1) => 2,
                Value::Integer(100) => 0,
                Value::Integer(1000) => -1,
                Value::Integer(10_000) => -2,
                _ => return at.expected("1, 100, 1000 or 10000"),
            },
        };
        let null_is_nobody = options.get("null").map_or(Ok(0), |at| at.word(&["everybody", "nobody"]))? == 1;
        Ok(ShareOptions { shift, null_is_nobody })
    }
}

/// A list of ids, roles, plans and the like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ListOptions {
    pub(crate) split: Option<String>,
    pub(crate) keys: bool,
    pub(crate) empty_is_nobody: bool,
}

impl ListOptions {
    /// `restricts` if an empty list may mean that no caller is on.
    pub(crate) fn of(options: &mut Options<'_>, restricts: bool) -> Result<Self> {
        let split = options.get("split").map(|at| at.text("a text such as \",\"").map(str::to_owned)).transpose()?;
        let keys = options.get("keys").map_or(Ok(false), |at| at.bool())?;
        let mut empty_is_nobody = false;
        if restricts {
            empty_is_nobody = options.get("empty").map_or(Ok(0), |at| at.word(&["anyone", "nobody"]))? == 1;
        }
        Ok(ListOptions { split, keys, empty_is_nobody })
    }
}

/// `start_date` or `end_date`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TimeOptions {
    /// Appended to a time without an offset.
    pub(crate) zone: Option<String>,
    /// Milliseconds of the unit of a number.
    pub(crate) unit: Option<i64>,
    pub(crate) whole_day: bool,
}

impl TimeOptions {
    /// `ends` for the end of a window, which may be a whole day.
    pub(crate) fn of(options: &mut Options<'_>, ends: bool) -> Result<Self> {
        let zone = options.get("zone").map(|at| zone(&at)).transpose()?;
        let unit = options.get("unit").map(|at| at.word(&["s", "ms"])).transpose()?;
        let mut whole_day = false;
        if ends {
            whole_day = options.get("whole_day").map_or(Ok(false), |at| at.bool())?;
        }
        Ok(TimeOptions { zone, unit: unit.map(|unit| if unit == 0 { 1000 } else { 1 }), whole_day })
    }
}

fn zone(at: &At<'_>) -> Result<String> {
    let wanted = "Z or an offset such as -05:00; a zone by name is for the query: `AT TIME ZONE`";
    let zone = at.text(wanted)?;
    let is_zone = zone == "Z"
        || (zone.len() == 6
            && zone.starts_with(['+', '-'])
            && esclusa::Time::parse(&format!("2000-01-01T00:00:00{zone}")).is_some());
    if is_zone { Ok(zone.to_owned()) } else { at.expected(wanted) }
}

/// An entry with a column and options of its kind.
#[derive(Clone, Debug)]
pub(crate) struct Of<T> {
    pub(crate) column: Column,
    pub(crate) options: T,
}

impl<T: Default> Of<T> {
    pub(crate) fn read(
        columns: &mut Columns,
        at: &At<'_>,
        read: impl FnOnce(&mut Options<'_>) -> Result<T>,
    ) -> Result<Self> {
        if at.value.as_str().is_some() {
            return Ok(Of { column: columns.column(at)?, options: T::default() });
        }
        let mut options = at.options(crate::columns::WANTED)?;
        let column = columns.column_of(&mut options)?;
        let own = read(&mut options)?;
        options.finish()?;
        Ok(Of { column, options: own })
    }
}

/// `bucket_by` and `salt`.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Column(Column),
    Const(String),
}

impl Text {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        if at.value.as_str().is_some() {
            return Ok(Text::Column(columns.column(at)?));
        }
        let mut options = at.options("the name of a column, or a table with `column` or `const`")?;
        if options.has("const") == options.has("column") {
            return Err(MappingError::new(&at.place, "does not fit, expected exactly one of column and const"));
        }
        let text = match options.get("const") {
            Some(text) => Text::Const(text.text("a text")?.to_owned()),
            None => Text::Column(columns.column_of(&mut options)?),
        };
        options.finish()?;
        Ok(text)
    }
}

/// An item of `counts`.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) column: Column,
    /// Values, or names of parameters.
    pub(crate) is: Vec<ValueOrParameter>,
    pub(crate) empty_counts: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum ValueOrParameter {
    Value(Value<'static>),
    Parameter(String),
}

impl Counts {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        let mut options = at.options("a table with `column` and `is`")?;
        let column = columns.column_of(&mut options)?;
        let is = options.required("is", "an array of values, or of parameters such as \"$environment\"")?;
        let is = is.scalars()?.into_iter().map(|value| match value.as_str().and_then(|text| text.strip_prefix('$')) {
            Some(name) => ValueOrParameter::Parameter(name.to_owned()),
            None => ValueOrParameter::Value(value.clone().into_owned()),
        });
        let is = is.collect();
        let empty_counts = options.get("empty").map_or(Ok(0), |at| at.word(&["counts", "does not"]))? == 0;
        options.finish()?;
        Ok(Counts { column, is, empty_counts })
    }
}

/// `variants`.
#[derive(Clone, Debug)]
pub(crate) struct Variants {
    pub(crate) column: Column,
    pub(crate) shape: VariantShape,
    /// Weights are percent, and the rest is off.
    pub(crate) rest_is_off: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum VariantShape {
    Native,
    Weights,
    Values,
    /// The field names of its objects.
    List {
        key: String,
        value: String,
        weight: String,
    },
}

impl Variants {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        let mut options = at.options("a table with `column` and `shape`")?;
        let column = columns.column_of(&mut options)?;
        let shape = options.required("shape", "native, weights, values or list")?;
        let shape = match shape.word(&["native", "weights", "values", "list"])? {
            0 => VariantShape::Native,
            1 => VariantShape::Weights,
            2 => VariantShape::Values,
            _ => VariantShape::List {
                key: name_of(&mut options, "key")?,
                value: name_of(&mut options, "value")?,
                weight: name_of(&mut options, "weight")?,
            },
        };
        let rest_is_off = match (&shape, options.has("rest")) {
            (VariantShape::Weights | VariantShape::List { .. }, true) => {
                options.get("rest").map_or(Ok(0), |at| at.word(&["off"]))? == 0
            }
            _ => false,
        };
        options.finish()?;
        Ok(Variants { column, shape, rest_is_off })
    }
}

/// The name that an option gives to a field, by default its own.
pub(crate) fn name_of(options: &mut Options<'_>, name: &'static str) -> Result<String> {
    options.get(name).map_or(Ok(name.to_owned()), |at| at.text("the name of a field").map(str::to_owned))
}

/// `value`.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) column: Column,
    pub(crate) kind: Option<Column>,
    pub(crate) off: Option<Value<'static>>,
}

impl Served {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        if at.value.as_str().is_some() {
            return Ok(Served { column: columns.column(at)?, kind: None, off: None });
        }
        let mut options = at.options(crate::columns::WANTED)?;
        let column = columns.column_of(&mut options)?;
        let kind = options.get("kind").map(|at| columns.column(&at)).transpose()?;
        let off = options.get("off").map(|at| at.value.clone().into_owned());
        options.finish()?;
        Ok(Served { column, kind, off })
    }
}
