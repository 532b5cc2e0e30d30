//! A mapping: which column is which field of a flag (M1 to M4).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use esclusa::Value;

use crate::columns::{Column, Columns};
use crate::conditions::{self, Conditions, ListField, Shape, TARGETS};
use crate::entries::Of;
use crate::entries::{
    Counts, ListOptions, OffWhen, Served, ShareOptions, Status, Switch, Text, TimeOptions, ValueOrParameter, Variants,
};
use crate::error::{MappingError, quoted};
use crate::folding::{Fold, Side};
use crate::native::{
    BUCKET_BY, ENABLED, END, FIELDS, FIRST_TARGET, Field, KEY, OFF_VALUE, OVERRIDES, RULES, SALT, SHARE, START, STATUS,
    VARIANTS,
};
use crate::options::{At, Options};
use crate::stored::check_name;

type Result<T> = std::result::Result<T, MappingError>;

/// The version of mappings that this crate reads.
const VERSION: i64 = 1;

/// A mapping with the parameters of the app.
///
/// ```
/// use esclusa_formats::Mapping;
/// let mapping = Mapping::from_toml(r#"
///     esclusa_mapping = 1
///     name = "feature_key"
///     enabled = "is_active"
///     counts = [{ column = "environment", is = ["all", "$environment"] }]
/// "#)?.with("environment", "production")?;
/// # Ok::<(), esclusa_formats::MappingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(crate) plan: Arc<Plan>,
    source: Value<'static>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) name: Option<String>,
}

impl Mapping {
    /// Reads a mapping from TOML.
    ///
    /// # Errors
    /// When it is not TOML, or breaks a rule of `spec/MAPPING.md`; the error names the entry.
    pub fn from_toml(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
            MappingError::new(format!("line {line}"), format!("is not TOML, {}", error.message()))
        })?;
        Self::from_value(of_toml(toml::Value::Table(table), "")?)
    }

    /// Reads a mapping from JSON; a byte order mark may stand before it.
    ///
    /// # Errors
    /// As for TOML.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let value = Value::from_json(bytes).map_err(|error| MappingError::new("", error.to_string()))?;
        Self::from_value(value.into_owned())
    }

    /// The mapping that a value is.
    ///
    /// # Errors
    /// When it breaks a rule of `spec/MAPPING.md`; the error names the entry.
    pub fn from_value(source: Value<'static>) -> Result<Self> {
        let plan = Arc::new(Plan::of(&source)?);
        Ok(Mapping { plan, source, parameters: BTreeMap::new(), name: None })
    }

    /// With a parameter: `$name` in `counts` stands for this text.
    ///
    /// # Errors
    /// When the name is not one that can stand behind a `$`.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self> {
        check_name(name)?;
        self.parameters.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }

    /// The mapping as JSON, without parameters.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.source.to_json()
    }

    /// The names of the parameters that it asks for, without `$`.
    #[must_use]
    pub fn parameters(&self) -> Vec<&str> {
        let is = self.plan.counts.iter().flat_map(|counts| &counts.is);
        let names = is.filter_map(|one| match one {
            ValueOrParameter::Parameter(name) => Some(name.as_str()),
            ValueOrParameter::Value(_) => None,
        });
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The names of the tables that it reads besides that of the flags.
    pub fn side_tables(&self) -> impl Iterator<Item = &str> {
        self.plan.side.iter().filter_map(|side| side.table.as_deref())
    }

    /// Refuses it if a parameter has no value (M3).
    pub(crate) fn check_parameters(&self) -> Result<()> {
        match self.parameters().into_iter().find(|name| !self.parameters.contains_key(*name)) {
            Some(name) => {
                let problem = format!("has no value, expected the app to give the parameter {}", quoted(name));
                Err(MappingError::new(format!("${name}"), problem))
            }
            None => Ok(()),
        }
    }
}

fn of_toml(value: toml::Value, place: &str) -> Result<Value<'static>> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => Value::Integer(number),
        toml::Value::Float(number) => Value::number(number)
            .ok_or_else(|| MappingError::new(place, "is no number that JSON has, expected a finite one"))?,
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(entries) => {
            Value::List(entries.into_iter().map(|entry| of_toml(entry, place)).collect::<Result<_>>()?)
        }
        toml::Value::Table(table) => {
            let field = |(name, value): (String, toml::Value)| {
                let value = of_toml(value, &name)?;
                Ok((name.into(), value))
            };
            Value::Object(table.into_iter().map(field).collect::<Result<_>>()?)
        }
    })
}

