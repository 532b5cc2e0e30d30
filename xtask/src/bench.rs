//! `cargo xtask bench`: everything that is claimed about speed, measured in one go, beside other engines and the limit.
//!
//! It builds and installs what it needs below `target/bench`, asks all contenders in turns (`benches/README.md`), and
//! writes a dated record with pictures to `benches/records/`. It never fails because something is slow: what does not
//! hold is said in the record.

mod chart;
mod claim;
mod comparison;
mod contender;
mod counts;
mod progress;
mod record;
mod setting;

use std::fs;
use std::process::ExitCode;
use std::time::SystemTime;

use esclusa::{Time, Value};

use crate::tools::Tools;
use comparison::Comparison;
use counts::Counts;
use progress::Progress;
use setting::Setting;

/// What one workload is asked for, unless the command says otherwise.
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
const COUNTED: [&str; 2] = ["w1-built-match", "w1-prebuilt-match"];
/// Instructions are counted of those whose answers take less: slower ones would take minutes under callgrind, and
/// nobody doubts which is faster.
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

/// A record in the making.
struct Report {
    text: String,
    claims: Vec<claim::Claim>,
    bars: Vec<(String, Vec<chart::Bar>)>,
    pictures: Vec<(&'static str, String)>,
}

fn bench(rounds: usize, parts: &[String]) -> Result<(), String> {
    let tools = Tools::find()?;
    let wants = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let mut progress = Progress::new();
    let setting = Setting::new(&tools)?;
    progress.say("making the population");
    let population = setting.population()?;
    let mut report = Report { text: String::new(), claims: Vec::new(), bars: Vec::new(), pictures: Vec::new() };
    // What hosts need is built before anything is timed.
    if ["python", "node", "chromium", "sizes"].into_iter().any(wants) {
        setting.packages(&mut progress)?;
    }
    if wants("rust") {
        let entries = setting.rust(&mut progress)?;
        let mut rust = Comparison::of(&tools, entries, &population, &RUST_WORKLOADS, rounds, &mut progress)?;
        let small = setting.small_population(&population)?;
        let near = |entry: &&contender::Entry| {
            rust.score("w1-prebuilt-match", &entry.name).is_some_and(|score| score.median() < NEAR_NS)
        };
        let counted: Vec<_> = rust.entries.iter().filter(near).cloned().collect();
        let counts = Counts::count(&tools, &counted, &small, &COUNTED, &mut progress);
        for workload in ["w4-memory", "w5"] {
            rust.ask_alone(&tools, &population, workload, &mut progress);
        }
        report.rust(&rust, &counts);
        progress.done("Rust: done");
    }
    if wants("python") {
        let entries = setting.python(&mut progress)?;
        let python = Comparison::of(&tools, entries, &population, &HOST_WORKLOADS, rounds, &mut progress)?;
        report.host("Python", &python, claim::of_python(&python));
        progress.done("Python: done");
    }
    if ["node", "chromium", "sizes"].into_iter().any(wants) {
        let entries = setting.node(&mut progress)?;
        if wants("node") {
            let node = Comparison::of(&tools, entries, &population, &HOST_WORKLOADS, rounds, &mut progress)?;
            report.host("Node", &node, claim::of_node(&node));
            progress.done("Node: done");
        }
        if wants("chromium") {
            let entries = setting.chromium()?;
            let chromium = Comparison::of(&tools, entries, &population, &HOST_WORKLOADS, rounds, &mut progress)?;
            report.host("Chromium", &chromium, claim::of_chromium(&chromium));
            progress.done("Chromium: done");
        }
        if wants("sizes") {
            report.sizes(&setting.sizes(&mut progress)?)?;
        }
    }
    if wants("scaling") {
        progress.say("building the curves");
        let program = setting.example("scaling")?;
        progress.say("measuring the curves");
        report.scaling(&tools.must(tools.program(program))?)?;
        progress.done("scaling: done");
    }
    let written = report.write(&tools, rounds, parts)?;
    progress.done(&format!("\n{}\n{written}", record::claims(&report.claims).trim()));
    Ok(())
}

/// What the pictures of one number an answer leave out.
const HIDDEN: [&str; 7] =
    ["openfeature-", "loop", "esclusa-value", "esclusa-resolve", "esclusa-roles", "esclusa-set", "esclusa-uuid"];

impl Report {
    fn rust(&mut self, rust: &Comparison, counts: &Counts) {
        self.claims.extend(claim::of_rust(rust, counts));
        self.bars.push(("Rust".to_owned(), record::bars(rust, "w1-prebuilt-match", &HIDDEN)));
        let parts = [
            "\n## Rust\n".to_owned(),
            record::contenders(rust),
            record::tables(rust, &RUST_WORKLOADS),
            "\n### Memory of 10,000 flags\n".to_owned(),
            record::memory(rust),
            "\n### Latency of single answers, two threads\n".to_owned(),
            record::latencies(rust),
            "\n### Instructions of an answer\n".to_owned(),
            record::instructions(counts, &rust.entries, &COUNTED),
            record::left_out(rust),
        ];
        self.text.extend(parts);
        let title = "How long an answer takes, of two threads that ask";
        self.pictures.push(("latency", chart::panels(title, &record::latency_panels(rust))));
    }

