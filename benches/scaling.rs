//! How an evaluation and a load grow: with the flags of a snapshot, the rules of a flag, the length of a list, the
//! number of threads, and the size of the document. Prints a line of JSON for each point, which `cargo xtask bench`
//! draws.
#![expect(clippy::unwrap_used, reason = "a bench stops at what is wrong")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use esclusa::{Context, FlagSet, Flags};
use esclusa_benches::{Caller, callers, company, context};
use serde_json::json;

/// A point is the median of this many rounds.
const ROUNDS: usize = 15;
const CALLERS: u64 = 10_000;
const TARGETS: &str = r#""enabled":true,"rollout_percentage":10,"target_plans":["PREMIUM","ENTERPRISE"]"#;

fn main() {
    let callers = callers(CALLERS);
    flags(&callers);
    rules(&callers);
    lists(&callers);
    threads(&callers);
    loads();
}

struct Axis {
    panel: &'static str,
    across: &'static str,
    unit: &'static str,
}

impl Axis {
    fn point(&self, curve: &str, at: u64, value: f64) {
        let Axis { panel, across, unit } = self;
        let point = json!({"panel": panel, "across": across, "unit": unit, "curve": curve, "at": at, "value": value});
        println!("{point}");
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of short rounds")]
fn each(took: Duration, answers: usize) -> f64 {
    took.as_nanos() as f64 / answers as f64
}

/// Nanoseconds an answer over all callers.
fn answer(contexts: &[Context<'_>], mut ask: impl FnMut(usize, &Context<'_>) -> bool) -> f64 {
    let mut round = || {
        let begin = Instant::now();
        let yes = contexts.iter().enumerate().filter(|(at, context)| ask(*at, context)).count();
        black_box(yes);
        each(begin.elapsed(), contexts.len())
    };
    round();
    median((0..ROUNDS).map(|_| round()).collect())
}

fn published(json: &str) -> Flags {
    let flags = Flags::new();
    let _ = flags.publish(FlagSet::from_json_strict(json.as_bytes()).unwrap());
    flags
}

/// The shortest possible rows, so that a million fit into a snapshot.
fn rows(count: u64) -> String {
    let mut json = String::from("[");
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        write!(json, r#"{comma}{{"name":"flag_{number}",{TARGETS}}}"#).unwrap();
    }
    json + "]"
}

/// One flag after the other, in an order that a cache cannot predict.
fn flags(callers: &[Caller]) {
    let axis = Axis { panel: "An answer, by the flags of the snapshot", across: "flags", unit: "ns" };
    let contexts: Vec<Context<'_>> = callers.iter().map(context).collect();
    for count in [10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let flags = published(&rows(count));
        let names: Vec<String> =
            (0..CALLERS).map(|number| format!("flag_{}", number.wrapping_mul(0x9e37_79b9) % count)).collect();
        let keys: Vec<_> = names.iter().map(|name| flags.key(name.as_str())).collect();
        let mut reader = flags.reader();
        axis.point("key as text", count, answer(&contexts, |at, who| flags.is_enabled(names.get(at).unwrap(), who)));
        axis.point("Key and Reader", count, answer(&contexts, |at, who| reader.is_enabled(keys.get(at).unwrap(), who)));
        let one = keys.first().unwrap();
        axis.point("the same flag again and again", count, answer(&contexts, |_, who| reader.is_enabled(one, who)));
    }
}

/// Each rule is for a company of its own; the callers are of the company in the middle, or of one without a rule. By an
/// equality, which is indexed, and by the end of a text, for which every rule is evaluated.
fn rules(callers: &[Caller]) {
    let axis = Axis { panel: "An answer, by the rules of the flag", across: "rules of the flag", unit: "ns" };
    let contexts = |of: String| -> Vec<Context<'_>> {
        callers.iter().take(200).map(|caller| context(caller).company(of.clone())).collect()
    };
    for count in [1, 10, 100, 1_000, 10_000] {
        for (operator, curve) in [("in", "equality"), ("ends_with", "end of a text")] {
            let rule = |number: u64| {
                let company = company(number);
                format!(
                    r#"{{"key":"rule_{number}","when":{{"attribute":"company","op":"{operator}","values":["{company}"]}},"rollout_percentage":10}}"#
                )
            };
            let rules: Vec<String> = (0..count).map(rule).collect();
            let flags = published(&format!(r#"[{{"name":"flag","enabled":true,"rules":[{}]}}]"#, rules.join(",")));
            let places = [(company(count / 2), "the rule in the middle"), ("nobody's".to_owned(), "no rule fits")];
            for (of, place) in places {
                let contexts = contexts(of);
                let took = answer(&contexts, |_, who| flags.is_enabled("flag", who));
                axis.point(&format!("{curve}: {place}"), count, took);
            }
        }
    }
}

/// A flag for that many companies; every caller's is among them, except for the empty list.
fn lists(callers: &[Caller]) {
    let axis = Axis { panel: "An answer, by the length of a list", across: "companies of the flag", unit: "ns" };
    let contexts: Vec<Context<'_>> = callers.iter().map(context).collect();
    for count in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let companies: Vec<String> = (0..count).map(|number| format!("\"{}\"", company(number))).collect();
        let companies = companies.join(",");
        let flags = published(&format!(r#"[{{"name":"flag",{TARGETS},"target_companies":[{companies}]}}]"#));
        axis.point("is_enabled", count, answer(&contexts, |_, who| flags.is_enabled("flag", who)));
    }
}

/// Each thread evaluates independently: more threads must not slow an evaluation, as long as there are processors for
/// them.
fn threads(callers: &[Caller]) {
    let axis = Axis { panel: "An answer, by the threads that ask", across: "threads", unit: "ns" };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let flags = published(&rows(200));
    for count in (1..=processors).take(8) {
        let ask = |with_reader: bool| {
            let took = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..count)
                    .map(|_| {
                        scope.spawn(|| {
                            let contexts: Vec<Context<'_>> = callers.iter().take(1_000).map(context).collect();
                            let (mut reader, key) = (flags.reader(), flags.key("flag_7"));
                            answer(&contexts, |_, who| {
                                if with_reader { reader.is_enabled(&key, who) } else { flags.is_enabled("flag_7", who) }
                            })
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            median(took)
        };
        let at = u64::try_from(count).unwrap();
        axis.point("key as text", at, ask(false));
        axis.point("Key and Reader", at, ask(true));
    }
}

/// Reading, checking and compiling a document, and what it then takes of memory.
#[expect(clippy::cast_precision_loss, reason = "bytes of a document")]
fn loads() {
    let time = Axis { panel: "Loading a snapshot", across: "flags", unit: "ns" };
    let memory = Axis { panel: "A loaded snapshot, in bytes", across: "flags", unit: "bytes" };
    for count in [100, 1_000, 10_000, 100_000] {
        let json = esclusa_benches::rows(count, 0);
        let load = || {
            let begin = Instant::now();
            let set = FlagSet::from_json(json.as_bytes()).unwrap();
            (each(begin.elapsed(), 1), set.arena_bytes())
        };
        let loads: Vec<(f64, usize)> = (0..if count > 10_000 { 3 } else { ROUNDS }).map(|_| load()).collect();
        time.point("read, checked and compiled", count, median(loads.iter().map(|(took, _)| *took).collect()));
        let plain = || {
            let begin = Instant::now();
            let value: serde_json::Value = serde_json::from_slice(json.as_bytes()).unwrap();
            black_box(value);
            each(begin.elapsed(), 1)
        };
        time.point("serde_json::Value, read and dropped", count, median((0..loads.len()).map(|_| plain()).collect()));
        memory.point("the flag set", count, loads.first().map(|(_, bytes)| *bytes as f64).unwrap());
        memory.point("the document", count, json.len() as f64);
    }
}
