//! The commands that write to a Postgres, against a private one: `migrate`, `history`, `rollback` and `promote`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is wrong")]

use std::collections::BTreeSet;
use std::io::{BufRead, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Parser;
use esclusa::{Time, Value};
use esclusa_cli::{Arguments, Desk, Findings, Trouble};
use esclusa_loopback::Postgres;

/// A database of a private server, and a folder.
struct Place<'s> {
    server: &'s Postgres,
    name: &'static str,
    folder: tempfile::TempDir,
}

/// What a command did: its exit code, the data, and the talk with the error.
#[derive(Debug)]
struct Done {
    code: u8,
    out: String,
    talk: String,
}

impl<'s> Place<'s> {
    fn new(server: &'s Postgres, name: &'static str) -> Self {
        let place = Place { server, name: "postgres", folder: tempfile::tempdir().unwrap() };
        place.sql(&format!("CREATE DATABASE {name}"));
        let place = Place { name, ..place };
        place.write("esclusa.toml", &format!("[sources.live]\nfrom = \"{}\"\n", place.url()));
        place
    }

    fn url(&self) -> String {
        self.server.url().replace("/postgres?", &format!("/{}?", self.name))
    }

    fn sql(&self, sql: &str) -> String {
        let mut psql = self.server.client("psql").unwrap();
        psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", self.name, "-c", sql]);
        let done = psql.output().unwrap();
        assert!(done.status.success(), "{sql}\n{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    fn run(&self, words: &[&str]) -> Done {
        run(self.folder.path(), words, &mut &b""[..], false)
    }

    /// The same, answering yes to the question after this has been done.
    fn answer(&self, words: &[&str], before: impl FnMut()) -> Done {
        run(self.folder.path(), words, &mut Answer { before, said: &b"y\n"[..] }, true)
    }

    /// With a table of two flags, which is watched.
    fn with_flags(server: &'s Postgres, name: &'static str) -> Self {
        let place = Place::new(server, name);
        place.sql(
            "CREATE TABLE feature_flags (id serial PRIMARY KEY, name text UNIQUE NOT NULL, enabled boolean NOT NULL,
                rollout_percentage integer, target_plans text[], start_date timestamptz, description text,
                updated_at timestamptz DEFAULT '2020-01-01')",
        );
        assert_eq!(place.run(&["migrate", "live", "--watch", "public.feature_flags"]).code, 0);
        place.sql(
            "INSERT INTO feature_flags (name, enabled, rollout_percentage, target_plans, start_date)
            VALUES ('crm', true, 25, '{PREMIUM}', '2026-01-01T00:00Z'), ('inbox', true, 100, NULL, NULL)",
        );
        place
    }

    fn row(&self, flag: &str) -> String {
        self.sql(&format!("SELECT enabled, rollout_percentage, target_plans FROM feature_flags WHERE name = '{flag}'"))
    }
}

/// An input that does something before it answers.
struct Answer<F> {
    before: F,
    said: &'static [u8],
}

impl<F: FnMut()> Read for Answer<F> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.said.read(bytes)
    }
}

impl<F: FnMut()> BufRead for Answer<F> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if !self.said.is_empty() {
            (self.before)();
        }
        Ok(self.said)
    }

    fn consume(&mut self, amount: usize) {
        self.said.consume(amount);
    }
}

fn run(folder: &Path, words: &[&str], input: &mut dyn BufRead, can_ask: bool) -> Done {
    let line = ["esclusa"].iter().chain(words);
    let arguments = Arguments::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"));
    let (mut out, mut talk) = (Vec::new(), Vec::new());
    let mut desk = Desk {
        out: &mut out,
        talk: &mut talk,
        input,
        can_ask,
        colours: false,
        width: 100,
        now: Time::from_millis(0),
        folder: folder.to_path_buf(),
        variable: &|name| (name == "USER").then(|| "ana".to_owned()),
    };
    let done = arguments.command.run(&mut desk);
    let code = match &done {
        Ok(Findings::None) | Err(Trouble::Closed) => 0,
        Ok(Findings::Some) => 1,
        Err(_) => 2,
    };
    let error = done.err().map_or(String::new(), |trouble| trouble.to_string());
    Done { code, out: String::from_utf8(out).unwrap(), talk: String::from_utf8(talk).unwrap() + &error }
}

