//! The callers and the flags' targets: the document of `benches/write_population.rs`.

use serde::Deserialize;

use crate::Result;
use crate::workload::Callers;

/// What is known about one caller.
#[derive(Debug, Deserialize)]
#[serde(from = "[String; 5]")]
pub struct Caller {
    /// The id of the user, by which the share is drawn.
    pub user: String,
    /// The company of the user.
    pub company: String,
    /// The plan of the company.
    pub plan: String,
    /// The role of the user.
    pub role: String,
    /// The region of the user.
    pub region: String,
}

impl From<[String; 5]> for Caller {
    fn from([user, company, plan, role, region]: [String; 5]) -> Self {
        Caller { user, company, plan, role, region }
    }
}

/// What every flag targets.
#[derive(Debug, Deserialize)]
pub struct Targets {
    /// Plans, one of which a caller must have.
    pub plans: Vec<String>,
    /// Roles, one of which a caller must have.
    pub roles: Vec<String>,
    /// Regions, one of which a caller must be in.
    pub regions: Vec<String>,
    /// The percentage of users for whom a flag is on, by the user's id.
    pub percentage: u32,
    /// Companies; a flag targets none or the first ones.
    companies: Vec<String>,
}

impl Targets {
    /// The key of the flag of this number.
    #[must_use]
    pub fn key(number: usize) -> String {
        format!("feature_{number}_of_the_crm")
    }

    /// The keys of that many flags.
    pub fn keys(flags: usize) -> impl Iterator<Item = String> {
        (0..flags).map(Self::key)
    }

    /// That many of the first companies.
    #[must_use]
    pub fn companies(&self, count: usize) -> &[String] {
        self.companies.get(..count).unwrap_or(&self.companies)
    }

    fn fits(&self, caller: &Caller) -> bool {
        self.plans.contains(&caller.plan) && self.roles.contains(&caller.role) && self.regions.contains(&caller.region)
    }
}

/// All callers.
#[derive(Debug, Deserialize)]
pub struct Population {
    /// What the flags target.
    #[serde(flatten)]
    pub targets: Targets,
    #[serde(rename = "match")]
    matching: Vec<Caller>,
    mix: Vec<Caller>,
}

impl Population {
    pub(crate) fn read(path: &str) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(serde_json::from_slice(&bytes).map_err(|error| format!("{path}: {error}"))?)
    }

    pub(crate) fn callers(&self, callers: Callers) -> &[Caller] {
        match callers {
            Callers::Match => &self.matching,
            Callers::Mix => &self.mix,
        }
    }

    /// The share of these callers for whom the flag is on.
    #[expect(clippy::cast_precision_loss, reason = "thousands of callers")]
    pub(crate) fn expected(&self, callers: Callers) -> f64 {
        let callers = self.callers(callers);
        let fit = callers.iter().filter(|caller| self.targets.fits(caller)).count();
        f64::from(self.targets.percentage) / 100.0 * fit as f64 / callers.len() as f64
    }
}
