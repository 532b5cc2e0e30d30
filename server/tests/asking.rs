//! What is asked before and after a change: who would flip, why somebody gets what they get, now and then; and the page
//! that stops a flag, with the session and the set-up that lead to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod editing;
mod running;

use std::time::Duration;

use editing::Place;
use esclusa_server::{Kind, Server, Settings};
use running::{Reply, Running, Table};
use serde_json::{Value, json};

#[tokio::test]
async fn a_draft_says_who_would_flip_and_saves_nothing() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = place.start().await;
        running
            .create(json!({"name": "crm", "enabled": true, "rollout_percentage": 10, "target_plans": ["PREMIUM"]}))
            .await;
        running
            .create(
                json!({"name": "pay", "enabled": true, "rollout_percentage": 100, "prerequisites": [{"flag": "crm", "on": true}]}),
            )
            .await;
        let before = running.rows().await;
        let ask = async |body: Value| running.edit("POST", "/api/v1/preview", &body).send().await;
        let people: Vec<Value> = (0..500)
            .map(|at| json!({"user": format!("u{at}"), "plan": if at % 2 == 0 { "PREMIUM" } else { "FREE" }}))
            .collect();
        let reply =
            ask(json!({"key": "crm", "flag": {"rollout_percentage": 25}, "people": people, "by": ["plan"]})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let said = reply.json();
        let crm = &said["flags"][0];
        assert_eq!(crm["exactly"][0]["sentence"], "on for buckets 10,000 to 24,999 (15 %) of plan PREMIUM", "{said}");
        assert_eq!((&crm["exactly"][0]["buckets"], &crm["people"]["off"]), (&json!([10_000, 25_000]), &json!(0)));
        let on = crm["people"]["on"].as_u64().unwrap();
        assert!((20..60).contains(&on), "15 % of 250: {on}");
        let group = json!([{"of": "PREMIUM", "on": on, "off": 0, "variant": 0, "value": 0}]);
        assert_eq!(
            (&crm["people"]["groups"][0]["attribute"], &crm["people"]["groups"][0]["values"]),
            (&json!("plan"), &group)
        );
        assert_eq!(crm["people"]["examples"].as_array().unwrap().len(), 3);
        assert_eq!(
            (&said["flags"][1]["flag"], &said["flags"][1]["through"]),
            (&json!("pay"), &json!(["crm"])),
            "{said}"
        );
        assert_eq!((&said["people"]["counted"], &said["people"]["flipped"]), (&json!(500), &json!(on)));
        // A new flag, one that goes, and drafts that could not be saved.
        let new = ask(json!({"key": "new", "flag": {"enabled": true}})).await.json();
        assert_eq!((&new["flags"][0]["kind"], &new["people"]), (&json!("added"), &Value::Null), "{new}");
        assert_eq!(ask(json!({"key": "pay", "flag": null})).await.json()["flags"][0]["kind"], "removed");
        assert_eq!(ask(json!({"key": "crm", "flag": null})).await.status, 422, "`pay` needs it");
        assert_eq!(ask(json!({"key": "crm", "flag": {"rollout_percentage": 101}})).await.status, 422);
        assert_eq!(ask(json!({"key": "nobody", "flag": null})).await.status, 404);
        for body in [
            json!({}),
            json!({"key": "crm"}),
            json!({"key": "crm", "flag": {}, "people": 5}),
            json!({"key": "crm", "flag": {}, "at": "soon"}),
        ] {
            assert_eq!(ask(body.clone()).await.status, 400, "{body}");
        }
        assert_eq!(running.rows().await, before);
    }
}

