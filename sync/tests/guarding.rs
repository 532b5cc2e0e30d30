//! Guards that tick by themselves: a flag that does harm is off within seconds, stays off after a restart and in the other
//! processes of the host, and a broken file switches nothing.
#![cfg(feature = "guard")]
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::path::Path;
use std::time::Duration;

use esclusa::{Context, FlagSet, Flags};
use esclusa_guard::{Guards, Outcome};
use esclusa_sync::guard;

fn published(run: u64) -> Flags {
    let flags = Flags::new();
    publish(&flags, run);
    flags
}

fn publish(flags: &Flags, run: u64) {
    let rows = format!(
        r#"[{{"name": "crm", "enabled": true, "rollout_percentage": 20, "guard": {{"errors": {{}}}}, "guard_state": {{"run": {run}}}}}]"#
    );
    assert!(flags.publish(FlagSet::from_json(rows.as_bytes()).unwrap()).is_published());
}

fn cohort(flags: &Flags) -> usize {
    (0..500).filter(|user| flags.is_enabled("crm", &Context::new(format!("user-{user}")))).count()
}

/// Waits until the cohort is this large.
async fn becomes(flags: &Flags, users: usize) {
    let wait = async {
        while cohort(flags) != users {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
}

fn fail(flags: &Flags, guards: &Guards) {
    for user in 0..500 {
        let context = Context::new(format!("user-{user}"));
        let outcome = if flags.is_enabled("crm", &context) { Outcome::error() } else { Outcome::ok() };
        guards.track("crm", &context, outcome);
    }
}

#[tokio::test]
async fn a_trip_reaches_the_other_processes_of_the_host_and_outlives_them_until_a_person_raises_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trips.json");
    let [first, second] = [published(3), published(3)];
    let before = cohort(&first);
    assert!(before > 50);
    let guards = [Guards::new(&first), Guards::new(&second)];
    let _first = guard(&guards[0], Some(&file));
    let _second = guard(&guards[1], Some(&file));
    fail(&first, &guards[0]);
    becomes(&first, 0).await;
    becomes(&second, 0).await;
    // A process that begins is tripped before it answers.
    let third = published(3);
    let _third = guard(&Guards::new(&third), Some(&file));
    assert_eq!(cohort(&third), 0);
    for flags in [&first, &second, &third] {
        publish(flags, 3);
        assert_eq!(cohort(flags), 0);
        publish(flags, 4);
        assert_eq!(cohort(flags), before, "the same cohort returns");
    }
    // The file of the run that is over opens and closes nothing.
    let fourth = published(4);
    let _fourth = guard(&Guards::new(&fourth), Some(&file));
    assert_eq!(cohort(&fourth), before);
}

#[tokio::test]
async fn a_file_that_is_broken_or_missing_switches_nothing_and_is_replaced_by_the_next_trip() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trips.json");
    let broken = [
        "",
        "[",
        "7",
        r#"{"esclusa": 1, "flags": [{"name": "crm", "trip": {"run": 9}}]}"#,
        r#"{"esclusa": 1, "layer": "trips"}"#,
        r#"{"esclusa": 1, "layer": "trips", "flags": [{"name": "crm", "trip": {"run": 9}}, {"name": "crm", "trip": {"run": "9"}}]}"#,
        r#"{"esclusa": 1, "layer": "trips", "flags": [{"trip": {"run": 9}}]}"#,
    ];
    for text in broken {
        std::fs::write(&file, text).unwrap();
        let flags = published(1);
        let _guarding = guard(&Guards::new(&flags), Some(&file));
        assert!(cohort(&flags) > 50, "{text}");
    }
    let flags = published(1);
    let _nowhere = guard(&Guards::new(&flags), Some(Path::new("/no/such/folder/trips.json")));
    let guards = Guards::new(&flags);
    let _guarding = guard(&guards, Some(&file));
    fail(&flags, &guards);
    becomes(&flags, 0).await;
    let wait = async {
        let restarted = || {
            let flags = published(1);
            let _guarding = guard(&Guards::new(&flags), Some(&file));
            cohort(&flags)
        };
        while restarted() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
}
