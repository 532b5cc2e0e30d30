//! An emergency rollback in Postgres, and how long it takes until every process of several languages has seen it.
//!
//! `cargo xtask demo` runs it. It starts a private Postgres, runs the migration, fills the table with five hundred
//! flags, starts the processes, and takes the flag back and gives it again a few times. Three processes are this
//! program itself; each argument is the command line of another, as a JSON array of a name, a program and its
//! arguments. A process gets the connection string and the flag as its last two arguments, and prints a line for each
//! change that it sees: `on` or `off`, and the milliseconds since 1970.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use esclusa::{Context, Flags, Value};
use esclusa_sync::{Options, Postgres, sync};
use tokio_postgres::{Client, NoTls};

const FLAG: &str = "crm_advanced_features";
const MIGRATION: &str = include_str!("../migrations/001_esclusa.sql");
/// How many processes are this program.
const OWN: usize = 3;
const ROUNDS: usize = 10;
/// Until when the last process is to have seen it.
const PROMISE_MS: u64 = 1_000;
/// A process that has not started after this time has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A line that a process printed.
struct Seen {
    process: usize,
    is_on: bool,
    at_ms: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [role, url, flag] if role == "--watch" => runtime.block_on(watch(url, flag)),
        others => runtime.block_on(conduct(others)),
    }
}

