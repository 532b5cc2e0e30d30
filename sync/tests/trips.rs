//! Trips in stores: what one process has switched off is off in all, is written down once, outlives an outage of the store,
//! and is opened by a person alone.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod database;

use std::time::{Duration, Instant};

use database::{CREATE, Database, MIGRATION, READER, refused, server};
use esclusa::{Context, FlagSet, Flags, Trip};
use esclusa_guard::{Guards, Outcome};
use esclusa_sync::{GUARD_MIGRATION, Guarding, Postgres, Proposal, Redis, TripStore, Verdict, guard};

const FLAG: &str = r#"INSERT INTO feature_flags (name, enabled, rollout_percentage, guard) VALUES
    ('crm', true, 20, '{"errors": {}}'), ('plain', true, 20, NULL)"#;
const GUARDED: &str = "SELECT esclusa.guard(); SELECT esclusa.allow_guard('reader')";
const HISTORY: &str = "SELECT coalesce(string_agg(action, ' ' ORDER BY created_at), '') FROM release_history";

/// Everything on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn trips_in_postgres() {
    let server = server(&["reader", "manager"]).await;
    rights(&database(&server, "rights").await).await;
    obstacles(&server).await;
    steps(&database(&server, "steps").await).await;
    outage(&server).await;
}

async fn database(server: &esclusa_loopback::Postgres, name: &str) -> Database {
    let schedule = "ALTER TABLE feature_flags ADD schedule jsonb";
    let parts = [MIGRATION, CREATE, schedule, GUARD_MIGRATION, GUARDED, FLAG, READER];
    let database = Database::new(server, name, &parts).await;
    database.run("CREATE POLICY reads ON feature_flags TO reader, manager USING (true)").await;
    database
}

/// An app may close a guarded flag in its run, and no more; who may open it is said apart.
async fn rights(database: &Database) {
    let app = database::connect(&database.url_of("reader")).await;
    let trip = "SELECT esclusa.trip('crm', 1, '{\"metric\": \"errors\", \"by\": \"app-7\"}')";
    let taken = |row: &tokio_postgres::Row| row.get::<_, bool>(0);
    assert!(taken(&app.query_one(trip, &[]).await.unwrap()));
    assert!(!taken(&app.query_one(trip, &[]).await.unwrap()), "it has tripped already");
    for (wrong, says) in [
        ("SELECT esclusa.trip('crm', 2)", "the run of \"crm\" is 1, and the trip is of run 2"),
        ("SELECT esclusa.trip('plain', 1)", "there is no flag \"plain\" with a guard"),
        ("SELECT esclusa.trip('nobody', 1)", "there is no flag \"nobody\" with a guard"),
        ("SELECT esclusa.trip('crm'' OR true --', 1)", "there is no flag"),
        ("SELECT esclusa.trip('crm', 0)", "the run is 0, expected a whole number from 1 on"),
        ("SELECT esclusa.trip('crm', NULL)", "the run is null"),
        ("SELECT esclusa.trip('crm', 1, '[]')", "expected an object"),
        ("SELECT esclusa.trip('crm', 1, watched => 'public.other')", "`public.other`"),
        ("SELECT esclusa.resume('crm')", "permission denied for function resume"),
        ("SELECT esclusa.advance('crm', 1, 0)", "permission denied for function advance"),
        ("SELECT esclusa.change_guard_states(NULL, 'crm', 'NULL', 'true', NULL)", "permission denied"),
        ("UPDATE feature_flags SET guard_state = NULL", "permission denied"),
    ] {
        let said = refused(&app, wrong).await;
        assert!(said.contains(says), "{wrong}: {said}");
    }
    assert!(database.refused("SELECT esclusa.allow_guard('public')").await.contains("nothing is granted to PUBLIC"));
    assert!(database.refused("SELECT esclusa.allow_guard('reader', '{open}')").await.contains("`open` is no right"));

    // A form saves the row as it was read before the trip, also as the owner.
    database.run("UPDATE feature_flags SET guard_state = NULL, description = 'saved' WHERE name = 'crm'").await;
    let state = "SELECT guard_state::text FROM feature_flags WHERE name = 'crm'";
    assert!(database.text(state).await.contains("\"by\": \"app-7\""));
    let manager = database::connect(&database.url_of("manager")).await;
    database.run("SELECT esclusa.allow_guard('manager', '{resume}')").await;
    let resumed = manager.query_one("SELECT esclusa.resume('crm', 'ana')", &[]).await.unwrap();
    assert_eq!(resumed.get::<_, i64>(0), 2);
    assert!(!database.text(state).await.contains("trip"));
    assert!(refused(&app, "SELECT esclusa.trip('crm', 1)").await.contains("the run of \"crm\" is 2"));
    assert_eq!(database.text(HISTORY).await, "create create guard_trip update guard_resume");
    let who = "SELECT said_by FROM release_history WHERE action = 'guard_resume'";
    assert_eq!(database.text(who).await, "ana");

    // Both files again: rights stay, and so do trips.
    assert!(taken(&app.query_one("SELECT esclusa.trip('crm', 2)", &[]).await.unwrap()));
    database.run(MIGRATION).await;
    database.run(GUARD_MIGRATION).await;
    assert!(!taken(&app.query_one("SELECT esclusa.trip('crm', 2)", &[]).await.unwrap()));
    assert!(refused(&app, "SELECT esclusa.resume('crm')").await.contains("permission denied"));
    assert_eq!(manager.query_one("SELECT esclusa.resume('crm')", &[]).await.unwrap().get::<_, i64>(0), 3);
}

