//! `esclusa serve` as a person starts it: over a file and over a table in Postgres, asked by the clients of other people.
//!
//! The clients are unmodified packages of npm and PyPI. `cargo xtask test server` installs them and names the interpreters
//! in `ESCLUSA_OFREP_NODE` and `ESCLUSA_OFREP_PYTHON`; where one is not named, its part is left out, and says so.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod serving;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use esclusa::{Context, FlagSet, Resolution, Value};
use esclusa_loopback::Postgres;
use serving::Serving;

#[test]
fn without_a_set_up_tokens_hold_until_it_ends_and_are_in_no_log() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.json"), r#"[{"name": "crm", "enabled": true, "client": true}]"#).unwrap();
    let mut serving = Serving::start(folder.path(), &[("ESCLUSA_SERVE_LOG", "trace")], &["flags.json"]);
    let (server, client) =
        (serving.after("server token, until this ends: "), serving.after("client token, until this ends: "));
    serving.until_ready();
    assert_eq!(serving.value(&server, "crm", "{}"), Value::Bool(true));
    let (_, all) = serving.ask("POST", "/ofrep/v1/evaluate/flags", &client, "{}");
    let (_, ticket) = all.split_once("?t=").unwrap();
    let ticket = ticket.split('"').next().unwrap().to_owned();
    serving.events(&format!("/ofrep/v1/events?t={ticket}"), "")("");
    assert_eq!(serving.ask("GET", "/v1/snapshot", &client, "").0, 403);
    let said = serving.stop();
    assert!(said.ends_with("stopped\n"), "{said}");
    let (_, log) = said.split_once(&client).unwrap();
    for secret in [&server, &client, &ticket] {
        assert!(!log.contains(secret.as_str()), "{log}");
    }
}

/// The server tells from the definitions what `esclusa codegen` writes, in the shape of the manifest's API.
#[test]
fn the_manifest_is_that_of_codegen() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files");
    let mut serving = Serving::start(&files, &[], &["typed.json", "--no-config"]);
    let token = serving.after("server token, until this ends: ");
    serving.until_ready();
    let (status, served) = serving.ask("GET", "/openfeature/v0/manifest", &token, "");
    let served: serde_json::Value = serde_json::from_str(&served).unwrap();
    let written = fs::read(files.join("generated/flags.manifest.json")).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
    let written = written["flags"].as_object().unwrap();
    let flags = served["flags"].as_array().unwrap();
    assert_eq!((status, flags.len()), (200, written.len()));
    for flag in flags {
        let known = &written[flag["key"].as_str().unwrap()];
        let names = [("type", "flagType"), ("defaultValue", "defaultValue"), ("description", "description")];
        for (served, written) in names {
            assert_eq!(flag.get(served), known.get(written), "{served} of {flag}");
        }
    }
}

#[test]
fn the_set_up_is_read_from_the_file_and_from_variables() {
    let folder = tempfile::tempdir().unwrap();
    let run = |variables: &[(&str, &str)], words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_esclusa"));
        let done = command.arg("serve").args(words).envs(variables.iter().copied()).current_dir(folder.path()).output();
        let done = done.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(done.stdout), text(done.stderr), done.status.code().unwrap())
    };
    let (token, lines, code) = run(&[], &["--new-token", "client"]);
    assert_eq!(code, 0);
    let (_, lines) = lines.split_once("[[serve.tokens]]").unwrap();
    assert!(!lines.contains(token.trim()), "{lines}");
    fs::write(folder.path().join("flags.json"), r#"[{"name": "crm", "enabled": true, "client": true}]"#).unwrap();
    let config = format!("[sources.live]\nfrom = \"flags.json\"\n[serve]\nstore = \"live\"\n[[serve.tokens]]{lines}\n");
    fs::write(folder.path().join("esclusa.toml"), &config).unwrap();
    let (other, _, _) = run(&[], &["--new-token", "server"]);
    let serving = Serving::start(folder.path(), &[("ESCLUSA_SERVE_TOKENS", other.trim())], &[]);
    serving.until_ready();
    assert_eq!(serving.value(token.trim(), "crm", "{}"), Value::Bool(true));
    assert_eq!(serving.value(other.trim(), "crm", "{}"), Value::Bool(true));
    assert!(!serving.stop().contains("until this ends"), "none is made");
    let refused = |more: &str, variables: &[(&str, &str)], expected: &str| {
        fs::write(folder.path().join("esclusa.toml"), format!("[serve]\n{more}\n")).unwrap();
        let (_, said, code) = run(variables, &["flags.json"]);
        assert!(said.contains(expected) && code == 2, "{said}");
    };
    refused("listen = \"0.0.0.0:4365\"", &[], "no token is set up, and 0.0.0.0:4365 can be reached from outside");
    refused("port = 1", &[], "unknown field `port`");
    refused("store = 1", &[], "`store` is no text");
    refused("public_url = \"here\"", &[], "expected an address");
    refused("", &[("ESCLUSA_SERVE_TOKENS", "esc_server_1")], "a token cannot be read");
    refused("", &[("ESCLUSA_SERVE_SPREAD_MS", "soon")], "expected a number");
}

