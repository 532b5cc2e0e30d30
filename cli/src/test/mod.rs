//! `esclusa test`: what flags answer, written down in YAML and checked.

mod document;
mod flag;
mod format;
mod named;
mod ranges;
mod running;
mod samples;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use esclusa::Value;
use ignore::WalkBuilder;
use ignore::overrides::OverrideBuilder;

use crate::config::Config;
use crate::desk::{Desk, Findings, Trouble};
use crate::people::{Contexts, Kinds};
use crate::source::{Reading, Snapshot};
use document::Document;
use flag::Source;
use running::{Ran, Setting};

/// Where tests are if nothing else is said.
const FILES: &str = "tests/flags/*.{yaml,yml}";

/// How often `--watch` looks at the files.
const LOOK: Duration = Duration::from_millis(200);

/// Check what flags answer, by tests in YAML
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa test
  esclusa test tests/flags/crm.yaml --source flags.json
  esclusa test --format junit > report.xml
  esclusa schema test > test.schema.json

A file:
  flag: crm_advanced
  source: flags.json                      # or --source, or [tests] of esclusa.toml
  at: 2026-02-01T00:00:00Z
  cases:
    - name: the first tenth of the premium admins
      context: {plan: PREMIUM, role: ADMIN}
      bucket: 9999                        # a user in this bucket is found
      expect: {enabled: true}
    - matrix: {plan: [FREE, BASIC], region: [CO, MX]}
      expect: {enabled: false, first_no: target_plans}
    - share: {of: {plan: PREMIUM, role: ADMIN}, is: 10 %, within: 0.5 %}
    - never: {region: US}

Exit codes: 0 all passed, 1 some failed, 2 a file or the flags cannot be read, or a case makes no sense.")]
pub struct Arguments {
    /// Files or folders; without them those of esclusa.toml, or tests/flags/*.yaml
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The flags of files that name none: a SNAPSHOT as for the other commands
    #[arg(long, value_name = "SNAPSHOT")]
    pub source: Option<String>,
    /// Run again whenever a file changes
    #[arg(long)]
    pub watch: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub contexts: Contexts,
    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub reading: Reading,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// What failed, for people
    Human,
    /// One object
    Json,
    /// JUnit's XML
    Junit,
    /// Annotations of GitHub's workflows
    Github,
}

/// A file that was run.
pub(crate) struct File {
    path: PathBuf,
    cases: Vec<Ran>,
}

/// Runs the command.
///
/// # Errors
/// When a file or the flags cannot be read, or a case makes no sense.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    loop {
        let config = arguments.reading.config(desk)?;
        let files = files(arguments, &config, desk)?;
        // As they are before they are read, so that no change is missed.
        let mut watched: Vec<Watched> = files.iter().map(|file| Watched::now(desk.folder.join(file))).collect();
        let ran = once(arguments, &config, &files, &mut watched, desk);
        if !arguments.watch {
            return ran;
        }
        if let Err(trouble) = ran {
            desk.say(format_args!("error: {trouble}"))?;
        }
        desk.out.flush()?;
        while watched.iter().all(Watched::is_as_it_was) {
            std::thread::sleep(LOOK);
        }
    }
}

/// A file, and when it was written.
struct Watched {
    file: PathBuf,
    written: Option<SystemTime>,
}

impl Watched {
    fn now(file: PathBuf) -> Self {
        Watched { written: written(&file), file }
    }

    fn is_as_it_was(&self) -> bool {
        written(&self.file) == self.written
    }
}

fn written(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|about| about.modified()).ok()
}

