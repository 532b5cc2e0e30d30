//! The servers of this crate for tests in other languages: `esclusa-loopback` starts a store and a proxy before it,
//! prints one line of JSON with their addresses, then takes one command a line on standard input and answers each with
//! one line. It ends when standard input closes.
//!
//! The first line is `{"url", "events_url", "direct_url", "direct_events_url", "proxy", "store"}`: the URLs lead through
//! the proxy, the direct ones past it, and `proxy` and `store` are `address:port`.
//!
//! | command | what it does | the answer |
//! |---|---|---|
//! | `{"snapshot": …}` | publishes a snapshot, a JSON value or a string with its text, and sends an event | `{"ok": true}` |
//! | `{"fault": {"kind": …, …}}` | the store or the proxy misbehaves from now on, and only in this way | `{"ok": true}` |
//! | `{"fault": null}` | both behave | `{"ok": true}` |
//! | `{"cut": true}` | closes the connections that are open through the proxy | `{"ok": true}` |
//! | `{"authorization": "Bearer x"}` | answers 401 unless a request has exactly this header; with null, never | `{"ok": true}` |
//! | `{"heartbeat_ms": 100}` | how often the streams of events send a heartbeat | `{"ok": true}` |
//! | `{"events": "silent"}` | they send nothing; `"speaking"`: they do; `"end"`: open streams end | `{"ok": true}` |
//! | `{"counts": true}` | | `{"counts": {"snapshots", "compressed", "not_modified", "faults", "unauthorized", "not_found", "events", "elsewhere", "secrets_elsewhere"}, "listeners", "connections"}` |
//! | `{"postgres": "start"}` | starts a private Postgres, or starts it again | `{"postgres": "postgres://…"}` |
//! | `{"pooler": "start"}` | starts a PgBouncer before that Postgres, one connection for each transaction | `{"pooler": "postgres://…"}` |
//! | `{"redis": "start"}` | the same for Redis | `{"redis": "redis://…"}` |
//! | `{"postgres": "kill"}` | ends it as a loss of power does; the same for Redis | `{"ok": true}` |
//! | `{"faults": true}` | | `{"faults": [{"name", "about", "fault", "expected", "says"}…], "timeout_ms", "max_bytes"}` |
//!
//! Anything else is answered with `{"error": …}`. In the list of faults `fault` is what the command of that name takes;
//! `expected` says what becomes of a client (`failing`, `starting`: only one that has nothing yet fails, and stays
//! starting; `fresh`: it does not mind), and `says` what the error of its status contains, each of these, in small
//! letters. The list is made for a client whose whole answer may take `timeout_ms` and have `max_bytes`, and for two
//! snapshots published beforehand, the later with the higher revision.
//!
//! The kinds of faults of the store are `not_modified`, `status` (with `status`, and if wanted
//! `"retry_after": {"seconds": 1}` or `{"date": 1}`), `html`, `truncated`, `empty`, `older`, `huge`, `huge_declared`,
//! `length_too_long`, `length_too_short`, `bomb`, `broken_gzip`, `redirect_loop`, `redirect_elsewhere` and
//! `new_etag_each_time`; those of the proxy are `refuse`, `silent`, `half_open`, `cut`, `reset` (with `after`, in bytes),
//! `slow` and `delay` (with `ms`).
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{Write, stdout};
use std::time::Duration;

use esclusa_loopback::{FAULTS, Fault, MAX_BYTES, Pooler, Postgres, Proxy, Redis, Store, TIMEOUT_MS};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Store::start().await?;
    let proxy = Proxy::start(store.address()).await?;
    print(&json!({
        "url": format!("http://{}/flags.json", proxy.address()),
        "events_url": format!("http://{}/events", proxy.address()),
        "direct_url": store.url(),
        "direct_events_url": store.events_url(),
        "proxy": proxy.address().to_string(),
        "store": store.address().to_string(),
    }))?;
    let (mut databases, mut lines) = (Databases::default(), BufReader::new(stdin()).lines());
    while let Some(line) = lines.next_line().await? {
        let answer = obey(&line, &store, &proxy, &mut databases);
        print(&answer.unwrap_or_else(|problem| json!({"error": problem.to_string()})))?;
    }
    drop(databases);
    // A thread of tokio still waits for standard input where that never closes.
    std::process::exit(0)
}

