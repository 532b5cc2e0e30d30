//! The decisions of this folder as JSON: one door for hosts in other languages, and for the vectors.

use super::answer::{Rows, has_no_rows, should_save};
use super::event_stream::EventReader;
use super::layering::{Conclusion, LayerFailure, Layering};
use super::policy::Policy;
use super::redaction::redacted;
use super::retry_after::retry_after_ms;
use super::status::{State, Status};
use super::understood::understood;
use crate::value::Value;

/// Answers `{"decide": …}`; `None` for a question that there is not.
///
/// | `decide` | with | gives |
/// |---|---|---|
/// | `policy` | the fields of [`Policy`], each optional | all of them, or `{"error"}` |
/// | `retry_after` | `header`, `date` or null, `now_ms` | milliseconds, or null |
/// | `rows` | `status`, `content_range` or null | `"all"`, `"unknown"`, or `{"error"}` |
/// | `no_rows` | `text` | whether it is bare rows without a row |
/// | `save` | `saved` and `new`, revisions or null | whether the copy is replaced |
/// | `redacted` | `text` | the text as it may be shown |
/// | `status_line` | `source` and the fields of a status (11.13) | the status in one line |
/// | `understood` | `source`, and a `reading` (9.7) | `text` for the log and whether it `is_warning` (11.24) |
/// | `layers` | `made`, `given`, `etag` or null, `is_new`, `failures`: a list of `layer`, `error`, `retry_after_ms` or null | `made`, `given` and `answer`: `"not_modified"`, `"snapshot"` with `etag`, or `"failure"` with `error`, `retry_after_ms`, `with_snapshot` |
/// | `events` | `pieces`, texts of one stream | for each whether it brings news |
///
/// ```
/// use esclusa::{Value, sync::decide};
/// let question = Value::from_json(br#"{"decide": "retry_after", "header": "2", "date": null, "now_ms": 0}"#)?;
/// assert_eq!(decide(&question), Some(Value::from(2_000)));
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
#[must_use]
pub fn decide(question: &Value<'_>) -> Option<Value<'static>> {
    let text = |name| question.get(name).and_then(Value::as_str);
    let number = |name| whole(question.get(name));
    Some(match text("decide")? {
        "policy" => policy(question),
        "retry_after" => retry_after_ms(text("header")?, text("date"), number("now_ms")?).map(capped).into(),
        "rows" => match Rows::of(u16::try_from(number("status")?).ok()?, text("content_range")) {
            Rows::All => "all".into(),
            Rows::Unknown => "unknown".into(),
            Rows::Part(problem) => error(problem),
        },
        "no_rows" => has_no_rows(text("text")?.as_bytes()).into(),
        "save" => should_save(number("saved"), number("new")).into(),
        "redacted" => redacted(text("text")?).into(),
        "status_line" => status(question)?.line(text("source")?).into(),
        "understood" => {
            let block = understood(text("source")?, question.get("reading")?)?;
            Value::Object(vec![("is_warning".into(), block.is_warning.into()), ("text".into(), block.text.into())])
        }
        "layers" => layers(question)?,
        "events" => {
            let mut reader = EventReader::default();
            let pieces = question.get("pieces")?.as_list()?.iter().filter_map(Value::as_str);
            Value::List(pieces.map(|piece| reader.read(piece.as_bytes()).into()).collect())
        }
        _ => return None,
    })
}

fn whole(value: Option<&Value<'_>>) -> Option<u64> {
    u64::try_from(value?.as_i64()?).ok()
}

/// The largest number that every host has exactly.
fn capped(ms: u64) -> u64 {
    ms.min(crate::value::MAX_INTEGER.unsigned_abs())
}

fn error(problem: String) -> Value<'static> {
    Value::Object(vec![("error".into(), problem.into())])
}

fn policy(question: &Value<'_>) -> Value<'static> {
    let standard = Policy::default();
    let ms = |name: &'static str, otherwise| whole(question.get(name)).unwrap_or(otherwise);
    let policy = Policy {
        interval_ms: ms("interval_ms", standard.interval_ms),
        jitter_percent: ms("jitter_percent", standard.jitter_percent),
        stale_after_ms: whole(question.get("stale_after_ms")),
        backoff_min_ms: ms("backoff_min_ms", standard.backoff_min_ms),
        backoff_max_ms: ms("backoff_max_ms", standard.backoff_max_ms),
        spread_ms: ms("spread_ms", standard.spread_ms),
    };
    if let Err(wrong) = policy.check() {
        return error(wrong.to_string());
    }
    Value::Object(vec![
        ("interval_ms".into(), policy.interval_ms.into()),
        ("jitter_percent".into(), policy.jitter_percent.into()),
        ("stale_after_ms".into(), policy.stale_after_ms().into()),
        ("backoff_min_ms".into(), policy.backoff_min_ms.into()),
        ("backoff_max_ms".into(), policy.backoff_max_ms.into()),
        ("spread_ms".into(), policy.spread_ms.into()),
    ])
}

fn layers(question: &Value<'_>) -> Option<Value<'static>> {
    let mut layering = Layering { made: whole(question.get("made"))?, given: whole(question.get("given"))? };
    let failure = |failure: &Value<'_>| {
        Some(LayerFailure {
            layer: failure.get("layer")?.as_str()?.to_owned(),
            error: failure.get("error")?.as_str()?.to_owned(),
            retry_after_ms: whole(failure.get("retry_after_ms")),
        })
    };
    let failures: Vec<_> = question.get("failures")?.as_list()?.iter().map(failure).collect::<Option<_>>()?;
    let etag = question.get("etag").and_then(Value::as_str);
    let conclusion = layering.conclude(etag, question.get("is_new")?.as_bool()?, &failures);
    let mut fields = vec![("made".into(), layering.made.into()), ("given".into(), layering.given.into())];
    let mut say = |name: &'static str, value: Value<'static>| fields.push((name.into(), value));
    match conclusion {
        Conclusion::NotModified => say("answer", "not_modified".into()),
        Conclusion::Snapshot { etag } => {
            say("answer", "snapshot".into());
            say("etag", etag.into());
        }
        Conclusion::Failure { error, retry_after_ms, with_snapshot } => {
            say("answer", "failure".into());
            say("error", error.into());
            say("retry_after_ms", retry_after_ms.into());
            say("with_snapshot", with_snapshot.into());
        }
    }
    Some(Value::Object(fields))
}

fn status(question: &Value<'_>) -> Option<Status> {
    let states = [State::Starting, State::Fresh, State::Stale, State::Failing];
    let name = question.get("state")?.as_str()?;
    let last_error = question
        .get("last_error")
        .and_then(|last| Some((last.get("error")?.as_str()?.to_owned(), whole(last.get("at_ms")).unwrap_or_default())));
    Some(Status {
        state: states.into_iter().find(|state| state.as_str() == name)?,
        revision: whole(question.get("revision")),
        age_ms: whole(question.get("age_ms")),
        failures: whole(question.get("failures")).and_then(|failures| u32::try_from(failures).ok())?,
        last_error,
    })
}
