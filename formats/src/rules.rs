//! The native form of rows of one key (M33): a target list, overrides, or rules.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use esclusa::Value;
use esclusa::limit::MAX_RULES;

use crate::conditions::{all, is_in, object};
use crate::entries::{ListOptions, ShareOptions};
use crate::found::is_empty;
use crate::native::{ENABLED, FIRST_TARGET, Native, RULES, SCHEDULE, SHARE, START, STATUS};
use crate::specific::{ATTRIBUTES, Bucket, Outcome, Specific, Window, extras, is_alike};
use crate::values::{self, EVERYBODY, Share, share};

/// The rows of one key, each once.
pub(crate) struct Folded<'f, 'v> {
    pub(crate) key: &'f str,
    pub(crate) general: Option<Native<'v>>,
    pub(crate) specifics: Vec<Specific<'v>>,
    pub(crate) without_general_is_on: bool,
    /// The units in their order of precedence.
    pub(crate) ranks: &'f [String],
    /// The window of all rows, if there is no general row.
    pub(crate) window: Window<'v>,
}

impl<'v> Folded<'_, 'v> {
    /// The flag, or why there is none.
    pub(crate) fn flag(mut self) -> Result<Native<'v>, String> {
        if self.specifics.is_empty() {
            return Ok(self.general.unwrap_or_default());
        }
        let is_flags = self.take_window()?;
        self.served()?;
        if !is_flags {
            return self.rules();
        }
        if self.general.is_none()
            && !self.without_general_is_on
            && let Some(native) = self.target_list()
        {
            return Ok(native);
        }
        if self.are_overrides() { Ok(self.overrides()) } else { self.rules() }
    }

    /// Whether all rows have the flag's window, which the flag then takes; if not, each rule has its own.
    fn take_window(&mut self) -> Result<bool, String> {
        let none = [None, None];
        let first = self.specifics.first().map_or(&none, |specific| &specific.outcome.window).clone();
        let is_same = self.specifics.iter().all(|specific| specific.outcome.window == first);
        let fits = match &self.general {
            None => is_same && (first == none || !self.without_general_is_on),
            Some(general) => {
                let own = [START, START + 1].map(|field| general.get(field).filter(|value| !is_empty(value)).cloned());
                self.specifics.iter().all(|specific| specific.outcome.window == none || specific.outcome.window == own)
            }
        };
        if !fits {
            let mut times = self.specifics.iter().flat_map(|specific| specific.outcome.window.iter().flatten());
            return if times.all(values::is_time) {
                Ok(false)
            } else {
                Err("a row for some callers has a time that cannot be read".to_owned())
            };
        }
        self.specifics.iter_mut().for_each(|specific| specific.outcome.window = [None, None]);
        if self.general.is_none() {
            self.window = first;
        }
        Ok(true)
    }

    /// Rows that are on serve the same values (M32).
    fn served(&self) -> Result<(), String> {
        let own = match &self.general {
            Some(general) => Some(extras(general)),
            None => self.on().find_map(|specific| specific.outcome.extras.clone()),
        };
        let is_same = |specific: &Specific<'v>| match (&specific.outcome.extras, &own) {
            (Some(extras), Some(own)) => is_alike(extras, own),
            _ => true,
        };
        let is_same = self.on().all(is_same);
        if is_same { Ok(()) } else { Err("rows for some callers serve other values, which cannot be said".to_owned()) }
    }

    fn on(&self) -> impl Iterator<Item = &Specific<'v>> {
        self.specifics.iter().filter(|specific| !specific.outcome.is_off())
    }

    /// The part that holds for every caller, if there is no general row.
    fn shell(&self) -> Native<'v> {
        let mut native = Native::default();
        native.set(ENABLED, true.into());
        let shown = self.on().next().or(self.specifics.first());
        if let Some(Specific { outcome, .. }) = shown {
            for (field, value) in outcome.extras.iter().flatten() {
                native.set(*field, value.clone());
            }
        }
        for (at, time) in self.window.iter().enumerate() {
            if let Some(time) = time {
                native.set(START + at, time.clone());
            }
        }
        native
    }

    /// Form (i): one unit, and all rows that are on are equal but for their ids.
    fn target_list(&self) -> Option<Native<'v>> {
        let unit = self.specifics.first()?.units.first()?.0.clone();
        let target = ATTRIBUTES.iter().position(|attribute| *attribute == unit)?;
        let is_one = |specific: &Specific<'v>| matches!(specific.units.as_slice(), [(other, _)] if *other == unit);
        if !self.specifics.iter().all(is_one) {
            return None;
        }
        let mut native = self.shell();
        let Some(Specific { outcome, .. }) = self.on().next() else {
            native.nobody();
            return Some(native);
        };
        let has_list = outcome.targets.iter().any(|(other, _)| *other == target);
        if has_list || self.on().any(|specific| specific.outcome != *outcome) {
            return None;
        }
        // A caller may have several roles, and one that is off excludes the caller.
        if unit == "role" && self.specifics.iter().any(|specific| specific.outcome.is_off()) {
            return None;
        }
        let ids: Vec<String> = self.on().flat_map(|specific| specific.units.iter().map(|(_, id)| id.clone())).collect();
        native.set(FIRST_TARGET + target, ids.into());
        for (target, list) in &outcome.targets {
            native.set(FIRST_TARGET + target, list.clone().into());
        }
        if outcome.share < EVERYBODY {
            native.set(SHARE, values::percentage(outcome.share));
        }
        native.conditions = outcome.conditions.clone();
        Some(native)
    }

    /// Whether form (ii) fits: users and companies that are on or off, without contradictions.
    fn are_overrides(&self) -> bool {
        let mut sides = [[false; 2]; 2];
        for specific in &self.specifics {
            let at = match specific.units.as_slice() {
                [(unit, _)] if unit == "user" => 0,
                [(unit, _)] if unit == "company" => 1,
                _ => return false,
            };
            if !specific.outcome.is_plain() {
                return false;
            }
            if let Some(side) =
                sides.get_mut(at).and_then(|sides| sides.get_mut(usize::from(specific.outcome.is_off())))
            {
                *side = true;
            }
        }
        let [[user_on, user_off], [company_on, company_off]] = sides;
        !(user_on && company_off || user_off && company_on)
    }

    fn overrides(mut self) -> Native<'v> {
        let mut native = self.general.take().unwrap_or_else(|| {
            let mut native = self.shell();
            if !self.without_general_is_on {
                native.nobody();
            }
            native
        });
        for specific in self.specifics {
            let off = if specific.outcome.is_off() { 2 } else { 0 };
            for (unit, id) in specific.units {
                if let Some(list) = native.overrides.get_mut(off + usize::from(unit == "company"))
                    && !list.contains(&id)
                {
                    list.push(id);
                }
            }
        }
        native
    }

    /// Form (iii): rules, the most specific rows first, and the general row last.
    fn rules(mut self) -> Result<Native<'v>, String> {
        let general = self.general.take();
        let mut last = Vec::new();
        let mut native = match general {
            Some(mut native) => {
                last = general_rules(&mut native, self.key)?;
                native
            }
            None => {
                if self.without_general_is_on {
                    last.push(rule("general".to_owned(), Vec::new(), false));
                }
                self.shell()
            }
        };
        let bucket = Bucket::of(&native, self.key);
        let mut rules = self.specific_rules(&bucket);
        rules.extend(last);
        if rules.len() > MAX_RULES {
            return Err(format!("{} rules would be needed, at most {MAX_RULES} can be", rules.len()));
        }
        native.set(RULES, Value::List(rules));
        Ok(native)
    }

    fn specific_rules(&self, bucket: &Bucket) -> Vec<Value<'v>> {
        let rank = |unit: &String| self.ranks.iter().position(|known| known == unit).unwrap_or(usize::MAX);
        let mut levels: BTreeMap<(Reverse<usize>, Vec<usize>), Vec<&Specific<'v>>> = BTreeMap::new();
        for specific in &self.specifics {
            let mut ranks: Vec<usize> = specific.units.iter().map(|(unit, _)| rank(unit)).collect();
            ranks.sort_unstable();
            levels.entry((Reverse(ranks.len()), ranks)).or_default().push(specific);
        }
        let mut rules = Vec::new();
        for ((_, ranks), level) in levels {
            let name = ranks.iter().map(|rank| self.ranks.get(*rank).map_or("unit", String::as_str));
            let name = name.collect::<Vec<_>>().join("-");
            level_rules(&name, &level, bucket, &mut rules);
        }
        rules
    }
}

