//! The population: companies with a plan and a region, and their users with a role, the same in every run.
//!
//! Each company and each user is drawn from a seed and its own number alone, so that a larger population holds every
//! company and every user of a smaller one. It knows no flag; the rows in `examples/data` name some of its companies.

use std::time::{Duration, Instant};

use esclusa::{Context, Value};

use super::page::{count, duration};

pub(super) const PLANS: [&str; 4] = ["FREE", "BASIC", "PREMIUM", "ENTERPRISE"];
pub(super) const REGIONS: [&str; 8] = ["CO", "MX", "AR", "CL", "PE", "BR", "ES", "US"];
/// The roles. Each company's first user is its `OWNER`; the numbers are the probabilities of the others, in percent.
const ROLES: [(&str, u32); 5] = [("ADMIN", 9), ("MANAGER", 15), ("AGENT", 52), ("ANALYST", 14), ("PARTNER", 10)];

/// Number of companies out of 100 with each plan, and the usual range of their users.
const COMPANIES_BY_PLAN: [(u32, (u64, u64)); 4] = [(40, (5, 45)), (30, (10, 90)), (20, (40, 260)), (10, (100, 700))];
const COMPANIES_BY_REGION: [u32; 8] = [21, 22, 14, 7, 5, 15, 8, 8];
/// The versions of the app; users of the website only have none.
const APP_VERSIONS: [(Option<&str>, u32); 6] = [
    (None, 12),
    (Some("3.2.4"), 9),
    (Some("3.3.0"), 17),
    (Some("4.0.0-rc.1"), 3),
    (Some("4.0.2"), 24),
    (Some("4.1.0"), 35),
];
/// 2022-01-01T00:00:00Z, when the first user signed up, and how many days later the last one did.
const FIRST_SIGN_UP_MS: i64 = 1_640_995_200_000;
const SIGN_UP_DAYS: u64 = 1_500;
const DAY_MS: i64 = 86_400_000;

const SEED: u64 = 0x0e5c_105a;

pub(super) struct Company {
    pub(super) id: String,
    /// The index in [`PLANS`].
    pub(super) plan: usize,
    /// The index in [`REGIONS`].
    pub(super) region: usize,
    /// Number of paid seats; its share of the users follows it.
    seats: u64,
}

pub(super) struct User {
    pub(super) id: String,
    /// The company's index in the population.
    pub(super) company: usize,
    pub(super) role: &'static str,
    app_version: Option<&'static str>,
    signed_up_ms: i64,
    two_factor: bool,
}

pub(super) struct Population {
    companies: Vec<Company>,
    users: Vec<User>,
    took: Duration,
}

/// One user with the company: everything that a context says.
#[derive(Clone, Copy)]
pub(super) struct Person<'p> {
    pub(super) user: &'p User,
    pub(super) company: &'p Company,
}

impl Population {
    pub(super) fn generate(users: u32, companies: u32) -> Self {
        let start = Instant::now();
        let companies: Vec<Company> = (0..u64::from(companies)).map(Company::generate).collect();
        let mut seats = 0;
        let sums: Vec<u64> = companies
            .iter()
            .map(|company| {
                seats += company.seats;
                seats
            })
            .collect();
        let users = (0..users).map(|number| User::generate(number, &sums)).collect();
        Population { companies, users, took: start.elapsed() }
    }

    pub(super) fn summary(&self) -> String {
        let mut on_plan = [0_u32; PLANS.len()];
        for person in self.people() {
            if let Some(users) = on_plan.get_mut(person.company.plan) {
                *users += 1;
            }
        }
        let plans: Vec<String> =
            PLANS.iter().zip(on_plan).map(|(plan, users)| format!("{plan} {}", count(users))).collect();
        format!(
            "{} users of {} companies in {} regions, generated in {}, the same in every run.\nUsers by plan: {}.",
            count(self.users.len() as u64),
            count(self.companies.len() as u64),
            REGIONS.len(),
            duration(self.took),
            plans.join(", "),
        )
    }

    pub(super) fn people(&self) -> impl ExactSizeIterator<Item = Person<'_>> {
        self.users.iter().map(|user| {
            #[expect(clippy::indexing_slicing, reason = "a user is made for the companies that it is kept with")]
            Person { user, company: &self.companies[user.company] }
        })
    }

    pub(super) fn person(&self, number: usize) -> Option<Person<'_>> {
        let user = self.users.get(number)?;
        Some(Person { user, company: self.companies.get(user.company)? })
    }
}

