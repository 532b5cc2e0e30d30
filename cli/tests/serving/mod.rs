//! `esclusa serve` as a person starts it, on a free port.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use esclusa::Value;

/// Longer than anything takes on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Sends generated requests to a server, by its description, and fails at an answer that is not described.
pub(crate) fn schemathesis(program: &OsStr, description: &str, folder: &Path, token: &str, words: &[&str]) {
    let mut command = Command::new(program);
    command.args([
        "run",
        description,
        "--header",
        &format!("Authorization: Bearer {token}"),
        "--seed",
        "1",
        "--no-color",
    ]);
    let done = command.args(words).current_dir(folder).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{errors}");
    let counted = said.lines().find(|line| line.contains(" generated, "));
    println!("schemathesis:{}", counted.unwrap());
}

/// A server that runs until this is dropped.
pub(crate) struct Serving {
    child: Child,
    talk: BufReader<ChildStderr>,
    said: String,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start(folder: &Path, variables: &[(&str, &str)], words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_esclusa"));
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).args(words).current_dir(folder);
        let mut child = command.envs(variables.iter().copied()).stderr(Stdio::piped()).spawn().unwrap();
        let talk = BufReader::new(child.stderr.take().unwrap());
        let mut serving = Serving { child, talk, said: String::new(), address: String::new() };
        serving.address = serving.after("http://");
        serving
    }

    /// The word after this one, when it is said.
    pub(crate) fn after(&mut self, word: &str) -> String {
        loop {
            if let Some((_, rest)) = self.said.split_once(word)
                && let Some((found, _)) = rest.split_once('\n')
            {
                return found.to_owned();
            }
            assert!(self.talk.read_line(&mut self.said).unwrap() > 0, "{}", self.said);
        }
    }

    /// A whole answer: its status and its body.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        self.try_to_ask(method, path, token, body).unwrap()
    }

    /// The same, of a server that may be gone.
    pub(crate) fn try_to_ask(&self, method: &str, path: &str, token: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        let head = format!("{head}authorization: Bearer {token}\r\nif-match: *\r\ncontent-type: application/json\r\n");
        write!(stream, "{head}content-length: {length}\r\n\r\n{body}").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().unwrap(), body.to_owned()))
    }

    pub(crate) fn until_ready(&self) {
        let began = Instant::now();
        while self.ask("GET", "/ready", "", "").0 != 200 {
            assert!(began.elapsed() < PATIENCE, "nothing is published");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether a flag is on.
    pub(crate) fn value(&self, token: &str, key: &str, context: &str) -> Value<'static> {
        let body = format!(r#"{{"context": {context}}}"#);
        let (status, answer) = self.ask("POST", &format!("/ofrep/v1/evaluate/flags/{key}"), token, &body);
        assert_eq!(status, 200, "{answer}");
        Value::from_json(answer.as_bytes()).unwrap().get("value").unwrap().clone().into_owned()
    }

    /// The lines of a stream, after its first.
    pub(crate) fn events(&self, path: &str, token: &str) -> impl FnMut(&str) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut wait = move |wanted: &str| assert!(lines.any(|line| line.unwrap().contains(wanted)), "{wanted}");
        wait(": esclusa");
        wait
    }

    /// Ends it at once, whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop, and gives everything that it said.
    pub(crate) fn stop(mut self) -> String {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.talk.read_to_string(&mut self.said).unwrap();
        std::mem::take(&mut self.said)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}
