//! Rows of one key become one flag (M26 to M33): the most specific row decides.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use esclusa::Value;

use crate::found::{Found, is_empty};
use crate::mapping::Plan;
use crate::native::{KEY, NAME, Native};
use crate::row::Row;
use crate::rules::Folded;
use crate::specific::{Outcome, Specific, Units, is_harmless, is_later, key_text};
use crate::translation::reads_as;
use crate::understanding::Origin;

/// The rows of one key.
#[derive(Debug)]
struct Group<'v> {
    origin: Origin<'v>,
    /// General rows, each with the value that decides which is the latest.
    general: Vec<(Native<'v>, Option<Value<'v>>)>,
    specifics: Vec<Specific<'v>>,
    /// Unread columns of specific rows.
    others: Vec<(Cow<'v, str>, Value<'v>)>,
    /// Why the flag is withheld.
    unreadable: Option<String>,
}

/// A row of a side table.
#[derive(Debug)]
struct SideRow<'v> {
    side: usize,
    flag: String,
    specific: Result<Specific<'v>, String>,
}

/// Rows that are collected until all of their key are known.
#[derive(Debug, Default)]
pub(crate) struct Folding<'v> {
    waits: bool,
    groups: Vec<Group<'v>>,
    by_key: HashMap<Cow<'v, str>, usize>,
    /// The groups by the value that a side table refers to.
    by_name: HashMap<(usize, String), Vec<usize>>,
    side_rows: Vec<SideRow<'v>>,
    strangers: BTreeMap<String, u64>,
}

impl<'v> Folding<'v> {
    pub(crate) fn new(plan: &Plan) -> Self {
        Folding { waits: plan.fold.is_some() || !plan.side.is_empty(), ..Folding::default() }
    }

    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// Rows of side tables that refer to no flag, by table.
    pub(crate) fn strangers(self) -> BTreeMap<String, u64> {
        self.strangers
    }

    /// Takes a row of the flags' table, translated to a flag.
    pub(crate) fn row(&mut self, row: &Row<'_, 'v>, mut native: Native<'v>, origin: Origin<'v>, has_enabled: bool) {
        let plan = row.plan;
        let at = self.group(plan, origin);
        for (number, side) in plan.side.iter().enumerate().filter(|(_, side)| side.table.is_some()) {
            let name = match &side.to {
                Some(column) => key_text(row.find(column).value()),
                None => key_text(native.get(KEY).filter(|key| !key.is_null()).or_else(|| native.get(NAME))),
            };
            let groups = name.map(|name| self.by_name.entry((number, name)).or_default());
            if let Some(groups) = groups.filter(|groups| groups.last() != Some(&at)) {
                groups.push(at);
            }
        }
        let Some(group) = self.groups.get_mut(at) else { return };
        for side in &plan.side {
            if let Some(column) = &side.column
                && let Err(problem) = of_object(&row.find(column), side, &mut group.specifics)
            {
                group.unreadable.get_or_insert(format!("{} {problem}", plan.columns.label(column)));
            }
        }
        let (units, latest) = match &plan.fold {
            None => (Ok(Units::new()), None),
            Some(fold) => {
                let latest = fold.latest.as_ref().and_then(|column| row.find(column).value().cloned());
                (row.units(fold), latest)
            }
        };
        let specific = match units {
            Ok(units) if units.is_empty() => return group.general.push((native, latest)),
            Ok(units) => row.outcome(&mut native, has_enabled).map(|outcome| (units, outcome)),
            Err(problem) => Err(problem),
        };
        group.others.extend(native.others.into_iter().filter(|(name, value)| !is_harmless(name, value)));
        match specific {
            Ok((units, outcome)) => group.specifics.push(Specific { units, outcome, latest }),
            Err(problem) => drop(group.unreadable.get_or_insert(problem)),
        }
    }

    fn group(&mut self, plan: &Plan, origin: Origin<'v>) -> usize {
        let new = self.groups.len();
        if plan.fold.is_some() {
            let at = *self.by_key.entry(origin.key.clone()).or_insert(new);
            if at < new {
                return at;
            }
        }
        let (general, specifics, others) = (Vec::new(), Vec::new(), Vec::new());
        self.groups.push(Group { origin, general, specifics, others, unreadable: None });
        new
    }

