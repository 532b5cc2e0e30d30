//! The census: every flag resolved for every user, counted, and compared with the expectation from the definitions.

use std::time::{Duration, Instant};

use esclusa::{Context, FlagSet, Time};
use indicatif::{ProgressBar, ProgressStyle};

use super::chance::{Chance, Verdict};
use super::definition::{Definitions, Unit};
use super::page::{count, duration};
use super::population::{PLANS, Person, Population, REGIONS};

/// Number of users that are resolved between two reads of the clock.
const CHUNK: usize = 1_000;

pub(super) struct Census {
    flags: Vec<FlagCount>,
    users: u32,
    resolving: Duration,
}

/// The counts of one flag.
pub(super) struct FlagCount {
    pub(super) all: Part,
    pub(super) plans: [Part; PLANS.len()],
    pub(super) regions: [Part; REGIONS.len()],
    /// One for each variant of the definition.
    pub(super) variants: Vec<VariantCount>,
    chance: Chance,
    /// Users whose answer does not depend on a bucket and differs from the definition.
    contradictions: u32,
    /// The first user, by number, for whom it is on.
    pub(super) first_on: Option<usize>,
}

/// Some users: the size of the audience, and for how many of it the flag is on.
#[derive(Clone, Copy, Default)]
pub(super) struct Part {
    pub(super) audience: u32,
    pub(super) on: u32,
}

#[derive(Default)]
pub(super) struct VariantCount {
    pub(super) served: u32,
    chance: Chance,
}

impl Part {
    fn add(&mut self, on: bool) {
        self.audience += 1;
        self.on += u32::from(on);
    }

    /// The share of the audience that has the flag, if there is an audience.
    pub(super) fn share(self) -> Option<f64> {
        (self.audience > 0).then(|| f64::from(self.on) / f64::from(self.audience))
    }
}

impl Census {
    /// Resolves every flag for every user. Only resolving is timed, not building contexts and counting.
    pub(super) fn take(set: &FlagSet, definitions: &Definitions, population: &Population, at: Time) -> Self {
        let people: Vec<Person<'_>> = population.people().collect();
        let mut flags: Vec<FlagCount> =
            definitions.iter().map(|definition| FlagCount::new(definition.variants.len())).collect();
        // Hidden by itself where stderr is no terminal.
        let progress = ProgressBar::new((people.len() * set.len()) as u64);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:60} {percent:>3} %  {human_pos} of {human_len} resolutions")
        {
            progress.set_style(style);
        }
        let mut resolving = Duration::ZERO;
        for (chunk, people) in people.chunks(CHUNK).enumerate() {
            let contexts: Vec<Context<'_>> = people.iter().map(Person::context).collect();
            let mut answers = Vec::with_capacity(CHUNK * set.len());
            let start = Instant::now();
            for context in &contexts {
                answers.extend(set.resolve_all(context, at).map(|(_, answer)| (answer.is_enabled(), answer.variant())));
            }
            resolving += start.elapsed();
            for ((number, person), answers) in people.iter().enumerate().zip(answers.chunks(set.len().max(1))) {
                for (flag, (counted, (on, variant))) in flags.iter_mut().zip(answers).enumerate() {
                    counted.add(definitions, flag, person, chunk * CHUNK + number, *on, *variant);
                }
            }
            progress.inc(answers.len() as u64);
        }
        progress.finish_and_clear();
        Census { flags, users: u32::try_from(people.len()).unwrap_or(u32::MAX), resolving }
    }

    pub(super) fn summary(&self, flags: usize, at: Time) -> String {
        let resolutions = u64::from(self.users) * flags as u64;
        let each = self.resolving.as_secs_f64() / f64::from(self.users) * 1e9;
        #[expect(clippy::cast_precision_loss, reason = "at most 10^6 flags")]
        let each = each / flags.max(1) as f64;
        format!(
            "{} users × {flags} flags at {at}: {} resolutions in {} on one thread, {each:.0} ns each.",
            count(self.users),
            count(resolutions),
            duration(self.resolving),
        )
    }

    pub(super) fn flags(&self) -> std::slice::Iter<'_, FlagCount> {
        self.flags.iter()
    }

    /// How many numbers are checked.
    pub(super) fn checks(&self) -> u64 {
        self.flags.iter().map(|flag| 1 + flag.variants.len() as u64).sum()
    }

    /// The keys of the flags with a wrong number.
    pub(super) fn wrong<'d>(&self, definitions: &'d Definitions) -> Vec<&'d str> {
        let is_wrong = |flag: &FlagCount| {
            let variants_allowed = flag.variants.iter().all(|variant| variant.verdict().is_allowed);
            !(flag.verdict().is_allowed && variants_allowed)
        };
        let flags = definitions.iter().zip(&self.flags);
        flags.filter(|(_, flag)| is_wrong(flag)).map(|(definition, _)| definition.key.as_str()).collect()
    }
}