#[tokio::test]
async fn a_pasted_context_is_explained_now_and_at_a_past_moment() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = place.start().await;
        let moment = async || {
            tokio::time::sleep(Duration::from_millis(30)).await;
            let now = esclusa::Time::from(std::time::SystemTime::now()).to_string();
            tokio::time::sleep(Duration::from_millis(30)).await;
            now
        };
        let none = moment().await;
        running
            .create(json!({"name": "crm", "enabled": true, "rollout_percentage": 100, "target_plans": ["PREMIUM"]}))
            .await;
        let premium = moment().await;
        place.sql("UPDATE feature_flags SET enabled = false WHERE name = 'crm'");
        let off = moment().await;
        running.patch("crm", "*", json!({"enabled": true, "target_plans": ["FREE"]})).await;
        let free = moment().await;
        place.sql("DELETE FROM feature_flags");
        running.create(json!({"name": "other", "enabled": true})).await;
        let ask = async |at: &str, plan: &str| {
            let body = json!({"context": {"user": "u", "plan": plan}, "flag": "crm", "at": at});
            running.edit("POST", "/api/v1/explain", &body).send().await
        };
        let is_on = async |at: &str, plan: &str| {
            let reply = ask(at, plan).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            reply.json()["flags"][0]["explanation"]["enabled"].as_bool().unwrap_or_else(|| panic!("{reply:?}"))
        };
        assert!(is_on(&premium, "PREMIUM").await && !is_on(&premium, "FREE").await);
        assert!(!is_on(&off, "PREMIUM").await && !is_on(&off, "FREE").await);
        assert!(!is_on(&free, "PREMIUM").await && is_on(&free, "FREE").await);
        assert_eq!(ask(&none, "FREE").await.status, 404);
        assert_eq!(ask("2999-01-01T00:00:00Z", "FREE").await.status, 404, "now it is gone");
        let all = running.edit("POST", "/api/v1/explain", &json!({"context": {}})).send().await.json();
        assert_eq!(all["flags"][0]["flag"], "other", "{all}");
        for body in [json!({"context": 5}), json!({"at": "then"}), json!({"contexts": {}})] {
            assert_eq!(running.edit("POST", "/api/v1/explain", &body).send().await.status, 400, "{body}");
        }
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

#[tokio::test]
async fn the_page_stops_a_flag_without_javascript() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = place.start().await;
        running.create(json!({"name": "crm", "enabled": true})).await;
        running.create(json!({"name": "<b>'\"&", "enabled": true})).await;
        let asked = running.get("/stop").send().await;
        assert_eq!(asked.status, 401);
        assert!(text(&asked).contains("type=\"password\"") && !text(&asked).contains("crm"), "{}", text(&asked));
        let begin = async |token: &str, site: &str| {
            let question = running.post("/stop/session", &format!("token={token}")).header("sec-fetch-site", site);
            question.send().await
        };
        for wrong in ["", "esc_admin_1", running.server.text(), running.client.text()] {
            assert_eq!(begin(wrong, "same-origin").await.status, 401, "{wrong}");
        }
        assert_eq!(begin(running.admin.text(), "cross-site").await.status, 403);
        let begun = begin(running.admin.text(), "same-origin").await;
        let cookie = begun.header("set-cookie").to_owned();
        assert_eq!((begun.status.as_u16(), begun.header("location")), (303, "/stop"));
        assert!(cookie.contains("HttpOnly; SameSite=Strict") && !cookie.contains(running.admin.text()), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = running.get("/stop").header("cookie", &cookie).send().await;
        assert_eq!(page.status, 200);
        let html = text(&page);
        assert!(
            html.contains("Stop crm") && html.contains("&lt;b&gt;&#39;&quot;&amp;") && !html.contains("<b>"),
            "{html}"
        );
        assert!(!html.contains("<script") && page.header("content-security-policy").starts_with("default-src 'none'"));
        let found = running.get("/stop?q=CR").header("cookie", &cookie).send().await;
        assert!(text(&found).contains("Stop crm") && !text(&found).contains("&lt;b&gt;"));
        let stop = async |cookie: &str, site: &str| {
            let question = running.post("/stop", "flag=crm&reason=on+fire").header("sec-fetch-site", site);
            question.header("cookie", cookie).send().await
        };
        assert_eq!(stop(&cookie, "cross-site").await.status, 403, "a form of another page");
        assert_eq!(stop("esclusa=a.b.c", "same-origin").await.status, 401);
        assert_eq!(stop(&format!("{cookie}0"), "same-origin").await.status, 401, "a session of another text");
        assert_eq!(running.flag("crm").await.0["enabled"], json!(true));
        let stopped = stop(&cookie, "same-origin").await;
        assert!(text(&stopped).contains("`crm` is off for everybody"), "{}", text(&stopped));
        assert_eq!(running.all(&running.server, "{}").await.flag("crm")["value"], json!(false));
        let line = &running.history("/api/v1/flags/crm/history").await[0];
        assert_eq!(
            (&line["action"], &line["reason"], &line["by"]),
            (&json!("emergency_rollback"), &json!("on fire"), &json!("ana"))
        );
        // The session is for pages, not for apps.
        assert_eq!(running.get("/api/v1/flags").header("cookie", &cookie).send().await.status, 200);
        assert_eq!(running.get("/v1/snapshot").header("cookie", &cookie).send().await.status, 401);
    }
}

