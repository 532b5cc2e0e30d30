//! The steps of section 7, one after the other, over the flag's JSON.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::conditions::{Sight, Truth};
use super::hits::Hits;
use super::json::Json;
use super::publishing::{Fate, Set};
use super::{contexts, operands, written};

/// A resolution (7.18).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) enabled: bool,
    pub(crate) value: Json,
    pub(crate) variant: Option<String>,
    pub(crate) reason: &'static str,
    pub(crate) error: Option<&'static str>,
}

impl Answer {
    pub(crate) fn none(error: &'static str) -> Self {
        Answer { enabled: false, value: Json::Null, variant: None, reason: "ERROR", error: Some(error) }
    }

    pub(crate) fn to_value(&self) -> serde_json::Value {
        serde_json::json!({
            "enabled": self.enabled,
            "value": self.value.to_value(),
            "variant": self.variant,
            "reason": self.reason,
            "error": self.error,
        })
    }
}

/// The bucket of a unit in a salt (6.1).
pub(crate) fn bucket(unit: &str, salt: &str) -> u64 {
    let unit = xxh3_64(unit.as_bytes());
    let salt = xxh3_64(salt.as_bytes());
    let hash = xxh3_64_with_seed(&unit.to_le_bytes(), salt);
    ((u128::from(hash) * 100_000) >> 64) as u64
}

/// How many buckets each weight gets (6.6).
fn sizes(weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let exact = |weight: &u64| u128::from(*weight) * 100_000;
    let mut sizes: Vec<u64> = weights.iter().map(|weight| (exact(weight) / sum) as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    // The sort keeps the order of equal remainders.
    order.sort_by_key(|at| std::cmp::Reverse(exact(&weights[*at]) % sum));
    let left = 100_000 - sizes.iter().sum::<u64>();
    for at in order.into_iter().take(left as usize) {
        sizes[at] += 1;
    }
    sizes
}

/// What says no, with the reason and the error.
type No = (&'static str, Option<&'static str>);

const NO_UNIT: No = ("ERROR", Some("TARGETING_KEY_MISSING"));

pub(crate) struct Resolving<'s> {
    pub(crate) set: &'s Set,
    pub(crate) context: &'s Json,
    pub(crate) now: i64,
    pub(crate) hits: &'s Hits,
}

