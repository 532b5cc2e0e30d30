//! A contender: a process that runs one round of a workload on request (`benches/README.md`).

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use esclusa::Value;

use crate::tools::{Program, Tools};

/// An answer takes milliseconds, or seconds if a slow engine sets up much; a contender that takes longer than this
/// hangs.
const HANGS: Duration = Duration::from_secs(180);
/// A contender that has not ended this long after the end of its input has threads or sockets that would keep it
/// forever.
const ENDS: Duration = Duration::from_secs(5);

/// A contender, and its program.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) about: String,
    /// Why it cannot run, if listing it showed that.
    problem: Option<String>,
    /// The program and the arguments before the contender's name.
    command: Vec<String>,
    folder: PathBuf,
}

impl Entry {
    /// All contenders of a program.
    pub(crate) fn list(tools: &Tools, command: &[String], folder: &Path) -> Result<Vec<Entry>, String> {
        let program = program(tools, command, folder).ok_or("a contender without a program")?;
        let said = tools.must(program.arg("--list"))?;
        let entry = |line: &str| {
            let value = parsed(line)?;
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (name, version, about) = (text("name"), text("version"), text("about"));
            let problem = value.get("error").and_then(Value::as_str).map(str::to_owned);
            Ok(Entry { name, version, about, problem, command: command.to_vec(), folder: folder.to_path_buf() })
        };
        said.lines().filter(|line| line.starts_with('{')).map(entry).collect()
    }

    /// Whether it is another engine, to compare Esclusa with.
    pub(crate) fn is_peer(&self) -> bool {
        let yardsticks = ["limit", "serde_json", "noop", "loop"];
        let provider = self.name.starts_with("openfeature-")
            && ["esclusa", "constant"].iter().any(|part| self.name.contains(part));
        !(self.is_ours() || provider || self.name.starts_with("by-hand") || yardsticks.contains(&self.name.as_str()))
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("esclusa")
    }

    /// Whether charts show it: of Esclusa and of yardsticks, only those that others are compared with.
    pub(crate) fn is_shown(&self) -> bool {
        const OURS: [&str; 3] = ["esclusa", "esclusa-wasm", "esclusa-wasm-full"];
        const YARDSTICKS: [&str; 4] = ["limit", "noop", "by-hand-if", "by-hand-engine"];
        self.is_peer() || [OURS.as_slice(), &YARDSTICKS].concat().contains(&self.name.as_str())
    }

    /// The command that counts instructions, without the name of the workload and the rounds.
    pub(crate) fn counting(&self, tools: &Tools, population: &str) -> Program {
        let valgrind = tools.program("valgrind").args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let program = self.command.iter().fold(valgrind, Program::arg);
        program.args(["--count", &self.name, population])
    }

    /// Runs several contenders of its program in turns, in one process: nanoseconds of each pass, by name.
    pub(crate) fn in_turns(
        &self,
        tools: &Tools,
        population: &str,
        (workload, passes): (&str, usize),
        names: &[&str],
    ) -> Result<Value<'static>, String> {
        let program = program(tools, &self.command, &self.folder).ok_or("a contender without a program")?;
        let program = program.args(["--turns", population, workload, &passes.to_string()]).args(names.iter().copied());
        parsed(tools.must(program)?.trim())
    }

    pub(crate) fn start(&self, tools: &Tools, population: &str) -> Result<Running, String> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let program = program(tools, &self.command, &self.folder).ok_or("a contender without a program")?;
        let program = program.args([self.name.as_str(), population]);
        let what = program.to_string();
        let log = tools.log(&format!("contender-{}", self.name.replace(['@', '/'], "")));
        let errors = File::create(&log).map_err(|problem| format!("cannot write {}: {problem}", log.display()))?;
        let mut command = program.into_command();
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors).spawn();
        let mut child = child.map_err(|problem| format!("`{what}` cannot be started: {problem}"))?;
        let (Some(questions), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("`{what}` has no channels"));
        };
        let (sender, answers) = channel();
        thread::spawn(move || listen(output, &sender));
        let mut running = Running { child, questions: Some(questions), answers, log, ended: None };
        match running.answer("before it was ready")?.get("error").and_then(Value::as_str) {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(running),
        }
    }
}

fn program(tools: &Tools, command: &[String], folder: &std::path::Path) -> Option<Program> {
    let (program, arguments) = command.split_first()?;
    Some(tools.program(program).args(arguments.iter().map(String::as_str)).in_folder(folder.to_path_buf()))
}

fn parsed(line: &str) -> Result<Value<'static>, String> {
    Value::from_json(line.as_bytes()).map(Value::into_owned).map_err(|problem| format!("`{line}`: {problem}"))
}

/// Passes on a contender's answers. A library may print lines of its own in between; answers are objects.
fn listen(output: ChildStdout, answers: &Sender<Value<'static>>) {
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    for answer in lines.filter(|line| line.starts_with('{')).filter_map(|line| parsed(&line).ok()) {
        if answers.send(answer).is_err() {
            return;
        }
    }
}

/// A running contender.
pub(crate) struct Running {
    child: Child,
    questions: Option<ChildStdin>,
    answers: Receiver<Value<'static>>,
    /// The log of its errors.
    log: PathBuf,
    /// Why it has ended.
    ended: Option<String>,
}

impl Running {
    /// The answer to one question: the time of a round, or why there is none.
    pub(crate) fn ask(&mut self, workload: &str) -> Result<Value<'static>, String> {
        if let Some(why) = &self.ended {
            return Err(why.clone());
        }
        let asked = self.questions.as_mut().map(|questions| {
            let asked = writeln!(questions, "{workload}");
            asked.and_then(|()| questions.flush())
        });
        // If sending fails, it has ended, which `answer` reports next.
        drop(asked);
        let answer = self.answer(&format!("at `{workload}`"));
        if let Err(why) = &answer {
            self.ended = Some(why.clone());
        }
        answer
    }

    fn answer(&mut self, place: &str) -> Result<Value<'static>, String> {
        match self.answers.recv_timeout(HANGS) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.child.kill();
                Err(format!("it gave no answer within {} s {place}", HANGS.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.end();
                let errors = std::fs::read(&self.log).unwrap_or_default();
                let errors = String::from_utf8_lossy(&errors);
                let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim();
                Err(format!("it ended {place} ({status}): {last}"))
            }
        }
    }

    /// Waits for its end, for a short time.
    fn end(&mut self) -> String {
        let begin = Instant::now();
        while begin.elapsed() < ENDS && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        self.child.wait().map_or_else(|problem| problem.to_string(), |status| status.to_string())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A contender ends by itself at the end of its input.
        drop(self.questions.take());
        self.end();
    }
}