#[tokio::test]
async fn the_set_up_link_makes_one_account_once() {
    let place = Place::sqlite();
    let source = || esclusa_sync::Sqlite::table(place.file(), "feature_flags");
    let server = Server::start_writing(source(), place.store(), &Settings::default()).unwrap();
    let path = server.setup_path().unwrap().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.run(listener, std::future::pending()));
    let post = |path: &str, body: &str| running::Question::new("POST", address, path).body(body);
    let code = path.strip_prefix("/setup?code=").unwrap().to_owned();
    let fields =
        |name: &str, email: &str, password: &str| format!("code={code}&name={name}&email={email}&password={password}");
    for wrong in [
        fields("Eva", "eva", "long+enough+password"),
        fields("Eva", "eva@example.com", "short"),
        fields("", "eva@example.com", "long+enough+password"),
        fields("Eva", "eva@example.com", ""),
    ] {
        assert_eq!(post("/setup", &wrong).send().await.status, 400, "{wrong}");
    }
    // What was wrong has not used the link up.
    let made = post("/setup", &fields("Eva", "eva@example.com", "long+enough+password")).send().await;
    assert!(made.status == 200 && !text(&made).contains("esc_admin_"), "{}", text(&made));
    assert_eq!(
        post("/setup", &fields("Bo", "bo@example.com", "long+enough+password")).send().await.status,
        410,
        "once"
    );
    let begun = post("/stop/session", "email=Eva@example.com&password=long+enough+password").send().await;
    assert_eq!((begun.status.as_u16(), begun.header("location")), (303, "/stop"));
    let cookie = begun.header("set-cookie").split(';').next().unwrap();
    let session = running::Question::new("GET", address, "/api/v1/session").header("cookie", cookie).send().await;
    assert_eq!((&session.json()["name"], &session.json()["role"]), (&json!("Eva"), &json!("admin")));
    let again = Server::start_writing(source(), place.store(), &Settings::default()).unwrap();
    assert_eq!(again.setup_path().unwrap(), None, "there is an admin");
}

#[tokio::test]
async fn the_set_up_link_gives_one_token_once() {
    let place = Place::sqlite();
    let source = || esclusa_sync::Sqlite::table(place.file(), "feature_flags");
    let without = Settings::default();
    let server = Server::start_writing(source(), place.store(), &without).unwrap();
    let path = server.setup_path().unwrap().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.run(listener, std::future::pending()));
    let get = |path: &str| running::Question::new("GET", address, path);
    let post = |body: &str| running::Question::new("POST", address, "/setup").body(body);
    let code = path.strip_prefix("/setup?code=").unwrap().to_owned();
    assert_eq!(get("/setup").send().await.status, 410);
    assert_eq!(get("/setup?code=00").send().await.status, 410);
    // What previews links uses nothing up.
    for _ in 0..2 {
        let page = get(&path).send().await;
        assert!(page.status == 200 && !text(&page).contains("esc_admin_"), "{}", text(&page));
    }
    assert_eq!(post("code=00").send().await.status, 410);
    assert_eq!(post(&format!("code={code}")).header("sec-fetch-site", "cross-site").send().await.status, 403);
    let given = post(&format!("code={code}&name=Eva")).send().await;
    assert_eq!(given.status, 200);
    let token = text(&given).split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(post(&format!("code={code}")).send().await.status, 410, "once");
    let made =
        running::Question::new("POST", address, "/api/v1/flags").header("authorization", &format!("Bearer {token}"));
    let made = made.body(r#"{"flag": {"name": "crm", "enabled": true}}"#).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    // Another server knows it; no link is made any more, and the file has no secret.
    let again = Server::start_writing(source(), place.store(), &without).unwrap();
    assert_eq!(again.setup_path().unwrap(), None);
    let secret = token.rsplit('_').next().unwrap();
    for ending in ["", "-wal"] {
        let file = std::fs::read(place.file().display().to_string() + ending).unwrap_or_default();
        assert!(!file.windows(secret.len()).any(|part| part == secret.as_bytes()), "the secret is in the file");
    }
    let read = Running::start(Table::new(r#"[{"name": "crm", "enabled": true}]"#).source()).await;
    assert_eq!(read.get("/setup?code=").send().await.status, 410);
    assert_eq!(Kind::Admin.as_str(), "admin");
}
