//! `esclusa stale`: flags that can go, with the evidence: no code names them, their definition is finished, everybody gets
//! the same.

use std::collections::BTreeMap;

use clap::ValueEnum;
use esclusa::{Context, FlagSet, Resolution, Time, Value};

use crate::code::Code;
use crate::desk::{Desk, Findings, Trouble};
use crate::lint::{Document, finished};
use crate::people::{Contexts, Kinds};
use crate::pipeline::{data, property};
use crate::refs::{self, Reference};

/// Find flags that can go: no code names them, they are finished, or everybody gets the same
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa stale flags.json src
  esclusa stale production --contexts people.csv --deny
  esclusa stale flags.json src --old flags.before.json --format github

What `refs` counts as a reference counts here. A flag is finished when `lint` calls it ended, always on or always off.
Exit codes: 0 done, 1 a flag is stale (--deny), or code names a flag that is gone (--old), 2 it could not be done.")]
pub struct Arguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub code: Code,
    /// Exit with 1 if a flag is stale
    #[arg(long)]
    pub deny: bool,
    /// Time against which flags are judged; now without it
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// How flags are listed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub contexts: Contexts,
}

/// How flags are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// One object
    Json,
    /// Annotations of GitHub's workflows
    Github,
}

/// What speaks against a flag.
#[derive(Debug, Default)]
struct Evidence {
    is_unreferenced: bool,
    finished: Option<String>,
    /// What everybody gets, and the number of people who were asked.
    same: Option<(String, u64)>,
}

impl Evidence {
    fn sentences(&self) -> impl Iterator<Item = String> {
        let unreferenced = self.is_unreferenced.then(|| "no code names it".to_owned());
        let same = self.same.as_ref().map(|(what, people)| format!("all of {people} people get {what}"));
        [unreferenced, self.finished.clone(), same].into_iter().flatten()
    }

    fn is_empty(&self) -> bool {
        self.sentences().next().is_none()
    }
}

/// Runs the command.
///
/// # Errors
/// When a source does not answer, or code or people cannot be read.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let config = arguments.code.reading.config(desk)?;
    let people = arguments.contexts.people(&config, desk)?;
    let now = crate::caller::time(arguments.at.as_deref(), desk)?;
    let code = arguments.code.read(false, desk)?;
    let (set, named, gone) = (&code.set, code.keys(), code.gone());
    let mut finished = finished(&Document::of(&code.snapshot), now);
    let mut evidence: BTreeMap<&str, Evidence> = BTreeMap::new();
    for key in set.keys() {
        let about = evidence.entry(key).or_default();
        about.is_unreferenced = !named.contains(key);
        about.finished = finished.remove(key);
    }
    if let Some(people) = people {
        let mut same = Same { set, now, answers: BTreeMap::new() };
        let tally = people.read(&Kinds::of(&[&code.snapshot.native()?]), desk, &mut |person| same.ask(person))?;
        for (key, answer) in same.answers {
            // Of one person nothing can be said about everybody.
            if let (Some(answer), Some(about), 2..) = (answer, evidence.get_mut(key), tally.read) {
                about.same = Some((what(answer), tally.read));
            }
        }
    }
    let stale: Vec<(&str, &Evidence)> =
        evidence.iter().filter(|(_, about)| !about.is_empty()).map(|(key, about)| (*key, about)).collect();
    match arguments.format {
        Format::Human => human(&stale, &gone, set.len(), desk)?,
        Format::Json => desk.print(json(&stale, &gone).to_json() + "\n")?,
        Format::Github => github(&stale, &gone, arguments.deny, desk)?,
    }
    Ok(Findings::some_if(!gone.is_empty() || (arguments.deny && !stale.is_empty())))
}

/// The flags of which everybody gets the same.
struct Same<'s> {
    set: &'s FlagSet,
    now: Time,
    /// What the first person gets; none once somebody gets something else.
    answers: BTreeMap<&'s str, Option<Resolution<'s>>>,
}

impl Same<'_> {
    fn ask(&mut self, person: &Value<'_>) -> Result<(), String> {
        let context = Context::from_value(person.clone()).map_err(|error| error.to_string())?;
        for (key, answer) in self.set.resolve_all(&context, self.now) {
            let first = self.answers.entry(key).or_insert(Some(answer));
            if first.is_some_and(|first| !is_same(first, answer)) {
                *first = None;
            }
        }
        Ok(())
    }
}

fn is_same(one: Resolution<'_>, other: Resolution<'_>) -> bool {
    let served = |answer: &Resolution<'_>| (answer.is_enabled(), answer.variant().map(str::to_owned));
    served(&one) == served(&other) && one.value() == other.value()
}

/// What an answer lets people have.
fn what(answer: Resolution<'_>) -> String {
    match (answer.is_enabled(), answer.variant()) {
        (true, Some(variant)) => format!("the variant {variant}"),
        (true, None) => "it".to_owned(),
        (false, _) => "nothing of it".to_owned(),
    }
}

fn human(stale: &[(&str, &Evidence)], gone: &[&Reference], all: usize, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    for (key, about) in stale {
        desk.print(format_args!("{key}\n"))?;
        about.sentences().try_for_each(|sentence| desk.print(format_args!("  {sentence}\n")))?;
    }
    for one in gone {
        desk.print(format_args!("{}:{}:{}: {}  which is gone\n", one.file, one.line, one.column, one.key))?;
    }
    desk.say(format_args!("{} of {all} flags can go, or should be looked at", stale.len()))
}

fn json(stale: &[(&str, &Evidence)], gone: &[&Reference]) -> Value<'static> {
    let flag = |(key, about): &(&str, &Evidence)| {
        let same = about.same.as_ref().map(|(what, people)| {
            Value::Object(vec![("gets".into(), what.clone().into()), ("people".into(), (*people).into())])
        });
        Value::Object(vec![
            ("flag".into(), (*key).to_owned().into()),
            ("unreferenced".into(), about.is_unreferenced.into()),
            ("finished".into(), about.finished.clone().into()),
            ("same_for_all".into(), same.unwrap_or_default()),
        ])
    };
    Value::Object(vec![
        ("stale".into(), Value::List(stale.iter().map(flag).collect())),
        ("gone".into(), Value::List(gone.iter().map(|one| refs::value(one)).collect())),
    ])
}

fn github(stale: &[(&str, &Evidence)], gone: &[&Reference], deny: bool, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let level = if deny { "error" } else { "warning" };
    for (key, about) in stale {
        let said: Vec<String> = about.sentences().collect();
        desk.print(format_args!(
            "::{level} title=esclusa(stale)::{}\n",
            data(&format!("`{key}`: {}", said.join("; ")))
        ))?;
    }
    for one in gone {
        let (file, message) = (property(&one.file), data(&format!("`{}` is gone", one.key)));
        let (line, column) = (one.line, one.column);
        desk.print(format_args!("::error file={file},line={line},col={column},title=esclusa(gone)::{message}\n"))?;
    }
    Ok(())
}
