//! Redis, a real one on loopback, broken in the ways in which it breaks.

mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use esclusa::{Context, Flags};
use esclusa_loopback::Proxy;
use esclusa_sync::{Answer, Redis, Request, Source, State, sync};
use store::{NEVER, Reader, every_break, is_on, options, until};

#[tokio::test(flavor = "multi_thread")]
async fn redis() {
    let mut server = esclusa_loopback::Redis::start().unwrap();
    let one = |revision: u64, enabled: bool, rounds: u64| {
        let rounds: String =
            (0..rounds).map(|round| format!(r#", {{"name": "round_{round}", "enabled": true}}"#)).collect();
        format!(
            r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "crm", "enabled": {enabled}, "target_plans": ["PREMIUM"]}}{rounds}]}}"#
        )
    };
    let mut writer = Redis::new(&server.url()).unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, Redis::new(&server.url()).unwrap(), options(NEVER));
    until("the empty server", &syncing, || syncing.status().last_error.is_some()).await;
    assert!(syncing.status().last_error.unwrap().error.contains("there is no key `esclusa:flags`"));
    writer.put(one(1, true, 0).as_bytes()).await.unwrap();
    until("the first", &syncing, || is_on(&flags)).await;
    let mut slowest = Duration::ZERO;
    for revision in 2..6 {
        writer.put(one(revision, revision % 2 == 1, 0).as_bytes()).await.unwrap();
        slowest = slowest.max(until("the change", &syncing, || is_on(&flags) == (revision % 2 == 1)).await);
    }
    println!("told of a change within {slowest:?}");
    drop(syncing);

    // A connection that was cut off is not used again, so it costs no failure.
    let syncing = sync(&flags, Redis::new(&server.url()).unwrap(), options(100));
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    let mut admin = std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    std::io::Write::write_all(&mut admin, b"CLIENT KILL TYPE pubsub\r\n").unwrap();
    std::io::Read::read_exact(&mut admin, &mut [0; 4]).unwrap();
    writer.put(one(6, false, 0).as_bytes()).await.unwrap();
    writer.put(one(7, true, 0).as_bytes()).await.unwrap();
    until("the change after the end of the connection", &syncing, || syncing.status().revision == Some(7)).await;
    assert_eq!(syncing.status().last_error, None);
    drop(syncing);

    // Somebody else writes the key alone, without a tag and without telling.
    let proxy = Proxy::start(([127, 0, 0, 1], server.port()).into()).await.unwrap();
    let by_way = server.url_at(proxy.address().port());
    let source = Redis::new(&by_way).unwrap().key("other").timeout(Duration::from_millis(500));
    let mut other = Redis::new(&server.url()).unwrap().key("other");
    let flags = Flags::new();
    let syncing = sync(&flags, source, options(100));
    other.put(one(6, true, 0).as_bytes()).await.unwrap();
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    let other = Arc::new(tokio::sync::Mutex::new(other));
    every_break(&proxy, &syncing, &flags, async |round| {
        other.lock().await.put(one(7 + round, true, round + 1).as_bytes()).await.unwrap();
    })
    .await;
    let reader = Reader::start(&flags);
    server.kill();
    until("the end of the server", &syncing, || syncing.status().state == State::Failing).await;
    reader.check("no server");
    server.start_again().unwrap();
    until("the empty server", &syncing, || {
        syncing.status().last_error.is_some_and(|last| last.error.contains("there is no key `other`"))
    })
    .await;
    reader.check("a server that has forgotten everything");
    drop(reader);
    let mut other = Redis::new(&server.url()).unwrap().key("other");
    other.put(one(99, false, 0).as_bytes()).await.unwrap();
    until("the change after all that", &syncing, || !is_on(&flags)).await;
}

