//! What a guard does to simulated rollouts: how often it stops a healthy one, and how soon a bad one.
//!
//! Without arguments it prints a table of both; with arguments it makes one row:
//! `cargo run --release -p esclusa-guard --example simulate -- --runs 10000 --units 10000 --share 0.5 --on 0.01 --off 0.01`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

use std::env;
use std::error::Error;

use esclusa_guard::{Arm, Guard, Judged, Metric, Policy, Probability};

const USAGE: &str = "usage: simulate [OPTION NUMBER]...

--runs   rollouts (1000)                 --units  units of both arms in each (10000)
--share  the part that is on, 0.5; 1 is no off arm
--off    errors of the off arm (0.01)    --on     errors of the on arm (0.01)
--from   units before the on arm is bad (0)
--times  how many times as bad is tolerated (1); 0 compares no arms
--limit  the largest error rate of the on arm; 0 is none (0)
--bar    the bar of the first epoch; 0 is what 1 false trip in 100 asks for (0)
--ms     milliseconds from unit to unit (1000)
--every  units between two ticks (1); the guard looks at each bad outcome besides
--seed   of the random numbers (1)";

/// One row: a kind of rollout, and the guard that it has.
#[derive(Debug, Clone, Copy)]
struct Row {
    runs: u64,
    units: u64,
    share: f64,
    off: f64,
    on: f64,
    from: u64,
    times: f64,
    limit: f64,
    bar: f64,
    ms: u64,
    every: u64,
    seed: u64,
}

const HEALTHY: Row = Row {
    runs: 1000,
    units: 10_000,
    share: 0.5,
    off: 0.01,
    on: 0.01,
    from: 0,
    times: 1.0,
    limit: 0.0,
    bar: 0.0,
    ms: 1000,
    every: 1,
    seed: 1,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let rows = if arguments.is_empty() {
        table()
    } else {
        match asked(&arguments) {
            Ok(row) => vec![row],
            Err(problem) => {
                eprintln!("{problem}\n\n{USAGE}");
                std::process::exit(2);
            }
        }
    };
    println!(
        "| share | off | on | from | times | limit | bar | runs | tripped | median units | 90 % | on-users hurt |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        println!("{}", line(row)?);
    }
    Ok(())
}

/// Healthy rollouts first, then bad ones at a bar of 1000, then limits without an off arm, then an outage.
fn table() -> Vec<Row> {
    let mut rows = Vec::new();
    for (share, errors) in [(0.5, 0.01), (0.1, 0.01), (0.01, 0.01), (0.5, 0.1)] {
        rows.push(Row { runs: 2000, share, off: errors, on: errors, ..HEALTHY });
    }
    for (share, on, units) in [
        (0.5, 0.02, 20_000),
        (0.5, 0.05, 10_000),
        (0.5, 0.2, 4000),
        (0.1, 0.02, 40_000),
        (0.1, 0.05, 10_000),
        (0.1, 0.2, 4000),
    ] {
        rows.push(Row { runs: 500, units, share, on, bar: 1000.0, ..HEALTHY });
    }
    for (limit, on) in [(0.01, 0.005), (0.01, 0.01), (0.01, 0.02), (0.01, 0.05), (0.01, 0.2), (0.1, 0.1), (0.1, 0.5)] {
        rows.push(Row { share: 1.0, on, times: 0.0, limit, bar: 1000.0, ..HEALTHY });
    }
    for share in [0.5, 0.05] {
        rows.push(Row { units: 4000, share, off: 0.3, on: 0.3, times: 0.0, limit: 0.02, ..HEALTHY });
    }
    rows
}

fn asked(arguments: &[String]) -> Result<Row, String> {
    let mut row = HEALTHY;
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(format!("an option without its number: {pair:?}")) };
        let share: f64 = value.parse().map_err(|_| format!("`{value}` is no number"))?;
        let count = || value.parse::<u64>().map_err(|_| format!("`{name}` is `{value}`, expected a whole number"));
        match name.as_str() {
            "--runs" => row.runs = count()?.max(1),
            "--units" => row.units = count()?,
            "--share" => row.share = share,
            "--off" => row.off = share,
            "--on" => row.on = share,
            "--from" => row.from = count()?,
            "--times" => row.times = share,
            "--limit" => row.limit = share,
            "--bar" => row.bar = share,
            "--ms" => row.ms = count()?,
            "--every" => row.every = count()?.max(1),
            "--seed" => row.seed = count()?,
            _ => return Err(format!("`{name}` is no option")),
        }
    }
    Ok(row)
}

/// Runs the rollouts of a row.
fn line(row: Row) -> Result<String, Box<dyn Error>> {
    let metric = Metric {
        at_most_times: (row.times > 0.0).then_some(row.times),
        at_most: Probability::new(row.limit),
        ..Metric::compared("errors")
    };
    let mut policy = Policy::new(vec![metric])?;
    let conditions = f64::from(u8::from(row.times > 0.0) + u8::from(row.limit > 0.0));
    if row.bar > 0.0 {
        policy = policy.false_trips(2.0 * conditions / row.bar)?;
    }
    let bar = Guard::new("flag", policy.clone(), None, 0).status(0).log_bar.exp();
    let mut random = fastrand::Rng::with_seed(row.seed);
    let mut trips: Vec<(u64, u64)> = (0..row.runs).filter_map(|_| rollout(row, &policy, &mut random)).collect();
    trips.sort_unstable();
    let mut hurt: Vec<u64> = trips.iter().map(|&(_, hurt)| hurt).collect();
    hurt.sort_unstable();
    // A quantile of all runs: those that did not trip come last.
    let rank = |percent: u64| usize::try_from(row.runs * percent / 100);
    let told = |value: Option<u64>| value.map_or_else(|| ">".to_owned(), |value| value.to_string());
    #[expect(clippy::cast_precision_loss, reason = "a few thousand runs")]
    let tripped = 100.0 * trips.len() as f64 / row.runs as f64;
    Ok(format!(
        "| {} | {} | {} | {} | {} | {} | {bar:.0} | {} | {tripped:.2} % | {} | {} | {} |",
        row.share,
        row.off,
        row.on,
        row.from,
        row.times,
        row.limit,
        row.runs,
        told(trips.get(rank(50)?).map(|&(units, _)| units)),
        told(trips.get(rank(90)?).map(|&(units, _)| units)),
        told(hurt.get(rank(50)?).copied()),
    ))
}

/// One rollout: after how many units it tripped, counted from the beginning of the harm, and how many on-users had an
/// error since then.
fn rollout(row: Row, policy: &Policy, random: &mut fastrand::Rng) -> Option<(u64, u64)> {
    let mut guard = Guard::new("flag", policy.clone(), Probability::new(row.share), 0);
    let mut hurt = 0;
    for unit in 0..row.from + row.units {
        let arm = if random.f64() < row.share { Arm::On } else { Arm::Off };
        let harmful = arm == Arm::On && unit >= row.from;
        let failed = random.f64() < if harmful { row.on } else { row.off };
        let outcome = if failed { Judged::good().bad_for(0) } else { Judged::good() };
        hurt += u64::from(failed && harmful);
        let mut trip = guard.track(unit * row.ms, random.u64(..), arm, outcome);
        if unit % row.every == 0 {
            trip = trip.or(guard.tick(unit * row.ms));
        }
        if trip.is_some() {
            return Some(((unit + 1).saturating_sub(row.from), hurt));
        }
    }
    None
}