/// The entries of a mapping.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) columns: Columns,
    pub(crate) table: Option<String>,
    pub(crate) each_field: bool,
    pub(crate) name: Option<Column>,
    pub(crate) label: Option<Column>,
    /// The indexes of the columns that are ignored.
    pub(crate) ignored: HashSet<usize>,
    pub(crate) enabled: Option<Switch>,
    pub(crate) default: Option<Switch>,
    pub(crate) off_when: Vec<OffWhen>,
    pub(crate) status: Option<Status>,
    pub(crate) share: Option<Of<ShareOptions>>,
    pub(crate) targets: [Option<Of<ListOptions>>; 5],
    pub(crate) overrides: [Option<Of<ListOptions>>; 4],
    pub(crate) require: Vec<(String, Of<ListOptions>)>,
    pub(crate) start: Option<Of<TimeOptions>>,
    pub(crate) end: Option<Of<TimeOptions>>,
    pub(crate) bucket_by: Option<Text>,
    pub(crate) salt: Option<Text>,
    pub(crate) counts: Vec<Counts>,
    pub(crate) fold: Option<Fold>,
    pub(crate) side: Vec<Side>,
    pub(crate) variants: Option<Variants>,
    pub(crate) value: Option<Served>,
    pub(crate) conditions: Option<Conditions>,
    /// The units of `fold` and `side` in their order of precedence (M30).
    pub(crate) ranks: Vec<String>,
}

impl Plan {
    fn of(source: &Value<'static>) -> Result<Self> {
        let mut columns = Columns::default();
        let root = At { place: String::new(), value: source };
        let mut options = root.options("a table with `esclusa_mapping`")?;
        let version = options.required("esclusa_mapping", "the version, which is 1")?;
        if version.value.as_i64() != Some(VERSION) {
            return version.expected("the version 1");
        }
        let table = options.get("table").map(|at| at.text("the name of a table").map(str::to_owned)).transpose()?;
        let each_field = options.get("each").map_or(Ok(0), |at| at.word(&["row", "field"]))? == 1;
        let name = options.get("name").map(|at| columns.column(&at)).transpose()?;
        if each_field && name.is_none() {
            let problem = "is missing, expected the column that holds all flags: each = \"field\" reads its fields";
            return Err(MappingError::new("name", problem));
        }
        let label = options.get("label").map(|at| columns.column(&at)).transpose()?;
        let enabled = options.get("enabled").map(|at| Switch::of(&mut columns, &at)).transpose()?;
        let default = options.get("default").map(|at| Switch::of(&mut columns, &at)).transpose()?;
        let status = options.get("status").map(|at| Status::of(&mut columns, &at)).transpose()?;
        let share = options.get("rollout_percentage");
        let share = share.map(|at| Of::read(&mut columns, &at, ShareOptions::of)).transpose()?;
        let list = |options: &mut Options<'_>| ListOptions::of(options, true);
        let mut targets: [Option<Of<ListOptions>>; 5] = Default::default();
        for (target, name) in targets.iter_mut().zip(TARGETS) {
            *target = options.get(name).map(|at| Of::read(&mut columns, &at, list)).transpose()?;
        }
        let overrides = overrides(&mut columns, options.get("overrides"))?;
        let mut require = Vec::new();
        for (attribute, at) in options.get("require").map_or(Ok(Vec::new()), |at| at.named())? {
            require.push((attribute.to_owned(), Of::read(&mut columns, &at, list)?));
        }
        require.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut time = |columns: &mut Columns, name, ends| {
            let read = |options: &mut Options<'_>| TimeOptions::of(options, ends);
            options.get(name).map(|at| Of::read(columns, &at, read)).transpose()
        };
        let start = time(&mut columns, "start_date", false)?;
        let end = time(&mut columns, "end_date", true)?;
        let bucket_by = options.get("bucket_by").map(|at| Text::of(&mut columns, &at)).transpose()?;
        let salt = options.get("salt").map(|at| Text::of(&mut columns, &at)).transpose()?;
        let counts = each(options.get("counts"), |at| Counts::of(&mut columns, at))?;
        let variants = options.get("variants").map(|at| Variants::of(&mut columns, &at)).transpose()?;
        let value = options.get("value");
        if let (Some(at), Some(_)) = (&value, &variants) {
            let problem = "gives the variants of a flag as `variants` does, expected one of both";
            return Err(MappingError::new(&at.place, problem));
        }
        let value = value.map(|at| Served::of(&mut columns, &at)).transpose()?;
        let conditions = options.get("conditions").map(|at| Conditions::of(&mut columns, &at)).transpose()?;
        let fold = options.get("fold").map(|at| Fold::of(&mut columns, &at)).transpose()?;
        let side = each(options.get("side"), |at| Side::of(&mut columns, at))?;
        let mut ignored = HashSet::new();
        for at in options.get("ignore").map_or(Ok(Vec::new()), |at| at.list("an array of names of columns"))? {
            let column = Column { root: columns.number(at.text("the name of a column")?), path: Vec::new() };
            columns.claim(&column, &at.place)?;
            ignored.insert(column.root);
        }
        let off_when = each(options.get("off_when"), |at| OffWhen::of(&mut columns, at))?;
        if let Some((at, item)) = off_when.iter().enumerate().find(|(_, item)| ignored.contains(&item.column.root)) {
            let name = quoted(columns.name(item.column.root));
            return Err(MappingError::new(
                format!("off_when[{at}]"),
                format!("reads the column {name}, which `ignore` names"),
            ));
        }
        options.finish()?;
        let ranks = ranks(fold.as_ref(), &side);
        let plan = Plan {
            columns,
            table,
            each_field,
            name,
            label,
            ignored,
            enabled,
            default,
            off_when,
            status,
            share,
            targets,
            overrides,
            require,
            start,
            end,
            bucket_by,
            salt,
            counts,
            fold,
            side,
            variants,
            value,
            conditions,
            ranks,
        };
        plan.check_fields()?;
        Ok(plan)
    }