impl FlagCount {
    fn new(variants: usize) -> Self {
        FlagCount {
            all: Part::default(),
            plans: Default::default(),
            regions: Default::default(),
            variants: (0..variants).map(|_| VariantCount::default()).collect(),
            chance: Chance::default(),
            contradictions: 0,
            first_on: None,
        }
    }

    fn add(
        &mut self,
        definitions: &Definitions,
        flag: usize,
        person: &Person<'_>,
        number: usize,
        on: bool,
        variant: Option<&str>,
    ) {
        let Some(odds) = definitions.odds(flag, person) else {
            self.contradictions += u32::from(on);
            return;
        };
        let likelihood = odds.company * odds.user;
        let is_certain = likelihood <= 0.0 || likelihood >= 1.0;
        self.contradictions += u32::from(is_certain && on != (likelihood > 0.0));
        self.all.add(on);
        self.plans.get_mut(person.company.plan).into_iter().for_each(|part| part.add(on));
        self.regions.get_mut(person.company.region).into_iter().for_each(|part| part.add(on));
        self.chance.add(person.user.company, odds.company, odds.user);
        if on {
            self.first_on.get_or_insert(number);
            self.add_variant(definitions, flag, person, odds.choice, variant);
        }
    }

    fn add_variant(
        &mut self,
        definitions: &Definitions,
        flag: usize,
        person: &Person<'_>,
        (choice, by): (&[(String, f64)], Unit),
        variant: Option<&str>,
    ) {
        let Some(definition) = definitions.iter().nth(flag) else { return };
        for ((key, _), counted) in definition.variants.iter().zip(&mut self.variants) {
            counted.served += u32::from(variant == Some(key));
            let share = choice.iter().find(|(chosen, _)| chosen == key).map_or(0.0, |(_, share)| *share);
            match by {
                Unit::User => counted.chance.add(person.user.company, 1.0, share),
                Unit::Company => counted.chance.add(person.user.company, share, 1.0),
            }
        }
    }

    /// The expected share of the audience, if there is an audience.
    pub(super) fn expected(&self) -> Option<f64> {
        (self.all.audience > 0).then(|| self.chance.expected() / f64::from(self.all.audience))
    }

    /// Compares the measured share with the expected one, and certain answers with the definition.
    pub(super) fn verdict(&self) -> Verdict {
        let verdict = self.chance.judge(self.all.on);
        Verdict { is_allowed: verdict.is_allowed && self.contradictions == 0, ..verdict }
    }
}

impl VariantCount {
    /// The expected number of users with this variant.
    pub(super) fn expected(&self) -> f64 {
        self.chance.expected()
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.chance.judge(self.served)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The census of one row in which the engine was given another than the demo expects.
    fn wrong(engine: &str, expected: &str) -> usize {
        let at = Time::from_millis(0);
        let rows = |row: &str| format!(r#"[{{"name": "a", "enabled": true, {row}}}]"#);
        let set = FlagSet::from_json_strict(rows(engine).as_bytes()).unwrap();
        let rows = rows(expected);
        let value = esclusa::Value::from_json(rows.as_bytes()).unwrap().into_owned();
        let definitions = Definitions::read(value.as_list().unwrap(), at).ok().unwrap();
        Census::take(&set, &definitions, &Population::generate(20_000, 200), at).wrong(&definitions).len()
    }

    #[test]
    fn a_share_that_is_off_is_seen() {
        assert_eq!(wrong(r#""rollout_percentage": 10"#, r#""rollout_percentage": 10"#), 0);
        assert_eq!(wrong(r#""rollout_percentage": 12"#, r#""rollout_percentage": 10"#), 1);
    }

    #[test]
    fn a_single_user_who_does_not_belong_is_seen() {
        let id = Population::generate(1, 1).person(0).unwrap().user.id.clone();
        let but_one = format!(r#""overrides": {{"off": {{"users": ["{id}"]}}}}"#);
        assert_eq!(wrong(&but_one, &but_one), 0);
        assert_eq!(wrong(r#""overrides": null"#, &but_one), 1);
        assert_eq!(wrong(&but_one, r#""overrides": null"#), 1);
    }

    #[test]
    fn weights_that_are_off_are_seen() {
        let weights = |a: u32| format!(r#""variants": [{{"key": "x", "weight": {a}}}, {{"key": "y", "weight": 50}}]"#);
        assert_eq!(wrong(&weights(50), &weights(50)), 0);
        assert_eq!(wrong(&weights(60), &weights(50)), 1);
    }
}
