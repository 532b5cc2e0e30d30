//! Advice about times: windows that are over, schedules that have come to their end, flags that no longer change.

use esclusa::{BUCKETS, Time, Value};

use super::{Advice, Notes};
use crate::lint::Level;
use crate::lint::document::{Document, Row};

/// How long a flag must have stood still to count as finished.
const STILL_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

pub(super) const ADVICE: &[Advice] = &[
    Advice {
        name: "ended-window",
        level: Level::Warn,
        summary: "the flag's `end_date` is in the past",
        page: "It is off for everybody and stays so. Take it out of the code and then out of the table, or give it a new end.",
        check: Some(ended_window),
    },
    Advice {
        name: "schedule-done",
        level: Level::Warn,
        summary: "every step of the flag's `schedule` is in the past",
        page: "The share no longer changes. Write the last one as `rollout_percentage`, and leave the schedule out.",
        check: Some(schedule_done),
    },
    Advice {
        name: "always-on",
        level: Level::Warn,
        summary: "the flag has been on for everybody for 30 days and more",
        page: "Nothing restricts it, and `updated_at` is 30 days ago or more. The code can do without it.",
        check: Some(always_on),
    },
    Advice {
        name: "always-off",
        level: Level::Warn,
        summary: "the flag has been off for everybody for 30 days and more",
        page: "It is switched off, and `updated_at` is 30 days ago or more. Unless it is a kill switch, the code can do without it.",
        check: Some(always_off),
    },
];

fn time(value: Option<&Value<'_>>) -> Option<Time> {
    value?.as_str().and_then(|text| Time::parse(text.trim()))
}

fn ended_window(document: &Document<'_>, now: Time, notes: &mut Notes) {
    for flag in document.flags.iter().filter(|flag| flag.is_switched_on()) {
        let end = time(flag.get("end_date"));
        if let Some(written) = end.filter(|end| *end <= now).and_then(|_| flag.get("end_date")?.as_str()) {
            let problem = format!("the flag ended at {written}, and is off for everybody");
            notes.flag(flag, flag.place_of("end_date"), problem);
        }
    }
}

fn schedule_done(document: &Document<'_>, now: Time, notes: &mut Notes) {
    for flag in &document.flags {
        let steps = flag.entries("schedule");
        let is_past = |step: &Value<'_>| time(step.get("at")).is_some_and(|at| at <= now);
        if !steps.is_empty() && steps.iter().all(is_past) {
            let problem = "every step of the schedule is in the past, expected one to come".to_owned();
            notes.flag(flag, flag.place_of("schedule"), problem);
        }
    }
}

/// For how many days its row has not changed.
fn still_days(flag: &Row<'_>, now: Time) -> Option<i64> {
    let updated = time(flag.get("updated_at").or_else(|| flag.get("updatedAt")))?;
    let days = (now.as_millis() - updated.as_millis()) / DAY_MS;
    (days >= STILL_DAYS).then_some(days)
}

const RESTRICTIONS: [&str; 11] = [
    "target_plans",
    "target_roles",
    "target_companies",
    "target_regions",
    "target_users",
    "overrides",
    "rules",
    "prerequisites",
    "schedule",
    "start_date",
    "end_date",
];

fn always_on(document: &Document<'_>, now: Time, notes: &mut Notes) {
    for flag in document.flags.iter().filter(|flag| flag.is_switched_on()) {
        let Some(days) = still_days(flag, now) else { continue };
        let is_open = flag.share() == BUCKETS
            && !RESTRICTIONS.iter().any(|field| flag.has(field))
            && flag.entries("variants").len() < 2;
        if is_open {
            notes.flag(flag, flag.place_of("enabled"), format!("the flag has been on for everybody for {days} days"));
        }
    }
}

fn always_off(document: &Document<'_>, now: Time, notes: &mut Notes) {
    for flag in document.flags.iter().filter(|flag| !flag.is_switched_on()) {
        if let Some(days) = still_days(flag, now) {
            notes.flag(flag, flag.place_of("enabled"), format!("the flag has been off for everybody for {days} days"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::advice::tests::fires;

    #[test]
    fn a_window_that_is_over() {
        fires(
            "ended-window",
            &["/0/endDate: the flag ended at 2026-05-31, and is off for everybody"],
            r#"[{"name": "a", "enabled": true, "endDate": "2026-05-31"}]"#,
            r#"[{"name": "a", "enabled": true, "end_date": "2026-06-02"}, {"name": "b", "enabled": false, "end_date": "2020-01-01"}]"#,
        );
    }

    #[test]
    fn a_schedule_that_is_done() {
        let one = |second: &str| {
            format!(
                r#"[{{"name": "a", "enabled": true, "schedule": [{{"at": "2026-01-01", "rollout_percentage": 5}}, {{"at": "{second}", "rollout_percentage": 50}}]}}]"#
            )
        };
        let found = ["/0/schedule: every step of the schedule is in the past, expected one to come"];
        fires("schedule-done", &found, &one("2026-02-01"), &one("2026-07-01"));
    }

    #[test]
    fn a_flag_that_is_on_for_everybody_and_one_that_is_off() {
        fires(
            "always-on",
            &["/0/enabled: the flag has been on for everybody for 151 days"],
            r#"[{"name": "a", "enabled": "yes", "target_plans": [], "updated_at": "2026-01-01T00:00:00Z"}]"#,
            r#"[{"name": "a", "enabled": true, "updated_at": "2026-05-30"}, {"name": "b", "enabled": true, "target_plans": "[\"PRO\"]", "updated_at": "2026-01-01"}]"#,
        );
        fires(
            "always-off",
            &["/0/enabled: the flag has been off for everybody for 151 days"],
            r#"[{"name": "a", "enabled": true, "status": "archived", "updated_at": "2026-01-01"}]"#,
            r#"[{"name": "a", "enabled": true, "updated_at": "2026-01-01"}, {"name": "b", "updated_at": "2026-05-30"}]"#,
        );
    }
}