/// What Redis does not allow, and what a hand with redis-cli leaves behind.
#[tokio::test(flavor = "multi_thread")]
async fn redis_is_read_whatever_it_allows() {
    let server = esclusa_loopback::Redis::start().unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut admin = client.get_multiplexed_async_connection().await.unwrap();
    let one = |revision: u64, enabled: bool, more: &str| {
        format!(
            r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "crm", "enabled": {enabled}, "description": "{more}"}}]}}"#
        )
    };
    let is_on = |flags: &Flags| flags.is_enabled("crm", &Context::new("ana"));
    let mut writer = Redis::new(&server.url()).unwrap();
    writer.put(one(1, true, "").as_bytes()).await.unwrap();
    let sql = [
        vec!["ACL", "SETUSER", "quiet", "on", ">pw", "~*", "+@all"],
        vec!["ACL", "SETUSER", "getter", "on", ">pw", "~*", "+get", "+select", "+client"],
    ];
    for command in sql {
        let mut query = redis::cmd(command[0]);
        let () = query.arg(&command[1..]).query_async(&mut admin).await.unwrap();
    }
    // Who may not subscribe, or not even look at the length, asks once an interval.
    for user in ["quiet", "getter"] {
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        let url = server.url().replace("redis://", &format!("redis://{user}@"));
        let source = Redis::new(&url).unwrap().password(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Ok("pw".to_owned()) }
        });
        let flags = Flags::new();
        let syncing = sync(&flags, source, options(30));
        until(user, &syncing, || is_on(&flags)).await;
        for (revision, enabled) in [(2, false), (3, true)] {
            writer.put(one(revision, enabled, "").as_bytes()).await.unwrap();
            until(user, &syncing, || is_on(&flags) == enabled).await;
        }
        assert_eq!(syncing.status().last_error, None);
        assert!(asked.load(Ordering::SeqCst) >= 2, "for each connection");
        writer.put(one(1, true, "").as_bytes()).await.unwrap();
    }

    // An address that changes.
    let asked = Arc::new(AtomicU64::new(0));
    let (urls, counter) = (["redis://127.0.0.1:1/".to_owned(), server.url()], Arc::clone(&asked));
    let mut source = Redis::from_address(move || {
        let url = urls.get(usize::from(counter.fetch_add(1, Ordering::SeqCst) > 0)).cloned();
        async { Ok(url.unwrap()) }
    });
    assert_eq!(source.name(), "redis esclusa:flags");
    assert!(source.fetch(&Request::default()).await.is_err());
    source.fetch(&Request::default()).await.unwrap();
    assert!(source.name().contains(&server.port().to_string()), "{}", source.name());

    // What is set by hand leaves the tag behind.
    let flags = Flags::new();
    let syncing = sync(&flags, Redis::new(&server.url()).unwrap(), options(30));
    until("the start", &syncing, || is_on(&flags)).await;
    for (revision, enabled) in [(20, false), (21, true)] {
        let mut set = redis::cmd("SET");
        let () = set.arg("esclusa:flags").arg(one(revision, enabled, "")).query_async(&mut admin).await.unwrap();
        until("what was set by hand", &syncing, || is_on(&flags) == enabled).await;
    }

    // A change that neither tag, length nor ends show is found when all is read (11.16).
    let (long, mut source) = ("x".repeat(4_000), Redis::new(&server.url()).unwrap());
    writer.put(one(22, true, &long).as_bytes()).await.unwrap();
    let Answer::Snapshot { etag, .. } = source.fetch(&Request::default()).await.unwrap() else {
        panic!("not modified")
    };
    let () = redis::cmd("SETRANGE").arg("esclusa:flags").arg(2_000).arg("y").query_async(&mut admin).await.unwrap();
    let mut request = Request { etag, ..Request::default() };
    assert_eq!(source.fetch(&request).await, Ok(Answer::NotModified));
    request.in_full = true;
    let Answer::Snapshot { bytes, .. } = source.fetch(&request).await.unwrap() else { panic!("not modified") };
    assert!(bytes.contains(&b'y'));

    let () = redis::cmd("DEL").arg("esclusa:flags").query_async(&mut admin).await.unwrap();
    until("the missing key", &syncing, || {
        syncing.status().last_error.is_some_and(|last| last.error.contains("there is no key `esclusa:flags`"))
    })
    .await;
    assert!(is_on(&flags));

    // More than a connection that subscribes may be sent.
    let big = "x".repeat(40_000_000);
    writer.put(one(30, false, &big).as_bytes()).await.unwrap();
    until("the large one", &syncing, || !is_on(&flags)).await;
    let unwatched = Flags::new();
    let syncing = sync(&unwatched, Redis::new(&server.url()).unwrap(), options(NEVER));
    until("the large one, from the start", &syncing, || syncing.status().revision == Some(30)).await;
    writer.put(one(31, true, &big).as_bytes()).await.unwrap();
    until("the large one is told of", &syncing, || is_on(&unwatched)).await;
}

/// A cluster's nodes tell who has the key, and carry notifications to one another.
#[tokio::test(flavor = "multi_thread")]
async fn redis_in_a_cluster() {
    let cluster = tokio::task::spawn_blocking(esclusa_loopback::Cluster::start).await.unwrap().unwrap();
    let one = |revision: u64, enabled: bool| {
        format!(r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "crm", "enabled": {enabled}}}]}}"#)
    };
    let is_on = |flags: &Flags| flags.is_enabled("crm", &Context::new("ana"));
    let key = "{esclusa}:flags";
    let mut apps = Vec::new();
    // Whichever node is named.
    for node in cluster.nodes() {
        let mut writer = Redis::new(&node.url()).unwrap().key(key);
        writer.put(one(1, true).as_bytes()).await.unwrap();
        let flags = Flags::new();
        let syncing = sync(&flags, Redis::new(&node.url()).unwrap().key(key), options(NEVER));
        until("the start", &syncing, || is_on(&flags)).await;
        apps.push((flags, syncing, writer));
    }
    for (revision, writer) in [(2, 0), (3, 1), (4, 2)] {
        let enabled = revision % 2 == 1;
        apps[writer].2.put(one(revision, enabled).as_bytes()).await.unwrap();
        for (flags, syncing, _) in &apps {
            until("the change", syncing, || is_on(flags) == enabled).await;
        }
    }
    // The key moves to each node in turn.
    for (number, revision) in [(0, 5), (1, 6), (2, 7)] {
        let cluster = &cluster;
        tokio::task::block_in_place(|| cluster.move_key(key, &cluster.nodes()[number])).unwrap();
        let enabled = revision % 2 == 1;
        apps[number].2.put(one(revision, enabled).as_bytes()).await.unwrap();
        for (flags, syncing, _) in &apps {
            syncing.refresh();
            until("the change elsewhere", syncing, || is_on(flags) == enabled).await;
            assert_eq!(syncing.status().last_error, None);
        }
    }
    // Without braces the two keys are on two nodes.
    let mut apart = Redis::new(&cluster.nodes()[0].url()).unwrap();
    let problem = apart.put(one(1, true).as_bytes()).await.unwrap_err().error;
    assert!(problem.contains("`{esclusa:flags}`"), "{problem}");
}