    /// Whether a flag without `enabled` may be on (M9).
    pub(crate) fn may_do_without_enabled(&self) -> bool {
        self.default.is_some() || self.fold.is_some() || !self.side.is_empty()
    }

    /// Whether `ignore` names a column, or a table.
    pub(crate) fn ignores(&self, name: &str) -> bool {
        self.columns.find(name).is_some_and(|number| self.ignored.contains(&number))
    }

    /// The columns that at least one row must have (M4).
    pub(crate) fn is_required(&self, root: usize) -> bool {
        !self.ignored.contains(&root)
    }

    /// Checks that no field is given both by an entry and by a name of `conditions` (M21).
    fn check_fields(&self) -> Result<()> {
        let Some(Conditions { shape: Shape::Lists(fields), .. }) = &self.conditions else { return Ok(()) };
        let mut given: HashSet<String> = HashSet::new();
        let targets = self.targets.iter().zip(TARGETS).filter(|(entry, _)| entry.is_some());
        given.extend(targets.map(|(_, name)| name.to_owned()));
        let overrides = self.overrides.iter().zip(conditions::OVERRIDES).filter(|(entry, _)| entry.is_some());
        given.extend(overrides.map(|(_, name)| name.to_owned()));
        given.extend(self.require.iter().map(|(attribute, _)| format!("require.{attribute}")));
        let others = [("rollout_percentage", self.share.is_some()), ("start_date", self.start.is_some())];
        let others = others.into_iter().chain([("end_date", self.end.is_some())]);
        given.extend(others.filter(|(_, given)| *given).map(|(name, _)| name.to_owned()));
        for (name, field) in fields {
            let entry = match field {
                ListField::Target(at, _) => TARGETS.get(*at).copied().unwrap_or_default().to_owned(),
                ListField::Override(at, _) => conditions::OVERRIDES.get(*at).copied().unwrap_or_default().to_owned(),
                ListField::Require(attribute, _) => format!("require.{attribute}"),
                ListField::Share(_) => "rollout_percentage".to_owned(),
                ListField::Start(_) => "start_date".to_owned(),
                ListField::End(_) => "end_date".to_owned(),
            };
            if let Some(entry) = given.replace(entry) {
                let problem = format!("gives {}, which something else gives, expected one", quoted(&entry));
                return Err(MappingError::new(format!("conditions.fields.{name}"), problem));
            }
        }
        Ok(())
    }