#[test]
fn a_table_in_postgres_is_served_in_place_and_a_rollback_by_sql_is_told_at_once() {
    let postgres = Postgres::start().unwrap();
    let sql = |sql: &str| {
        let mut psql = postgres.client("psql").unwrap();
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", sql]);
        let done = psql.output().unwrap();
        assert!(done.status.success(), "{sql}\n{}", String::from_utf8_lossy(&done.stderr));
    };
    sql(include_str!("../../sync/migrations/001_esclusa.sql"));
    sql("CREATE TABLE flags (slug text PRIMARY KEY, is_on boolean NOT NULL);
        INSERT INTO flags VALUES ('crm', true), ('pay', false);
        SELECT esclusa.watch('public.flags', mapping => '{\"esclusa_mapping\": 1, \"name\": \"slug\", \"enabled\": \"is_on\"}')");
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[], &[&postgres.url()]);
    let token = serving.after("server token, until this ends: ");
    serving.until_ready();
    assert_eq!((serving.value(&token, "crm", "{}"), serving.value(&token, "pay", "{}")), (true.into(), false.into()));
    let mut events = serving.events("/v1/events", &token);
    sql("UPDATE flags SET is_on = true WHERE slug = 'pay'");
    events("event: snapshot");
    assert_eq!(serving.value(&token, "pay", "{}"), true.into());
    sql("SELECT esclusa.emergency_rollback('crm')");
    events("event: snapshot");
    assert_eq!(serving.value(&token, "crm", "{}"), false.into());
    // What is handed on needs no mapping.
    let (_, snapshot) = serving.ask("GET", "/v1/snapshot", &token, "");
    assert!(FlagSet::from_json(snapshot.as_bytes()).unwrap().contains("pay"), "{snapshot}");
    // The store is away: every answer stays the same.
    postgres.kill().unwrap();
    assert_eq!(serving.value(&token, "pay", "{}"), true.into());
    assert_eq!(serving.ask("GET", "/ready", "", "").0, 200);
}

