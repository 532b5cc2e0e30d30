//! The engine against the oracle, on random snapshots, contexts and times.
//!
//! The seed is printed; `ESCLUSA_SEED` sets another one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test stops at what is wrong"
)]

mod generator;
mod oracle;

use std::sync::atomic::{AtomicU64, Ordering};

use esclusa::{Context, FlagSet, Flags, Report, Resolution, SnapshotError, Step, StepOutcome, Time, Value, Violation};
use generator::{Node, OPERATORS, Random, Sequence, Snapshot, refusal_names, violation_names};
use oracle::{Hits, Json, Oracle, Outcome, Published};

/// How many sequences of snapshots are tried.
const SEQUENCES: u64 = 5_000;
/// How many resolutions must have been compared at least.
const TRIPLES: u64 = 200_000;

#[test]
fn the_engine_answers_as_the_oracle_does() {
    let seed = Random::seed();
    println!("seed {seed}");
    let (hits, next, triples) = (Hits::default(), AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        let hits = Hits::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= SEQUENCES {
                return hits;
            }
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(number);
            triples.fetch_add(compare(seed, &hits), Ordering::Relaxed);
        }
    };
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(counted) => hits.add(&counted),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    let (triples, seconds) = (triples.into_inner(), started.elapsed().as_secs_f64());
    println!("{}", hits.table());
    println!("{triples} resolutions of {SEQUENCES} sequences in {seconds:.1} s");
    assert!(triples >= TRIPLES, "{triples} resolutions are too few, expected at least {TRIPLES}");
    let missed: Vec<String> = wanted()
        .into_iter()
        .filter(|(group, name)| hits.count(group, name) == 0)
        .map(|(group, name)| format!("{group}: {name}"))
        .collect();
    assert!(missed.is_empty(), "never hit: {}", missed.join(", "));
}

/// What must have been hit.
fn wanted() -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    let mut group = |group, names: &[&'static str]| wanted.extend(names.iter().map(|name| (group, *name)));
    let truths = ["true", "false", "unknown"];
    for operator in OPERATORS {
        group(operator, if operator == "present" { &truths[..2] } else { &truths });
    }
    for kind in ["all", "any", "not", "segment", "percentage", "ignore_case"] {
        group(kind, &truths);
    }
    for list in ["target_plans", "target_roles", "target_companies", "target_regions", "target_users"] {
        group(list, &["holds", "does not hold"]);
    }
    group("a list longer than 100", &["holds", "does not hold"]);
    group("attribute is", &["a list"]);
    group("status", &["draft", "active", "paused", "completed", "rolled_back"]);
    group("reason", &["STATIC on", "TARGETING_MATCH on", "TARGETING_MATCH off", "SPLIT on", "SPLIT off"]);
    group("reason", &["DEFAULT off", "DISABLED off", "ERROR off"]);
    group("error", &["none", "FLAG_NOT_FOUND", "PARSE_ERROR", "PROVIDER_NOT_READY", "TARGETING_KEY_MISSING"]);
    group("said no", &["7.3", "7.4", "7.5", "7.9", "7.11", "7.12", "7.13", "7.14"]);
    group("override", &["on.users", "on.companies", "off.users", "off.companies"]);
    group("schedule", &["a step", "any"]);
    group("arm", &["one", "none"]);
    let units = ["user", "targetingKey", "company", "plan", "region", "account", "seats", "device.os", "email", "a.b"];
    group("bucketed by", &units);
    group("prerequisite", &["on met", "on not met", "off met", "off not met", "variants met", "variants not met"]);
    group("prerequisite", &["not in the set", "has an error"]);
    group("serves", &["the rule's variant", "by the rule's split", "by the flag's weights"]);
    group("set aside", &["broken", "killed", "kept", "killed and kept", "withheld", "withheld and kept"]);
    group("twins", &["are equal", "differ"]);
    group("narrowing", &["changes", "leaves nobody"]);
    group("default of the store", &["keeps serving"]);
    group("segment of", &["the set", "an earlier set"]);
    group("not kept", &["because of prerequisites", "because of segments"]);
    group("again", &["the same snapshot"]);
    group("outcome", &["published", "older", "refused"]);
    group("shape", &["bare rows", "document", "both"]);
    let fields =
        ["name", "enabled", "status", "rollout_percentage", "target_plans", "target_roles", "target_companies"];
    group("field", &fields);
    group("field", &["target_regions", "target_users", "start_date", "end_date", "bucket_by", "salt", "overrides"]);
    group("field", &["variants", "off_value", "rules", "prerequisites", "schedule", "client"]);
    group("violation", &violation_names());
    group("refused", &refusal_names().collect::<Vec<_>>());
    wanted
}