fn once(
    arguments: &Arguments,
    config: &Config,
    files: &[PathBuf],
    watched: &mut Vec<Watched>,
    desk: &mut Desk<'_>,
) -> Result<Findings, Trouble> {
    let (mut documents, mut sources) = (Vec::new(), BTreeMap::new());
    let mut natives = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(desk.folder.join(path))
            .map_err(|error| Trouble::new(format!("cannot read `{}`: {error}", path.display())))?;
        let document = document::read(&text).map_err(|problem| Trouble::new(problem.said(path)))?;
        let name = source_of(&document, path, arguments, config, desk)?;
        if !sources.contains_key(&name) {
            let before = Watched::now(desk.folder.join(&name));
            let snapshot = Snapshot::read(&name, &arguments.reading, desk)?;
            if let Some(file) = snapshot.file.clone() {
                watched.push(if file == before.file { before } else { Watched::now(file) });
            }
            let native = snapshot.native()?.into_owned();
            let rows = esclusa_impact::Document::from_json(&native);
            let document = rows.map_err(|error| Trouble::new(format!("{name}: {error}")))?;
            sources.insert(name.clone(), Source { name: snapshot.name.clone(), set: snapshot.set()?, document });
            natives.push(native);
        }
        documents.push((path, document, name));
    }
    let needs_people =
        documents.iter().any(|(_, document, _)| document.cases.iter().any(|one| one.value.never.is_some()));
    let people = if needs_people { people(arguments, config, &natives, desk)? } else { Vec::new() };
    let setting = Setting { now: desk.now, people: &people };
    let ran = in_parallel(&documents, &|(path, document, source): &(&PathBuf, Document, String)| {
        let source = sources.get(source).ok_or_else(|| Trouble::new("no source"))?;
        let cases = running::run(document, source, &setting).map_err(|problem| Trouble::new(problem.said(path)))?;
        Ok(File { path: (*path).clone(), cases })
    });
    let ran: Vec<File> = ran.into_iter().collect::<Result<_, Trouble>>()?;
    format::print(arguments.format, &ran, desk)?;
    Ok(Findings::some_if(ran.iter().flat_map(|file| &file.cases).any(|case| case.failure.is_some())))
}

/// Does the same with each of them, on all processors; the results are in their order.
fn in_parallel<T: Sync, R: Send>(all: &[T], work: &(dyn Fn(&T) -> R + Sync)) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let size = all.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            all.chunks(size).map(|part| scope.spawn(|| part.iter().map(work).collect::<Vec<R>>())).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn people(
    arguments: &Arguments,
    config: &Config,
    natives: &[Vec<u8>],
    desk: &mut Desk<'_>,
) -> Result<Vec<Value<'static>>, Trouble> {
    let mut all = Vec::new();
    if let Some(people) = arguments.contexts.people(config, desk)? {
        let natives: Vec<&[u8]> = natives.iter().map(Vec::as_slice).collect();
        people.read(&Kinds::of(&natives), desk, &mut |person| {
            esclusa::Context::from_value(person.clone()).map_err(|error| error.to_string())?;
            all.push(person.clone().into_owned());
            Ok(())
        })?;
    }
    Ok(all)
}

/// The source of a file: its own, beside it if it is a file there, or else that of the options.
fn source_of(
    document: &Document,
    path: &Path,
    arguments: &Arguments,
    config: &Config,
    desk: &Desk<'_>,
) -> Result<String, Trouble> {
    let Some(own) = &document.source else {
        let given = arguments.source.clone().or_else(|| config.tests.source.clone());
        return given.ok_or_else(|| {
            Trouble::new(format!("{}: which flags? expected `source` in it, or `--source`", path.display()))
        });
    };
    let beside = path.parent().unwrap_or(Path::new("")).join(own);
    let is_beside = desk.folder.join(&beside).is_file();
    Ok(if is_beside { beside.to_string_lossy().into_owned() } else { own.clone() })
}

/// The files that are to be run, sorted.
fn files(arguments: &Arguments, config: &Config, desk: &Desk<'_>) -> Result<Vec<PathBuf>, Trouble> {
    let mut files = Vec::new();
    for file in &arguments.files {
        if desk.folder.join(file).is_dir() {
            let found = found(&desk.folder.join(file), &["*.yaml".to_owned(), "*.yml".to_owned()])?;
            files.extend(found.into_iter().map(|inside| file.join(inside)));
        } else {
            files.push(file.clone());
        }
    }
    if arguments.files.is_empty() {
        let patterns = config.tests.files.clone().unwrap_or_else(|| vec![FILES.to_owned()]);
        let folder = &config.folder;
        let relative = |file: PathBuf| {
            let whole = folder.join(file);
            whole.strip_prefix(&desk.folder).map_or(whole.clone(), Path::to_path_buf)
        };
        files.extend(found(folder, &patterns)?.into_iter().map(relative));
        if files.is_empty() {
            return Err(Trouble::new(format!("no file of tests, expected {}", patterns.join(" or "))));
        }
    }
    Ok(files)
}

/// The files of a folder that fit, by their paths from it.
fn found(folder: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, Trouble> {
    let trouble = |error: ignore::Error| Trouble::new(error.to_string());
    let mut overrides = OverrideBuilder::new(folder);
    for pattern in patterns {
        overrides.add(pattern).map_err(trouble)?;
    }
    let walk = WalkBuilder::new(folder).overrides(overrides.build().map_err(trouble)?).build();
    let files = walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let mut files: Vec<PathBuf> =
        files.filter_map(|entry| entry.path().strip_prefix(folder).ok().map(Path::to_path_buf)).collect();
    files.sort();
    Ok(files)
}
