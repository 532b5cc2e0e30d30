//! Looks at a table of flags and proposes a mapping.
//!
//! ```text
//! cargo run -p esclusa-formats --example inspect -- FILE [--mapping MAPPING] [--param NAME=VALUE] [--yes | --check]
//! ```
//!
//! `FILE` holds the rows as JSON, `-` is the standard input. Without options it prints the columns, what it proposes, what it
//! must ask, and what becomes of the flags. `--yes` prints the mapping of what is proposed and safe, with questions as
//! comments, and ends with 1 if there are any. `--check` ends with 1 if a column is neither read nor ignored, and with 2 if
//! the rows cannot be read.

use std::fmt::Write;
use std::io::Read;
use std::process::ExitCode;

use esclusa_formats::{Inspection, Mapping, Outcome, inspect, outcome, read};

const USAGE: &str = "usage: inspect FILE [--mapping MAPPING] [--param NAME=VALUE] [--yes | --check]";

#[derive(Default)]
struct Arguments {
    file: Option<String>,
    mapping: Option<String>,
    parameters: Vec<(String, String)>,
    yes: bool,
    check: bool,
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| run(&arguments)) {
        Ok((text, code)) => {
            print!("{text}");
            ExitCode::from(code)
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--yes" => arguments.yes = true,
            "--check" => arguments.check = true,
            "--mapping" => arguments.mapping = Some(rest.next().ok_or(USAGE)?),
            "--param" => {
                let parameter = rest.next().ok_or(USAGE)?;
                let (name, value) = parameter.split_once('=').ok_or(USAGE)?;
                arguments.parameters.push((name.to_owned(), value.to_owned()));
            }
            _ if arguments.file.is_none() => arguments.file = Some(argument),
            _ => return Err(USAGE.to_owned()),
        }
    }
    if arguments.file.is_none() || (arguments.yes && arguments.check) {
        return Err(USAGE.to_owned());
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<(String, u8), String> {
    let bytes = bytes(arguments.file.as_deref().unwrap_or("-"))?;
    let mapping = arguments.mapping.as_deref().map(|file| mapping(file, &arguments.parameters)).transpose()?;
    if arguments.check {
        return Ok(check(&bytes, mapping.as_ref()));
    }
    let inspection = inspect(&bytes).map_err(|error| error.to_string())?;
    if arguments.yes {
        return Ok((inspection.mapping_with_questions(), u8::from(!inspection.questions().is_empty())));
    }
    let with = mapping.map(|mapping| outcome(&bytes, &mapping)).transpose().map_err(|error| error.to_string())?;
    Ok((report(&inspection, with), 0))
}

fn bytes(file: &str) -> Result<Vec<u8>, String> {
    if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))
}

fn mapping(file: &str, parameters: &[(String, String)]) -> Result<Mapping, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    let is_json = text.trim_start().starts_with('{');
    let mapping = if is_json { Mapping::from_json(text.as_bytes()) } else { Mapping::from_toml(&text) };
    let with = |mapping: Mapping, (name, value): &(String, String)| mapping.with(name, value);
    mapping.and_then(|mapping| parameters.iter().try_fold(mapping, with)).map_err(|error| error.to_string())
}

fn check(bytes: &[u8], mapping: Option<&Mapping>) -> (String, u8) {
    let plain = Mapping::from_toml("esclusa_mapping = 1");
    let done = match (mapping, &plain) {
        (Some(mapping), _) | (None, Ok(mapping)) => read(bytes, mapping),
        (None, Err(error)) => return (format!("{error}\n"), 2),
    };
    match done {
        Err(error) => (format!("{error}\n"), 2),
        Ok((_, reading)) => {
            let names: Vec<&str> = reading.not_read().map(esclusa::Column::name).collect();
            match names.as_slice() {
                [] => ("every column is read or ignored\n".to_owned(), 0),
                names => (format!("neither read nor ignored: {}\n", names.join(", ")), 1),
            }
        }
    }
}

fn report(inspection: &Inspection, with: Option<Outcome>) -> String {
    let mut text = format!("{} rows\n\n", inspection.rows());
    for column in inspection.columns() {
        let (rows, not_empty) = column.rows();
        let examples = column.examples().join(", ");
        let _ = writeln!(text, "  {:<26} {not_empty}/{rows}  {:<23} {examples}", column.name(), column.looks_like());
    }
    let _ = writeln!(text, "\nproposed\n  esclusa_mapping = 1");
    for proposal in inspection.proposals() {
        let _ = writeln!(text, "  {}    # {}", proposal.line, proposal.reason);
    }
    for question in inspection.questions() {
        let _ = writeln!(text, "\n{}", question.question);
        for answer in &question.answers {
            let _ = writeln!(text, "  {}    # {}", answer.line, answer.reason);
        }
    }
    let said = |Outcome { on, off, withheld }| format!("{on} on for somebody, {off} off, {withheld} withheld");
    let _ = writeln!(text, "\ntoday: {}", said(inspection.today()));
    let proposed =
        inspection.outcome().map_or("the rows are refused until the questions are answered".to_owned(), said);
    let _ = writeln!(text, "with what is proposed: {proposed}");
    if let Some(with) = with {
        let _ = writeln!(text, "with the mapping: {}", said(with));
    }
    text
}
