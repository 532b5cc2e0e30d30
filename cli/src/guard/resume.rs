//! `esclusa guard resume`: begins a new run of a flag whose guard has tripped, in a Postgres.

use esclusa::Value;

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::postgres::{Postgres, author};
use crate::source::Reading;

/// Begin a new run of a flag whose guard has tripped: the same users have it again
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa guard resume checkout --source production --reason 'the payment is mended'
  esclusa guard resume checkout --source production --reason 'the payment is mended' --at-step 1

In Postgres `esclusa.resume` of 002_guard.sql does it, and the history says who did it and why. In a file raise the `run` of
`guard_state` by one.
Exit codes: 0 done, 2 it could not be done, and nothing is changed.")]
pub struct Arguments {
    /// Key of the flag
    #[arg(value_name = "FLAG")]
    pub flag: String,
    /// postgres://…, or a name of esclusa.toml; not needed if esclusa.toml has one source
    #[arg(long, value_name = "SNAPSHOT")]
    pub source: Option<String>,
    /// Steps of the schedule that are cleared then; one less than at the trip without it
    #[arg(long, value_name = "NUMBER")]
    pub at_step: Option<i64>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who does it, for the history; the user of this machine without it
    #[arg(long, value_name = "USER")]
    pub by: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
}

pub(super) fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let flag = &arguments.flag;
    if arguments.reason.trim().is_empty() {
        return Err(Trouble::new("`--reason` is empty, expected why the flag is opened again"));
    }
    let place = arguments.reading.place(arguments.source.as_deref(), desk)?;
    if !place.is_postgres() {
        return Err(Trouble::new(
            "nothing is changed: this command writes Postgres, expected the `run` of `guard_state` raised by one in what is \
             written elsewhere",
        ));
    }
    let postgres = Postgres::connect(&place)?;
    desk.confirm(&format!("begin a new run of `{flag}` in {}?", postgres.name), arguments.yes)?;
    let by = author(arguments.by.as_deref(), desk);
    let run = postgres.transaction("BEGIN ISOLATION LEVEL READ COMMITTED", true, |postgres| {
        postgres.sign(by.as_deref(), &arguments.reason)?;
        let sql = "SELECT esclusa.resume($1, $2, $3, $4)";
        let rows = postgres.ask(sql, &[flag, &by, &arguments.at_step, &place.table])?;
        rows.first().map(|row| row.get::<_, i64>(0)).ok_or_else(|| Trouble::new("the database has given no run"))
    })?;
    match arguments.format {
        Format::Human => desk.say(format_args!("{flag}: run {run} has begun"))?,
        Format::Json => {
            let value = Value::Object(vec![("flag".into(), flag.clone().into()), ("run".into(), run.into())]);
            desk.print(value.to_json() + "\n")?;
        }
    }
    Ok(Findings::None)
}