    /// Takes a row of another table.
    pub(crate) fn side_row(&mut self, plan: &Plan, table: &str, row: &Value<'v>) {
        for (number, side) in plan.side.iter().enumerate().filter(|(_, side)| side.table.as_deref() == Some(table)) {
            let Some(flag) = key_text(row.get(&side.flag)) else {
                *self.strangers.entry(table.to_owned()).or_default() += 1;
                continue;
            };
            if let Some(specific) = of_side(side, row).transpose() {
                self.side_rows.push(SideRow { side: number, flag, specific });
            }
        }
    }

    /// The flags of all rows.
    pub(crate) fn flags(&mut self, plan: &Plan) -> Vec<(Native<'v>, Origin<'v>)> {
        for SideRow { side, flag, specific } in std::mem::take(&mut self.side_rows) {
            let table = plan.side.get(side).and_then(|side| side.table.clone()).unwrap_or_default();
            let groups = self.by_name.get(&(side, flag)).cloned().unwrap_or_default();
            if groups.is_empty() {
                *self.strangers.entry(table.clone()).or_default() += 1;
            }
            for at in groups {
                let Some(group) = self.groups.get_mut(at) else { continue };
                match &specific {
                    Ok(specific) => group.specifics.push(specific.clone()),
                    Err(problem) => drop(group.unreadable.get_or_insert(format!("{table} {problem}"))),
                }
            }
        }
        std::mem::take(&mut self.groups).into_iter().map(|group| group.flag(plan)).collect()
    }
}

impl<'v> Group<'v> {
    fn flag(self, plan: &Plan) -> (Native<'v>, Origin<'v>) {
        let Group { origin, general, specifics, others, unreadable } = self;
        let mut problem = unreadable;
        let (general, many) = latest_general(general);
        if many {
            problem = problem.or(Some("several rows of this key are for everybody and differ".to_owned()));
        }
        let without_general_is_on = plan.fold.as_ref().is_some_and(|fold| fold.without_general_is_on);
        let mut native = match distinct(specifics) {
            Ok(specifics) if problem.is_none() => {
                let kept = general.clone().filter(|_| !specifics.is_empty());
                let (key, ranks, window) = (&origin.key, &plan.ranks, [None, None]);
                let folded = Folded { key, general, specifics, without_general_is_on, ranks, window };
                folded.flag().unwrap_or_else(|why| {
                    problem = Some(why);
                    kept.unwrap_or_else(|| blank(&origin.key))
                })
            }
            Ok(_) => general.unwrap_or_else(|| blank(&origin.key)),
            Err(why) => {
                problem = problem.or(Some(why));
                general.unwrap_or_else(|| blank(&origin.key))
            }
        };
        if !native.has(KEY) && !native.has(NAME) {
            native.set(NAME, Value::Text(origin.key.clone()));
        }
        if let Some(problem) = problem {
            native.withhold(&plan.fold_label(), &format!("{problem}, expected rows that can be told apart"));
        }
        native.others.extend(others);
        (native, origin)
    }
}

/// A flag that is on and has a key only.
fn blank<'v>(key: &Cow<'v, str>) -> Native<'v> {
    let mut native = Native::default();
    native.set(NAME, Value::Text(key.clone()));
    native.set(crate::native::ENABLED, true.into());
    native
}

/// The general row: of several the latest, or an error if they differ.
fn latest_general<'v>(general: Vec<(Native<'v>, Option<Value<'v>>)>) -> (Option<Native<'v>>, bool) {
    let mut rows = general.into_iter();
    let Some((mut chosen, mut latest)) = rows.next() else { return (None, false) };
    let mut differs = false;
    for (other, time) in rows {
        match latest.as_ref().zip(time.as_ref()).and_then(|(latest, time)| is_later(time, latest)) {
            Some(true) => (chosen, latest, differs) = (other, time, false),
            Some(false) => {}
            None => differs |= written(&chosen) != written(&other),
        }
    }
    (Some(chosen), differs)
}

