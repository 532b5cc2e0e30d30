//! `cargo xtask bench`: measures every claim about speed in one run, next to other engines and the limit.
//!
//! It builds and installs what it needs below `target/bench`, runs all contenders in turns (`benches/README.md`), and
//! writes a dated record with charts to `benches/records/`. It never fails because something is slow, or because this
//! machine lacks a contender or a tool: the record names claims that do not hold, and parts that were not run, with the
//! reason.

mod chart;
mod claim;
mod comparison;
mod contender;
mod counts;
mod progress;
mod record;
mod report;
mod setting;
mod size;

use std::process::ExitCode;
use std::time::Instant;

use crate::tools::Tools;
use comparison::{Comparison, Contenders};
use counts::Counts;
use progress::Progress;
use report::Report;
use setting::Setting;

/// Default number of rounds of a workload.
const ROUNDS: usize = 31;
const PARTS: [&str; 6] = ["rust", "python", "node", "chromium", "sizes", "scaling"];

const RUST_WORKLOADS: [&str; 10] = [
    "w1-built-match",
    "w1-built-mix",
    "w1-prebuilt-match",
    "w1-prebuilt-mix",
    "w1-key-match",
    "w1-key-mix",
    "w2-1000",
    "w2-100000",
    "w3",
    "w4",
];
const HOST_WORKLOADS: [&str; 4] = ["w1-built-match", "w1-built-mix", "w1-prebuilt-match", "w1-prebuilt-mix"];
/// The workloads in which the limit and Esclusa also run in one process.
const TURNS: [&str; 7] =
    ["w1-built-match", "w1-built-mix", "w1-prebuilt-match", "w1-prebuilt-mix", "w1-key-match", "w1-key-mix", "w3"];
const COUNTED: [&str; 2] = ["w1-built-match", "w1-prebuilt-match"];
/// Instructions are counted only below this time: slower evaluations would take minutes under callgrind.
const NEAR_NS: f64 = 2_000.0;

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match options(arguments).and_then(|(rounds, parts)| bench(rounds, &parts)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// How many rounds, and which parts.
fn options(arguments: &[String]) -> Result<(usize, Vec<String>), String> {
    let (mut rounds, mut parts, mut arguments) = (ROUNDS, Vec::new(), arguments.iter());
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            let number = arguments.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
            rounds = number.ok_or("expected a number of at least 1 behind `--rounds`")?;
        } else if PARTS.contains(&argument.as_str()) {
            parts.push(argument.clone());
        } else {
            return Err(format!("`{argument}` is no part, expected any of {}, or `--rounds N`", PARTS.join(", ")));
        }
    }
    Ok((rounds, parts))
}

/// The context of all parts.
struct Run<'t> {
    tools: &'t Tools,
    setting: Setting<'t>,
    progress: Progress,
    population: String,
    rounds: usize,
}

fn bench(rounds: usize, parts: &[String]) -> Result<(), String> {
    let tools = Tools::find()?;
    let wants = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let (setting, progress) = (Setting::new(&tools)?, Progress::new());
    progress.begin("making the population");
    let population = setting.population()?;
    let run = Run { tools: &tools, setting, progress, population, rounds };
    let mut report = Report::default();
    if wants("rust") {
        let rust = run.part("Rust", || run.rust());
        report.rust(rust, &RUST_WORKLOADS, &TURNS, &COUNTED);
    }
    if wants("python") {
        let python = run.part("Python", || run.python());
        report.host("Python", python, &HOST_WORKLOADS, claim::of_python);
    }
    // What is installed in Node's project is what Chromium is shown and what is bundled.
    let project =
        ["node", "chromium", "sizes"].into_iter().any(wants).then(|| run.part("packages for npm", || run.project()));
    let project = || project.clone().unwrap_or(Ok(()));
    if wants("node") {
        let node = run.part("Node", || project().and_then(|()| run.host(run.setting.node()?)));
        report.host("Node", node, &HOST_WORKLOADS, claim::of_node);
    }
    if wants("chromium") {
        let chromium = run.part("Chromium", || project().and_then(|()| run.host(run.setting.chromium()?)));
        report.host("Chromium", chromium, &HOST_WORKLOADS, claim::of_chromium);
    }
    if wants("sizes") {
        let native = run.part("sizes of native artefacts", || run.setting.native(&run.progress));
        let browsers = run.part("sizes in browsers", || {
            project()?;
            size::of_browsers(&run.setting.sizes(&run.progress)?)
        });
        report.sizes(native.map(|built| size::of_native(&built)), browsers);
    }
    if wants("scaling") {
        let points = run.part("scaling", || run.scaling());
        report.scaling(points);
    }
    if report.is_empty() {
        return Err("nothing was measured, so no record is written".to_owned());
    }
    let written = report.write(&tools, rounds, parts)?;
    run.progress.done(&format!("\n{}\n{written}", report.claims().trim()));
    Ok(())
}

impl Run<'_> {
    /// Runs a part, and prints how long it took, or why it was not run.
    fn part<T>(&self, name: &str, part: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        let begin = Instant::now();
        let done = part();
        let taken = begin.elapsed().as_secs();
        match &done {
            Ok(_) => self.progress.done(&format!("{name}: done in {} min {:02} s", taken / 60, taken % 60)),
            Err(problem) => self.progress.done(&format!("{name}: not run: {}", problem.trim_end())),
        }
        done
    }

    fn rust(&self) -> Result<(Comparison, Result<Counts, String>), String> {
        let contenders = self.setting.rust(&self.progress)?;
        let mut rust = self.compare(contenders, &RUST_WORKLOADS);
        let small = self.setting.small_population(&self.population)?;
        let near = |entry: &&contender::Entry| {
            rust.score("w1-prebuilt-match", &entry.name).is_some_and(|score| score.median() < NEAR_NS)
        };
        let counted: Vec<_> = rust.entries.iter().filter(near).cloned().collect();
        let counts = Counts::count(self.tools, &counted, &small, &COUNTED, &self.progress);
        if let Err(problem) = &counts {
            self.progress.done(&format!("no instructions are counted: {problem}"));
        }
        rust.ask_in_turns(self.tools, &self.population, &["esclusa", "limit"], &TURNS, &self.progress);
        for workload in ["w4-memory", "w5"] {
            rust.ask_alone(self.tools, &self.population, workload, &self.progress);
        }
        Ok((rust, counts))
    }

    fn python(&self) -> Result<Comparison, String> {
        self.setting.wheel(&self.progress)?;
        self.host(self.setting.python(&self.progress)?)
    }

    fn project(&self) -> Result<(), String> {
        self.setting.npm(&self.progress)?;
        self.setting.project(&self.progress)
    }

    fn host(&self, contenders: Contenders) -> Result<Comparison, String> {
        let host = self.compare(contenders, &HOST_WORKLOADS);
        if host.entries.is_empty() { Err("no contender can be started".to_owned()) } else { Ok(host) }
    }

    fn compare(&self, contenders: Contenders, workloads: &[&str]) -> Comparison {
        Comparison::of(self.tools, contenders, &self.population, workloads, self.rounds, &self.progress)
    }

    fn scaling(&self) -> Result<Vec<chart::Panel>, String> {
        self.progress.begin("building the curves");
        let program = self.setting.example("scaling")?;
        self.progress.begin("measuring the curves");
        record::scaling(&self.tools.must(self.tools.program(program))?)
    }
}
