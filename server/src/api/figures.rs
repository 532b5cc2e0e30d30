//! `GET /api/v1/flags/{key}/metrics`: what a flag does, out of the hours that apps and pages have reported.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use esclusa::Json;

use super::{Key, answer, bad, key, number, store};
use crate::caller::By;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::{Purpose, Table};
use crate::usage::figures::{self, Figures, Kept, Span};

/// The hours that are read, unless the address says otherwise.
const HOURS: u32 = 24;
const DAY_HOURS: u32 = 24;

/// How many hours an address asks for.
pub(super) fn hours(shared: &Shared, uri: &Uri) -> Result<u32, Problem> {
    let most = shared.usage.keep_days() * DAY_HOURS;
    match number(uri, "hours", HOURS.min(most), most)? {
        0 => Err(bad(format!("`hours` is `0`, expected a number from 1 to {most}"))),
        hours => Ok(hours),
    }
}

/// What the store has of a flag.
struct Found {
    kept: Vec<Kept>,
    units: Vec<(bool, String, i64)>,
}

/// The figures of a flag in the last hours.
pub(crate) async fn of_flag(
    State(shared): State<Arc<Shared>>,
    of: Key,
    _: By,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let (key, edition) = (key(of)?, shared.edition()?);
    if !edition.set.contains(&key) {
        return Err(Problem::no_flag(&key));
    }
    let span = Span::last(hours(&shared, &uri)?, shared.now());
    let guarded = edition.set.guarded().find(|guarded| guarded.key() == key);
    let run = guarded.as_ref().map_or(1, |guarded| i64::try_from(guarded.run()).unwrap_or(i64::MAX));
    let asked = key.clone();
    let read = move |table: &mut dyn Table| {
        if !table.has_own()? {
            return Ok(Found { kept: Vec::new(), units: Vec::new() });
        }
        Ok(Found { kept: figures::of_flag(table, &asked, span)?, units: figures::units(table, &asked, run)? })
    };
    let found = store(&shared)?.run(Purpose::Reading, read).await?;
    let mut json = Json::default();
    json.object(|json| {
        json.name("flag").text(&key);
        json.name("from").text(&Span::time(span.from));
        json.name("to").text(&Span::time(span.to));
        write(json, &found);
        json.name("guard").maybe(guarded, |json, guarded| {
            json.object(|json| {
                json.name("run").whole(run);
                json.name("policy").maybe(guarded.policy(), Json::value);
                json.name("trip").maybe(guarded.trip(), Json::value);
            });
        });
    });
    Ok(answer(StatusCode::OK, json.into_text()))
}

fn write(json: &mut Json, found: &Found) {
    let (mut on, mut off) = (Figures::default(), Figures::default());
    let mut variants = BTreeMap::<&str, Figures>::new();
    let mut reasons = BTreeMap::<&str, i64>::new();
    let mut by_hour = BTreeMap::<i64, Figures>::new();
    for kept in &found.kept {
        let series = &kept.series;
        if series.arm == "off" {
            off.add(kept);
        } else {
            on.add(kept);
        }
        variants.entry(&series.variant).or_default().add(kept);
        by_hour.entry(series.hour).or_default().add(kept);
        if !series.reason.is_empty() {
            *reasons.entry(&series.reason).or_default() += kept.count();
        }
    }
    let impact = on.durations.percentile(0.95).zip(off.durations.percentile(0.95).filter(|off| *off > 0.0));
    json.name("usage_count").whole(on.uses);
    figures::number(json, "error_rate", on.error_rate());
    figures::number(json, "performance_impact", impact.map(|(on, off)| on / off - 1.0));
    figures::number(json, "adoption_rate", on.adoption_rate());
    #[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 53 bits")]
    let feedback = (on.feedback > 0).then(|| on.feedback_sum / on.feedback as f64);
    figures::number(json, "user_feedback_score", feedback);
    json.name("feedback_count").whole(on.feedback);
    let last = found.kept.last().map(|kept| Span::time(kept.series.hour));
    json.name("last_updated").maybe(last, |json, last| json.text(&last));
    json.name("evaluations").whole(on.evaluations + off.evaluations);
    json.name("arms").object(|json| {
        json.name("on").object(|json| on.write(json));
        json.name("off").object(|json| off.write(json));
    });
    json.name("variants").list(&variants, |json, (variant, figures)| {
        json.object(|json| {
            json.name("variant").maybe(Some(*variant).filter(|variant| !variant.is_empty()), Json::text);
            figures.write(json);
        });
    });
    json.name("reasons").object(|json| {
        for (reason, count) in &reasons {
            json.name(reason).whole(*count);
        }
    });
    json.name("hours").list(&by_hour, |json, (hour, figures)| {
        json.object(|json| {
            json.name("hour").text(&Span::time(*hour));
            figures.write(json);
        });
    });
    json.name("units").list(&found.units, |json, (is_on, metric, units)| {
        json.object(|json| {
            json.name("on").bool(*is_on);
            json.name("metric").text(metric);
            json.name("units").whole(*units);
        });
    });
}