/// Publishes a sequence here and there and asks both for everything; answers how often they were asked.
fn compare(seed: u64, hits: &Hits) -> u64 {
    let sequence = Sequence::random(seed);
    let (mut oracle, flags, twin) = (Oracle::default(), Flags::new(), Flags::new());
    let mut twins = sequence.snapshots.iter().all(Snapshot::can_be_bare);
    let texts: Vec<String> = sequence.contexts.iter().map(Node::to_string).collect();
    let contexts: Vec<(Json, Context<'_>)> = texts
        .iter()
        .map(|text| (Json::parse(text.as_bytes()).unwrap(), Context::from_json(text.as_bytes()).unwrap()))
        .collect();
    let (mut triples, mut first, mut last) = (0, true, None);
    for (at, snapshot) in sequence.snapshots.iter().enumerate() {
        let fail = |query: Option<Query>| -> ! { report_difference(seed, &sequence.snapshots[..=at], query) };
        let text = snapshot.text();
        let before = flags.current();
        let published = oracle.publish(text.as_bytes());
        let report = publish(&flags, &text);
        if report_differs(&report, &published).is_some() {
            fail(None);
        }
        note_published(hits, snapshot, &published);
        if published.outcome == Outcome::Published {
            // 8.9
            let strict = FlagSet::from_json_strict(text.as_bytes());
            assert_eq!(strict.is_ok(), published.places.is_empty(), "seed {seed}: strict mode and {text}");
            // 9.5
            if last.as_ref() == Some(&text) {
                hits.hit("again", "the same snapshot");
                let report = report.as_ref().unwrap();
                let keys = [report.added(), report.removed(), report.changed()];
                assert!(keys.iter().all(|keys| keys.is_empty()), "seed {seed}: {keys:?} by publishing again {text}");
            }
            last = Some(text.clone());
        }
        // Bare rows have no revision, so that they cannot be older.
        twins &= published.outcome == Outcome::Published
            && publish(&twin, &snapshot.text_in(!snapshot.bare)).is_ok_and(|report| report.is_published());
        if twins {
            hits.hit("shape", "both");
        }
        let (set, twin) = (flags.current(), twin.current());
        let mut keys = oracle.keys();
        keys.push("no-such-flag");
        // Of the steps of a long chain or a ladder only some are asked for.
        keys.retain(|key| !key.starts_with("step-") || ["step-9", "step-10", "step-65"].contains(key));
        // Until when every answer is to stay as it is.
        let last =
            |now: &i64| set.next_change(Time::from_millis(*now)).map_or(i64::MAX / 2, |next| next.as_millis() - 1);
        let lasts: Vec<i64> = sequence.times.iter().map(last).collect();
        for key in keys {
            let changed = first || report.as_ref().is_ok_and(|report| has_changed(report, key));
            for (number, (json, context)) in contexts.iter().enumerate() {
                for (&now, &last) in sequence.times.iter().zip(&lasts) {
                    triples += 1;
                    let time = Time::from_millis(now);
                    let resolution = set.resolve(key, context, time);
                    let query = || Query { key: key.to_owned(), context: sequence.contexts[number].clone(), now };
                    if oracle.resolve(key, json, now).to_value() != to_json(&resolution) {
                        fail(Some(query()));
                    }
                    let explanation = set.explain(key, context, time);
                    let explained = explanation.resolution();
                    assert!(
                        explained == resolution,
                        "seed {seed}: {key}: explained as {explained:?}, not {resolution:?}"
                    );
                    // 7.20
                    let arm = set.arm(key, context, || time).map(|arm| (arm.is_on(), Value::from(arm.share())));
                    let expected = explained_arm(explanation.steps());
                    hits.hit("arm", if arm.is_some() { "one" } else { "none" });
                    assert!(arm == expected, "seed {seed}: {key}: the arm is {arm:?}, not {expected:?}");
                    // 9.10
                    for later in [last, now + (last - now) / 2] {
                        let still = set.resolve(key, context, Time::from_millis(later));
                        assert!(
                            still == resolution,
                            "seed {seed}: {key}: {still:?} at {later}, {resolution:?} at {now}"
                        );
                    }
                    if twins {
                        let other = twin.resolve(key, context, time);
                        assert!(
                            other == resolution,
                            "seed {seed}: {key}: in the other shape {other:?}, not {resolution:?}"
                        );
                    }
                    let old = before.resolve(key, context, time);
                    assert!(
                        changed || old == resolution,
                        "seed {seed}: {key} was {old:?}, and is {resolution:?}, unreported"
                    );
                }
            }
        }
        first &= published.outcome != Outcome::Published;
    }
    hits.add(&oracle.hits);
    triples
}

/// Whether the flag's own share admits the unit, and the share, if it decided.
fn explained_arm(steps: &[Step]) -> Option<(bool, Value<'static>)> {
    let step = steps.iter().find(|step| step.name() == "rollout" && step.code() == "share")?;
    let (_, share) = step.operands().iter().find(|(name, _)| *name == "threshold")?;
    Some((step.outcome() == StepOutcome::Yes, share.clone()))
}

/// Whether a report says that the key may be answered otherwise now (9.4).
fn has_changed(report: &Report, key: &str) -> bool {
    [report.added(), report.changed(), report.removed()].iter().any(|keys| keys.iter().any(|own| own == key))
}

fn note_published(hits: &Hits, snapshot: &Snapshot, published: &Published) {
    let outcome = match published.outcome {
        Outcome::Published => "published",
        Outcome::Older => "older",
        Outcome::Refused => "refused",
    };
    hits.hit("outcome", outcome);
    match (snapshot.refusal_name(), &published.outcome) {
        (Some(name), Outcome::Refused) => hits.hit("refused", name),
        (None, Outcome::Refused) => panic!("refused without a reason: {}", snapshot.text()),
        (Some(name), _) => panic!("{name} is not refused: {}", snapshot.text()),
        (None, _) => {}
    }
    if published.outcome != Outcome::Published {
        return;
    }
    for (name, count) in ["because of prerequisites", "because of segments"].into_iter().zip(published.not_kept) {
        if count > 0 {
            hits.hit("not kept", name);
        }
    }
    for (group, name) in &published.notes {
        hits.hit(group, name);
    }
    hits.hit("shape", if snapshot.bare { "bare rows" } else { "document" });
    let rows = Json::parse(snapshot.flags.to_string().as_bytes()).unwrap();
    for (name, _) in rows.list().unwrap().iter().flat_map(Json::fields) {
        hits.hit("field", name);
    }
    for expected in snapshot.expected.iter() {
        let found = match &expected.key {
            Some(key) => published.set_aside.iter().any(|(other, ..)| other == key),
            None => !published.places.is_empty(),
        };
        assert!(found, "{} of {:?} is no violation in {}", expected.name, expected.key, snapshot.text());
        hits.hit("violation", expected.name);
    }
}

fn publish(flags: &Flags, text: &str) -> Result<Report, SnapshotError> {
    FlagSet::from_json(text.as_bytes()).map(|set| flags.publish(set))
}

/// What is otherwise in a report than the oracle has it.
fn report_differs(report: &Result<Report, SnapshotError>, published: &Published) -> Option<String> {
    let Ok(report) = report else {
        return (published.outcome != Outcome::Refused)
            .then(|| format!("{report:?}, the oracle: {:?}", published.outcome));
    };
    let outcome = match report.outcome() {
        esclusa::Outcome::Published => Outcome::Published,
        _ => Outcome::Older,
    };
    if outcome != published.outcome {
        return Some(format!("{outcome:?}, the oracle: {:?}", published.outcome));
    }
    if outcome != Outcome::Published {
        return None;
    }
    let set_aside: Vec<_> = report
        .set_aside()
        .iter()
        .map(|flag| {
            let kept = flag.kept().map(|kept| (kept.revision(), kept.publishes()));
            (flag.key().to_owned(), flag.is_killed(), kept)
        })
        .collect();
    if set_aside != published.set_aside {
        return Some(format!("set aside {set_aside:?}, the oracle: {:?}", published.set_aside));
    }
    let places = report.violations().iter().map(Violation::place);
    (!published.places.are(places)).then(|| format!("{:?}, the oracle: {:?}", report.violations(), published.places))
}

fn to_json(resolution: &Resolution<'_>) -> serde_json::Value {
    Json::parse(resolution.to_value().to_string().as_bytes()).unwrap().to_value()
}

#[derive(Clone)]
struct Query {
    key: String,
    context: Node,
    now: i64,
}

/// Publishes anew, and says how the last report or the answer differs.
fn difference(snapshots: &[Snapshot], query: Option<&Query>) -> Option<String> {
    let (mut oracle, flags) = (Oracle::default(), Flags::new());
    let mut last = None;
    for snapshot in snapshots {
        let text = snapshot.text();
        last = report_differs(&publish(&flags, &text), &oracle.publish(text.as_bytes()));
    }
    let Some(query) = query else { return last };
    let text = query.context.to_string();
    let (set, context) = (flags.current(), Context::from_json(text.as_bytes()).unwrap());
    let engine = set.resolve(&query.key, &context, Time::from_millis(query.now));
    let expected = oracle.resolve(&query.key, &Json::parse(text.as_bytes()).unwrap(), query.now).to_value();
    (to_json(&engine) != expected).then(|| {
        let explained = set.explain(&query.key, &context, Time::from_millis(query.now));
        format!("engine: {}\noracle: {expected}\n{explained}", to_json(&engine))
    })
}

fn segments(snapshot: &mut Snapshot) -> &mut Node {
    &mut snapshot.segments
}

fn flags(snapshot: &mut Snapshot) -> &mut Node {
    &mut snapshot.flags
}

/// Takes out whatever is not needed for a difference, and stops the test with what is left.
fn report_difference(seed: u64, snapshots: &[Snapshot], mut query: Option<Query>) -> ! {
    let mut snapshots = snapshots.to_vec();
    let whole = difference(&snapshots, query.as_ref());
    let mut smaller = true;
    while std::mem::take(&mut smaller) {
        for at in (0..snapshots.len()).rev() {
            let mut fewer = snapshots.clone();
            fewer.remove(at);
            if difference(&fewer, query.as_ref()).is_some() {
                (snapshots, smaller) = (fewer, true);
            }
        }
        for at in 0..snapshots.len() {
            for part in [segments as fn(&mut Snapshot) -> &mut Node, flags] {
                for place in (0..part(&mut snapshots[at]).removable()).rev() {
                    let mut fewer = snapshots.clone();
                    part(&mut fewer[at]).remove(place);
                    if difference(&fewer, query.as_ref()).is_some() {
                        (snapshots, smaller) = (fewer, true);
                    }
                }
            }
        }
        if let Some(query) = &mut query {
            for place in (0..query.context.removable()).rev() {
                let mut fewer = query.clone();
                fewer.context.remove(place);
                if difference(&snapshots, Some(&fewer)).is_some() {
                    (*query, smaller) = (fewer, true);
                }
            }
        }
    }
    let texts: Vec<String> = snapshots.iter().map(Snapshot::text).collect();
    let asked =
        query.as_ref().map_or(String::new(), |query| format!("{} for {} at {}", query.key, query.context, query.now));
    let (whole, left) = (whole.unwrap_or_default(), difference(&snapshots, query.as_ref()).unwrap_or_default());
    panic!("sequence {seed} differs\n{whole}\nand made smaller\n{}\n{asked}\n{left}", texts.join("\n"));
}
