//! Definitions, read from the rows in the simplest way, and the expected answer of each user.
//!
//! This is the demo's own reading of sections 2 and 7 of SEMANTICS.md, without the engine: it computes no bucket, only
//! probabilities. The engine's answers are measured against it.

use esclusa::{Time, Value};

use super::Problem;
use super::condition::Condition;
use super::population::Person;

/// All flags, in the order of the rows.
pub(super) struct Definitions(Vec<Definition>);

pub(super) struct Definition {
    pub(super) key: String,
    /// The state of the row: `active`, `completed`, or why the flag is off for everyone.
    pub(super) state: &'static str,
    pub(super) by: Unit,
    pub(super) variants: Vec<(String, f64)>,
    off: bool,
    share: f64,
    targets: Vec<(&'static str, Vec<String>)>,
    /// Users and companies for which the flag is off or on regardless of the targets.
    overrides: [[Vec<String>; 2]; 2],
    prerequisites: Vec<(usize, Wanted)>,
    rules: Vec<Rule>,
}

/// What is bucketed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Unit {
    User,
    Company,
}

enum Wanted {
    On,
    Off,
    Variants(Vec<String>),
}

struct Rule {
    when: Condition,
    share: f64,
    by: Unit,
    /// Empty for a choice by the flag's weights.
    serve: Vec<(String, f64)>,
}

/// The probability that a flag is on for a user of its audience: the buckets of the company and of the user are
/// independent, and both must be inside.
#[derive(Clone, Copy)]
pub(super) struct Odds<'d> {
    pub(super) company: f64,
    pub(super) user: f64,
    /// The variants with their probabilities, if the flag is on, and the unit that chooses.
    pub(super) choice: (&'d [(String, f64)], Unit),
}

