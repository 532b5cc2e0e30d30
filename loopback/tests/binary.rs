//! The binary takes commands on standard input and answers each with one line.
#![expect(clippy::expect_used, reason = "a test stops at what is wrong")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(10);

fn get(address: &str, path: &str) -> String {
    // A proxy that stops refusing listens a moment later.
    let began = Instant::now();
    let mut client = loop {
        match TcpStream::connect(address) {
            Err(_) if began.elapsed() < LONG => std::thread::sleep(Duration::from_millis(5)),
            connected => break connected.expect("it listens"),
        }
    };
    write!(client, "GET {path} HTTP/1.1\r\nHost: loopback\r\nConnection: close\r\n\r\n").expect("it is asked");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn it_obeys_line_by_line_and_ends_with_its_input() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_esclusa-loopback"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = process.stdin.take().expect("it has an input");
    let mut output = BufReader::new(process.stdout.take().expect("it has an output")).lines();
    let mut line = move || -> Value {
        serde_json::from_str(&output.next().expect("there is a line").expect("it can be read")).expect("it is JSON")
    };
    let hello = line();
    let proxy = hello["proxy"].as_str().expect("it has an address").to_owned();
    assert_eq!(hello["url"], format!("http://{proxy}/flags.json"));
    let mut tell = |command: Value| -> Value {
        writeln!(input, "{command}").expect("it listens");
        line()
    };

    assert!(get(&proxy, "/flags.json").starts_with("HTTP/1.1 404"), "nothing is published");
    for (snapshot, body) in [(json!([]), "[]"), (json!("a text"), "a text")] {
        assert_eq!(tell(json!({"snapshot": snapshot})), json!({"ok": true}));
        assert!(get(&proxy, "/flags.json").ends_with(&format!("\r\n\r\n{body}")));
    }
    let list = tell(json!({"faults": true}));
    assert_eq!(list["timeout_ms"], 500);
    let faults = list["faults"].as_array().expect("it is a list");
    assert!(faults.len() > 20);
    for case in faults {
        assert_eq!(tell(json!({"fault": case["fault"]})), json!({"ok": true}), "{case}");
    }
    let fault = json!({"kind": "status", "status": 503, "retry_after": {"seconds": 7}});
    assert_eq!(tell(json!({"fault": fault})), json!({"ok": true}));
    let answer = get(&proxy, "/flags.json");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 7\r\n"), "{answer}");
    assert_eq!(tell(json!({"fault": null})), json!({"ok": true}));
    for command in [
        json!({"cut": true}),
        json!({"authorization": "Bearer x"}),
        json!({"heartbeat_ms": 10}),
        json!({"events": "silent"}),
        json!({"events": "speaking"}),
        json!({"events": "end"}),
    ] {
        assert_eq!(tell(command), json!({"ok": true}));
    }
    assert!(get(&proxy, "/flags.json").starts_with("HTTP/1.1 401"));
    let counts = tell(json!({"counts": true}));
    let expected = [("snapshots", 2), ("faults", 1), ("unauthorized", 1), ("not_found", 1)];
    for (name, count) in expected {
        assert_eq!(counts["counts"][name], count, "{name} of {counts}");
    }
    for wrong in [json!({"fault": {"kind": "earthquake"}}), json!({"snapshots": 1}), json!([]), json!({"cut": 1})] {
        assert!(tell(wrong.clone())["error"].is_string(), "{wrong}");
    }
    drop(input);
    assert!(process.wait().expect("it ends").success());
}