fn json(done: &Done) -> Value<'static> {
    Value::from_json(done.out.as_bytes()).unwrap_or_else(|error| panic!("{error}: {done:?}")).into_owned()
}

/// Whether a document has the fields that the schema of a command names, and no other; the suite `schemas` holds what the
/// transcripts show against it whole.
fn has_fields_of(command: &str, done: &Done) {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../schemas/output.schema.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let own = schema.pointer(&format!("/$defs/{command}")).unwrap();
    let own = if document.is_array() { &own["items"] } else { own };
    let kinds = own["oneOf"].as_array().map_or(vec![own], |kinds| kinds.iter().collect());
    let names = |object: &serde_json::Value| object.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    for one in document.as_array().map_or(vec![&document], |all| all.iter().collect()) {
        let fits =
            |kind: &serde_json::Value| kind["properties"].is_object() && names(&kind["properties"]) == names(one);
        assert!(kinds.iter().any(|kind| fits(kind)), "{command}: {one}");
    }
}

/// One server is enough for all of them.
#[test]
fn each_command_does_all_of_it_or_nothing() {
    let server = Postgres::start().unwrap();
    the_migration_is_brought_in_whole_and_what_is_missing_is_said(&server);
    a_flag_is_taken_back_and_put_back_and_the_history_says_who_and_why(&server);
    definitions_are_promoted_and_nothing_else(&server);
    a_promotion_that_waits_for_a_writer_holds_up_no_rollback(&server);
    people_of_a_database_are_asked_who_flips(&server);
    a_flag_that_tripped_is_opened_by_a_person_who_says_why(&server);
}

