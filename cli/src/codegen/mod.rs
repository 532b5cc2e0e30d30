//! `esclusa codegen`: the keys of flags, and the types of their values, as code: a typo does not compile.

mod definition;
mod manifest;
mod name;
mod python;
mod rust;
mod shape;
mod typescript;

use std::path::PathBuf;

use clap::ValueEnum;
use esclusa::Time;

pub(crate) use self::name::constant;
use crate::desk::{Desk, Findings, Trouble};
use crate::lint::Document;
use crate::source::{Reading, Snapshot};

/// Write the keys of flags, and the types of their values, as code
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa codegen typescript flags.json --out src/flags.ts
  esclusa codegen typescript flags.json --react --out src/flags.ts
  esclusa codegen python production --out app/flags.py
  esclusa codegen rust flags.json --out src/flags.rs --check
  esclusa codegen manifest flags.json --out flags.manifest.json

The values' types are those of the variants and of `off_value`, as they are when the code is written.
A flag is marked as deprecated when `esclusa lint` calls it ended, always on or always off.
Exit codes: 0 written, 1 the file is out of date (--check), 2 the flags cannot be read.")]
pub struct Arguments {
    /// What to write
    #[arg(value_enum, value_name = "LANGUAGE")]
    pub language: Language,
    /// A file, -, env:NAME, https://…, postgres://…, redis://…, sqlite:FILE, or a name of esclusa.toml
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: String,
    /// File to write; the standard output without it
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write nothing, and say whether the file is what would be written
    #[arg(long, requires = "out")]
    pub check: bool,
    /// Name of the type of all flags, in TypeScript
    #[arg(long, value_name = "NAME", default_value = "AppFlags", value_parser = identifier)]
    pub name: String,
    /// Tell @esclusa/react too, in TypeScript: its hooks and gates then take these keys alone
    #[arg(long)]
    pub react: bool,
    /// Time against which flags are judged as finished; now without it
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
}

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Constants of `TypedKey`
    Rust,
    /// A type for `Flags<…>`, and constants
    Typescript,
    /// Constants of `TypedKey`
    Python,
    /// The flag manifest of OpenFeature's tool
    Manifest,
}

fn identifier(name: &str) -> Result<String, String> {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if begins && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        Ok(name.to_owned())
    } else {
        Err("expected a name such as AppFlags".to_owned())
    }
}

/// Runs the command.
///
/// # Errors
/// When the flags cannot be read, or the file cannot be read or written.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let before = match &arguments.out {
        Some(out) if arguments.check => Some((out, written(out, desk)?)),
        _ => None,
    };
    let snapshot = Snapshot::read(&arguments.snapshot, &arguments.reading, desk)?;
    let set = snapshot.set()?;
    for violation in set.violations() {
        desk.say(format_args!("warning: {}: {}: {}", snapshot.name, violation.place(), violation.problem()))?;
    }
    // A file is checked as of the day on which it was written: time alone does not put it out of date.
    let day = before.as_ref().and_then(|(_, text)| day_of(text));
    let now = match (&arguments.at, day) {
        (None, Some(day)) => day,
        (at, _) => crate::caller::time(at.as_deref(), desk)?,
    };
    let flags = definition::all(&set, &Document::of(&snapshot), now);
    let said = header(&snapshot.name, set.revision(), now);
    let text = match arguments.language {
        Language::Rust => rust::write(&said, &flags),
        Language::Typescript => typescript::write(&said, &flags, &arguments.name, arguments.react),
        Language::Python => python::write(&said, &flags),
        Language::Manifest => manifest::write(&flags),
    };
    match (&arguments.out, before) {
        (_, Some((out, before))) => check(out, &before, &text, desk),
        (Some(out), None) => desk.write_file(out, &text).map(|()| Findings::None),
        (None, None) => desk.print(text).map(|()| Findings::None),
    }
}

/// What the file holds; a file that is missing holds nothing.
fn written(out: &PathBuf, desk: &Desk<'_>) -> Result<String, Trouble> {
    match std::fs::read_to_string(desk.folder.join(out)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| Trouble::new(format!("cannot read `{}`: {error}", out.display()))),
    }
}

fn check(out: &std::path::Path, before: &str, text: &str, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let body = |text: &str| {
        let is_header = |line: &str| line.contains(MADE_BY) && line.contains(AS_OF);
        text.lines().filter(|line| !is_header(line)).map(str::to_owned).collect::<Vec<_>>()
    };
    let (old, new) = (body(before), body(text));
    let Some(at) = (0..old.len().max(new.len())).find(|at| old.get(*at) != new.get(*at)) else {
        return Ok(Findings::None);
    };
    let shown =
        |line: Option<&String>| line.map_or_else(|| "the end of the file".to_owned(), |line| format!("`{line}`"));
    desk.say(format_args!(
        "{} is out of date: got {}, expected {}",
        out.display(),
        shown(old.get(at)),
        shown(new.get(at))
    ))?;
    Ok(Findings::Some)
}

const MADE_BY: &str = "Made by `esclusa codegen`";
const AS_OF: &str = ", as of ";

/// The first line: what the code was made from.
fn header(name: &str, revision: Option<u64>, now: Time) -> String {
    let revision = revision.map_or(String::new(), |revision| format!(", revision {revision}"));
    let time = now.to_string();
    let day = time.split('T').next().unwrap_or_default();
    // Names of sources have no line breaks, and those of files should not end a comment.
    let name = name.replace(['\n', '\r'], " ").replace("*/", "* /");
    format!("{MADE_BY} from {name}{revision}{AS_OF}{day}. Do not edit it: make it again.")
}

/// Whether a file begins as code that was written here.
pub(crate) fn is_generated(beginning: &[u8]) -> bool {
    let has = |line: &[u8], text: &str| line.windows(text.len()).any(|part| part == text.as_bytes());
    beginning.split(|byte| *byte == b'\n').take(2).any(|line| has(line, MADE_BY) || has(line, manifest::SCHEMA))
}

/// The day in a header that was written before.
fn day_of(text: &str) -> Option<Time> {
    let line = text.lines().find(|line| line.contains(MADE_BY))?;
    Time::parse(line.rsplit_once(AS_OF)?.1.split('.').next()?)
}

#[cfg(test)]
mod tests {
    use esclusa::Time;

    #[test]
    fn the_day_is_read_where_it_was_written() {
        let now = Time::parse("2026-11-30T17:04:00Z").unwrap();
        let header = super::header("flags, as of v1.json", Some(7), now);
        assert_eq!(
            header,
            "Made by `esclusa codegen` from flags, as of v1.json, revision 7, as of 2026-11-30. Do not edit it: make it again."
        );
        assert_eq!(super::day_of(&format!("// {header}\n")), Time::parse("2026-11-30"));
        assert_eq!(super::day_of("something else"), None);
    }
}
