//! The arguments of the demo.

use std::path::PathBuf;

use esclusa::Time;

use super::Problem;

/// A time inside the windows of the data, so that every run of the demo prints the same shares.
const DEFAULT_AT: &str = "2026-03-02T12:00:00Z";
const DEFAULT_USERS: u32 = 200_000;
const DEFAULT_COMPANIES: u32 = 2_000;
/// A user takes about 200 bytes; more would not fit into a laptop's memory.
const MAX_USERS: u32 = 10_000_000;

/// The options of the demo.
pub(super) struct Options {
    pub(super) users: u32,
    pub(super) companies: u32,
    pub(super) at: Time,
    pub(super) rows: PathBuf,
    /// Skips the other hosts.
    pub(super) engine_only: bool,
    /// Serves the React example at the end.
    pub(super) serve: bool,
}

impl Options {
    pub(super) fn read(arguments: &[String]) -> Result<Self, Problem> {
        let (mut users, mut companies) = (DEFAULT_USERS, DEFAULT_COMPANIES);
        let mut at = DEFAULT_AT.to_owned();
        let mut rows = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join("examples")
            .join("data")
            .join("feature_flags.json");
        let (mut engine_only, mut serve) = (false, false);
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            match name.as_str() {
                "--engine-only" => engine_only = true,
                "--serve" => serve = true,
                _ => {}
            }
            if ["--engine-only", "--serve"].contains(&name.as_str()) {
                continue;
            }
            let known = ["--users", "--companies", "--at", "--rows"].contains(&name.as_str());
            let value = match rest.next() {
                _ if !known => return Err(Problem::Arguments(format!("the demo has no argument `{name}`"))),
                None => return Err(Problem::Arguments(format!("`{name}` needs a value"))),
                Some(value) => value,
            };
            match name.as_str() {
                "--users" => users = number(name, value)?,
                "--companies" => companies = number(name, value)?,
                "--at" => at.clone_from(value),
                _ => rows = PathBuf::from(value),
            }
        }
        let wanted = "expected a time such as 2026-03-02T12:00:00Z";
        let at = Time::parse(&at).ok_or_else(|| Problem::Arguments(format!("`--at`: `{at}` is no time, {wanted}")))?;
        if companies > users {
            return Err(Problem::Arguments(format!(
                "`--companies`: {companies} companies need as many users, and there are {users}"
            )));
        }
        Ok(Options { users, companies, at, rows, engine_only, serve })
    }
}

fn number(name: &str, value: &str) -> Result<u32, Problem> {
    match value.parse() {
        Ok(number @ 1..=MAX_USERS) => Ok(number),
        _ => Err(Problem::Arguments(format!("`{name}`: `{value}` is not a whole number from 1 to {MAX_USERS}"))),
    }
}
