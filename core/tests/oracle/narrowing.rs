//! What can be read of a row narrows the definition that is kept for it (8.15).

use super::checking::{TARGETS, unreadable};
use super::json::Json;
use super::written;

/// A start or an end in milliseconds, if it is bounded.
pub(crate) fn bound(text: Option<&str>, start: bool) -> Option<i64> {
    match (text?, start) {
        ("infinity", true) => Some(i64::MAX),
        ("-infinity", false) => Some(i64::MIN),
        (text, _) => written::time(text),
    }
}

/// The kept definition, narrowed by the row.
pub(crate) fn narrowed(kept: &Json, row: &Json) -> Json {
    let unreadable = unreadable(row);
    let read = |name: &str| row.field(name).filter(|_| !unreadable.contains(&name));
    let (mut narrowed, mut nobody) = (kept.clone(), false);
    for name in TARGETS {
        let (own, new) = (kept.elements(name), read(name).and_then(Json::list).unwrap_or_default());
        let both: Vec<Json> = own.iter().filter(|entry| new.contains(entry)).cloned().collect();
        match (own.is_empty(), new.is_empty(), both.is_empty()) {
            (_, true, _) => {}
            (true, ..) => narrowed = narrowed.with(name, Json::List(new.to_vec())),
            (_, _, true) => nobody = true,
            _ => narrowed = narrowed.with(name, Json::List(both)),
        }
    }
    for (name, later) in [("start_date", true), ("end_date", false)] {
        let (own, new) = (bound(kept.string(name), later), bound(read(name).and_then(Json::text), later));
        if let Some(new_text) = read(name)
            && new.is_some_and(|new| own.is_none_or(|own| if later { own < new } else { new < own }))
        {
            let new = new_text;
            narrowed = narrowed.with(name, new.clone());
        }
    }
    let has_schedule =
        !matches!(row.field("schedule"), None | Some(Json::List(_))) || !row.elements("schedule").is_empty();
    let most = match read("rollout_percentage").and_then(written::share) {
        _ if nobody => 0,
        Some(share) if !has_schedule => share,
        _ => 100_000,
    };
    narrowed = at_most(&narrowed, most);
    let steps: Vec<Json> = narrowed.elements("schedule").iter().map(|step| at_most(step, most)).collect();
    narrowed = narrowed.with("schedule", Json::List(steps));
    let is_completed = |of: Option<&Json>| of.and_then(written::status) == Some("completed");
    if is_completed(kept.field("status")) && (nobody || !is_completed(read("status"))) {
        narrowed = narrowed.with("status", Json::Null);
    }
    let empty = || Json::Object(Vec::new());
    let side =
        |of: &Json, side: &str| of.field("overrides").and_then(|of| of.field(side)).cloned().unwrap_or_else(empty);
    let (mut off, more) = (side(kept, "off"), side(row, "off"));
    for list in ["users", "companies"] {
        let all = off.elements(list).iter().chain(more.elements(list)).filter(|entry| entry.text().is_some());
        off = off.with(list, Json::List(all.cloned().collect()));
    }
    narrowed.with("overrides", empty().with("on", side(kept, "on")).with("off", off))
}

/// The same with a share that is not larger.
fn at_most(of: &Json, most: u64) -> Json {
    let share = of.field("rollout_percentage").and_then(written::share).unwrap_or(100_000);
    if share > most { of.with("rollout_percentage", Json::Number(most as f64 / 1000.0)) } else { of.clone() }
}