/// What stands in the way: said before anything is attached, and where a flag is to be closed it is closed.
async fn obstacles(server: &esclusa_loopback::Postgres) {
    let database = Database::new(server, "obstacles", &[MIGRATION, CREATE]).await;
    assert!(database.refused("SELECT esclusa.trip('crm', 1)").await.contains("esclusa.trip"));
    database.run(GUARD_MIGRATION).await;
    let said = database.refused("SELECT esclusa.trip('crm', 1)").await;
    assert!(said.contains("no watched table has the columns") && said.contains("SELECT esclusa.guard("), "{said}");
    database.run("ALTER TABLE feature_flags ADD guard text").await;
    let said = database.refused("SELECT esclusa.guard()").await;
    assert!(said.contains("`guard` is text, expected jsonb"), "{said}");
    database.run("ALTER TABLE feature_flags DROP guard").await;
    let actions =
        "CHECK (action IN ('create', 'delete', 'enable', 'disable', 'rollout_update', 'update', 'emergency_rollback'))";
    database.run(&format!("ALTER TABLE release_history ADD CONSTRAINT actions {actions}")).await;
    let said = database.refused("SELECT esclusa.guard()").await;
    assert!(said.contains("violates check constraint \"actions\""), "{said}");
    database.run("ALTER TABLE release_history DROP CONSTRAINT actions").await;
    database.run(&format!("SELECT esclusa.guard(); SELECT esclusa.guard(); {FLAG}")).await;

    // A history that refuses later keeps no flag on.
    database.run("ALTER TABLE release_history ADD CONSTRAINT none CHECK (action <> 'guard_trip') NOT VALID").await;
    database.run("SELECT esclusa.trip('crm', 1)").await;
    let state = "SELECT (guard_state -> 'trip' ->> 'run') FROM feature_flags WHERE name = 'crm'";
    assert_eq!(database.text(state).await, "1");

    // A trigger of somebody who is not trusted would run with the rights of the owner.
    database
        .run(
            "CREATE ROLE stranger; GRANT CREATE ON SCHEMA public TO stranger; SET ROLE stranger;
             CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; RESET ROLE;
             CREATE TRIGGER mine BEFORE UPDATE ON feature_flags FOR EACH ROW EXECUTE FUNCTION public.mine()",
        )
        .await;
    let said = database.refused("SELECT esclusa.resume('crm')").await;
    assert!(said.contains("has the trigger `mine`, whose function belongs to stranger"), "{said}");

    // A table with keys of its own, read by a mapping.
    let mapped = Database::new(server, "mapped", &[MIGRATION, GUARD_MIGRATION]).await;
    mapped
        .run(
            r#"CREATE TABLE flags (slug text, is_active boolean);
               INSERT INTO flags VALUES ('crm', true);
               SELECT esclusa.watch('public.flags', mapping => '{"esclusa_mapping": 1, "name": "slug", "enabled": "is_active"}');
               SELECT esclusa.guard(); UPDATE flags SET guard = '{"errors": {}}'"#,
        )
        .await;
    assert_eq!(mapped.text("SELECT esclusa.trip('crm', 1)::text").await, "true");
    // A view has no columns of its own.
    mapped.run("CREATE VIEW shown AS SELECT slug AS name, is_active AS enabled FROM flags; SELECT esclusa.watch('public.shown')").await;
    assert!(mapped.refused("SELECT esclusa.guard('public.shown')").await.contains("`public.shown` is no table"));
}

