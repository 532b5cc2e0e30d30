//! The protocol of staying fresh (section 11), as JSON: an event goes in, and the next action comes out.

use esclusa::Value;
use esclusa::sync::{Action, Policy, Protocol, Request, Response};

/// A protocol that asks at once, from `{"seed", "interval_ms", "jitter_percent", "stale_after_ms", "backoff_min_ms",
/// "backoff_max_ms", "spread_ms"}`; none if a number is out of range.
pub(crate) fn protocol(policy: &str) -> Option<Protocol> {
    let policy = Value::from_json(policy.as_bytes()).unwrap_or_default();
    let ms = |name| whole(&policy, name).unwrap_or_default();
    let seed = ms("seed");
    let policy = Policy {
        interval_ms: ms("interval_ms"),
        jitter_percent: ms("jitter_percent"),
        stale_after_ms: whole(&policy, "stale_after_ms"),
        backoff_min_ms: ms("backoff_min_ms"),
        backoff_max_ms: ms("backoff_max_ms"),
        spread_ms: ms("spread_ms"),
    };
    Protocol::new(policy, seed).ok()
}

/// Takes `{"event", "now_ms", …}`, and gives `{"ask": {"etag", "revision", "in_full"}}` or `{"wait_ms"}`; for the event `status` it
/// gives the status (11.13).
pub(crate) fn step(protocol: &mut Protocol, event: &str) -> String {
    let event = Value::from_json(event.as_bytes()).unwrap_or_default();
    let text = |name| event.get(name).and_then(Value::as_str);
    let revision = || whole(&event, "revision");
    let now_ms = whole(&event, "now_ms").unwrap_or_default();
    let response = match text("event").unwrap_or_default() {
        "status" => return protocol.status(now_ms).to_value().to_json(),
        "refresh" => return then(protocol, now_ms, Protocol::refresh),
        "notified" => return then(protocol, now_ms, Protocol::notified),
        "disconnected" => return then(protocol, now_ms, Protocol::disconnected),
        "from_cache" => {
            protocol.from_cache(now_ms, revision());
            return next(protocol, now_ms);
        }
        "published" => Response::Published { revision: revision(), etag: text("etag").map(str::to_owned) },
        "older" => Response::Older {
            revision: revision().unwrap_or_default(),
            current: whole(&event, "current").unwrap_or_default(),
        },
        "not_modified" => Response::NotModified,
        "failure" => Response::Failure {
            error: text("error").unwrap_or_default().to_owned(),
            retry_after_ms: whole(&event, "retry_after_ms"),
        },
        _ => return next(protocol, now_ms),
    };
    protocol.receive(now_ms, response);
    next(protocol, now_ms)
}

fn then(protocol: &mut Protocol, now_ms: u64, happened: fn(&mut Protocol, u64)) -> String {
    happened(protocol, now_ms);
    next(protocol, now_ms)
}

fn next(protocol: &mut Protocol, now_ms: u64) -> String {
    let (name, what) = match protocol.next(now_ms) {
        Action::Wait { ms } => ("wait_ms", ms.into()),
        Action::Ask(Request { etag, revision, in_full, .. }) => {
            let ask = [("etag", etag.into()), ("revision", revision.into()), ("in_full", in_full.into())];
            ("ask", Value::Object(ask.into_iter().map(|(name, value)| (name.into(), value)).collect()))
        }
    };
    Value::Object(vec![(name.into(), what)]).to_json()
}

/// A number that is not negative.
fn whole(object: &Value<'_>, name: &str) -> Option<u64> {
    u64::try_from(object.get(name)?.as_i64()?).ok()
}
