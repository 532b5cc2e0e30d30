//! Alerts by webhook: one for each trip, whatever the receiver does, from one of several processes, and none of it delays a
//! trip.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use esclusa::{Context, FlagSet, Flags, Trip};
use esclusa_guard::{Guards, Outcome};
use esclusa_sync::{Failure, Guarding, TripStore, Verdict, Webhook, guard};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a receiver does with one request.
#[derive(Clone, Copy)]
enum Does {
    Answers(&'static str),
    Hangs,
    Closes,
}

/// A server that does these things one after the other, and answers 200 after them; the bodies that it has heard.
struct Receiver {
    url: String,
    heard: Arc<Mutex<Vec<(Instant, Value)>>>,
}

impl Receiver {
    async fn start(does: &[Does]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/T0/B0/secret", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (mut does, told) = (does.iter().copied().collect::<VecDeque<_>>(), Arc::clone(&heard));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let next = does.pop_front().unwrap_or(Does::Answers("200 OK\r\n"));
                let told = Arc::clone(&told);
                tokio::spawn(async move {
                    let mut bytes = Vec::new();
                    let body = loop {
                        stream.read_buf(&mut bytes).await.unwrap();
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                        let length = head.lines().find_map(|line| {
                            line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                        });
                        if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                            break body.to_owned();
                        }
                    };
                    told.lock().unwrap().push((Instant::now(), serde_json::from_str(&body).unwrap()));
                    match next {
                        Does::Answers(status) => {
                            let answer = format!("HTTP/1.1 {status}content-length: 0\r\nconnection: close\r\n\r\n");
                            stream.write_all(answer.as_bytes()).await.unwrap();
                        }
                        Does::Hangs => tokio::time::sleep(Duration::from_secs(60)).await,
                        Does::Closes => {}
                    }
                });
            }
        });
        Receiver { url, heard }
    }

    fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    fn slack(&self) -> Webhook {
        Webhook::slack(&self.url).unwrap().pause(Duration::from_millis(20))
    }
}

/// A store that several processes share; it is away while it is told so.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<(bool, BTreeMap<String, u64>)>>);

impl TripStore for Shared {
    fn name(&self) -> String {
        "shared".to_owned()
    }

    async fn propose(&mut self, trip: &Trip) -> Result<Verdict, Failure> {
        let (is_away, trips) = &mut *self.0.lock().unwrap();
        if *is_away {
            return Err(Failure::new("it is away"));
        }
        let is_new = trips.insert(trip.flag().to_owned(), trip.run()).is_none_or(|known| known < trip.run());
        Ok(if is_new { Verdict::Taken } else { Verdict::Known })
    }
}

fn process() -> (Flags, Guards) {
    let flags = Flags::new();
    let rows = r#"[{"name": "crm", "enabled": true, "rollout_percentage": 20, "guard": {"errors": {}}}]"#;
    assert!(flags.publish(FlagSet::from_json(rows.as_bytes()).unwrap()).is_published());
    let guards = Guards::new(&flags);
    (flags, guards)
}

