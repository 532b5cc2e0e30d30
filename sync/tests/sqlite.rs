//! A table in SQLite: changes of other connections, locks, files that are replaced, and what a column may hold.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod store;

use std::path::Path;
use std::time::{Duration, Instant};

use esclusa::{Context, Flags};
use esclusa_sync::{Sqlite, State, Syncing, sync};
use rusqlite::Connection;
use store::{NEVER, Reader, is_on, options, until};

const TABLE: &str = "CREATE TABLE feature_flags (id INTEGER PRIMARY KEY, name TEXT NOT NULL, enabled BOOLEAN, \
    rollout_percentage REAL, target_plans JSON, notes BLOB, updated_at TEXT DEFAULT CURRENT_TIMESTAMP)";
const CRM: &str = "INSERT INTO feature_flags (name, enabled, rollout_percentage, target_plans, notes) \
    VALUES ('crm', 1, 100.0, '[\"PREMIUM\"]', x'00ff')";
const SWITCH: &str = "UPDATE feature_flags SET enabled = NOT enabled WHERE name = 'crm'";

fn database(path: &Path, mode: &str) -> Connection {
    let database = Connection::open(path).unwrap();
    database.pragma_update(None, "journal_mode", mode).unwrap();
    database.execute_batch(&format!("{TABLE}; {CRM}")).unwrap();
    database
}

async fn syncing(path: &Path) -> (Flags, Syncing) {
    let flags = Flags::new();
    let syncing =
        sync(&flags, Sqlite::table(path, "feature_flags").busy_timeout(Duration::from_millis(200)), options(NEVER));
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    (flags, syncing)
}

#[tokio::test]
async fn a_change_is_heard_of_in_every_mode() {
    let folder = tempfile::tempdir().unwrap();
    for mode in ["wal", "delete"] {
        let path = folder.path().join(mode);
        let database = database(&path, mode);
        let (flags, syncing) = syncing(&path).await;
        assert!(is_on(&flags) && !flags.is_enabled("crm", &Context::new("ana").plan("FREE")), "the list is read");
        let violations = flags.current().violations().len();
        assert_eq!(violations, 0, "{:?}", flags.current().violations());
        for expected in [false, true] {
            database.execute_batch(SWITCH).unwrap();
            let took = until("the change", &syncing, || is_on(&flags) == expected).await;
            assert!(took < Duration::from_secs(5), "{mode}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_locked_database_turns_nothing_off_and_is_read_when_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let database = database(&path, "delete");
    let (flags, syncing) = syncing(&path).await;
    let reader = Reader::start(&flags);
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    until("the failure", &syncing, || syncing.status().state == State::Failing).await;
    let error = syncing.status().last_error.unwrap().error;
    assert!(error.contains("app.db") && error.contains("database is locked"), "{error}");
    database.execute_batch("COMMIT").unwrap();
    until("the recovery", &syncing, || syncing.status().state == State::Fresh).await;
    reader.check("meanwhile");
    drop(reader);
    // A lock that ends in time is waited for.
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let free = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        database.execute_batch(&format!("{SWITCH}; COMMIT")).unwrap();
    });
    syncing.refresh();
    until("the change", &syncing, || !is_on(&flags)).await;
    free.join().unwrap();
}

#[tokio::test]
async fn a_file_that_is_replaced_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("app.db"), folder.path().join("other.db"));
    drop(database(&path, "delete"));
    let (flags, syncing) = syncing(&path).await;
    let reader = Reader::start(&flags);
    std::fs::remove_file(&path).unwrap();
    until("the failure", &syncing, || syncing.status().state == State::Failing).await;
    drop(database(&path, "wal"));
    until("the recovery", &syncing, || syncing.status().state == State::Fresh).await;
    reader.check("meanwhile");
    drop(reader);
    database(&other, "delete").execute_batch(SWITCH).unwrap();
    // As a backup is put back.
    for left in ["app.db-wal", "app.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(left));
    }
    std::fs::rename(&other, &path).unwrap();
    until("the other file", &syncing, || !is_on(&flags)).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let flags = Flags::new();
    let syncing = sync(&flags, Sqlite::table(&path, "feature \"flags\""), options(20));
    let says = async |expected: &str| {
        let said = || syncing.status().last_error.is_some_and(|last| last.error.contains(expected));
        until(expected, &syncing, said).await;
    };
    says("No such file").await;
    std::fs::write(&path, "this is a text, and no database at all").unwrap();
    says("file is not a database").await;
    std::fs::remove_file(&path).unwrap();
    let database = Connection::open(&path).unwrap();
    database.execute_batch("CREATE TABLE other (a)").unwrap();
    says("no such table: feature \"flags\"").await;
    database.execute_batch("CREATE TABLE \"feature \"\"flags\"\"\" (name, enabled)").unwrap();
    says("no rows").await;
    database.execute_batch("INSERT INTO \"feature \"\"flags\"\"\" VALUES ('crm', 'yes')").unwrap();
    until("the flag", &syncing, || is_on(&flags)).await;
    assert!(format!("{}", syncing.status()).contains("app.db/feature \"flags\""));
}

#[tokio::test]
async fn a_writer_is_never_held_up_and_the_reading_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let database = database(&path, "wal");
    let (flags, syncing) = syncing(&path).await;
    let began = Instant::now();
    // Two flags that are always of one mind.
    database.execute_batch("INSERT INTO feature_flags (name, enabled) VALUES ('twin', 1)").unwrap();
    until("the twin", &syncing, || flags.is_enabled("twin", &Context::new("ana"))).await;
    for _ in 0..200 {
        database.execute_batch("BEGIN; UPDATE feature_flags SET enabled = NOT enabled; COMMIT").unwrap();
        syncing.refresh();
        tokio::task::yield_now().await;
        let set = flags.current();
        let (now, ana) = (esclusa::Time::from_millis(0), Context::new("ana").plan("PREMIUM"));
        assert_eq!(set.is_enabled("crm", &ana, now), set.is_enabled("twin", &ana, now));
    }
    assert!(began.elapsed() < Duration::from_secs(20));
}