/// The flags of the example, all for clients, and one that tells companies apart.
fn flags(company: &str) -> String {
    let data = fs::read(root().join("examples/data/feature_flags.json")).unwrap();
    let Value::List(mut rows) = Value::from_json(&data).unwrap() else { panic!("rows") };
    for row in &mut rows {
        let Value::Object(fields) = row else { panic!("a row") };
        fields.retain(|(name, _)| name != "client");
        fields.push(("client".into(), true.into()));
    }
    let of_company =
        format!(r#"{{"name": "of_acme", "enabled": true, "client": true, "target_companies": ["{company}"]}}"#);
    rows.push(Value::from_json(of_company.as_bytes()).unwrap().into_owned());
    Value::List(rows).to_json()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every flag for callers of every kind, with what the engine answers.
fn questions(flags: &str) -> String {
    let set = FlagSet::from_json(flags.as_bytes()).unwrap();
    let mut lines = String::new();
    for (number, plan) in ["FREE", "BASIC", "PREMIUM", "ENTERPRISE"].into_iter().cycle().take(20).enumerate() {
        let pick = |of: &[&'static str]| of[number % of.len()];
        let (role, region) = (pick(&["ADMIN", "OWNER", "USER"]), pick(&["CO", "MX", "AR", "US", "ES", "BR", "CL"]));
        let company = pick(&["acme", "globex", "initech", "rival", "umbrella"]);
        let context = format!(
            r#"{{"targetingKey": "user-{number}", "company": "{company}", "plan": "{plan}", "role": "{role}", "region": "{region}"}}"#
        );
        let context = Value::from_json(context.as_bytes()).unwrap().into_owned();
        let caller = Context::from_value(context.clone()).unwrap();
        let now = std::time::SystemTime::now();
        for key in set.keys() {
            let answer: Resolution<'_> = set.resolve(key, &caller, now);
            assert_eq!(answer.error_code(), None, "{key}");
            let (Some(kind), state) = (kind(answer.value()), if answer.is_enabled() { "on" } else { "off" }) else {
                continue;
            };
            let question = Value::Object(vec![
                ("key".into(), key.to_owned().into()),
                ("type".into(), kind.into()),
                ("context".into(), context.clone()),
                ("value".into(), answer.value().clone()),
                ("variant".into(), answer.variant().unwrap_or(state).to_owned().into()),
            ]);
            lines += &(question.to_json() + "\n");
        }
    }
    lines
}

/// What a client asks for; a null is the default of the code.
fn kind(value: &Value<'_>) -> Option<&'static str> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => "boolean",
        Value::Text(_) => "string",
        Value::List(_) | Value::Object(_) => "object",
        number => {
            if number.as_i64().is_some() {
                "integer"
            } else {
                "float"
            }
        }
    })
}

/// Runs a client, which says how many answers it got.
fn client(program: &std::ffi::OsStr, script: &str, arguments: &[&str]) {
    let script = root().join("server/tests/clients").join(script);
    let done = Command::new(program).arg(&script).args(arguments).current_dir(root()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{}: {}{}", script.display(), text(&done.stdout), text(&done.stderr));
    println!("{}", text(&done.stdout).trim());
}

#[test]
fn the_clients_of_other_people_get_every_answer_of_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (before, after) = (flags("acme"), flags("globex"));
    let (served, changed) = (file("flags.json", &before), file("changed.json", &after));
    let (questions_before, questions_after) =
        (file("before.jsonl", &questions(&before)), file("after.jsonl", &questions(&after)));
    let mut serving = Serving::start(folder.path(), &[], &["flags.json"]);
    let (server, page) =
        (serving.after("server token, until this ends: "), serving.after("client token, until this ends: "));
    serving.until_ready();
    let url = format!("http://{}", serving.address);
    match std::env::var_os("ESCLUSA_OFREP_PYTHON") {
        Some(python) => client(&python, "clients.py", &[&url, &server, &questions_before]),
        None => println!("left out: the client for Python needs ESCLUSA_OFREP_PYTHON"),
    }
    let Some(node) = std::env::var_os("ESCLUSA_OFREP_NODE") else {
        println!("left out: the clients for JavaScript need ESCLUSA_OFREP_NODE");
        return;
    };
    client(&node, "server.js", &[&url, &server, &questions_before]);
    if std::env::var_os("ESCLUSA_OFREP_CHROMIUM").is_none() {
        println!("left out: the client for browsers needs ESCLUSA_OFREP_CHROMIUM");
        return;
    }
    client(&node, "web.js", &[&url, &page, &questions_after, &served, &changed]);
}

/// What the description of OFREP 0.3 does not say of answers that it wants, and where this differs from it.
const CORRECTIONS: [(&str, &str); 2] = [
    // OpenFeature has this reason, and flagd sends it.
    (
        "[STATIC, TARGETING_MATCH, SPLIT, DISABLED, UNKNOWN]",
        "[STATIC, TARGETING_MATCH, SPLIT, DISABLED, UNKNOWN, DEFAULT]",
    ),
    // A value fits the schema of flags without a value too, which names none, so no value fits exactly one.
    (
        "- oneOf:\n            - $ref: \"#/components/schemas/booleanFlag\"",
        "- anyOf:\n            - $ref: \"#/components/schemas/booleanFlag\"",
    ),
];

#[test]
fn answers_are_what_the_description_of_ofrep_says() {
    let (Some(program), Some(data)) = (std::env::var_os("ESCLUSA_SCHEMATHESIS"), std::env::var_os("CONFORMANCE_DIR"))
    else {
        println!("left out: the description of OFREP needs CONFORMANCE_DIR, and ESCLUSA_SCHEMATHESIS");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut description = fs::read_to_string(Path::new(&data).join("ofrep/openapi.yaml")).unwrap();
    for (said, meant) in CORRECTIONS {
        assert!(description.contains(said), "{said}");
        description = description.replace(said, meant);
    }
    fs::write(folder.path().join("openapi.yaml"), description).unwrap();
    fs::write(folder.path().join("flags.json"), flags("acme")).unwrap();
    let mut serving = Serving::start(folder.path(), &[], &["flags.json"]);
    let token = serving.after("server token, until this ends: ");
    serving.until_ready();
    let url = format!("http://{}", serving.address);
    // A body without a context is taken as one with an empty context, as clients send it.
    let words = ["--url", &url, "--max-examples", "20", "--exclude-checks", "negative_data_rejection"];
    serving::schemathesis(&program, "openapi.yaml", folder.path(), &token, &words);
}
