//! Tries flags out: `cargo run -p esclusa --example resolve -- SNAPSHOT.json [--explain]`.
//!
//! Reads one JSON object a line from standard input, `{"flag": …, "context": {…}, "now": <time or milliseconds>}`, and
//! prints one resolution a line; without `now` it is now. Violations and notices of the snapshot go to standard error. A bad line
//! gets an error line in its place, and the rest goes on.

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use esclusa::{Context, FlagSet, Flags, SnapshotError, Time, Value};

const USAGE: &str = "usage: resolve SNAPSHOT.json [--explain] < QUERIES.jsonl";

fn main() -> ExitCode {
    let (mut path, mut explain) = (None, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--explain" => explain = true,
            _ if path.is_none() && !argument.starts_with('-') => path = Some(argument),
            _ => {
                eprintln!("`{argument}` is not an argument that is known here\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let Some(path) = path else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&path, explain) {
        Ok(()) => ExitCode::SUCCESS,
        // Who stops reading has seen enough.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Write(error)) => fail(&format!("cannot write: {error}")),
        Err(Failure::Snapshot(message)) => fail(&format!("{path}: {message}")),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

enum Failure {
    Snapshot(String),
    Write(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Write(error)
    }
}

fn run(path: &str, explain: bool) -> Result<(), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::Snapshot(error.to_string()))?;
    let set = FlagSet::from_json(&bytes).map_err(|error| Failure::Snapshot(format!("refused: {error}")))?;
    for violation in set.violations() {
        eprintln!("{violation}");
    }
    for notice in set.reading().notices() {
        eprintln!("notice: {}", notice.problem());
    }
    let flags = Flags::new();
    let _ = flags.publish(set);
    let set = flags.current();
    let mut input = io::stdin().lock();
    let mut output = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let answer = answer(&set, text, explain).unwrap_or_else(|(code, problem)| error_line(number, code, &problem));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// One line's resolution, or the error code and the problem.
fn answer(set: &FlagSet, line: &[u8], explain: bool) -> Result<Value<'static>, (&'static str, String)> {
    // A query is one line, so only the column says more than the number of the line.
    let problem = |error: SnapshotError| error.to_string().trim_start_matches("line 1, ").to_owned();
    let query = Value::from_json(line).map_err(|error| ("GENERAL", problem(error)))?;
    let Some(key) = query.get("flag").and_then(Value::as_str) else {
        return Err(("GENERAL", "`flag` is missing or not a string, expected the key of a flag".to_owned()));
    };
    let context = query.get("context").cloned().unwrap_or(Value::Object(Vec::new()));
    let context = Context::from_value(context).map_err(|error| ("INVALID_CONTEXT", error.to_string()))?;
    let now = match query.get("now") {
        None | Some(Value::Null) => Time::from(SystemTime::now()),
        Some(now) => {
            now.as_i64().map(Time::from_millis).or_else(|| now.as_str().and_then(Time::parse)).ok_or_else(|| {
                ("GENERAL", format!("`now` is {now}, expected an RFC 3339 time or whole milliseconds"))
            })?
        }
    };
    Ok(if explain { set.explain(key, &context, now).to_value() } else { set.resolve(key, &context, now).to_value() })
}

fn error_line(number: u64, code: &'static str, problem: &str) -> Value<'static> {
    Value::Object(vec![
        ("enabled".into(), false.into()),
        ("value".into(), Value::Null),
        ("variant".into(), Value::Null),
        ("reason".into(), "ERROR".into()),
        ("error".into(), code.into()),
        ("message".into(), format!("line {number}: {problem}").into()),
    ])
}
