//! `conditions`: a JSON column with conditions on the caller (M20 to M24).

use esclusa::Value;

use crate::columns::{Column, Columns};
use crate::entries::{ListOptions, ShareOptions, TimeOptions, name_of};
use crate::error::{MappingError, quoted};
use crate::options::{At, Options};

type Result<T> = std::result::Result<T, MappingError>;

#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    pub(crate) column: Column,
    pub(crate) shape: Shape,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Native,
    Lists(Vec<(String, ListField)>),
    Tests(Tests),
}

/// The meaning of a name in `lists`.
#[derive(Clone, Debug)]
pub(crate) enum ListField {
    /// One of the target lists, by its index.
    Target(usize, ListOptions),
    Override(usize, ListOptions),
    Require(String, ListOptions),
    Share(ShareOptions),
    Start(TimeOptions),
    End(TimeOptions),
}

pub(crate) const TARGETS: [&str; 5] =
    ["target_plans", "target_roles", "target_companies", "target_regions", "target_users"];
pub(crate) const OVERRIDES: [&str; 4] =
    ["overrides.on.users", "overrides.on.companies", "overrides.off.users", "overrides.off.companies"];

#[derive(Clone, Debug)]
pub(crate) struct Tests {
    attribute: String,
    op: String,
    values: String,
    ops: Vec<(String, Op)>,
    /// The outermost first.
    join: Vec<&'static str>,
}

impl Conditions {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        let mut options = at.options("a table with `column` and `shape`")?;
        let column = columns.column_of(&mut options)?;
        let shape = options.required("shape", "native, lists or tests")?.word(&["native", "lists", "tests"])?;
        let shape = match shape {
            0 => Shape::Native,
            1 => Shape::Lists(list_fields(&mut options)?),
            _ => Shape::Tests(Tests::of(&mut options)?),
        };
        options.finish()?;
        Ok(Conditions { column, shape })
    }
}

fn list_fields(options: &mut Options<'_>) -> Result<Vec<(String, ListField)>> {
    let fields = options.required("fields", "a table that says for each name what it is")?.named()?;
    fields.into_iter().map(|(name, at)| Ok((name.to_owned(), ListField::of(&at)?))).collect()
}

impl ListField {
    fn of(at: &At<'_>) -> Result<Self> {
        const WANTED: &str = "the name of a list, require.<attribute>, rollout_percentage, start_date or end_date";
        if let Some(entry) = at.value.as_str() {
            return Self::named(entry, &mut None, at);
        }
        let mut options = at.options(WANTED)?;
        let entry = options.required("entry", WANTED)?.text(WANTED)?;
        let mut options = Some(options);
        let field = Self::named(entry, &mut options, at)?;
        options.map_or(Ok(()), Options::finish)?;
        Ok(field)
    }

    fn named(entry: &str, options: &mut Option<Options<'_>>, at: &At<'_>) -> Result<Self> {
        let list = |options: &mut Option<Options<'_>>, restricts: bool| {
            options.as_mut().map_or(Ok(ListOptions::default()), |options| ListOptions::of(options, restricts))
        };
        let time = |options: &mut Option<Options<'_>>, ends: bool| {
            options.as_mut().map_or(Ok(TimeOptions::default()), |options| TimeOptions::of(options, ends))
        };
        if let Some(number) = TARGETS.iter().position(|name| *name == entry) {
            return Ok(ListField::Target(number, list(options, true)?));
        }
        if let Some(number) = OVERRIDES.iter().position(|name| *name == entry) {
            return Ok(ListField::Override(number, list(options, false)?));
        }
        match entry {
            "rollout_percentage" => {
                let share = options.as_mut().map_or(Ok(ShareOptions::default()), ShareOptions::of)?;
                Ok(ListField::Share(share))
            }
            "start_date" => Ok(ListField::Start(time(options, false)?)),
            "end_date" => Ok(ListField::End(time(options, true)?)),
            _ => match entry.strip_prefix("require.").filter(|attribute| !attribute.is_empty()) {
                Some(attribute) => Ok(ListField::Require(attribute.to_owned(), list(options, true)?)),
                None => {
                    at.expected("the name of a list, require.<attribute>, rollout_percentage, start_date or end_date")
                }
            },
        }
    }
}

