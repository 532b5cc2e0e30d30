//! A record that is being written: the results of each part, its claims, and the charts.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use esclusa::Time;

use super::chart::{self, Bar, Panel};
use super::claim::{self, Claim};
use super::comparison::Comparison;
use super::counts::Counts;
use super::record;
use super::size::{self, Size};
use crate::tools::Tools;

/// The workload in the chart of all hosts.
const SHOWN: &str = "w1-prebuilt-match";

#[derive(Default)]
pub(crate) struct Report {
    text: String,
    claims: Vec<(&'static str, Claim)>,
    bars: Vec<(String, Vec<Bar>)>,
    pictures: Vec<(&'static str, String)>,
}

impl Report {
    pub(crate) fn rust(
        &mut self,
        rust: Result<(Comparison, Result<Counts, String>), String>,
        workloads: &[&str],
        turns: &[&str],
        counted: &[&str],
    ) {
        self.text.push_str("\n## Rust\n");
        let (rust, counts) = match rust {
            Ok(measured) => measured,
            Err(problem) => {
                self.not_run(&problem);
                (Comparison::default(), Err("nothing was run".to_owned()))
            }
        };
        self.claim("Rust", claim::of_rust(&rust, counts.as_ref().unwrap_or(&Counts::default())));
        if rust.entries.is_empty() {
            return;
        }
        self.bars.push(("Rust".to_owned(), record::bars(&rust, SHOWN)));
        let parts = [
            record::contenders(&rust),
            record::tables(&rust, workloads),
            "\n### Beside the limit in one process, in turns of all callers\n".to_owned(),
            record::turns(&rust, turns),
            "\n### Memory of 10,000 flags\n".to_owned(),
            record::memory(&rust),
            "\n### Latency of single answers, two threads\n".to_owned(),
            record::latencies(&rust),
            "\n### Instructions of an answer\n".to_owned(),
            record::instructions(&counts, &rust.entries, counted),
            record::left_out(&rust),
        ];
        self.text.extend(parts);
        let title = "How long an answer takes, of two threads that ask";
        self.pictures.push(("latency", chart::panels(title, &record::latency_panels(&rust))));
    }

    /// The results of a host, or why there are none: its claims are in the record in any case.
    pub(crate) fn host(
        &mut self,
        name: &'static str,
        host: Result<Comparison, String>,
        workloads: &[&str],
        claims: fn(&Comparison) -> Vec<Claim>,
    ) {
        self.text.push_str(&format!("\n## {name}\n"));
        match host {
            Ok(host) => {
                self.claim(name, claims(&host));
                self.bars.push((name.to_owned(), record::bars(&host, SHOWN)));
                let parts = [record::contenders(&host), record::tables(&host, workloads), record::left_out(&host)];
                self.text.extend(parts);
            }
            Err(problem) => {
                self.claim(name, claims(&Comparison::default()));
                self.not_run(&problem);
            }
        }
    }

    pub(crate) fn sizes(&mut self, native: Result<Vec<Size>, String>, browsers: Result<Vec<Size>, String>) {
        let mut all = self.downloads("Native artefacts of a release, as they are downloaded", native, size::native);
        all.extend(self.downloads("What a browser loads, in bytes", browsers, size::browsers));
        self.claim("sizes", claim::of_sizes(&all));
    }

    fn downloads(
        &mut self,
        heading: &str,
        sizes: Result<Vec<Size>, String>,
        table: fn(&[Size]) -> String,
    ) -> Vec<Size> {
        self.text.push_str(&format!("\n## {heading}\n"));
        match sizes {
            Ok(sizes) => {
                self.text.push_str(&table(&sizes));
                sizes
            }
            Err(problem) => {
                self.not_run(&problem);
                Vec::new()
            }
        }
    }

    pub(crate) fn scaling(&mut self, panels: Result<Vec<Panel>, String>) {
        self.text.push_str("\n## Scaling\n");
        match panels {
            Ok(panels) => {
                self.text.push_str(&record::points(&panels));
                self.pictures.push(("scaling", chart::panels("What an answer takes as things grow", &panels)));
            }
            Err(problem) => self.not_run(&problem),
        }
    }

    fn claim(&mut self, part: &'static str, claims: Vec<Claim>) {
        self.claims.extend(claims.into_iter().map(|claim| (part, claim)));
    }

    fn not_run(&mut self, problem: &str) {
        self.text.push_str(&format!("\nNot run: {}\n", record::reason(problem)));
    }

    /// Whether no part has results.
    pub(crate) fn is_empty(&self) -> bool {
        self.pictures.is_empty()
            && self.bars.is_empty()
            && self.claims.iter().all(|(_, claim)| claim.measured.is_none())
    }

    /// The claims, and whether they hold.
    pub(crate) fn claims(&self) -> String {
        record::claims(&self.claims)
    }

    /// Writes the record and its charts; prints their paths.
    pub(crate) fn write(&mut self, tools: &Tools, rounds: usize, parts: &[String]) -> Result<String, String> {
        self.bars.retain(|(_, bars)| !bars.is_empty());
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
            self.claims(),
            self.text
        );
        // Reasons may contain paths; the record must not show those of this machine.
        let text = text.replace(&*tools.root().to_string_lossy(), ".");
        let file = folder.join(format!("{day}-speed.md"));
        write(&file, &text)?;
        Ok(format!("written to {}", file.display()))
    }
}

/// The machine and the compilers, as far as they can be determined.
fn machine(tools: &Tools) -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let version = |name: &str, argument: &str| {
        let said = tools.output(tools.program(name).arg(argument)).unwrap_or_default();
        said.lines().next().unwrap_or_default().trim().to_owned()
    };
    let node = version("node", "--version");
    let versions = [version("rustc", "--version"), version("python3", "--version"), format!("Node {node}")];
    format!("{cores} cores of {}, {}", model.unwrap_or(std::env::consts::ARCH), versions.join(", "))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|problem| format!("cannot write {}: {problem}", file.display()))
}
