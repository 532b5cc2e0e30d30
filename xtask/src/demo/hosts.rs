//! The same answers from every host: the packages are built, installed into empty projects, and called.

use std::fmt::Write as _;

use esclusa::{Time, Value};

use super::Problem;
use super::page::{Page, count};
use super::population::{Person, Population};
use super::rows::Rows;
use crate::installed::{Host, Installed};
use crate::package::Packages;
use crate::tools::Tools;

/// Number of users for every host.
const USERS: usize = 250;
const KEY: usize = 34;
const COLUMN: usize = 24;

/// What the contexts hold, by their names in a snapshot.
const NAMES: [&str; 10] =
    ["user", "company", "plan", "role", "region", "seats", "language", "app_version", "signed_up_at", "two_factor"];

/// Whether all hosts answered alike.
pub(super) fn print(page: &Page, rows: &Rows, population: &Population, at: Time) -> Result<bool, Problem> {
    let tools = Tools::find().map_err(Problem::Failure)?;
    for (name, needed) in [("python3", "Python 3.10 or later"), ("node", "Node 20 or later"), ("npm", "npm")] {
        if !tools.has(tools.program(name).arg("--version")) {
            page.line(&format!("Left out: the packages need {needed} to be built, and `{name}` cannot be started."))?;
            return Ok(true);
        }
    }
    page.line("Building the packages that users install, and installing them into empty projects;")?;
    page.line("the first time this takes some minutes (`--engine-only` leaves it out).")?;
    let installed = installed(&tools).map_err(Problem::Failure)?;

    let people: Vec<Person<'_>> = population.people().take(USERS).collect();
    let questions = questions(rows, &people, at);
    let file = tools.root().join("target/installed/questions.jsonl");
    std::fs::write(&file, questions)?;
    let own = answers(rows, &people, at);
    let others: Vec<(Host, String)> = Host::ALL
        .into_iter()
        .map(|host| Ok((host, installed.ask(host, &file)?)))
        .collect::<Result<_, String>>()
        .map_err(Problem::Failure)?;

    page.line("")?;
    page.line(&format!("How many of the first {} users have each flag, by each host:", count(people.len() as u64)))?;
    let heads: String = others.iter().map(|(host, _)| format!("{:>COLUMN$}", host.name())).collect();
    page.line(&page.faint(&format!("{:<KEY$}{:>8}{heads}", "flag", "Rust")))?;
    let shown = |text: &str| on_by_flag(text, people.len());
    let columns: Vec<Vec<usize>> = others.iter().map(|(_, text)| shown(text)).collect();
    for (place, (key, on)) in rows.set().keys().zip(shown(&own)).enumerate() {
        let cells: String = columns
            .iter()
            .map(|column| column.get(place).map_or_else(String::new, usize::to_string))
            .map(|cell| format!("{cell:>COLUMN$}"))
            .collect();
        page.line(&format!(" {key:<KEY$}{on:>7}{}", page.picture(&cells)))?;
    }
    page.line("")?;
    let wrong: Vec<&str> = others.iter().filter(|(_, text)| *text != own).map(|(host, _)| host.name()).collect();
    if wrong.is_empty() {
        let asked = count(own.lines().count() as u64);
        page.line(&page.good(&format!("✓ {asked} resolutions, byte for byte the same in {} hosts", 1 + others.len())))?;
    } else {
        page.line(&page.bad(&format!("✗ other answers than Rust: {}", wrong.join(", "))))?;
    }
    Ok(wrong.is_empty())
}

fn installed(tools: &Tools) -> Result<Installed<'_>, String> {
    let folder = tools.root().join("target/packages");
    let packages = Packages::new(tools, &folder, &|what| println!("{what} …"))?;
    packages.for_this_machine()?;
    packages.list();
    Installed::from(tools, &folder)
}

fn questions(rows: &Rows, people: &[Person<'_>], at: Time) -> String {
    let mut questions = format!("{{\"snapshot\":{}}}\n", rows.json());
    for key in rows.set().keys() {
        for person in people {
            let fields = NAMES.iter().map(|name| ((*name).into(), person.value(name)));
            let context = Value::Object(fields.collect());
            let (key, now) = (Value::from(key), at.as_millis());
            let _ = writeln!(questions, r#"{{"key":{key},"context":{context},"now":{now}}}"#);
        }
    }
    questions
}

/// The engine's own answers in the form of every host: names sorted.
fn answers(rows: &Rows, people: &[Person<'_>], at: Time) -> String {
    let mut answers = String::new();
    for key in rows.set().keys() {
        for person in people {
            let resolution = rows.set().resolve(key, &person.context(), at);
            let _ = writeln!(answers, "{}", resolution.to_value().into_canonical());
        }
    }
    answers
}

/// Number of answers of each flag that are on; the answers are ordered by flag.
fn on_by_flag(answers: &str, people: usize) -> Vec<usize> {
    let lines: Vec<&str> = answers.lines().collect();
    let is_on = |line: &&&str| line.contains(r#""enabled":true,"error""#);
    lines.chunks(people.max(1)).map(|flag| flag.iter().filter(is_on).count()).collect()
}
