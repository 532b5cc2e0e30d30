//! Undo, as a law: whatever is changed can be put back, in any order that has no conflict, and the state is the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod editing;
mod running;

use editing::Place;
use running::Running;
use serde_json::{Value, json};

const KEYS: [&str; 4] = ["crm", "pay", "año nuevo", "x'y\"z"];

fn path(key: &str) -> String {
    key.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A change by chance, by the API or by SQL; the id of its line, if it changed something.
async fn change(random: &mut fastrand::Rng, running: &Running, place: &Place) -> Option<String> {
    let key = *random.choice(&KEYS).unwrap();
    let is_there = running.rows().await.iter().any(|row| row["name"] == key);
    let one = |random: &mut fastrand::Rng| {
        match random.u8(0..7) {
        0 => ("enabled", json!(random.bool())),
        1 => ("rollout_percentage", json!(random.u8(0..=100))),
        2 => ("target_plans", json!(["PREMIUM", "FREE", "BASIC"][..random.usize(0..3)])),
        3 => ("description", random.choice([json!(null), json!(""), json!("{\"a\": 1}"), json!("[x"), json!("it's \"x\" \\ ñ")]).unwrap()),
        4 => ("start_date", random.choice([json!(null), json!("2026-01-02T03:04:05.678901Z"), json!("2027-05-05T00:00:00Z")]).unwrap()),
        5 => ("variants", random.choice([json!(null), json!([{"key": "a", "weight": 50, "value": 0.1}, {"key": "b", "weight": 50, "value": {"deep": [1.5, "x"]}}])]).unwrap()),
        _ => ("target_companies", random.choice([json!(null), json!([]), json!(["acme", "globex"])]).unwrap()),
    }
    };
    let mut flag = serde_json::Map::new();
    for _ in 0..random.usize(1..4) {
        let (field, value) = one(random);
        flag.insert(field.to_owned(), value);
    }
    let before = running.history("/api/v1/history?limit=1").await;
    let at = format!("/api/v1/flags/{}", path(key));
    let reply = match random.u8(0..10) {
        0..=1 if is_there => running.edit("DELETE", &at, &Value::Null).header("if-match", "*").send().await,
        2 if is_there => running.edit("POST", &format!("{at}/rollback"), &Value::Null).send().await,
        3 if is_there => {
            let name = key.replace('\'', "''");
            place.sql(&format!(
                "UPDATE feature_flags SET description = 'by hand {}' WHERE name = '{name}'",
                random.u8(..)
            ));
            let lines = running.history("/api/v1/history?limit=1").await;
            return Some(lines[0]["id"].as_str().unwrap().to_owned());
        }
        _ if is_there => running.patch(&path(key), "*", Value::Object(flag)).await,
        _ => {
            flag.insert("name".to_owned(), json!(key));
            flag.entry("enabled").or_insert(json!(false));
            running.create(Value::Object(flag)).await
        }
    };
    assert!(reply.status.is_success(), "{reply:?}");
    let id = reply.json()["history"].as_str().map(str::to_owned);
    id.filter(|id| before.first().is_none_or(|line| line["id"] != id.as_str()))
}

/// In reverse every state comes back; in any order what is allowed is put back or refused, and what was undone can be
/// undone again.
async fn whatever_is_changed_is_put_back(place: Place, changes: usize, seed: u64) {
    let running = place.start().await;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut states = vec![(running.rows().await, String::new())];
    while states.len() <= changes {
        if let Some(id) = change(&mut random, &running, &place).await {
            states.push((running.rows().await, id));
        }
    }
    let mut undos = Vec::new();
    for at in (1..states.len()).rev() {
        let undone = running.undo(&states[at].1).await;
        assert_eq!(undone.status, 200, "seed {seed}, change {at}: {undone:?}");
        assert_eq!(running.rows().await, states[at - 1].0, "seed {seed}, change {at}");
        // A rollback of a flag that was off has changed nothing, so that nothing is put back.
        undos.push((at, undone.json()["history"].as_str().map(str::to_owned)));
    }
    // What was undone comes again by undoing the undos, the last one first.
    for (at, id) in undos.iter().rev() {
        let Some(id) = id else { continue };
        let again = running.undo(id).await;
        assert_eq!(again.status, 200, "seed {seed}, undo {at}: {again:?}");
        assert_eq!(running.rows().await, states[*at].0, "seed {seed}, undo {at}");
    }
    let undos = undos.len();
    // In any order: a refusal changes nothing, and what was put back twice is as before.
    let (mut done, mut refused) = (0, 0);
    for _ in 0..undos {
        let before = running.rows().await;
        let reply = running.undo(&random.choice(&states[1..]).unwrap().1).await;
        if reply.status == 200 {
            done += 1;
            if let Some(id) = reply.json()["history"].as_str() {
                assert_eq!(running.undo(id).await.status, 200, "an undo can be undone");
                assert_eq!(running.rows().await, before);
            }
        } else {
            assert!([409, 422].contains(&reply.status.as_u16()), "{reply:?}");
            refused += 1;
            assert_eq!(running.rows().await, before, "what is refused changes nothing");
        }
    }
    println!("seed {seed}: {undos} changes undone and done again; {done} undone in any order, {refused} refused");
    assert!(done > 0 && refused > 0, "both happen");
}

#[tokio::test]
async fn whatever_is_changed_in_sqlite_is_put_back() {
    for seed in 0..4 {
        whatever_is_changed_is_put_back(Place::sqlite(), 60, seed).await;
    }
}

#[tokio::test]
async fn whatever_is_changed_in_postgres_is_put_back() {
    whatever_is_changed_is_put_back(Place::postgres(), 60, 7).await;
}

#[tokio::test]
async fn an_undo_meets_what_has_changed_since() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = place.start().await;
        running.create(json!({"name": "crm", "enabled": true, "rollout_percentage": 10})).await;
        running.patch("crm", "*", json!({"rollout_percentage": 20})).await;
        place.sql("UPDATE feature_flags SET rollout_percentage = 30 WHERE name = 'crm'");
        running.patch("crm", "*", json!({"description": "later"})).await;
        let lines = running.history("/api/v1/flags/crm/history").await;
        let id = |at: usize| lines[at]["id"].as_str().unwrap();
        let refused = running.undo(id(2)).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["conflicts"]),
            (409, &json!(["rollout_percentage"])),
            "{refused:?}"
        );
        assert_eq!(running.undo(id(3)).await.status, 409, "it was made before all that");
        // What somebody did by SQL, under what came later.
        let undone = running.undo(id(1)).await;
        assert_eq!((undone.status.as_u16(), undone.json()["flag"]["rollout_percentage"].as_f64()), (200, Some(20.0)));
        assert_eq!(undone.json()["flag"]["description"], "later");
        assert_eq!(running.undo(id(1)).await.status, 409, "twice is once");
        place.sql("DELETE FROM feature_flags");
        let gone = running.history("/api/v1/history?limit=1").await;
        let back = running.undo(gone[0]["id"].as_str().unwrap()).await;
        assert_eq!((back.status.as_u16(), &back.json()["flag"]["description"]), (200, &json!("later")));
        assert_eq!(running.undo(gone[0]["id"].as_str().unwrap()).await.status, 409, "it is there again");
    }
}