/// One step at a time, by the clock of the server, while all is well.
async fn steps(database: &Database) {
    database
        .run(
            r#"SELECT esclusa.allow_guard('reader', '{trip,advance}');
               UPDATE feature_flags SET guard = '{"errors": {}, "advance": {"after": "1s", "min_units": 100, "up_to": 50}}',
                 schedule = (SELECT json_agg(json_build_object('at', now() + days * interval '1 day', 'rollout_percentage', share))
                   FROM (VALUES (-4, 20), (-3, 30), (-2, 40), (-1, 50), (1, 50)) AS step (days, share)) WHERE name = 'crm';
               SELECT esclusa.resume('crm', at_step => 1)"#,
        )
        .await;
    let cleared = "SELECT guard_state ->> 'cleared_steps' FROM feature_flags WHERE name = 'crm'";
    assert_eq!(database.text(cleared).await, "1");
    let ask = |from: i64, evidence: &str| format!("SELECT esclusa.advance('crm', 2, {from}, '{evidence}')::text");
    let well = r#"{"state": "healthy", "on_units": 100, "off_units": 900}"#;
    assert_eq!(database.text(&ask(1, well)).await, "false", "it has not lasted");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for (from, evidence) in [
        (0, well),
        (2, well),
        (1, r#"{"state": "suspicious", "on_units": 100, "off_units": 900}"#),
        (1, r#"{"state": "healthy", "on_units": 99, "off_units": 900}"#),
        (1, r#"{"state": "healthy", "on_units": "many", "off_units": 900}"#),
        (1, "{}"),
    ] {
        assert_eq!(database.text(&ask(from, evidence)).await, "false", "{from} {evidence}");
    }
    // Of many at once one clears it, and what is overdue is not caught up.
    let url = database.url_of("reader");
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (url, query) = (url.clone(), ask(1, well));
            tokio::spawn(async move {
                let row = database::connect(&url).await.query_one(query.as_str(), &[]).await.unwrap();
                row.get::<_, String>(0) == "true"
            })
        })
        .collect();
    let mut cleared_by = 0;
    for caller in callers {
        cleared_by += usize::from(caller.await.unwrap());
    }
    assert_eq!(cleared_by, 1);
    assert_eq!(database.text(cleared).await, "2");
    for from in [2, 3] {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(database.text(&ask(from, well)).await, "true");
    }
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(database.text(&ask(4, well)).await, "false", "the fifth step is tomorrow's");
    // A trip goes back by one step when a person opens it again.
    database.run("SELECT esclusa.trip('crm', 2)").await;
    assert_eq!(database.text(&ask(4, well)).await, "false");
    database.run("SELECT esclusa.resume('crm')").await;
    assert_eq!(database.text(cleared).await, "3");
    assert!(
        database.text(HISTORY).await.ends_with("guard_advance guard_advance guard_advance guard_trip guard_resume")
    );
}

/// A process: its flags are kept fresh from the database, and its guards propose their trips there.
struct App {
    flags: Flags,
    guards: Guards,
    guarding: Guarding,
    _syncing: Option<esclusa_sync::Syncing>,
}

impl App {
    fn start(database: &Database) -> App {
        let flags = Flags::new();
        let syncing = database.start("reader", &flags);
        let store = Postgres::new(&database.url_of("reader")).unwrap().timeout(Duration::from_millis(500));
        App::with(flags, store, Some(syncing))
    }

    fn with(flags: Flags, store: impl TripStore, syncing: Option<esclusa_sync::Syncing>) -> App {
        let guards = Guards::new(&flags);
        let guarding = guard(&guards, None).propose(store);
        App { flags, guards, guarding, _syncing: syncing }
    }

    fn cohort(&self) -> Vec<usize> {
        (0..500).filter(|user| self.flags.is_enabled("crm", &context(*user))).collect()
    }

    async fn becomes(&self, cohort: &[usize]) -> Duration {
        let began = Instant::now();
        while self.cohort() != cohort {
            assert!(began.elapsed() < Duration::from_secs(30), "{:?}", self.guarding.proposals());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }

    /// The feature fails for everybody who has it.
    fn fail(&self) {
        for user in 0..500 {
            let outcome = if self.flags.is_enabled("crm", &context(user)) { Outcome::error() } else { Outcome::ok() };
            self.guards.track("crm", &context(user), outcome);
        }
    }

    async fn said(&self, verdict: Verdict) -> Proposal {
        let began = Instant::now();
        loop {
            let proposals = self.guarding.proposals();
            if let Some(proposal) = proposals.iter().find(|proposal| proposal.verdict == Some(verdict)) {
                return proposal.clone();
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{proposals:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn context(user: usize) -> Context<'static> {
    Context::new(format!("user-{user}"))
}

/// The store is away as three processes trip: each does so by itself. When it is back it has one trip.
async fn outage(server: &esclusa_loopback::Postgres) {
    let database = database(server, "outage").await;
    let apps = [App::start(&database), App::start(&database), App::start(&database)];
    let idle = App::start(&database);
    let on = |app: &App| app.cohort().len() > 50;
    let began = Instant::now();
    while !apps.iter().chain([&idle]).all(on) {
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = idle.cohort();
    server.kill().unwrap();
    for app in &apps {
        app.fail();
    }
    for app in &apps {
        // The tick is once a second.
        let took = app.becomes(&[]).await;
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    let [first, ..] = &apps;
    let began = Instant::now();
    while !first.guarding.proposals().iter().any(|proposal| proposal.error.is_some()) {
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(first.guarding.proposals()[0].to_string().starts_with("crm: the trip of run 1 is not in the store yet: "));
    assert_eq!(idle.cohort(), before, "it has heard of nothing");
    server.start_again().unwrap();
    idle.becomes(&[]).await;
    let database = Database::open(server, "outage").await;
    for app in &apps {
        let began = Instant::now();
        while app.guarding.proposals()[0].verdict.is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "{:?}", app.guarding.proposals());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(database.text(HISTORY).await, "create create guard_trip");
    // Anyone computes the evidence again from what the history has.
    let ledger = "SELECT (new_value #> '{guard_state,trip,evidence,ledger}')::text FROM release_history WHERE action = 'guard_trip'";
    assert!(database.text(ledger).await.len() > 10);
    // A process that begins now begins tripped; then a person opens it, and the same users return.
    let late = App::start(&database);
    database.run("SELECT esclusa.resume('crm', 'ana')").await;
    for app in apps.iter().chain([&idle, &late]) {
        app.becomes(&before).await;
    }
}

/// A trip that the store finds out of date is void; one that comes twice counts once.
#[tokio::test(flavor = "multi_thread")]
async fn trips_in_redis() {
    let mut redis = tokio::task::spawn_blocking(esclusa_loopback::Redis::start).await.unwrap().unwrap();
    let url = redis.url();
    let app = || {
        let flags = Flags::new();
        publish(&flags, 1);
        App::with(flags, Redis::new(&url).unwrap().timeout(Duration::from_millis(500)), None)
    };
    let (first, second) = (app(), app());
    let before = first.cohort();
    assert!(before.len() > 50);
    redis.kill();
    first.fail();
    first.becomes(&[]).await;
    assert_eq!(second.cohort(), before);
    redis.start_again().unwrap();
    second.becomes(&[]).await;
    first.said(Verdict::Taken).await;
    second.said(Verdict::Known).await;
    // Whoever opens a flag raises its run where it is written; the trip is over then.
    for app in [&first, &second] {
        publish(&app.flags, 2);
        assert_eq!(app.cohort(), before);
    }
    first.fail();
    second.becomes(&[]).await;
    let proposal = first.said(Verdict::Taken).await;
    assert_eq!((proposal.flag.as_str(), proposal.run), ("crm", 2));
    let mut store = Redis::new(&url).unwrap();
    assert_eq!(store.propose(&Trip::new("crm", 1)).await.unwrap(), Verdict::Known, "one of an earlier run");
    let trips = store.trips().await.unwrap().unwrap();
    assert_eq!(trips.iter().map(|trip| (trip.flag(), trip.run())).collect::<Vec<_>>(), [("crm", 2)]);
}

fn publish(flags: &Flags, run: u64) {
    let rows = format!(
        r#"[{{"name": "crm", "enabled": true, "rollout_percentage": 20, "guard": {{"errors": {{}}}}, "guard_state": {{"run": {run}}}}}]"#
    );
    assert!(flags.publish(FlagSet::from_json(rows.as_bytes()).unwrap()).is_published());
}
