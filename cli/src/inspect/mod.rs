//! `esclusa inspect`: looks at any table of flags, proposes a mapping, and asks what cannot be known from a table.

mod asking;
mod ddl;
mod report;

use std::path::PathBuf;

use esclusa_formats::{Inspection, Mapping, Outcome, inspect, outcome, read};

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::source::{Reading, Snapshot};

/// Look at a table of flags, and propose a mapping for it
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa inspect postgres://app@db/app --table features --out flags.mapping.toml
  esclusa inspect rows.json --mapping flags.mapping.toml --param environment=production
  esclusa inspect rows.json --mapping flags.mapping.toml --check
  esclusa inspect --ddl schema.sql --table features

On a terminal it asks one question after the other; Enter takes the narrower answer.
Exit codes: 0 done, 1 questions are left (--yes) or a column is neither read nor ignored (--check),
2 the rows cannot be read.")]
pub struct Arguments {
    /// A file of rows in JSON, -, env:NAME, https://…, postgres://…, redis://…, sqlite:FILE, or a name of esclusa.toml
    #[arg(value_name = "SOURCE", required_unless_present = "ddl")]
    pub source: Option<String>,
    /// The columns of a schema in SQL instead of rows: names alone, so every line of the mapping is a question
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "check", "mapping"])]
    pub ddl: Option<PathBuf>,
    /// Write the mapping to this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Ask nothing: take what is proposed and safe, and leave questions as comments
    #[arg(long, short, conflicts_with = "check")]
    pub yes: bool,
    /// Only say whether every column is read or ignored
    #[arg(long, conflicts_with = "out")]
    pub check: bool,
    /// How it is printed; JSON holds no values of the table
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
}

/// Runs the command.
///
/// # Errors
/// When the rows cannot be read, or the file is there already.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    if let Some(file) = arguments.out.as_ref().filter(|file| !arguments.force && desk.folder.join(file).exists()) {
        let problem = format!("`{}` is there already, expected `--force` to write over it", file.display());
        return Err(Trouble::new(problem));
    }
    if let Some(file) = &arguments.ddl {
        return ddl::run(file, arguments, desk);
    }
    let rows = Snapshot::read_rows(arguments.source.as_deref().unwrap_or_default(), &arguments.reading, desk)?;
    let trouble = |error: &dyn std::fmt::Display| Trouble::new(format!("{}: {error}", rows.name));
    if arguments.check {
        return check(&rows, arguments.format, desk);
    }
    let inspection = inspect(&rows.bytes).map_err(|error| trouble(&error))?;
    let with = rows.mapping.as_ref().map(|mapping| outcome(&rows.bytes, mapping)).transpose();
    let with = with.map_err(|error| trouble(&error))?;
    let parameters = arguments.reading.parameters()?;
    let inspected = Inspected { rows: &rows, inspection: &inspection, parameters };
    if arguments.format == Format::Json {
        desk.print(report::json(&inspected, with).to_json() + "\n")?;
        return finish(arguments, &inspection, &[], desk);
    }
    if !arguments.yes {
        report::columns(&inspection, desk)?;
        report::proposals(&inspection, desk)?;
    }
    let answers = if desk.can_ask && !arguments.yes && rows.mapping.is_none() {
        asking::ask(&inspected, desk)?
    } else {
        if !arguments.yes {
            report::questions(&inspected, desk)?;
        }
        Vec::new()
    };
    if !arguments.yes {
        report::outcomes(&inspected, &answers, with, desk)?;
    }
    finish(arguments, &inspection, &answers, desk)
}

/// Writes the mapping, or prints it once it is made.
fn finish(
    arguments: &Arguments,
    inspection: &Inspection,
    answers: &[Option<usize>],
    desk: &mut Desk<'_>,
) -> Result<Findings, Trouble> {
    let mapping = inspection.answered(answers);
    match &arguments.out {
        Some(file) => {
            desk.write_file(file, &mapping)?;
            desk.say(format_args!("wrote {}", file.display()))?;
        }
        None if arguments.format == Format::Human && (arguments.yes || !answers.is_empty()) => {
            let line = if arguments.yes { "" } else { "\n" };
            desk.print(format_args!("{line}{mapping}"))?;
        }
        None => {}
    }
    let is_open = (0..inspection.questions().len()).any(|at| answers.get(at).copied().flatten().is_none());
    Ok(Findings::some_if(is_open && arguments.yes))
}

/// Whether every column is read or ignored.
fn check(rows: &Snapshot, format: Format, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let trouble = |error: &dyn std::fmt::Display| Trouble::new(format!("{}: {error}", rows.name));
    let plain = || Mapping::from_toml("esclusa_mapping = 1");
    let mapping = rows.mapping.clone().map_or_else(plain, Ok).map_err(|error| trouble(&error))?;
    let (_, reading) = read(&rows.bytes, &mapping).map_err(|error| trouble(&error))?;
    let names: Vec<&str> = reading.not_read().map(esclusa::Column::name).collect();
    match (format, names.as_slice()) {
        (Format::Json, names) => {
            let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let value = esclusa::Value::Object(vec![("not_read".into(), names.into())]);
            desk.print(value.to_json() + "\n")?;
        }
        (Format::Human, []) => desk.print("every column is read or ignored\n")?,
        (Format::Human, names) => desk.print(format_args!("neither read nor ignored: {}\n", names.join(", ")))?,
    }
    Ok(Findings::some_if(!names.is_empty()))
}

/// What becomes of the flags by a mapping, in words.
fn said(outcome: Outcome) -> String {
    let Outcome { on, off, withheld } = outcome;
    format!("{on} on for somebody, {off} off, {withheld} withheld")
}

/// The rows, what was seen in them, and the parameters of the mapping in the making.
struct Inspected<'a> {
    rows: &'a Snapshot,
    inspection: &'a Inspection,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Inspected<'_> {
    /// The mapping of these answers, with the parameters that it has.
    fn mapping(&self, answers: &[Option<usize>]) -> Result<Mapping, String> {
        let mut mapping = Mapping::from_toml(&self.inspection.answered(answers)).map_err(|error| error.to_string())?;
        for (name, value) in &self.parameters {
            if mapping.parameters().contains(name) {
                mapping = mapping.with(name, value).map_err(|error| error.to_string())?;
            }
        }
        Ok(mapping)
    }

    /// What becomes of the flags with these answers, or why that is not known.
    fn effect(&self, answers: &[Option<usize>]) -> String {
        let outcome = self.mapping(answers).and_then(|mapping| self.outcome(&mapping));
        outcome.map_or_else(|problem| problem, said)
    }

    fn outcome(&self, mapping: &Mapping) -> Result<Outcome, String> {
        let is_given = |name: &&str| self.parameters.iter().any(|(given, _)| given == name);
        if let Some(name) = mapping.parameters().into_iter().find(|name| !is_given(name)) {
            return Err(format!("depends on `--param {name}=…`"));
        }
        outcome(&self.rows.bytes, mapping)
            .map_err(|_| "the rows are refused until the other questions are answered".to_owned())
    }

    /// The effect of one answer, with the first answer to each question before it.
    fn effect_of(&self, question: usize, answer: usize) -> String {
        let mut answers = vec![Some(0); question];
        answers.push(Some(answer));
        self.effect(&answers)
    }
}