impl Definitions {
    pub(super) fn read(rows: &[Value<'static>], at: Time) -> Result<Self, Problem> {
        let keys: Vec<&str> = rows.iter().map(|row| text(row, "name").unwrap_or_default()).collect();
        let read = |(place, row)| {
            Definition::read(row, &keys, at)
                .map_err(|part| Problem::Failure(format!("`/{place}`: the demo cannot foresee {part}")))
        };
        rows.iter().enumerate().map(read).collect::<Result<_, _>>().map(Definitions)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Definition> {
        self.0.iter()
    }

    /// The probability that the flag is on for a user, or `None` outside of its audience.
    pub(super) fn odds(&self, flag: usize, person: &Person<'_>) -> Option<Odds<'_>> {
        let flag = self.0.get(flag).filter(|flag| !flag.off)?;
        let mut odds = Odds { company: 1.0, user: 1.0, choice: (&flag.variants, flag.by) };
        for (other, wanted) in &flag.prerequisites {
            odds.demand(self.odds(*other, person), wanted)?;
        }
        let [off, on] = flag
            .overrides
            .each_ref()
            .map(|[users, companies]| users.contains(&person.user.id) || companies.contains(&person.company.id));
        if off {
            return None;
        } else if on {
            return Some(odds);
        }
        let targeted = |(name, list): &(&str, Vec<String>)| {
            let value = person.value(name);
            list.is_empty() || value.as_str().is_some_and(|text| list.iter().any(|wanted| wanted == text))
        };
        if !flag.targets.iter().all(targeted) {
            return None;
        }
        odds.admit(flag.share, flag.by);
        if !flag.rules.is_empty() {
            let rule = flag.rules.iter().find(|rule| rule.when.truth(person) == Some(true))?;
            odds.admit(rule.share, rule.by);
            odds.choice = (if rule.serve.is_empty() { &flag.variants } else { &rule.serve }, rule.by);
        }
        Some(odds)
    }
}

impl Odds<'_> {
    fn admit(&mut self, share: f64, by: Unit) {
        match by {
            Unit::User => self.user *= share,
            Unit::Company => self.company *= share,
        }
    }

    /// The other flag must have the wanted answer; `None` if it cannot have it.
    fn demand(&mut self, other: Option<Odds<'_>>, wanted: &Wanted) -> Option<()> {
        match (other, wanted) {
            (None, Wanted::Off) => {}
            (None, _) => return None,
            (Some(other), Wanted::Off) if other.user * other.company >= 1.0 => return None,
            (Some(other), Wanted::Off) if other.user >= 1.0 => self.company *= 1.0 - other.company,
            (Some(other), Wanted::Off) => self.user *= 1.0 - other.user * other.company,
            (Some(other), Wanted::On) => {
                self.company *= other.company;
                self.user *= other.user;
            }
            (Some(other), Wanted::Variants(keys)) => {
                self.company *= other.company;
                self.user *= other.user;
                let (variants, by) = other.choice;
                self.admit(variants.iter().filter(|(key, _)| keys.contains(key)).map(|(_, share)| share).sum(), by);
            }
        }
        Some(())
    }
}

impl Definition {
    fn read(row: &Value<'static>, keys: &[&str], at: Time) -> Result<Self, String> {
        let by = Unit::read(row)?.unwrap_or(Unit::User);
        let status = text(row, "status").unwrap_or("active");
        let time = |name| text(row, name).and_then(Time::parse);
        let is_enabled = row.get("enabled").and_then(Value::as_bool) == Some(true);
        let (off, state) = match status {
            "draft" => (true, "draft"),
            "paused" => (true, "paused"),
            "rolled_back" => (true, "rolled back"),
            _ if !is_enabled => (true, "disabled"),
            _ if time("start_date").is_some_and(|start| at < start) => (true, "early"),
            _ if time("end_date").is_some_and(|end| at >= end) => (true, "ended"),
            "completed" => (false, "completed"),
            _ => (false, "active"),
        };
        let mut share = percentage(row);
        for step in list(row, "schedule") {
            if text(step, "at").and_then(Time::parse).is_some_and(|from| from <= at) {
                share = percentage(step);
            }
        }
        let targets = [
            ("plan", "target_plans"),
            ("role", "target_roles"),
            ("company", "target_companies"),
            ("region", "target_regions"),
            ("user", "target_users"),
        ];
        let overridden = |side: &str| {
            let side = row.get("overrides").and_then(|overrides| overrides.get(side)).cloned().unwrap_or_default();
            [texts(&side, "users"), texts(&side, "companies")]
        };
        let weighed: Vec<(String, f64)> = shares(list(row, "variants"), "key");
        Ok(Definition {
            key: text(row, "name").unwrap_or_default().to_owned(),
            state,
            by,
            off,
            share: if status == "completed" { 1.0 } else { share },
            targets: targets.map(|(name, column)| (name, texts(row, column))).into(),
            overrides: [overridden("off"), overridden("on")],
            prerequisites: list(row, "prerequisites")
                .iter()
                .filter_map(|prerequisite| Wanted::read(prerequisite, keys))
                .collect(),
            rules: list(row, "rules").iter().map(|rule| Rule::read(rule, by)).collect::<Result<_, _>>()?,
            variants: weighed,
        })
    }

    pub(super) fn is_off(&self) -> bool {
        self.off
    }
}

impl Unit {
    fn read(row: &Value<'_>) -> Result<Option<Self>, String> {
        match text(row, "bucket_by") {
            None => Ok(None),
            Some("user" | "targetingKey") => Ok(Some(Unit::User)),
            Some("company") => Ok(Some(Unit::Company)),
            Some(other) => Err(format!("buckets by `{other}`")),
        }
    }
}

impl Wanted {
    fn read(prerequisite: &Value<'static>, keys: &[&str]) -> Option<(usize, Self)> {
        let flag = text(prerequisite, "flag")?;
        let flag = keys.iter().position(|key| *key == flag)?;
        Some(match prerequisite.get("on").and_then(Value::as_bool) {
            Some(true) => (flag, Wanted::On),
            Some(false) => (flag, Wanted::Off),
            None => (flag, Wanted::Variants(texts(prerequisite, "variants"))),
        })
    }
}

impl Rule {
    fn read(rule: &Value<'static>, flag_by: Unit) -> Result<Self, String> {
        let when = rule.get("when").ok_or("a rule without a condition")?;
        let serve = match text(rule, "variant") {
            Some(variant) => vec![(variant.to_owned(), 1.0)],
            None => shares(list(rule, "split"), "variant"),
        };
        let by = Unit::read(rule)?.unwrap_or(flag_by);
        Ok(Rule { when: Condition::read(when)?, share: percentage(rule), by, serve })
    }
}

/// Weights as shares of their sum.
fn shares(entries: &[Value<'_>], key: &str) -> Vec<(String, f64)> {
    let weight = |entry: &Value<'_>| entry.get("weight").and_then(Value::as_f64).unwrap_or(1.0);
    let sum: f64 = entries.iter().map(weight).sum();
    entries.iter().map(|entry| (text(entry, key).unwrap_or_default().to_owned(), weight(entry) / sum)).collect()
}

/// `rollout_percentage` as a share of 1; everyone if it is absent.
fn percentage(fields: &Value<'_>) -> f64 {
    let column = fields.get("rollout_percentage");
    let number = column.and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()));
    number.map_or(1.0, |percentage| percentage / 100.0)
}

fn text<'v>(fields: &'v Value<'_>, name: &str) -> Option<&'v str> {
    fields.get(name).and_then(Value::as_str)
}

fn list<'v>(fields: &'v Value<'static>, name: &str) -> &'v [Value<'static>] {
    fields.get(name).and_then(Value::as_list).unwrap_or_default()
}

fn texts(fields: &Value<'static>, name: &str) -> Vec<String> {
    list(fields, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