/// What an operator is compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Equals {
        not: bool,
    },
    Texts(&'static str),
    Number(&'static str),
    Time(&'static str),
    /// A single text: versions and expressions.
    Text(&'static str),
    Exists,
}

/// The operators by all their names, in small letters with `_` between words.
const OPERATORS: [(&[&str], Op); 18] = [
    (&["equals", "eq", "=", "==", "===", "is", "in", "one_of"], Op::Equals { not: false }),
    (&["not_equals", "ne", "neq", "!=", "!==", "is_not", "not_in", "not_one_of"], Op::Equals { not: true }),
    (&["contains"], Op::Texts("contains")),
    (&["starts_with"], Op::Texts("starts_with")),
    (&["ends_with"], Op::Texts("ends_with")),
    (&["gt", ">"], Op::Number("gt")),
    (&["gte", "ge", ">="], Op::Number("ge")),
    (&["lt", "<"], Op::Number("lt")),
    (&["lte", "le", "<="], Op::Number("le")),
    (&["before"], Op::Time("before")),
    (&["after"], Op::Time("after")),
    (&["semver_eq"], Op::Text("semver_eq")),
    (&["semver_lt"], Op::Text("semver_lt")),
    (&["semver_le", "semver_lte"], Op::Text("semver_le")),
    (&["semver_gt"], Op::Text("semver_gt")),
    (&["semver_ge", "semver_gte"], Op::Text("semver_ge")),
    (&["exists", "present"], Op::Exists),
    (&["matches", "regex"], Op::Text("matches")),
];

impl Op {
    fn known(word: &str) -> Option<Self> {
        let word = snake_case(word.trim_ascii());
        OPERATORS.iter().find(|(words, _)| words.contains(&word.as_str())).map(|(_, op)| *op)
    }
}

/// `notEquals`, `not-equals` and `NOT EQUALS` are `not_equals`.
fn snake_case(word: &str) -> String {
    let (mut snake, mut after_small) = (String::new(), false);
    for character in word.chars() {
        if after_small && character.is_ascii_uppercase() {
            snake.push('_');
        }
        after_small = character.is_ascii_lowercase();
        snake.push(if matches!(character, '-' | ' ') { '_' } else { character.to_ascii_lowercase() });
    }
    snake
}

impl Tests {
    fn of(options: &mut Options<'_>) -> Result<Self> {
        let attribute = name_of(options, "attribute")?;
        let op = match options.get("op") {
            None => "operator".to_owned(),
            Some(at) => at.text("the name of a field")?.to_owned(),
        };
        let values = match options.get("values") {
            None => "value".to_owned(),
            Some(at) => at.text("the name of a field")?.to_owned(),
        };
        let ops = options.get("ops").map_or(Ok(Vec::new()), |at| at.named())?;
        let known = |(word, at): (&str, At<'_>)| match at.value.as_str().and_then(Op::known) {
            Some(op) => Ok((word.to_owned(), op)),
            None => at.expected("an operator such as in, not_in, contains, gt, before, semver_ge or exists"),
        };
        let ops = ops.into_iter().map(known).collect::<Result<_>>()?;
        let join = options.get("join").map_or(Vec::new(), |at| at.one_or_more());
        let join = join.iter().map(|at| Ok(if at.word(&["all", "any"])? == 0 { "all" } else { "any" }));
        let mut join: Vec<&'static str> = join.collect::<Result<_>>()?;
        if join.is_empty() {
            join.push("all");
        }
        Ok(Tests { attribute, op, values, ops, join })
    }

    /// The condition of the column's value, or why it cannot be read; `None` if it has no test.
    pub(crate) fn condition(&self, value: &Value<'_>) -> std::result::Result<Option<Value<'static>>, String> {
        match value {
            Value::List(entries) if entries.is_empty() => Ok(None),
            Value::List(_) => self.joined(value, &self.join).map(Some),
            Value::Object(_) => self.test(value).map(Some),
            _ => Err("is no list of tests, expected an array of objects".to_owned()),
        }
    }

    fn joined(&self, value: &Value<'_>, join: &[&'static str]) -> std::result::Result<Value<'static>, String> {
        let Value::List(entries) = value else { return self.test(value) };
        let Some((join, inner)) = join.split_first() else {
            return Err("has an array inside an array, expected `join` to say for each of them all or any".to_owned());
        };
        let parts = entries.iter().map(|entry| self.joined(entry, inner)).collect::<std::result::Result<_, _>>()?;
        Ok(object([(join, Value::List(parts))]))
    }

    fn test(&self, value: &Value<'_>) -> std::result::Result<Value<'static>, String> {
        let Value::Object(fields) = value else { return Err("has a test that is no object".to_owned()) };
        for (name, value) in fields {
            let known = [&self.attribute, &self.op, &self.values].iter().any(|known| *known == name);
            if !known && name != "id" && name != "description" && !crate::found::is_empty(value) {
                return Err(format!("has {} in a test, which is not read, expected no such field", quoted(name)));
            }
        }
        let times = |wanted: &str| fields.iter().filter(|(name, _)| name == wanted).count();
        if [&self.attribute, &self.op, &self.values].iter().any(|name| times(name) > 1) {
            return Err("has a field twice in a test, expected it once".to_owned());
        }
        let Some(attribute) = value.get(&self.attribute).and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            return Err(format!("has a test without {}, expected the name of an attribute", quoted(&self.attribute)));
        };
        let Some(word) = value.get(&self.op).and_then(Value::as_str) else {
            return Err(format!("has a test without {}, expected an operator", quoted(&self.op)));
        };
        let op = self.ops.iter().find(|(known, _)| known == word).map(|(_, op)| *op).or_else(|| Op::known(word));
        let Some(op) = op else {
            return Err(format!(
                "{} is no operator that is known, expected one, or `ops` to say what it is",
                quoted(word)
            ));
        };
        let operand = value.get(&self.values).unwrap_or(&Value::Null);
        let compared = compared(attribute, op, operand);
        compared.ok_or_else(|| format!("has a value that {} cannot use", quoted(word)))
    }
}

/// One comparison; `None` if the operand does not fit the operator.
fn compared(attribute: &str, op: Op, operand: &Value<'_>) -> Option<Value<'static>> {
    let one = match operand {
        Value::List(entries) => entries.first().filter(|_| entries.len() == 1),
        other => Some(other),
    };
    match op {
        Op::Equals { not } => {
            let equals = equals(attribute, operand)?;
            Some(if not { object([("not", equals)]) } else { equals })
        }
        Op::Texts(op) => {
            let entries = match operand {
                Value::List(entries) => entries.as_slice(),
                other => std::slice::from_ref(other),
            };
            let texts = entries.iter().map(text).collect::<Option<Vec<_>>>()?;
            Some(comparison(attribute, op, "values", Value::List(texts)))
        }
        Op::Number(op) => {
            let number = crate::found::number(one?)?;
            Some(comparison(attribute, op, "value", Value::number(number)?))
        }
        Op::Time(op) => {
            let text = one?.as_str().filter(|text| esclusa::Time::parse(text).is_some())?;
            Some(comparison(attribute, op, "value", text.to_owned().into()))
        }
        Op::Text(op) => Some(comparison(attribute, op, "value", one?.as_str()?.to_owned().into())),
        Op::Exists => {
            let present = object([("attribute", attribute.to_owned().into()), ("op", "present".into())]);
            match operand {
                Value::Null | Value::Bool(true) => Some(present),
                Value::Bool(false) => Some(object([("not", present)])),
                _ => None,
            }
        }
    }
}

/// Texts are compared with `in`, numbers with `eq`, booleans with `is`.
fn equals(attribute: &str, operand: &Value<'_>) -> Option<Value<'static>> {
    let entries = match operand {
        Value::List(entries) => entries.as_slice(),
        other => std::slice::from_ref(other),
    };
    let (mut texts, mut parts) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Value::Text(text) => texts.push(Value::from(text.clone().into_owned())),
            Value::Bool(value) => parts.push(comparison(attribute, "is", "value", (*value).into())),
            Value::Integer(_) | Value::Number(_) => {
                parts.push(comparison(attribute, "eq", "value", entry.clone().into_owned()));
            }
            _ => return None,
        }
    }
    if !texts.is_empty() || parts.is_empty() {
        parts.insert(0, comparison(attribute, "in", "values", Value::List(texts)));
    }
    if parts.len() == 1 { parts.pop() } else { Some(object([("any", Value::List(parts))])) }
}

fn text(value: &Value<'_>) -> Option<Value<'static>> {
    match value {
        Value::Text(text) => Some(text.clone().into_owned().into()),
        Value::Integer(number) => Some(number.to_string().into()),
        _ => None,
    }
}

fn comparison(attribute: &str, op: &'static str, operand: &'static str, value: Value<'static>) -> Value<'static> {
    object([("attribute", attribute.to_owned().into()), ("op", op.into()), (operand, value)])
}

/// The condition that an attribute is one of these.
pub(crate) fn is_in(attribute: &str, values: Vec<String>) -> Value<'static> {
    comparison(attribute, "in", "values", values.into())
}

pub(crate) fn object<'v, const N: usize>(fields: [(&'static str, Value<'v>); N]) -> Value<'v> {
    Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// The condition that all of them hold.
pub(crate) fn all(mut parts: Vec<Value<'_>>) -> Value<'_> {
    if parts.len() == 1
        && let Some(part) = parts.pop()
    {
        return part;
    }
    object([("all", Value::List(parts))])
}