fn fail(flags: &Flags, guards: &Guards) {
    for user in 0..500 {
        let context = Context::new(format!("user-{user}"));
        let outcome = if flags.is_enabled("crm", &context) { Outcome::error() } else { Outcome::ok() };
        guards.track("crm", &context, outcome);
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} has not happened");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

fn is_off(flags: &Flags) -> bool {
    (0..500).all(|user| !flags.is_enabled("crm", &Context::new(format!("user-{user}"))))
}

fn is_delivered(guarding: &Guarding) -> bool {
    guarding.alerts().iter().any(|alert| alert.is_delivered)
}

#[tokio::test]
async fn an_alert_reaches_a_receiver_that_fails_at_first_and_delays_no_trip() {
    let does = [
        Does::Answers("500 Internal Server Error\r\n"),
        Does::Answers("429 Too Many Requests\r\nretry-after: 1\r\n"),
        Does::Hangs,
        Does::Closes,
    ];
    let receiver = Receiver::start(&does).await;
    let (flags, guards) = process();
    let guarding = guard(&guards, None).alert(receiver.slack());
    fail(&flags, &guards);
    let took = until("the trip", || is_off(&flags)).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    until("the alert", || is_delivered(&guarding)).await;
    let heard = receiver.heard();
    assert_eq!(heard.len(), 5, "four failures, and the one that was taken");
    let text = heard[4]["text"].as_str().unwrap();
    assert!(text.starts_with("`crm` is off: its guard tripped at 20") && text.contains("(errors: "), "{text}");
    assert!(text.contains(" units that are on, 0 of ") && text.ends_with(" that are off), run 1"), "{text}");
    assert_eq!(heard[4]["blocks"][0]["text"]["text"], text);
    let times = receiver.heard.lock().unwrap().iter().map(|(at, _)| *at).collect::<Vec<_>>();
    assert!(times[2] - times[1] >= Duration::from_secs(1), "it asked for a second");
    // Nothing more is said of this trip.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(receiver.heard().len(), 5);
}

#[tokio::test]
async fn an_alert_that_nobody_takes_is_lost_and_said_so_without_the_secret() {
    let receiver = Receiver::start(&[Does::Answers("403 Forbidden\r\n"); 9]).await;
    let (flags, guards) = process();
    let guarding = guard(&guards, None).alert(Webhook::json(&receiver.url).unwrap().pause(Duration::from_millis(5)));
    fail(&flags, &guards);
    until("the last try", || guarding.alerts().iter().any(|alert| alert.error.is_some())).await;
    let said = guarding.alerts()[0].to_string();
    assert_eq!(said, "crm: the alert of run 1 is lost: the answer has the status 403 Forbidden, expected 200");
    let heard = receiver.heard();
    assert_eq!((heard.len(), &heard[0]["event"], &heard[0]["flag"]), (5, &"guard_trip".into(), &"crm".into()));
    assert!(heard[0]["trip"]["evidence"]["ledger"].is_array(), "{}", heard[0]);

    let shown = format!("{:?}", receiver.slack());
    assert!(shown.contains("127.0.0.1") && !shown.contains("secret"), "{shown}");
    for (url, says) in [("http://hooks.example.com/secret", "expected https://"), ("hooks", "cannot be read")] {
        let refused = Webhook::slack(url).unwrap_err().to_string();
        assert!(refused.contains(says) && !refused.contains("secret"), "{refused}");
    }
    assert!(Webhook::slack("http://localhost:9/x").is_ok() && Webhook::slack("http://[::1]:9/x").is_ok());
}

#[tokio::test]
async fn of_several_processes_the_one_speaks_whose_trip_the_store_has_taken() {
    let receiver = Receiver::start(&[]).await;
    let store = Shared::default();
    let processes = [process(), process(), process()];
    let guarding: Vec<Guarding> = processes
        .iter()
        .map(|(_, guards)| guard(guards, None).propose(store.clone()).alert(receiver.slack()))
        .collect();
    assert_eq!(guarding[0].stores(), ["shared"]);
    processes.iter().for_each(|(flags, guards)| fail(flags, guards));
    until("the alert", || guarding.iter().any(is_delivered)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(receiver.heard().len(), 1);
}

#[tokio::test]
async fn while_the_store_is_away_one_process_of_the_host_speaks_and_nobody_repeats_it() {
    let receiver = Receiver::start(&[]).await;
    let store = Shared::default();
    store.0.lock().unwrap().0 = true;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trips.json");
    let processes = [process(), process(), process()];
    let guarding: Vec<Guarding> = processes
        .iter()
        .map(|(_, guards)| guard(guards, Some(&file)).propose(store.clone()).alert(receiver.slack()))
        .collect();
    // One of them trips; the others hear of it by the file.
    fail(&processes[0].0, &processes[0].1);
    for (flags, _) in &processes {
        until("the trip", || is_off(flags)).await;
    }
    until("the alert", || is_delivered(&guarding[0])).await;
    let heard = receiver.heard();
    assert!(heard[0]["text"].as_str().unwrap().ends_with(", run 1; the store does not answer yet"), "{heard:?}");
    store.0.lock().unwrap().0 = false;
    until("the store has it", || store.0.lock().unwrap().1.contains_key("crm")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(receiver.heard().len(), 1);
}