fn written(native: &Native<'_>) -> String {
    let mut value = Value::Null;
    native.clone().write(&mut value);
    if let Value::Object(fields) = &mut value {
        fields.retain(|(name, value)| !is_harmless(name, value));
    }
    value.into_canonical().to_json()
}

/// One row for the same callers: equal ones count once, of different ones the latest (M31).
fn distinct(specifics: Vec<Specific<'_>>) -> Result<Vec<Specific<'_>>, String> {
    let mut chosen: BTreeMap<Units, (Specific<'_>, bool)> = BTreeMap::new();
    for mut specific in specifics {
        specific.units.sort_unstable();
        match chosen.get_mut(&specific.units) {
            None => drop(chosen.insert(specific.units.clone(), (specific, false))),
            Some((known, differs)) => {
                let is_later =
                    known.latest.as_ref().zip(specific.latest.as_ref()).and_then(|(known, new)| is_later(new, known));
                match is_later {
                    Some(true) => (*known, *differs) = (specific, false),
                    Some(false) => {}
                    None => *differs |= known.outcome != specific.outcome,
                }
            }
        }
    }
    if chosen.values().any(|(_, differs)| *differs) {
        return Err("several rows of this key are for the same callers and differ".to_owned());
    }
    Ok(chosen.into_values().map(|(specific, _)| specific).collect())
}

/// The rows that an object of ids, or an array of ids, stands for.
fn of_object<'v>(
    found: &Found<'_, 'v>,
    side: &crate::folding::Side,
    specifics: &mut Vec<Specific<'v>>,
) -> Result<(), &'static str> {
    let Some((unit, _)) = side.units.first() else { return Ok(()) };
    let opened = match found {
        Found::Empty => return Ok(()),
        Found::Unreadable => return Err("is no object of ids"),
        Found::Here(value) => crate::found::json_of(value).unwrap_or_else(|| (*value).clone()),
    };
    let mut add = |id: String, on: bool| {
        let units = vec![(unit.clone(), id)];
        specifics.push(Specific { units, outcome: Outcome::of_side(on), latest: None });
    };
    match &opened {
        Value::Object(fields) => {
            for (id, value) in fields.iter().filter(|(_, value)| !is_empty(value)) {
                let on =
                    reads_as(&Found::Here(value), &side.words).ok_or("has a value that says neither on nor off")?;
                add(id.trim_ascii().to_owned(), on);
            }
            Ok(())
        }
        Value::List(_) => {
            let ids = crate::values::list(&opened, &crate::entries::ListOptions::default());
            ids.ok_or("has an id that is none")?.into_iter().for_each(|id| add(id, true));
            Ok(())
        }
        _ => Err("is no object of ids"),
    }
}

/// The outcome of a row of a side table; `None` if the row is skipped.
fn of_side<'v>(side: &crate::folding::Side, row: &Value<'v>) -> Result<Option<Specific<'v>>, String> {
    let column = |name: &str| match row.get(name).filter(|value| !is_empty(value)) {
        Some(value) => Found::Here(value),
        None => Found::Empty,
    };
    let on = match &side.enabled {
        None => true,
        Some(name) => match column(name) {
            Found::Empty => return Ok(None),
            found => reads_as(&found, &side.words).ok_or_else(|| format!("has {name} that says neither on nor off"))?,
        },
    };
    let mut units = Units::new();
    for (unit, name) in &side.units {
        if let Found::Here(value) = column(name) {
            units.push((unit.clone(), crate::found::id(value).ok_or_else(|| format!("has {name} that is no id"))?));
        }
    }
    if units.is_empty() {
        return Err("has a row without an id".to_owned());
    }
    let mut outcome = Outcome::of_side(on);
    for (slot, time) in outcome.window.iter_mut().zip([&side.from, &side.until]) {
        if let Some((name, options)) = time
            && let Found::Here(value) = column(name)
        {
            *slot = Some(crate::values::time(value, options).unwrap_or_else(|| value.clone()));
        }
    }
    Ok(Some(Specific { units, outcome, latest: None }))
}