impl Resolving<'_> {
    pub(crate) fn resolve(&self, key: &str) -> Answer {
        let Some(entry) = self.set.flags.iter().find(|entry| entry.key == key) else {
            return Answer::none("FLAG_NOT_FOUND");
        };
        match &entry.fate {
            Fate::Good => self.definition(key, &entry.raw),
            Fate::SetAside { killed: false, withheld: false, kept: Some(kept) } => {
                self.hits.hit("set aside", "kept");
                self.definition(key, &kept.definition)
            }
            Fate::SetAside { killed: false, withheld: true, kept } => {
                self.hits.hit("set aside", if kept.is_some() { "withheld and kept" } else { "withheld" });
                off(entry.off_value.clone(), ("ERROR", Some("PARSE_ERROR")))
            }
            Fate::SetAside { killed: true, kept: Some(kept), .. } => {
                self.hits.hit("set aside", "killed and kept");
                off(off_value(&kept.definition), ("DISABLED", None))
            }
            Fate::SetAside { killed, kept: None, .. } => {
                self.hits.hit("set aside", if *killed { "killed" } else { "broken" });
                off(entry.off_value.clone(), if *killed { ("DISABLED", None) } else { ("ERROR", Some("PARSE_ERROR")) })
            }
        }
    }

    fn definition(&self, key: &str, flag: &Json) -> Answer {
        match self.steps(key, flag) {
            Ok(answer) => answer,
            Err(no) => off(off_value(flag), no),
        }
    }

    fn steps(&self, key: &str, flag: &Json) -> Result<Answer, No> {
        let status = flag.field("status").and_then(written::status).unwrap_or("active");
        let step = |name: &str| self.hits.hit("said no", name);
        self.hits.hit("status", status);
        // 7.3
        if flag.field("enabled").and_then(written::switch) != Some(true)
            || ["draft", "paused", "rolled_back"].contains(&status)
        {
            step("7.3");
            return Err(("DISABLED", None));
        }
        // 7.4
        let (start, end) = (flag.string("start_date"), flag.string("end_date"));
        let time = |text: Option<&str>| text.and_then(written::bound);
        let is_over = time(end).is_some_and(|end| end != i64::MAX && self.now >= end);
        if time(start).is_some_and(|start| self.now < start) || is_over {
            step("7.4");
            return Err(("DISABLED", None));
        }
        // 7.19
        if self.is_too_much_work(flag) {
            step("7.19");
            return Err(("ERROR", Some("INVALID_CONTEXT")));
        }
        // 7.5
        if !flag.elements("prerequisites").iter().all(|prerequisite| self.met(prerequisite)) {
            step("7.5");
            return Err(("DEFAULT", None));
        }
        // 7.7 and 7.8
        if self.overridden(flag, "off") {
            return Err(("TARGETING_MATCH", None));
        }
        let salt = flag.string("salt").unwrap_or(key);
        let by = flag.string("bucket_by").unwrap_or("user");
        let mut asked = false;
        let (mut deciding, mut rule_by) = (None, by);
        if !self.overridden(flag, "on") {
            // 7.9
            if !self.targeted(flag) {
                step("7.9");
                return Err(("DEFAULT", None));
            }
            // 7.10 and 7.11
            if status != "completed" {
                self.admits(self.share(flag), by, salt, &mut asked).inspect_err(|_| step("7.11"))?;
            }
            // 7.12 and 7.13
            let rules = flag.elements("rules");
            if !rules.is_empty() {
                let segment = |key: &str| {
                    self.hits.hit("segment of", if self.set.is_brought(key) { "an earlier set" } else { "the set" });
                    self.set.segment(key)
                };
                let sight = Sight { context: self.context, now: self.now, segment: &segment, hits: self.hits };
                let matches = |rule: &&Json| sight.truth(rule.field("when").unwrap_or(&Json::Null)) == Truth::True;
                let Some(rule) = rules.iter().find(matches) else {
                    step("7.12");
                    return Err(("DEFAULT", None));
                };
                rule_by = rule.string("bucket_by").unwrap_or(by);
                let share = rule.field("rollout_percentage").and_then(written::share).unwrap_or(100_000);
                let salt = format!("{salt}/rule/{}", rule.string("key").unwrap_or_default());
                self.admits(share, rule_by, &salt, &mut asked).inspect_err(|_| step("7.13"))?;
                deciding = Some(rule);
            }
        }
        // 7.14
        let served = self.serve(flag, deciding, rule_by, salt, &mut asked).inspect_err(|_| step("7.14"))?;
        // 7.16
        let reason = match (asked, conditional(flag)) {
            (true, _) => "SPLIT",
            (false, false) => "STATIC",
            (false, true) => "TARGETING_MATCH",
        };
        let (value, variant) = served.map_or((Json::Bool(true), None), |variant| {
            let value = variant.last("value").cloned().unwrap_or(Json::Null);
            (value, variant.string("key").map(str::to_owned))
        });
        Ok(Answer { enabled: true, value, variant, reason, error: None })
    }

    /// 7.19
    fn is_too_much_work(&self, flag: &Json) -> bool {
        let largest = contexts::largest(self.context);
        // A flag has at most 1,000,000 parts (2.4.6).
        if largest <= 100 {
            return false;
        }
        let parts = self.parts(flag);
        parts > 1_000 && parts * largest > 100_000_000
    }

    /// The parts of conditions that an answer may look at (2.4.6).
    fn parts(&self, flag: &Json) -> u64 {
        let conditions = flag.elements("rules").iter().filter_map(|rule| rule.field("when"));
        let own: u64 = conditions.filter_map(|when| operands::parts(when, &|key| self.set.segment(key))).sum();
        let others = flag.elements("prerequisites").iter().filter_map(|prerequisite| prerequisite.string("flag"));
        let others = others.filter_map(|key| self.set.flags.iter().find(|entry| entry.key == key));
        let definitions = others.filter_map(|entry| match &entry.fate {
            Fate::Good => Some(&entry.raw),
            Fate::SetAside { kept, .. } => kept.as_ref().map(|kept| &kept.definition),
        });
        own + definitions.map(|definition| self.parts(definition)).sum::<u64>()
    }

    fn met(&self, prerequisite: &Json) -> bool {
        let key = prerequisite.string("flag").unwrap_or_default();
        if !self.set.flags.iter().any(|entry| entry.key == key) {
            self.hits.hit("prerequisite", "not in the set");
            return false;
        }
        let other = self.resolve(key);
        if other.error.is_some() {
            self.hits.hit("prerequisite", "has an error");
            return false;
        }
        let (kind, met) = match prerequisite.field("on").and_then(Json::bool) {
            Some(on) => (if on { "on" } else { "off" }, other.enabled == on),
            None => {
                let wanted = prerequisite.elements("variants").iter().filter_map(Json::text);
                ("variants", other.enabled && wanted.into_iter().any(|wanted| other.variant.as_deref() == Some(wanted)))
            }
        };
        self.hits.hit("prerequisite", &format!("{kind} {}", if met { "met" } else { "not met" }));
        met
    }

    fn overridden(&self, flag: &Json, side: &str) -> bool {
        let Some(side_of) = flag.field("overrides").and_then(|overrides| overrides.field(side)) else {
            return false;
        };
        let users = (contexts::user(self.context), "users", &["user", "targetingKey"][..]);
        let companies = (contexts::text(self.context, "company"), "companies", &["company"][..]);
        [users, companies].into_iter().any(|(who, list, names)| {
            let entries = side_of.elements(list);
            let unreadable = side == "off" && !entries.is_empty() && contexts::is_unreadable(self.context, names);
            let holds = unreadable || who.is_some_and(|who| holds(entries, &who));
            if holds {
                self.hits.hit("override", &format!("{side}.{list}"));
            }
            holds
        })
    }

    fn targeted(&self, flag: &Json) -> bool {
        let lists = [
            ("target_plans", contexts::text(self.context, "plan").into_iter().collect()),
            ("target_roles", contexts::roles(self.context).unwrap_or_default()),
            ("target_companies", contexts::text(self.context, "company").into_iter().collect()),
            ("target_regions", contexts::text(self.context, "region").into_iter().collect::<Vec<_>>()),
            ("target_users", contexts::user(self.context).into_iter().collect()),
        ];
        lists.iter().all(|(name, values)| {
            let list = flag.elements(name);
            if list.is_empty() {
                return true;
            }
            let holds = values.iter().any(|value| holds(list, value));
            self.hits.hit(name, if holds { "holds" } else { "does not hold" });
            if list.len() > 100 {
                self.hits.hit("a list longer than 100", if holds { "holds" } else { "does not hold" });
            }
            holds
        })
    }

    /// The share in force (7.10).
    fn share(&self, flag: &Json) -> u64 {
        let mut share = flag.field("rollout_percentage").and_then(written::share).unwrap_or(100_000);
        let steps = flag.elements("schedule");
        for step in steps {
            if step.string("at").and_then(written::time).is_some_and(|at| at <= self.now) {
                share = step.field("rollout_percentage").and_then(written::share).unwrap_or_default();
                self.hits.hit("schedule", "a step");
            }
        }
        if !steps.is_empty() {
            self.hits.hit("schedule", "any");
        }
        share
    }

    /// 6.4 and 7.11
    fn admits(&self, share: u64, by: &str, salt: &str, asked: &mut bool) -> Result<(), No> {
        match share {
            100_000 => Ok(()),
            0 => Err(("SPLIT", None)),
            _ => {
                let unit = contexts::unit(self.context, by).ok_or(NO_UNIT)?;
                *asked = true;
                self.hits.hit("bucketed by", by);
                if bucket(&unit, salt) < share { Ok(()) } else { Err(("SPLIT", None)) }
            }
        }
    }

    /// 7.14: the variant that is served, none for a boolean flag.
    fn serve<'f>(
        &self,
        flag: &'f Json,
        rule: Option<&'f Json>,
        by: &str,
        salt: &str,
        asked: &mut bool,
    ) -> Result<Option<&'f Json>, No> {
        let variants = flag.elements("variants");
        if variants.is_empty() {
            return Ok(None);
        }
        let named = |key: &str| variants.iter().find(|variant| variant.string("key") == Some(key));
        if let Some(key) = rule.and_then(|rule| rule.string("variant")) {
            self.hits.hit("serves", "the rule's variant");
            return Ok(named(key));
        }
        let split = rule.and_then(|rule| rule.field("split"));
        self.hits.hit("serves", if split.is_some() { "by the rule's split" } else { "by the flag's weights" });
        let parts = split.and_then(Json::list).unwrap_or(variants);
        let weight =
            |part: &Json| part.field("weight").map_or(1000, |weight| written::weight(weight).unwrap_or_default());
        let sizes = sizes(&parts.iter().map(weight).collect::<Vec<_>>());
        let variant = |at: usize| match split {
            Some(_) => named(parts[at].string("variant").unwrap_or_default()),
            None => variants.get(at),
        };
        if let Some(all) = sizes.iter().position(|size| *size == 100_000) {
            return Ok(variant(all));
        }
        let unit = contexts::unit(self.context, by).ok_or(NO_UNIT)?;
        *asked = true;
        let bucket = bucket(&unit, &format!("{salt}/variant"));
        let mut end = 0;
        for (at, size) in sizes.iter().enumerate() {
            end += size;
            if bucket < end {
                return Ok(variant(at));
            }
        }
        Ok(None)
    }
}

fn holds(list: &[Json], text: &str) -> bool {
    list.iter().any(|entry| entry.text() == Some(text))
}

/// Whether anything about the context or the time can change the answer (7.16).
fn conditional(flag: &Json) -> bool {
    let lists = ["schedule", "prerequisites", "rules"];
    let targets = ["target_plans", "target_roles", "target_companies", "target_regions", "target_users"];
    let side = |name| flag.field("overrides").and_then(|overrides| overrides.field(name));
    let entries = |side: &Json| !side.elements("users").is_empty() || !side.elements("companies").is_empty();
    flag.string("start_date").is_some_and(|start| start != "-infinity")
        || flag.string("end_date").is_some_and(|end| end != "infinity")
        || lists.iter().chain(&targets).any(|name| !flag.elements(name).is_empty())
        || [side("on"), side("off")].into_iter().flatten().any(entries)
}

fn off(value: Json, (reason, error): No) -> Answer {
    Answer { enabled: false, value, variant: None, reason, error }
}

/// 2.2.17 and 7.15
fn off_value(flag: &Json) -> Json {
    match flag.field("off_value") {
        Some(value) => value.clone(),
        None if flag.elements("variants").is_empty() => Json::Bool(false),
        None => Json::Null,
    }
}