/// What is started when it is asked for.
#[derive(Default)]
struct Databases {
    pooler: Option<Pooler>,
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

impl Databases {
    fn postgres(&mut self, what: &str) -> Result<Value, Box<dyn Error>> {
        match (what, &self.postgres) {
            ("start", Some(server)) => server.start_again()?,
            ("start", None) => self.postgres = Some(Postgres::start()?),
            ("kill", Some(server)) => {
                server.kill()?;
                return Ok(json!({"ok": true}));
            }
            _ => return Err("expected \"start\", or \"kill\" after that".into()),
        }
        Ok(json!({"postgres": self.postgres.as_ref().map(Postgres::url)}))
    }

    fn pooler(&mut self, what: &str) -> Result<Value, Box<dyn Error>> {
        let ("start", Some(server)) = (what, &self.postgres) else {
            return Err("expected \"start\", and a Postgres before that".into());
        };
        let pooler = Pooler::start(server)?;
        let url = server.url_at(pooler.port());
        self.pooler = Some(pooler);
        Ok(json!({"pooler": url}))
    }

    fn redis(&mut self, what: &str) -> Result<Value, Box<dyn Error>> {
        match (what, &mut self.redis) {
            ("start", Some(server)) => server.start_again()?,
            ("start", None) => self.redis = Some(Redis::start()?),
            ("kill", Some(server)) => {
                server.kill();
                return Ok(json!({"ok": true}));
            }
            _ => return Err("expected \"start\", or \"kill\" after that".into()),
        }
        Ok(json!({"redis": self.redis.as_ref().map(Redis::url)}))
    }
}

/// One line, at once.
fn print(answer: &Value) -> Result<(), Box<dyn Error>> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{answer}")?;
    Ok(stdout.flush()?)
}

fn obey(line: &str, store: &Store, proxy: &Proxy, databases: &mut Databases) -> Result<Value, Box<dyn Error>> {
    let command: Value = serde_json::from_str(line)?;
    let (name, argument) = match command.as_object().map(|fields| fields.iter().collect::<Vec<_>>()).as_deref() {
        Some([(name, argument)]) => (name.as_str(), *argument),
        _ => return Err("expected an object with one field, the command".into()),
    };
    match (name, argument) {
        ("postgres", Value::String(what)) => return databases.postgres(what),
        ("pooler", Value::String(what)) => return databases.pooler(what),
        ("redis", Value::String(what)) => return databases.redis(what),
        ("snapshot", Value::String(text)) => store.publish(text.as_str()),
        ("snapshot", snapshot) => store.publish(snapshot.to_string()),
        ("fault", fault) => {
            let fault: Option<Fault> =
                serde_json::from_value(fault.clone()).map_err(|_| format!("{fault} is no fault"))?;
            store.fault(match fault {
                Some(Fault::Store(fault)) => Some(fault),
                _ => None,
            });
            proxy.fault(match fault {
                Some(Fault::Proxy(fault)) => Some(fault),
                _ => None,
            });
        }
        ("cut", Value::Bool(true)) => proxy.cut(),
        ("authorization", Value::Null) => store.require(None),
        ("authorization", Value::String(authorization)) => store.require(Some(authorization.clone())),
        ("heartbeat_ms", ms) => store.heartbeat(Duration::from_millis(ms.as_u64().ok_or("expected milliseconds")?)),
        ("events", Value::String(what)) => match what.as_str() {
            "silent" => store.silence_events(true),
            "speaking" => store.silence_events(false),
            "end" => store.end_events(),
            _ => return Err("expected \"silent\", \"speaking\" or \"end\"".into()),
        },
        ("counts", Value::Bool(true)) => {
            let (counts, listeners, connections) = (store.counts(), store.listeners(), proxy.connections());
            return Ok(json!({"counts": counts, "listeners": listeners, "connections": connections}));
        }
        ("faults", Value::Bool(true)) => {
            return Ok(json!({"faults": FAULTS, "timeout_ms": TIMEOUT_MS, "max_bytes": MAX_BYTES}));
        }
        _ => return Err(format!("`{name}` is no command, or its argument is of another kind").into()),
    }
    Ok(json!({"ok": true}))
}
