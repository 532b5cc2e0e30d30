//! `esclusa eval` and `esclusa on`: what a caller gets.

use clap::ValueEnum;
use esclusa::{Resolution, Value};

use crate::desk::{Desk, Findings, Trouble};
use crate::question::Question;

/// Say what a caller gets: one flag, or all of them
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa eval flags.json crm --user 42 --plan PREMIUM --role ADMIN
  esclusa eval flags.json --all --context @caller.json --format jsonl
  esclusa eval production crm --at 2026-02-01T00:00Z

Exit codes: 0 answered, 2 the flags cannot be read or have no such flag.")]
pub struct Arguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub question: Question,
    /// Key of the flag
    #[arg(value_name = "FLAG", required_unless_present = "all", conflicts_with = "all")]
    pub flag: Option<String>,
    /// Every flag
    #[arg(long)]
    pub all: bool,
    /// How answers are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line for each flag
    Human,
    /// An object, or an array of them for --all
    Json,
    /// An object in each line
    Jsonl,
}

/// Runs the command.
///
/// # Errors
/// When the source does not answer or has no such flag.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let asked = arguments.question.read(desk)?;
    let keys: Vec<&str> = match &arguments.flag {
        Some(flag) => vec![asked.known(flag)?],
        None => asked.set.keys().collect(),
    };
    let answer = |key| (key, asked.set.resolve(key, &asked.context, asked.now));
    let answers: Vec<(&str, Resolution<'_>)> = keys.into_iter().map(answer).collect();
    match arguments.format {
        Format::Human => human(&answers, desk)?,
        Format::Jsonl => answers.iter().try_for_each(|one| desk.print(value(one).to_json() + "\n"))?,
        Format::Json => match (answers.as_slice(), arguments.all) {
            ([one], false) => desk.print(value(one).to_json() + "\n")?,
            (all, _) => desk.print(Value::List(all.iter().map(value).collect()).to_json() + "\n")?,
        },
    }
    Ok(Findings::None)
}

fn value((key, resolution): &(&str, Resolution<'_>)) -> Value<'static> {
    let mut value = resolution.to_value();
    if let Value::Object(fields) = &mut value {
        fields.insert(0, ("flag".into(), (*key).to_owned().into()));
    }
    value
}

fn human(answers: &[(&str, Resolution<'_>)], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let widest = answers.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default().min(desk.width / 2);
    for (key, answer) in answers {
        let state = if answer.is_enabled() { "on " } else { "off" };
        let why = answer.error_code().map_or_else(|| answer.reason().as_str(), |error| error.as_str());
        // Of a flag without variants the value says what the state does.
        let serves = match answer.value() {
            Value::Bool(value) if *value == answer.is_enabled() => String::new(),
            other => format!("  {}", other.to_json()),
        };
        let variant = answer.variant().map_or(String::new(), |variant| format!("  {variant}"));
        desk.print(format_args!("{key:<widest$}  {state}  {why}{variant}{serves}\n"))?;
    }
    Ok(())
}

/// Ask whether a flag is on: the exit code says it
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa on production crm --user 42 && echo welcome
  if esclusa on flags.json maintenance --quiet; then exit; fi

Exit codes: 0 on, 1 off, 2 the flags cannot be read or have no such flag.")]
pub struct OnArguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub question: Question,
    /// Key of the flag
    #[arg(value_name = "FLAG")]
    pub flag: String,
    /// Print nothing
    #[arg(long, short)]
    pub quiet: bool,
}

/// Runs `on`.
///
/// # Errors
/// As [`run`].
pub fn on(arguments: &OnArguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let asked = arguments.question.read(desk)?;
    let is_on = asked.set.is_enabled(asked.known(&arguments.flag)?, &asked.context, asked.now);
    if !arguments.quiet {
        desk.print(if is_on { "on\n" } else { "off\n" })?;
    }
    Ok(Findings::some_if(!is_on))
}