    /// How messages name the columns that tell for whom a row applies.
    pub(crate) fn fold_label(&self) -> String {
        let column = self
            .fold
            .as_ref()
            .and_then(|fold| fold.by.first().map(|by| &by.column).or(fold.kind.as_ref().map(|kind| &kind.column)));
        let of_side = self.side.first().and_then(|side| side.column.as_ref());
        match column.or(of_side) {
            Some(column) => self.columns.label(column),
            None => self.side.first().and_then(|side| side.table.clone()).unwrap_or_default(),
        }
    }

    /// The fields that entries give; a column with such a name is then not read as the field (M8).
    pub(crate) fn given(&self) -> [bool; FIELDS.len()] {
        let mut given = [false; FIELDS.len()];
        let folds = self.fold.is_some() || !self.side.is_empty();
        let mut give = |field: Field, gives: bool| {
            if let Some(given) = given.get_mut(field) {
                *given |= gives;
            }
        };
        give(KEY, self.name.is_some());
        give(ENABLED, self.enabled.is_some());
        give(STATUS, self.status.is_some());
        give(SHARE, self.share.is_some());
        for (at, target) in self.targets.iter().enumerate() {
            give(FIRST_TARGET + at, target.is_some());
        }
        give(START, self.start.is_some());
        give(END, self.end.is_some());
        give(BUCKET_BY, self.bucket_by.is_some());
        give(SALT, self.salt.is_some());
        give(OVERRIDES, folds || self.overrides.iter().any(Option::is_some));
        give(VARIANTS, self.variants.is_some() || self.value.is_some());
        give(OFF_VALUE, self.value.as_ref().is_some_and(|value| value.off.is_some()));
        give(RULES, folds || !self.require.is_empty() || self.conditions.is_some());
        if let Some(Conditions { shape: Shape::Lists(fields), .. }) = &self.conditions {
            for (_, field) in fields {
                match field {
                    ListField::Target(at, _) => give(FIRST_TARGET + at, true),
                    ListField::Override(..) => give(OVERRIDES, true),
                    ListField::Require(..) => {}
                    ListField::Share(_) => give(SHARE, true),
                    ListField::Start(_) => give(START, true),
                    ListField::End(_) => give(END, true),
                }
            }
        }
        given
    }
}

/// The precedence of units: in the order of `by`, then those of a `kind`, then of `side`.
fn ranks(fold: Option<&Fold>, side: &[Side]) -> Vec<String> {
    const ORDER: [&str; 5] = ["user", "company", "role", "plan", "region"];
    let mut units: Vec<String> = Vec::new();
    let mut add = |unit: &String| {
        if !units.contains(unit) {
            units.push(unit.clone());
        }
    };
    if let Some(fold) = fold {
        fold.by.iter().for_each(|by| add(&by.unit));
        let mut of_kind: Vec<&String> =
            fold.kind.iter().flat_map(|kind| kind.units.iter()).filter_map(|(_, unit)| unit.as_ref()).collect();
        of_kind.sort_by_key(|unit| (ORDER.iter().position(|known| known == *unit).unwrap_or(ORDER.len()), *unit));
        of_kind.into_iter().for_each(&mut add);
    }
    side.iter().flat_map(|side| &side.units).for_each(|(unit, _)| add(unit));
    units
}

fn each<T>(at: Option<At<'_>>, read: impl FnMut(&At<'_>) -> Result<T>) -> Result<Vec<T>> {
    at.map_or(Ok(Vec::new()), |at| at.few("an array"))?.iter().map(read).collect()
}

fn overrides(columns: &mut Columns, at: Option<At<'_>>) -> Result<[Option<Of<ListOptions>>; 4]> {
    let mut lists: [Option<Of<ListOptions>>; 4] = Default::default();
    let Some(at) = at else { return Ok(lists) };
    let mut options = at.options("a table with `on` and `off`")?;
    for (side, lists) in ["on", "off"].into_iter().zip(lists.chunks_mut(2)) {
        let Some(at) = options.get(side) else { continue };
        let mut options = at.options("a table with `users` and `companies`")?;
        for (name, list) in ["users", "companies"].into_iter().zip(lists) {
            let read = |options: &mut Options<'_>| ListOptions::of(options, false);
            *list = options.get(name).map(|at| Of::read(columns, &at, read)).transpose()?;
        }
        options.finish()?;
    }
    options.finish()?;
    Ok(lists)
}