impl<'p> Person<'p> {
    pub(super) fn plan(&self) -> &'static str {
        PLANS.get(self.company.plan).copied().unwrap_or_default()
    }

    pub(super) fn region(&self) -> &'static str {
        REGIONS.get(self.company.region).copied().unwrap_or_default()
    }

    fn language(&self) -> &'static str {
        match self.region() {
            "BR" => "pt",
            "US" => "en",
            _ => "es",
        }
    }

    /// The context that an app would pass to the engine.
    pub(super) fn context(&self) -> Context<'p> {
        let context = Context::new(self.user.id.as_str())
            .company(self.company.id.as_str())
            .plan(self.plan())
            .role(self.user.role)
            .region(self.region());
        ["seats", "language", "app_version", "signed_up_at", "two_factor"]
            .into_iter()
            .fold(context, |context, name| context.attribute(name, self.value(name)))
    }

    /// The context's value of a name, null if there is none.
    pub(super) fn value(&self, name: &str) -> Value<'p> {
        match name {
            "user" | "targetingKey" => self.user.id.as_str().into(),
            "company" => self.company.id.as_str().into(),
            "plan" => self.plan().into(),
            "role" | "roles" => self.user.role.into(),
            "region" => self.region().into(),
            "seats" => i64::try_from(self.company.seats).unwrap_or(i64::MAX).into(),
            "language" => self.language().into(),
            "app_version" => self.user.app_version.into(),
            "signed_up_at" => self.user.signed_up_ms.into(),
            "two_factor" => self.user.two_factor.into(),
            _ => Value::Null,
        }
    }
}

impl Company {
    fn generate(number: u64) -> Self {
        let mut random = Random::of(1, number);
        let id = random.uuid();
        let plans = [0, 1, 2, 3].into_iter().zip(COMPANIES_BY_PLAN);
        let (plan, (fewest, most)) = random.choose(plans.map(|(plan, (odds, seats))| ((plan, seats), odds)));
        let region = random.choose((0..).zip(COMPANIES_BY_REGION));
        let seats = fewest + random.below(most - fewest + 1);
        Company { id, plan, region, seats }
    }
}

impl User {
    /// `sums` are the seats of each company and all before it.
    fn generate(number: u32, sums: &[u64]) -> Self {
        let mut random = Random::of(2, u64::from(number));
        let id = random.uuid();
        let at = random.below(sums.last().copied().unwrap_or(1));
        let number = number as usize;
        let (company, role) = if number < sums.len() {
            (number, "OWNER")
        } else {
            (sums.partition_point(|&sum| sum <= at), random.choose(ROLES))
        };
        let app_version = random.choose(APP_VERSIONS);
        let days = i64::try_from(random.below(SIGN_UP_DAYS)).unwrap_or_default();
        let two_factor = random.below(100) < 38;
        User { id, company, role, app_version, signed_up_ms: FIRST_SIGN_UP_MS + days * DAY_MS, two_factor }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough to draw a population.
struct Random(u64);

impl Random {
    fn of(stream: u64, number: u64) -> Self {
        let mut outer = Random(SEED ^ (stream << 32));
        Random(outer.next() ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A random choice by percentages, which sum to 100.
    fn choose<T: Default>(&mut self, things: impl IntoIterator<Item = (T, u32)>) -> T {
        let mut left = self.below(100);
        for (thing, odds) in things {
            match left.checked_sub(u64::from(odds)) {
                Some(after) => left = after,
                None => return thing,
            }
        }
        T::default()
    }

    /// A UUID of version 4.
    fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 50),
            low & 0xffff_ffff_ffff,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_population_holds_the_companies_and_users_of_a_smaller_one() {
        let (small, large) = (Population::generate(60, 20), Population::generate(900, 300));
        for person in small.people() {
            assert!(large.people().any(|other| other.user.id == person.user.id));
            assert!(large.people().any(|other| other.company.id == person.company.id));
        }
    }

    #[test]
    fn each_company_has_one_owner() {
        let population = Population::generate(5_000, 100);
        assert_eq!(population.people().filter(|person| person.user.role == "OWNER").count(), 100);
    }

    #[test]
    fn ids_are_uuids_of_version_4_and_differ() {
        let population = Population::generate(5_000, 100);
        let ids: std::collections::HashSet<&str> = population.people().map(|person| person.user.id.as_str()).collect();
        assert_eq!(ids.len(), 5_000);
        assert!(ids.iter().all(|id| id.len() == 36 && &id[14..15] == "4" && "89ab".contains(&id[19..20])));
    }

    /// The rows that the demo reads and the population that it generates speak of the same companies and users.
    #[test]
    fn every_id_in_the_example_rows_is_in_the_population() {
        let rows = include_str!("../../../examples/data/feature_flags.json");
        let rows = Value::from_json(rows.as_bytes()).unwrap();
        let population = Population::generate(2_000, 50);
        let known = |id: &Value<'_>| {
            population.people().any(|person| id.as_str() == Some(&person.user.id))
                || population.people().any(|person| id.as_str() == Some(&person.company.id))
        };
        let mut named = 0;
        for row in rows.as_list().unwrap() {
            let sides = row.get("overrides").into_iter().flat_map(|all| [all.get("on"), all.get("off")]).flatten();
            let lists = sides.flat_map(|side| [side.get("users"), side.get("companies")]);
            let lists = lists.chain([row.get("target_companies"), row.get("target_users")]).flatten();
            for id in lists.filter_map(Value::as_list).flatten() {
                assert!(known(id), "{id}");
                named += 1;
            }
        }
        assert!(named > 20);
    }
}
