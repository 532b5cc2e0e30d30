//! `GET /api/v1/overview`: how releases are, in the numbers that a team looks at first.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use esclusa::{Context, Json, Reason, Time, Value};
use esclusa_sync::State as Store;

use super::figures::hours;
use super::{answer, store};
use crate::caller::By;
use crate::edition::Edition;
use crate::problem::Problem;
use crate::reach::{Polls, Reached};
use crate::shared::Shared;
use crate::store::{Purpose, Recorded, Table};
use crate::usage::figures::{Figures, Span, by_flag, number, processes, share};

/// How many flags with errors are named.
const MOST_ERRORS: usize = 20;
/// In how many of the last lines of the history a rollback is looked for.
const LINES: u32 = 1_000;
/// Below this share of polls with the current revision, of at least so many, people are told.
const REACHED_SHARE: f64 = 0.9;
const MIN_POLLS: u64 = 20;

/// What flags are at a time.
#[derive(Debug, Default)]
struct Features {
    all: i64,
    /// Not off for everybody.
    active: i64,
    drafts: i64,
    /// Windows that have not begun.
    windows: i64,
    /// Steps of schedules that have not come, of flags that are not switched off.
    steps: i64,
    /// The last good definition is served, or nothing.
    set_aside: i64,
    tripped: Vec<(String, Value<'static>)>,
}

impl Features {
    fn of(edition: &Edition, now: Time) -> Self {
        let mut features = Features { set_aside: whole(edition.set.violations().len()), ..Features::default() };
        let nobody = Context::anonymous();
        for flag in &edition.flags {
            features.all += 1;
            let ahead =
                || edition.definition(&flag.key).map_or(0, |one| one.steps.iter().filter(|at| **at > now).count());
            if edition.set.resolve(&flag.key, &nobody, now).reason() != Reason::Disabled {
                features.active += 1;
                features.steps += whole(ahead());
                continue;
            }
            let explanation = edition.set.explain(&flag.key, &nobody, now);
            let Some(no) = explanation.first_no() else { continue };
            let is_draft =
                no.operands().iter().any(|(name, value)| *name == "status" && value.as_str() == Some("draft"));
            match no.code() {
                "status-off" if is_draft => features.drafts += 1,
                "before-start" => {
                    features.windows += 1;
                    features.steps += whole(ahead());
                }
                _ => {}
            }
        }
        let tripped =
            edition.set.guarded().filter_map(|guarded| Some((guarded.key().to_owned(), guarded.trip()?.clone())));
        features.tripped = tripped.collect();
        features
    }
}

/// What the store has.
#[derive(Default)]
struct Found {
    now: BTreeMap<String, Figures>,
    before: BTreeMap<String, Figures>,
    processes: (i64, i64),
    rollback: Option<Recorded>,
}

/// The numbers of the last hours.
pub(crate) async fn overview(State(shared): State<Arc<Shared>>, _: By, uri: Uri) -> Result<Response<Body>, Problem> {
    let (hours, now) = (hours(&shared, &uri)?, shared.now());
    let span = Span::last(hours, now);
    let edition = shared.edition()?;
    let revision = edition.revision();
    let read = move |table: &mut dyn Table| {
        let lines = table.recorded(None, LINES, 0)?;
        let mut found =
            Found { rollback: lines.into_iter().find(|line| line.action == "emergency_rollback"), ..Found::default() };
        if table.has_own()? {
            found.now = by_flag(table, span)?;
            found.before = by_flag(table, span.before())?;
            found.processes = processes(table, revision, now)?;
        }
        Ok(found)
    };
    let found = store(&shared)?.run(Purpose::Reading, read).await?;
    let features = Features::of(&edition, now);
    let polls = shared.reach.polls(now);
    let reached = found.rollback.as_ref().and_then(|line| shared.reach.reached(&line.flag, Time::parse(&line.at)?));
    let (health, reasons) = health(&shared, &features, polls);
    let mut json = Json::default();
    json.object(|json| {
        json.name("at").text(&now.to_string());
        json.name("hours").whole(hours.into());
        json.name("revision").maybe(revision, |json, revision| json.whole(i64::try_from(revision).unwrap_or(i64::MAX)));
        json.name("uptime_s").whole(i64::try_from(shared.began.elapsed().as_secs()).unwrap_or(i64::MAX));
        features.write(json);
        json.name("health").object(|json| {
            json.name("state").text(health);
            json.name("reasons").list(&reasons, |json, reason| json.text(reason));
        });
        found.write(json);
        json.name("missing_counts").whole(shared.usage.dropped());
        json.name("rollback").maybe(found.rollback.as_ref(), |json, line| rollback(json, line, reached));
        let (all, current) = (i64::try_from(polls.all).unwrap_or(i64::MAX), i64::try_from(polls.current).unwrap_or(0));
        json.name("polls").object(|json| current_of(json, all, current));
        json.name("processes").object(|json| current_of(json, found.processes.0, found.processes.1));
    });
    Ok(answer(StatusCode::OK, json.into_text()))
}

impl Features {
    fn write(&self, json: &mut Json) {
        json.name("features").object(|json| {
            json.name("all").whole(self.all);
            json.name("active").whole(self.active);
        });
        json.name("pending_releases").object(|json| {
            json.name("all").whole(self.drafts + self.windows + self.steps);
            json.name("drafts").whole(self.drafts);
            json.name("windows").whole(self.windows);
            json.name("steps").whole(self.steps);
        });
        json.name("tripped_guards").list(&self.tripped, |json, (flag, trip)| {
            json.object(|json| {
                json.name("flag").text(flag);
                json.name("trip").value(trip);
            });
        });
    }
}

impl Found {
    fn write(&self, json: &mut Json) {
        let sum = |flags: &BTreeMap<String, Figures>| {
            let add =
                |sum: (i64, i64, i64), one: &Figures| (sum.0 + one.evaluations, sum.1 + one.uses, sum.2 + one.errors);
            flags.values().fold((0, 0, 0), add)
        };
        let ((evaluations, uses, errors), before) = (sum(&self.now), sum(&self.before));
        let whole = |number: i64| Value::Integer(number);
        let rate = |number: Option<f64>| number.map_or(Value::Null, Value::Number);
        for (name, now, before) in [
            ("evaluations", whole(evaluations), whole(before.0)),
            ("uses", whole(uses), whole(before.1)),
            ("adoption_rate", rate(adoption(&self.now)), rate(adoption(&self.before))),
            ("error_rate", rate(share(errors, uses.max(errors))), rate(share(before.2, before.1.max(before.2)))),
        ] {
            json.name(name).object(|json| {
                json.name("now").value(&now);
                json.name("before").value(&before);
            });
        }
        let mut wrong: Vec<(&String, &Figures)> = self.now.iter().filter(|(_, figures)| figures.errors > 0).collect();
        wrong.sort_by(|(_, one), (_, other)| {
            other.error_rate().partial_cmp(&one.error_rate()).unwrap_or(std::cmp::Ordering::Equal)
        });
        json.name("errors_by_feature").list(wrong.into_iter().take(MOST_ERRORS), |json, (flag, figures)| {
            json.object(|json| {
                json.name("flag").maybe(Some(flag).filter(|flag| !flag.is_empty()), |json, flag| json.text(flag));
                json.name("uses").whole(figures.uses);
                json.name("errors").whole(figures.errors);
                number(json, "error_rate", figures.error_rate());
            });
        });
    }
}

/// The mean of all flags that were shown.
fn adoption(flags: &BTreeMap<String, Figures>) -> Option<f64> {
    let rates: Vec<f64> = flags.values().filter_map(Figures::adoption_rate).collect();
    #[expect(clippy::cast_precision_loss, reason = "there are at most a thousand and one flags")]
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    (!rates.is_empty()).then_some(mean)
}

fn rollback(json: &mut Json, line: &Recorded, reached: Option<Reached>) {
    json.object(|json| {
        json.name("flag").text(&line.flag);
        json.name("at").text(&line.at);
        json.name("by").maybe(line.by.as_deref(), Json::text);
        json.name("served_ms").maybe(reached.map(|reached| reached.served_ms), Json::whole);
        let clients = reached.map(|reached| i64::try_from(reached.clients).unwrap_or(i64::MAX));
        json.name("clients").maybe(clients, Json::whole);
        json.name("clients_ms").maybe(reached.and_then(|reached| reached.clients_ms), Json::whole);
    });
}

fn current_of(json: &mut Json, all: i64, current: i64) {
    json.name("all").whole(all);
    json.name("current").whole(current);
    number(json, "share", share(current, all));
}

/// `green`, `yellow` or `red`, and why, in words.
fn health(shared: &Shared, features: &Features, polls: Polls) -> (&'static str, Vec<String>) {
    let status = shared.syncing.status();
    let (mut red, mut yellow) = (Vec::new(), Vec::new());
    match status.state {
        Store::Fresh => {}
        Store::Starting => yellow.push("the store has not answered yet".to_owned()),
        Store::Stale => yellow.push(format!("the flags are not fresh: {status}")),
        Store::Failing => red.push(format!("the store does not answer: {status}")),
    }
    for (flag, _) in &features.tripped {
        yellow.push(format!("the guard of `{flag}` has switched it off"));
    }
    match features.set_aside {
        0 => {}
        1 => yellow.push("1 problem in the definitions of flags".to_owned()),
        many => yellow.push(format!("{many} problems in the definitions of flags")),
    }
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    if polls.all >= MIN_POLLS && (polls.current as f64) < polls.all as f64 * REACHED_SHARE {
        yellow.push(format!("{} of {} polls had an earlier revision", polls.all - polls.current, polls.all));
    }
    match (red.is_empty(), yellow.is_empty()) {
        (false, _) => ("red", red.into_iter().chain(yellow).collect()),
        (true, false) => ("yellow", yellow),
        (true, true) => ("green", vec!["the flags are fresh, and nothing has tripped".to_owned()]),
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
