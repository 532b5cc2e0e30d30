//! A contender: a process that does one round of a workload when it is asked for one (`benches/README.md`).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use esclusa::Value;

use crate::tools::{Program, Tools};

/// Somebody who can be asked, and by which program.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) about: String,
    /// The program and what comes before the contender's name.
    command: Vec<String>,
    folder: std::path::PathBuf,
}

impl Entry {
    /// Everybody whom a program knows.
    pub(crate) fn list(tools: &Tools, command: &[String], folder: &std::path::Path) -> Result<Vec<Entry>, String> {
        let program = program(tools, command, folder).ok_or("a contender without a program")?;
        let said = tools.must(program.arg("--list"))?;
        let entry = |line: &str| {
            let value = parsed(line)?;
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (name, version, about) = (text("name"), text("version"), text("about"));
            Ok(Entry { name, version, about, command: command.to_vec(), folder: folder.to_path_buf() })
        };
        said.lines().map(entry).collect()
    }

    /// Whether it is an engine of others, which ours is compared with.
    pub(crate) fn is_peer(&self) -> bool {
        let yardsticks = ["limit", "serde_json", "noop", "loop"];
        let provider = self.name.starts_with("openfeature-")
            && ["esclusa", "constant"].iter().any(|part| self.name.contains(part));
        !(self.is_ours() || provider || self.name.starts_with("by-hand") || yardsticks.contains(&self.name.as_str()))
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("esclusa")
    }

    /// The command that counts instructions, but for the name of the workload and the rounds.
    pub(crate) fn counting(&self, tools: &Tools, population: &str) -> Program {
        let valgrind = tools.program("valgrind").args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let program = self.command.iter().fold(valgrind, Program::arg);
        program.args(["--count", &self.name, population])
    }

    pub(crate) fn start(&self, tools: &Tools, population: &str) -> Result<Running, String> {
        let program = program(tools, &self.command, &self.folder).ok_or("a contender without a program")?;
        let program = program.args([self.name.as_str(), population]);
        let what = program.to_string();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(tools.log("contenders"));
        let log = log.map_err(|problem| format!("the log of the contenders: {problem}"))?;
        let mut command = program.into_command();
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.map_err(|problem| format!("`{what}` cannot be started: {problem}"))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("`{what}` has no channels"));
        };
        let mut running = Running { child, questions: Some(questions), answers: BufReader::new(answers), what };
        running.line()?;
        Ok(running)
    }
}

fn program(tools: &Tools, command: &[String], folder: &std::path::Path) -> Option<Program> {
    let (program, arguments) = command.split_first()?;
    Some(tools.program(program).args(arguments.iter().map(String::as_str)).in_folder(folder.to_path_buf()))
}

fn parsed(line: &str) -> Result<Value<'static>, String> {
    Value::from_json(line.as_bytes()).map(Value::into_owned).map_err(|problem| format!("`{line}`: {problem}"))
}

/// One that waits for questions.
pub(crate) struct Running {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    what: String,
}

impl Running {
    /// The answer to one question: what a round took, or why there is none.
    pub(crate) fn ask(&mut self, workload: &str) -> Result<Value<'static>, String> {
        let questions = self.questions.as_mut().ok_or("the contender has ended")?;
        let asked = writeln!(questions, "{workload}").and_then(|()| questions.flush());
        asked.map_err(|problem| format!("`{}` hears nothing: {problem}", self.what))?;
        self.line()
    }

    fn line(&mut self) -> Result<Value<'static>, String> {
        let mut line = String::new();
        // A library may write a line of its own before the first answer; answers are objects.
        while !line.starts_with('{') {
            line.clear();
            match self.answers.read_line(&mut line) {
                Ok(0) => return Err(format!("`{}` ended without an answer", self.what)),
                Ok(_) => {}
                Err(problem) => return Err(format!("`{}`: {problem}", self.what)),
            }
        }
        parsed(line.trim_end())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // At the end of its input a contender ends by itself.
        drop(self.questions.take());
        if self.child.wait().is_err() {
            let _ = self.child.kill();
        }
    }
}