/// One process of an app: prints each change of the flag as it sees it.
async fn watch(url: &str, flag: &str) -> Result<(), Box<dyn Error>> {
    let flags = Flags::new();
    let source = Postgres::new(url).map_err(|failure| failure.error)?;
    let _syncing = sync(&flags, source, Options::default());
    let (mut was, mut reader) = (None, flags.reader());
    let caller = caller();
    loop {
        let is_on = reader.is_enabled(flag, &caller);
        if was != Some(is_on) {
            println!("{} {}", if is_on { "on" } else { "off" }, now_ms());
            std::io::stdout().flush()?;
            was = Some(is_on);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Somebody for whom the flag of the users' notes is on when it is rolled out to all of its targets.
fn caller() -> Context<'static> {
    Context::new("user-42").plan("PREMIUM").role("ADMIN").region("CO")
}

async fn conduct(commands: &[String]) -> Result<(), Box<dyn Error>> {
    let server = esclusa_loopback::Postgres::start()?;
    let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await?;
    tokio::spawn(connection);
    fill(&client).await?;

    let (tell, seen) = channel();
    let mut processes = Processes(Vec::new());
    let mut names = Vec::new();
    for number in 0..OWN + commands.len() {
        let (name, mut command) = match number.checked_sub(OWN).and_then(|at| commands.get(at)) {
            None => ("Rust".to_owned(), own()?),
            Some(line) => other(line)?,
        };
        let child = command.args([&server.url(), FLAG]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        processes.0.push(listen(child, number, tell.clone())?);
        names.push(name);
    }
    println!("{} processes: {}", names.len(), names.join(", "));
    all_see(&seen, &names, true)?;

    let mut slowest: Vec<u64> = Vec::new();
    for round in 1..=ROUNDS {
        let begun = now_ms();
        client.execute("SELECT esclusa.emergency_rollback($1)", &[&FLAG]).await?;
        let committed = now_ms();
        let reached = all_see(&seen, &names, false)?;
        let last = reached.iter().map(|at_ms| at_ms.saturating_sub(begun)).max().unwrap_or_default();
        if round == 1 {
            println!("SELECT esclusa.emergency_rollback('{FLAG}');  committed after {} ms", committed - begun);
            for (name, at_ms) in names.iter().zip(&reached) {
                println!("  {name:<8} sees it {:>4} ms after the call", at_ms.saturating_sub(begun));
            }
        }
        slowest.push(last);
        let update = "UPDATE feature_flags SET enabled = true, rollout_percentage = 100 WHERE name = $1";
        client.execute(update, &[&FLAG]).await?;
        all_see(&seen, &names, true)?;
    }
    slowest.sort_unstable();
    let [median, worst] = [slowest.get(ROUNDS / 2), slowest.last()].map(|ms| ms.copied().unwrap_or_default());
    println!(
        "Taken back {ROUNDS} times, until the last of {} processes saw it: median {median} ms, slowest {worst} ms.",
        names.len()
    );
    let written: i64 =
        client.query_one("SELECT count(*) FROM release_history WHERE action = 'emergency_rollback'", &[]).await?.get(0);
    println!("release_history holds {written} emergency rollbacks and who did them.");
    if worst >= PROMISE_MS {
        println!("That is slower than the promised {PROMISE_MS} ms: this machine was busy, or something is wrong.");
    }
    if written != i64::try_from(ROUNDS)? {
        return Err(format!("the history holds {written} rollbacks, expected {ROUNDS}").into());
    }
    Ok(())
}

/// The migration, the flag of the users' notes, and as many others as a large app has.
async fn fill(client: &Client) -> Result<(), Box<dyn Error>> {
    client.batch_execute(MIGRATION).await?;
    client.batch_execute("SELECT esclusa.create_flags('public.feature_flags')").await?;
    let rows = format!(
        "INSERT INTO feature_flags (name, enabled, rollout_percentage, target_plans, target_roles, target_regions)
         SELECT name, true, 100, '{{PREMIUM,ENTERPRISE}}', '{{ADMIN,OWNER}}', '{{CO,MX,AR}}'
         FROM (SELECT '{FLAG}' AS name UNION ALL SELECT 'feature_' || number FROM generate_series(1, 499) number) names"
    );
    Ok(client.batch_execute(&rows).await?)
}

fn own() -> Result<Command, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--watch");
    Ok(command)
}

/// A command line of another language: its name, and the words.
fn other(line: &str) -> Result<(String, Command), Box<dyn Error>> {
    let words = Value::from_json(line.as_bytes())?;
    let words: Vec<&str> = words.as_list().into_iter().flatten().filter_map(Value::as_str).collect();
    let [name, program, rest @ ..] = words.as_slice() else {
        return Err(format!(
            "`{line}` is no command line, expected a JSON array of a name, a program and its arguments"
        )
        .into());
    };
    let mut command = Command::new(program);
    command.args(rest);
    Ok(((*name).to_owned(), command))
}

/// Ends with this program.
struct Processes(Vec<Child>);

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Passes on what a process prints.
fn listen(mut child: Child, process: usize, tell: Sender<Seen>) -> Result<Child, Box<dyn Error>> {
    let lines = BufReader::new(child.stdout.take().ok_or("a process prints nothing")?).lines();
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let mut words = line.split(' ');
            if let (Some(word @ ("on" | "off")), Some(Ok(at_ms))) = (words.next(), words.next().map(str::parse)) {
                let _ = tell.send(Seen { process, is_on: word == "on", at_ms });
            }
        }
    });
    Ok(child)
}

/// Waits until every process has printed that the flag is on (or off), and gives the times at which they did.
fn all_see(seen: &Receiver<Seen>, names: &[String], is_on: bool) -> Result<Vec<u64>, Box<dyn Error>> {
    let mut times: Vec<Option<u64>> = vec![None; names.len()];
    while let Some(missing) = times.iter().position(Option::is_none) {
        let next = seen.recv_timeout(PATIENCE).map_err(|_| {
            let name = names.get(missing).map_or("", String::as_str);
            format!(
                "process {missing} ({name}) has not seen the flag {} within {PATIENCE:?}",
                if is_on { "on" } else { "off" }
            )
        })?;
        if let Some(time) = times.get_mut(next.process).filter(|_| next.is_on == is_on) {
            *time = Some(next.at_ms);
        }
    }
    Ok(times.into_iter().flatten().collect())
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
