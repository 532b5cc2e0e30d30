//! The emergency rollback: the row is updated, compiled and published while threads resolve.
//!
//! Each reader thread notes the time of its first `false`; the last of these times, counted from the call of publish,
//! is the time that the rollback took to reach all readers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use esclusa::{Context, FlagSet, Flags, Time};

use super::page::{Page, count, duration};
use super::population::{Person, Population};
use super::rows::Rows;
use super::{KEY, Problem};

/// With one reader, first and last would be the same.
const MIN_READERS: usize = 2;
/// More readers would show nothing new.
const MAX_READERS: usize = 8;
/// Number of rollbacks.
const ROUNDS: usize = 50;
/// How long the readers resolve before the rollback, so that each of them is running.
const WARM_UP: Duration = Duration::from_millis(5);

/// The times of one rollback.
struct Round {
    compiling: Duration,
    /// Until the call of publish returned.
    publishing: Duration,
    /// From the call of publish until each reader's first `false`, the soonest first.
    seen_after: Vec<Duration>,
    /// Number of evaluations of the readers until then.
    answers: u64,
    changed: Vec<String>,
}

pub(super) fn print(page: &Page, rows: &Rows, population: &Population, user: usize, at: Time) -> Result<(), Problem> {
    let (before, after) = (rows.json(), rows.json_without(KEY));
    let Some(person) = population.person(user) else { return Ok(()) };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let readers = cores.clamp(MIN_READERS, MAX_READERS);
    let flags = Flags::new();

    let had_it = with_flag(&compiled(&before)?, population, at);
    let round = take_back(&flags, &before, &after, &person.context(), at, readers)?;
    let have_it = with_flag(&flags.current(), population, at);
    page.line(&format!("UPDATE feature_flags SET enabled = false, rollout_percentage = 0 WHERE name = '{KEY}';"))?;
    let timed = |what: &str, took: Duration| format!("  {what:<58}{:>9}", duration(took));
    page.line(&timed("the rows read, checked and compiled again", round.compiling))?;
    page.line(&timed("publish, from its call until it returned", round.publishing))?;
    let last = round.seen_after.last().copied().unwrap_or_default();
    let seen = format!("from the call until the last of {readers} resolving threads saw it");
    page.line(&page.strong(&timed(&seen, last)))?;
    page.line(&format!("The threads, on {cores} cores, gave {} answers while it was on; one that waits for a core sees it when it runs again.", count(round.answers)))?;
    page.line(&format!("Changed, says the report of publish: {}.", round.changed.join(", ")))?;
    let (had, have) = (count(had_it.len() as u64), count(have_it.len() as u64));
    page.line(&format!("Users who have it: {had} before, {have} after."))?;

    let mut last_seen = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let round = take_back(&flags, &before, &after, &person.context(), at, readers)?;
        last_seen.extend(round.seen_after.last());
    }
    last_seen.sort_unstable();
    let nth = |place: usize| last_seen.get(place).copied().map_or_else(String::new, duration);
    let (median, slowest) = (nth(ROUNDS / 2), nth(ROUNDS - 1));
    page.line(&format!(
        "Opened and taken back {ROUNDS} times more, until the last thread saw it: median {median}, slowest {slowest}."
    ))?;

    let report = flags.publish(compiled(&before)?);
    let again = with_flag(&flags.current(), population, at);
    if !report.is_published() || !have_it.is_empty() || again != had_it {
        return Err(Problem::Failure(format!("`{KEY}` was not taken back and given again to the same users")));
    }
    page.line(&format!("Opened once more: the same {} users have it again, and no other.", count(again.len() as u64)))?;
    Ok(())
}

fn compiled(rows: &str) -> Result<FlagSet, Problem> {
    FlagSet::from_json_strict(rows.as_bytes()).map_err(|error| Problem::Failure(error.to_string()))
}

/// The numbers of the users for whom the flag is on.
fn with_flag(set: &FlagSet, population: &Population, at: Time) -> Vec<usize> {
    let is_on = |person: &Person<'_>| set.is_enabled(KEY, &person.context(), at);
    population.people().enumerate().filter(|(_, person)| is_on(person)).map(|(number, _)| number).collect()
}

/// Publishes the rows as they were, lets the readers resolve, and publishes them without the flag.
fn take_back(
    flags: &Flags,
    before: &str,
    after: &str,
    context: &Context<'_>,
    at: Time,
    readers: usize,
) -> Result<Round, Problem> {
    let _opened = flags.publish(compiled(before)?);
    let running = AtomicUsize::new(0);
    thread::scope(|scope| {
        let read = || {
            let mut reader = flags.reader();
            let mut answers = 0_u64;
            running.fetch_add(1, Ordering::Relaxed);
            while reader.current().is_enabled(KEY, context, at) {
                answers += 1;
            }
            (Instant::now(), answers)
        };
        let threads: Vec<_> = (0..readers).map(|_| scope.spawn(read)).collect();
        while running.load(Ordering::Relaxed) < readers {
            thread::yield_now();
        }
        thread::sleep(WARM_UP);

        let start = Instant::now();
        let set = compiled(after);
        let compiling = start.elapsed();
        // The readers must end after any error: an empty set has no flag that is on.
        let (set, wrong) = match set {
            Ok(set) => (set, None),
            Err(problem) => (FlagSet::default(), Some(problem)),
        };
        let called = Instant::now();
        let report = flags.publish(set);
        let publishing = called.elapsed();

        let mut round =
            Round { compiling, publishing, seen_after: Vec::new(), answers: 0, changed: report.changed().to_vec() };
        for thread in threads {
            let (seen, answers) = thread.join().map_err(|_| Problem::Failure("a reader thread panicked".to_owned()))?;
            round.seen_after.push(seen.saturating_duration_since(called));
            round.answers += answers;
        }
        round.seen_after.sort_unstable();
        wrong.map_or(Ok(round), Err)
    })
}