    fn host(&mut self, name: &str, host: &Comparison, claims: Vec<claim::Claim>) {
        self.claims.extend(claims);
        self.bars.push((name.to_owned(), record::bars(host, "w1-prebuilt-match", &HIDDEN)));
        let heading = format!("\n## {name}\n");
        let parts = [heading, record::contenders(host), record::tables(host, &HOST_WORKLOADS), record::left_out(host)];
        self.text.extend(parts);
    }

    fn sizes(&mut self, lines: &str) -> Result<(), String> {
        let mut sizes = Vec::new();
        for line in lines.lines().filter(|line| line.starts_with('{')) {
            let size = Value::from_json(line.as_bytes()).map_err(|problem| format!("`{line}`: {problem}"))?;
            let name = size.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            sizes.push((name, size.into_owned()));
        }
        self.claims.extend(claim::of_sizes(&sizes));
        self.text.push_str("\n## What a browser loads, in bytes\n");
        self.text.push_str(&record::sizes(&sizes));
        Ok(())
    }

    fn scaling(&mut self, lines: &str) -> Result<(), String> {
        let panels = record::scaling(lines)?;
        self.text.push_str("\n## Scaling\n");
        self.text.push_str(&record::points(&panels));
        self.pictures.push(("scaling", chart::panels("What an answer takes as things grow", &panels)));
        Ok(())
    }

    /// Writes the record and its pictures; tells where.
    fn write(&mut self, tools: &Tools, rounds: usize, parts: &[String]) -> Result<String, String> {
        if !self.bars.is_empty() {
            let title = "One flag for one caller: median time of an answer, logarithmic";
            self.pictures.push(("speed", chart::bars(title, &self.bars)));
        }
        let day = Time::from(SystemTime::now()).to_string();
        let day = day.split('T').next().unwrap_or_default();
        let folder = tools.root().join("benches/records");
        let mut pictures = String::new();
        for (name, svg) in &self.pictures {
            let file = format!("{day}-{name}.svg");
            pictures.push_str(&format!("\n![{name}]({file})\n"));
            write(&folder.join(file), svg)?;
        }
        let command = ["cargo xtask bench", &parts.join(" ")].join(" ");
        let text = format!(
            "# Speed, {day}\n\n`{}`, {rounds} rounds: {}.\nContenders take turns, so that the noise of the machine meets all alike; \
             what stands beside Esclusa is the median of the ratios of neighbouring rounds.\n\
             [`benches/README.md`](../README.md) says what each workload is, and [`benches/peers`](../peers/README.md) how each engine is set up.\n\
             {pictures}\n## What must hold\n{}{}",
            command.trim(),
            machine(tools),
            record::claims(&self.claims),
            self.text
        );
        let file = folder.join(format!("{day}-speed.md"));
        write(&file, &text)?;
        Ok(format!("written to {}", file.display()))
    }
}

/// The machine and the compilers, as far as they tell.
fn machine(tools: &Tools) -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let version = |name: &str, argument: &str| {
        let said = tools.heard(tools.program(name).arg(argument)).unwrap_or_default();
        said.lines().next().unwrap_or_default().trim().to_owned()
    };
    let node = version("node", "--version");
    let versions = [version("rustc", "--version"), version("python3", "--version"), format!("Node {node}")];
    format!("{cores} cores of {}, {}", model.unwrap_or(std::env::consts::ARCH), versions.join(", "))
}

fn write(file: &std::path::Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|problem| format!("cannot write {}: {problem}", file.display()))
}