/// The rules of rows for the same kind of callers: first those that are off, because a caller may have several roles;
/// then one for each outcome; last one that excludes the rest of these callers.
fn level_rules<'v>(name: &str, level: &[&Specific<'v>], bucket: &Bucket, rules: &mut Vec<Value<'v>>) {
    let off = level.iter().copied().filter(|specific| specific.outcome.is_off());
    rules.extend(off_rules(&format!("{name}-off"), off));
    let mut outcomes: Vec<(&Outcome<'v>, Vec<&Specific<'v>>)> = Vec::new();
    for specific in level.iter().copied().filter(|specific| !specific.outcome.is_off()) {
        match outcomes.iter_mut().find(|(outcome, _)| **outcome == specific.outcome) {
            Some((_, specifics)) => specifics.push(specific),
            None => outcomes.push((&specific.outcome, vec![specific])),
        }
    }
    let mut partly = Vec::new();
    for (at, (outcome, specifics)) in outcomes.into_iter().enumerate() {
        let mut conditions = vec![callers(&specifics)];
        conditions.extend(now(&outcome.window));
        conditions.extend(outcome.all_conditions(bucket));
        let key = if at == 0 { format!("{name}-on") } else { format!("{name}-on-{}", at + 1) };
        rules.push(rule(key, conditions, false));
        if !outcome.is_plain() {
            partly.extend(specifics);
        }
    }
    rules.extend(off_rules(&format!("{name}-rest"), partly.into_iter()));
}

