//! Rows and callers for the benches: plain flags as in a team's table, and 10,000 callers of whom all match or most do
//! not, so that a bench does not repeat one context and hide the costs of branches and caches.

pub mod limit;

use esclusa::Context;

/// What is known about one caller: user, company, plan, role and region.
pub type Caller = [String; 5];

/// A number that looks random and is the same in every run (SplitMix64, Sebastiano Vigna).
fn random(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn uuid(seed: u64) -> String {
    let (high, low) = (random(seed), random(!seed));
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-8{:03x}-{:012x}", low >> 52, low & 0xffff_ffff_ffff)
}

fn pick<'t>(texts: &[&'t str], random: u64) -> &'t str {
    let at = usize::try_from(random % texts.len() as u64).unwrap_or_default();
    texts.get(at).copied().unwrap_or_default()
}

/// The plans that [`rows`] target.
pub const PLANS: [&str; 2] = ["PREMIUM", "ENTERPRISE"];
/// The roles that [`rows`] target.
pub const ROLES: [&str; 2] = ["ADMIN", "OWNER"];
/// The regions that [`rows`] target.
pub const REGIONS: [&str; 3] = ["CO", "MX", "AR"];
/// How many percent of the users [`rows`] let in.
pub const PERCENTAGE: u64 = 10;

/// Callers of whom all match the targets of [`rows`].
#[must_use]
pub fn callers(count: u64) -> Vec<Caller> {
    drawn(count, &PLANS, &ROLES, &REGIONS)
}

/// Callers of whom most do not match: half of their plans, two fifths of their roles and half of their regions do.
#[must_use]
pub fn mixed_callers(count: u64) -> Vec<Caller> {
    let plans = ["FREE", "BASIC", "PREMIUM", "ENTERPRISE"];
    let roles = ["VIEWER", "SALES", "MANAGER", "ADMIN", "OWNER"];
    let regions = ["CO", "PE", "MX", "CL", "AR", "BR"];
    drawn(count, &plans, &roles, &regions)
}

fn drawn(count: u64, plans: &[&str], roles: &[&str], regions: &[&str]) -> Vec<Caller> {
    (0..count)
        .map(|number| {
            let drawn = random(number);
            let [plan, role, region] =
                [(plans, 0), (roles, 8), (regions, 16)].map(|(texts, shift)| pick(texts, drawn >> shift).to_owned());
            [uuid(number), company((drawn >> 32) % 1_000), plan, role, region]
        })
        .collect()
}

/// A caller as the engine takes it.
#[must_use]
pub fn context([user, company, plan, role, region]: &Caller) -> Context<'_> {
    Context::new(user.as_str())
        .company(company.as_str())
        .plan(plan.as_str())
        .role(role.as_str())
        .region(region.as_str())
}

/// The key of the flag of this number.
#[must_use]
pub fn key(number: u64) -> String {
    format!("feature_{number}_of_the_crm")
}

/// A company; callers belong to the first thousand.
#[must_use]
pub fn company(number: u64) -> String {
    uuid(1_000_000 + number)
}

/// Bare rows of flags that target two plans, two roles and three regions, a tenth of the users, and that many
/// companies.
#[must_use]
pub fn rows(flags: u64, companies: u64) -> String {
    let companies: Vec<String> = (0..companies).map(|number| format!("\"{}\"", company(number))).collect();
    let companies = companies.join(",");
    let row = |number: u64| {
        format!(
            r#"{{"id":"{}","name":"{}","enabled":true,"rollout_percentage":10,"target_plans":["PREMIUM","ENTERPRISE"],"target_roles":["ADMIN","OWNER"],"target_regions":["CO","MX","AR"],"target_companies":[{companies}],"status":"active"}}"#,
            uuid(number),
            key(number)
        )
    };
    format!("[{}]", (0..flags).map(row).collect::<Vec<_>>().join(","))
}