fn a_flag_that_tripped_is_opened_by_a_person_who_says_why(server: &Postgres) {
    let place = Place::with_flags(server, "guarding");
    let resume = |more: &[&str]| {
        place.run(&[&["guard", "resume", "crm", "--source", "live", "--reason", "mended"], more].concat())
    };
    let done = resume(&["--yes"]);
    assert!(done.code == 2 && done.talk.contains("esclusa.resume"), "{done:?}");
    let done = place.run(&["migrate", "live", "--check", "--guard", "feature_flags"]);
    assert!(done.code == 1 && done.out.contains("missing: the function `esclusa.trip`"), "{done:?}");
    assert!(done.out.contains("missing: the columns `guard` and `guard_state` of `feature_flags`"), "{done:?}");
    place.sql("CREATE ROLE tripper");
    let done = place.run(&["migrate", "live", "--guard", "feature_flags", "--allow-guard", "tripper"]);
    assert!(done.code == 0, "{done:?}");
    assert_eq!(place.run(&["migrate", "live", "--check", "--guard", "feature_flags"]).code, 0);
    // A definition that comes from elsewhere brings no trips, and takes none away.
    let state = |run: u32| format!(r#""guard_state": {{"run": {run}, "trip": {{"run": {run}}}}}"#);
    place.write(
        "from.json",
        &format!(r#"[{{"name": "a", "enabled": true, "salt": "x"}}, {{"name": "b", "enabled": true, {}}}]"#, state(7)),
    );
    place.write("to.json", &format!(r#"[{{"name": "a", "enabled": true, {}}}]"#, state(3)));
    let done = place.run(&["promote", "from.json", "to.json", "--yes"]);
    assert!(done.code == 0, "{done:?}");
    let promoted = place.read("to.json");
    assert!(promoted.contains(r#""salt""#) && promoted.contains(&state(3)) && !promoted.contains('7'), "{promoted}");
    // The first file alone would leave the second at an older version.
    place.sql(
        "CREATE OR REPLACE FUNCTION esclusa.span(said text) RETURNS interval LANGUAGE sql AS 'SELECT NULL::interval'",
    );
    assert_eq!(
        place.run(&["migrate", "live", "--check"]).out,
        "missing: this version of the function `esclusa.span`\n"
    );
    assert_eq!(place.run(&["migrate", "live"]).code, 0);
    assert_eq!(place.run(&["migrate", "live", "--check"]).code, 0);

    let done = resume(&["--yes"]);
    assert!(done.code == 2 && done.talk.contains("there is no flag \"crm\" with a guard"), "{done:?}");
    place.sql("UPDATE feature_flags SET guard = '{\"errors\": {}}' WHERE name = 'crm'");
    place.sql("SET ROLE tripper; SELECT esclusa.trip('crm', 1, '{\"metric\": \"errors\"}')");
    assert!(resume(&[]).talk.contains("expected `--yes`"));
    let done = resume(&["--yes", "--format", "json"]);
    has_fields_of("guard", &done);
    assert_eq!((done.code, done.out.as_str()), (0, "{\"flag\":\"crm\",\"run\":2}\n"), "{done:?}");
    let done = place.run(&["history", "crm", "--limit", "2"]);
    assert!(done.out.contains("guard_resume  by ana: mended\n") && done.out.contains("guard_trip"), "{done:?}");
}

fn the_migration_is_brought_in_whole_and_what_is_missing_is_said(server: &Postgres) {
    let place = Place::new(server, "migrating");
    let done = place.run(&["migrate", "live", "--check", "--watch", "feature_flags"]);
    let expected = "missing: the schema `esclusa`\nmissing: the watch of `feature_flags`\n";
    assert_eq!((done.code, done.out.as_str()), (1, expected));
    let done = place.run(&["history"]);
    assert!(done.code == 2 && done.talk.contains("expected `esclusa migrate` before"), "{done:?}");
    // A table that is not there takes all of it back.
    let done = place.run(&["migrate", "live", "--watch", "feature_flags"]);
    assert!(done.code == 2 && done.talk.contains("there is no table `feature_flags`"), "{done:?}");
    assert_eq!(place.sql("SELECT to_regnamespace('esclusa') IS NULL"), "t");
    place.sql("CREATE TABLE feature_flags (name text, enabled boolean, is_new boolean); CREATE ROLE app LOGIN");
    place.sql("INSERT INTO feature_flags VALUES ('twice', true), ('twice', false)");
    for _ in 0..2 {
        let done = place.run(&["migrate", "live", "--watch", "feature_flags", "--allow", "app"]);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.talk.contains("warning: `public.feature_flags` has several rows of one key"), "{done:?}");
        assert!(done.talk.ends_with("watches public.feature_flags\n"), "{done:?}");
    }
    assert_eq!(place.sql("SELECT has_function_privilege('app', 'esclusa.ask'::regproc, 'EXECUTE')"), "t");
    let done = place.run(&["migrate", "live", "--check", "--watch", "feature_flags"]);
    assert!(done.code == 0 && done.talk.contains("nothing is missing"), "{done:?}");
    place.sql("CREATE OR REPLACE FUNCTION esclusa.noise() RETURNS text[] LANGUAGE sql AS 'SELECT NULL::text[]'");
    place.sql("DROP FUNCTION esclusa.own_words");
    let done = place.run(&["migrate", "live", "--check", "--format", "json"]);
    let expected = r#"{"missing":["the function `esclusa.own_words`","this version of the function `esclusa.noise`"]}"#;
    assert_eq!((done.code, done.out.trim()), (1, expected));
    has_fields_of("migrate", &done);
    let done = place.run(&["migrate", "live", "--format", "json"]);
    assert_eq!(done.code, 0);
    has_fields_of("migrate", &done);
    assert_eq!(place.run(&["migrate", "live", "--check"]).code, 0);
}

fn a_flag_is_taken_back_and_put_back_and_the_history_says_who_and_why(server: &Postgres) {
    let place = Place::with_flags(server, "rolling");
    let roll_back = |flag: &str, more: &[&str]| {
        place.run(&[&["rollback", flag, "--source", "live", "--reason", "errors; it's slow"], more].concat())
    };
    let done = roll_back("crm", &[]);
    assert!(done.code == 2 && done.talk.contains("expected `--yes`"), "{done:?}");
    let done = roll_back("crm", &["--dry-run"]);
    let expected = "crm in public.feature_flags\n  enabled             true → false\n  rollout_percentage  25 → 0\n";
    assert_eq!((done.code, done.out.as_str()), (0, expected), "{done:?}");
    assert_eq!(place.row("crm"), "t|25|{PREMIUM}");
    let done = roll_back("crm", &["--yes"]);
    assert!(done.code == 0 && done.out == expected && done.talk.contains("done in "), "{done:?}");
    assert_eq!(place.row("crm"), "f|0|{PREMIUM}");
    let done = roll_back("crm_", &["--yes"]);
    assert!(done.code == 2 && done.talk.contains("there is no flag \"crm_\""), "{done:?}");

    let done = place.run(&["history", "crm", "--limit", "1", "--format", "json"]);
    has_fields_of("history", &done);
    let history = json(&done);
    let entry = history.as_list().unwrap().first().unwrap();
    for (field, expected) in
        [("flag", "crm"), ("by", "ana"), ("reason", "errors; it's slow"), ("action", "emergency_rollback")]
    {
        assert_eq!(entry.get(field).and_then(Value::as_str), Some(expected), "{field}");
    }
    let changes = entry.get("changes").unwrap().to_json();
    assert!(changes.contains(r#"{"field":"rollout_percentage","old":25,"new":0}"#), "{changes}");
    let done = place.run(&["history", "crm"]);
    assert!(done.out.contains("Z  crm  emergency_rollback  by ana: errors; it's slow\n  enabled "), "{done:?}");
    assert!(done.out.contains("Z  crm  create  by postgres\n"), "{done:?}");

    let done = roll_back("crm", &["--to", "previous", "--yes"]);
    assert!(done.code == 0 && done.out.contains("enabled             false → true"), "{done:?}");
    assert_eq!(place.row("crm"), "t|25|{PREMIUM}");
    assert_eq!(place.sql("SELECT updated_at > now() - interval '1 minute' FROM feature_flags WHERE name = 'crm'"), "t");
    // Several changes, a deletion, and a flag that was not there yet.
    let time = place.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
    place.sql("UPDATE feature_flags SET rollout_percentage = 30, target_plans = NULL WHERE name = 'crm'");
    place.sql("UPDATE feature_flags SET rollout_percentage = 40 WHERE name = 'crm'");
    place.sql("DELETE FROM feature_flags WHERE name = 'crm'");
    place.sql("INSERT INTO feature_flags (name, enabled) VALUES ('young', true)");
    let done = roll_back("crm", &["--to", &time, "--yes"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(place.row("crm"), "t|25|{PREMIUM}");
    for (flag, to, problem) in [
        ("young", time.as_str(), "`young` did not exist"),
        ("inbox", &time, "the history has no change of `inbox`"),
        ("crm", "yesterday", "`yesterday` is not a time"),
    ] {
        let done = roll_back(flag, &["--to", to, "--yes"]);
        assert!(done.code == 2 && done.talk.contains(problem), "{done:?}");
    }
}

fn definitions_are_promoted_and_nothing_else(server: &Postgres) {
    let place = Place::with_flags(server, "promoting");
    place.sql("UPDATE feature_flags SET id = 70, description = 'as it is live' WHERE name = 'crm'");
    place.write(
        "flags.json",
        r#"{"esclusa": 1, "flags": [
            {"id": 9, "key": "crm", "enabled": "on", "rolloutPercentage": 50, "target_plans": ["PREMIUM", "BASIC"],
                "start_date": "2026-01-01T01:00:00+01:00", "description": "as it is here"},
            {"key": "new_one", "enabled": true, "rollout_percentage": 5, "description": "it's new"}
        ]}"#,
    );
    let promote = ["promote", "flags.json", "live"];
    let done = place.run(&promote);
    assert!(done.code == 2 && done.talk.contains("expected `--yes`"), "{done:?}");
    let expected = "crm  changed\n  rollout_percentage  25 → 50\n  target_plans        [\"PREMIUM\"] → [\"PREMIUM\",\"BASIC\"]\nnew_one  added\n";
    assert!(done.out.starts_with(expected), "{}", done.out);
    assert!(done.talk.contains("only in the target, where they stay: inbox"), "{done:?}");
    assert_eq!(place.run(&[&promote[..], &["--dry-run"]].concat()).code, 0);
    assert_eq!(place.row("crm"), "t|25|{PREMIUM}");

    // Another flag may change while the question stands; one of those that are promoted may not.
    let done =
        place.answer(&promote, || _ = place.sql("UPDATE feature_flags SET rollout_percentage = 26 WHERE name = 'crm'"));
    assert!(done.code == 2 && done.talk.contains("`crm` has changed in the target in between"), "{done:?}");
    assert_eq!(place.sql("SELECT count(*) FROM feature_flags"), "2");
    let words = [&promote[..], &["--reason", "release 42"]].concat();
    let done = place.answer(&words, || _ = place.sql("UPDATE feature_flags SET enabled = false WHERE name = 'inbox'"));
    assert_eq!(done.code, 0, "{done:?}");
    let live = "SELECT concat_ws(' ', id, name, enabled, rollout_percentage, description, start_date IS NULL)
        FROM feature_flags WHERE name <> 'inbox' ORDER BY name";
    assert_eq!(place.sql(live), "70 crm t 50 as it is live f\n3 new_one t 5 it's new t");
    let done = place.run(&["history", "new_one"]);
    assert!(done.out.contains("by ana: release 42"), "{done:?}");
    let done = place.run(&promote);
    assert!(done.code == 0 && done.talk.contains("nothing to do"), "{done:?}");

    // What the table has no column for, and what would be wrong there.
    place.write("wide.json", r#"[{"name": "crm", "enabled": true, "salt": "x"}]"#);
    let done = place.run(&["promote", "wide.json", "live", "--yes"]);
    assert!(done.code == 2 && done.talk.contains("has no column `salt`"), "{done:?}");
    place.write("wrong.json", r#"[{"name": "crm", "enabled": true, "rollout_percentage": 150}]"#);
    let done = place.run(&["promote", "wrong.json", "live", "--yes"]);
    assert!(done.code == 1 && done.out.contains("error: crm rollout_percentage: 150 is out of range"), "{done:?}");

    // Back into a file, of which one flag is there.
    place.write(
        "copy.json",
        "{\"esclusa\": 1,\n \"flags\": [\n  {\"name\": \"crm\", \"enabled\": false, \"id\": 1}\n ]}\n",
    );
    let done = place.run(&["promote", "live", "copy.json", "--yes", "--format", "json"]);
    assert!(done.code == 0 && json(&done).get("done") == Some(&Value::Bool(true)), "{done:?}");
    has_fields_of("promote", &done);
    let copy = place.read("copy.json");
    assert!(
        copy.starts_with(
            "{\"esclusa\": 1,\n \"flags\": [\n  {\"name\": \"crm\", \"enabled\": true, \"id\": 1, \"rollout"
        ),
        "{copy}"
    );
    let done = place.run(&["promote", "live", "copy.json"]);
    assert!(done.code == 0 && done.talk.contains("nothing to do"), "{done:?}\n{copy}");
    let done = place.run(&["rollback", "crm", "--source", "copy.json", "--reason", "errors", "--yes"]);
    assert!(done.code == 0 && done.talk.contains("done in "), "{done:?}");
    assert_eq!(place.read("copy.json"), copy.replacen("true", "false", 1), "no other byte changes");
    assert_eq!(place.run(&["promote", "live", "new.json", "inbox", "--yes"]).code, 0);
    assert_eq!(
        place.read("new.json"),
        "{\"esclusa\": 1, \"flags\": [{\"name\":\"inbox\",\"enabled\":false,\"rollout_percentage\":100}]}\n"
    );
}

fn a_promotion_that_waits_for_a_writer_holds_up_no_rollback(server: &Postgres) {
    let place = Place::with_flags(server, "waiting");
    place.write("flags.json", r#"[{"name": "crm", "enabled": true, "rollout_percentage": 50}]"#);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| place.sql("LOCK TABLE feature_flags IN ROW EXCLUSIVE MODE; SELECT pg_sleep(3)"));
        let is_open =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
        while place.sql(is_open) != "1" {
            assert!(!writing.is_finished());
        }
        let promoting = scope.spawn(|| place.run(&["promote", "flags.json", "live", "--yes"]));
        let (mut count, mut longest) = (0, Duration::ZERO);
        while !writing.is_finished() {
            let began = Instant::now();
            place.sql("SELECT esclusa.emergency_rollback('inbox')");
            (count, longest) = (count + 1, longest.max(began.elapsed()));
        }
        println!("{count} rollbacks while a promotion waits, the longest took {longest:?}");
        assert!(count > 5 && longest < Duration::from_millis(1_500), "{count} rollbacks, the longest took {longest:?}");
        let done = promoting.join().unwrap();
        assert_eq!(done.code, 0, "{done:?}");
    });
    assert_eq!(place.row("crm").split('|').nth(1), Some("50"));
}

fn people_of_a_database_are_asked_who_flips(server: &Postgres) {
    let place = Place::with_flags(server, "people");
    place.sql(
        "CREATE TABLE people (id serial, company_id int, plan text, roles text[], seats int);
        INSERT INTO people (company_id, plan, roles, seats)
        SELECT n % 7, CASE n % 2 WHEN 0 THEN 'PREMIUM' ELSE 'FREE' END, ARRAY['ADMIN'], n FROM generate_series(1, 10000) n",
    );
    place.write("new.json", r#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"], "rollout_percentage": 50}, {"name": "inbox", "enabled": true}]"#);
    let query = "SELECT id AS user, company_id AS company, plan, roles FROM people";
    let diff = ["diff", "live", "new.json", "--format", "json", "--at", "2026-06-01"];
    let asked = place.run(&[&diff[..], &["--contexts", &place.url(), "--query", query]].concat());
    assert_eq!(asked.code, 0, "{asked:?}");
    let said: serde_json::Value = serde_json::from_str(&asked.out).unwrap();
    let number = |pointer: &str| said.pointer(pointer).and_then(serde_json::Value::as_u64).unwrap();
    assert_eq!((number("/people/counted"), number("/people/turned_off")), (10_000, 0));
    // A quarter of the half that is in PREMIUM, give or take five standard deviations.
    assert!((1_095..1_405).contains(&number("/people/flipped")), "{}", number("/people/flipped"));
    // The same people by the configuration, and a limit.
    let config = place.read("esclusa.toml");
    place.write("esclusa.toml", &format!("{config}[sample]\nfrom = \"{}\"\nquery = \"{query}\"\n", place.url()));
    let limited = place.run(&[&diff[..], &["--max-flips", "5%"]].concat());
    assert_eq!(limited.code, 1, "{limited:?}");
    assert!(limited.talk.contains("flip, at most 5 % allowed"), "{}", limited.talk);
    let wrong = place.run(&[&diff[..], &["--query", "SELECT nothing FROM people"]].concat());
    assert!(wrong.code == 2 && wrong.talk.contains("nothing"), "{wrong:?}");
}