/// A rule that is off for each window of these rows.
fn off_rules<'s, 'v: 's>(name: &str, rows: impl Iterator<Item = &'s Specific<'v>>) -> Vec<Value<'v>> {
    let mut windows: Vec<(&Window<'v>, Vec<&Specific<'v>>)> = Vec::new();
    for specific in rows {
        match windows.iter_mut().find(|(window, _)| **window == specific.outcome.window) {
            Some((_, specifics)) => specifics.push(specific),
            None => windows.push((&specific.outcome.window, vec![specific])),
        }
    }
    let rule = |(at, (window, specifics)): (usize, (&Window<'v>, Vec<&Specific<'v>>))| {
        let key = if at == 0 { name.to_owned() } else { format!("{name}-{}", at + 1) };
        rule(key, std::iter::once(callers(&specifics)).chain(now(window)).collect(), true)
    };
    windows.into_iter().enumerate().map(rule).collect()
}

/// The condition that the time is in the row's window (4.16).
fn now<'v>(window: &Window<'v>) -> Option<Value<'v>> {
    let times = ["from", "to"].into_iter().zip(window);
    let fields: Vec<_> = times.filter_map(|(name, time)| Some((name.into(), time.clone()?))).collect();
    (!fields.is_empty()).then(|| object([("now", Value::Object(fields))]))
}

fn rule<'v>(key: String, conditions: Vec<Value<'v>>, off: bool) -> Value<'v> {
    let mut fields = vec![("key".into(), key.into()), ("when".into(), all(conditions))];
    if off {
        fields.push(("rollout_percentage".into(), 0.into()));
    }
    Value::Object(fields)
}

/// The condition that the caller is one of those for whom the rows apply.
fn callers<'v>(specifics: &[&Specific<'v>]) -> Value<'v> {
    let mut by_unit: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut pairs = Vec::new();
    for specific in specifics {
        match specific.units.as_slice() {
            [(unit, id)] => by_unit.entry(unit).or_default().push(id.clone()),
            units => pairs.push(all(units.iter().map(|(unit, id)| is_in(unit, vec![id.clone()])).collect())),
        }
    }
    let mut parts: Vec<Value<'v>> = by_unit.into_iter().map(|(unit, ids)| is_in(unit, ids)).collect();
    parts.extend(pairs);
    if parts.len() == 1
        && let Some(part) = parts.pop()
    {
        return part;
    }
    object([("any", Value::List(parts))])
}

/// The rules of the general row, with its targets and its share as conditions: a specific row replaces both.
fn general_rules<'v>(native: &mut Native<'v>, key: &str) -> Result<Vec<Value<'v>>, String> {
    if native.has(SCHEDULE) {
        return Err("a schedule beside rows for some callers cannot be said".to_owned());
    }
    let mut own = std::mem::take(&mut native.conditions);
    if !native.notes.is_empty() {
        // An unreadable value stays in its field, so that it is reported.
        return Ok(Vec::new());
    }
    let mut conditions = Vec::new();
    for (target, attribute) in ATTRIBUTES.into_iter().enumerate() {
        let field = FIRST_TARGET + target;
        let list = native.get(field).filter(|value| !is_empty(value) && value.as_list().is_some());
        if let Some(list) = list.and_then(|value| values::list(value, &ListOptions::default())) {
            native.remove(field);
            conditions.push(is_in(attribute, list));
        }
    }
    conditions.append(&mut own);
    let status = native.get(STATUS).and_then(crate::found::word);
    let is_completed = status.is_some_and(|status| status == "completed");
    let bucket = Bucket::of(native, key);
    match native.get(SHARE).filter(|value| !is_empty(value)).map(|value| share(value, &ShareOptions::default())) {
        Some(Share::Thousandths(share)) => {
            native.remove(SHARE);
            if share == 0 && !is_completed {
                return Ok(Vec::new());
            }
            if share < EVERYBODY && !is_completed {
                conditions.push(bucket.admits(share));
            }
        }
        Some(_) => return Ok(Vec::new()),
        None => {}
    }
    match native.remove(RULES) {
        Some(Value::List(rules)) if !rules.is_empty() => {
            Ok(rules.into_iter().map(|rule| crate::native::with_conditions(rule, &conditions)).collect())
        }
        _ => Ok(vec![rule("general".to_owned(), conditions, false)]),
    }
}
