//! What `inspect` proposes and asks for a table with Spanish names.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

use esclusa_formats::{Mapping, Outcome, inspect, outcome};

const TABLE: &str = r#"[
    {"id": 1, "flag_key": "nuevo_crm", "nombre": "Nuevo CRM", "activo": true, "porcentaje": 50, "vence": "2027-03-01T10:00:00",
     "archivado": false, "empresa_id": null, "roles": ["admin"], "descripcion": "x", "entorno": "produccion"},
    {"id": 2, "flag_key": "pagos", "nombre": "Pagos", "activo": false, "porcentaje": 100, "vence": null,
     "archivado": false, "empresa_id": 7, "roles": null, "descripcion": "y", "entorno": "produccion"}]"#;

#[test]
fn names_in_spanish_count() {
    let inspection = inspect(TABLE.as_bytes()).unwrap();
    let lines: Vec<&str> = inspection.proposals().iter().map(|proposal| proposal.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            r#"name = "flag_key""#,
            r#"label = "nombre""#,
            r#"enabled = "activo""#,
            r#"rollout_percentage = "porcentaje""#,
            r#"end_date = "vence""#,
            r#"off_when = ["archivado"]"#,
            r#"ignore = ["descripcion"]"#,
        ]
    );
    let asked: Vec<&str> = inspection.questions().iter().map(|question| question.answers[0].line.as_str()).collect();
    assert_eq!(
        asked,
        [
            r#"fold = { by = [{ column = "empresa_id", as = "company" }] }"#,
            r#"target_roles = { column = "roles", split = "," }"#,
            r#"counts = [{ column = "entorno", is = ["all", "$environment"] }]"#,
        ]
    );
    // A column with an open question stays unread, so its flags are off.
    assert_eq!(inspection.outcome(), Some(Outcome { on: 0, off: 1, withheld: 1 }));
}

#[test]
fn two_readings_are_asked_and_not_guessed() {
    let asks = |rows: &str| inspect(rows.as_bytes()).unwrap().questions().len();
    assert_eq!(
        asks(r#"[{"key": "a", "enabled": true, "percentage": 0.5}, {"key": "b", "enabled": true, "percentage": 1}]"#),
        1
    );
    assert_eq!(asks(r#"[{"key": "a", "is_active": true, "is_enabled": true}]"#), 1);
    assert_eq!(asks(r#"[{"name": "a", "slug": "b", "enabled": true}]"#), 1);
    assert_eq!(asks(r#"[{"key": "a", "enabled": true, "expires_at": "2027-01-01"}]"#), 1);
    assert_eq!(
        asks(
            r#"[{"flag_name": "a", "enabled": true, "user_id": 1}, {"flag_name": "a", "enabled": true, "user_id": 2}]"#
        ),
        2
    );
    assert_eq!(asks(r#"[{"name": "a", "enabled": true, "created_at": "2026-01-01"}]"#), 0);
}

#[test]
fn answers_and_open_questions_make_a_mapping() {
    let inspection = inspect(TABLE.as_bytes()).unwrap();
    let open = inspection.answered(&[]);
    assert!(open.contains("\nenabled = \"activo\"\n") && open.contains("\n# fold = "), "{open}");
    let closed = inspection.answered(&[Some(1), Some(1), Some(0)]);
    assert!(!closed.contains('#'), "{closed}");
    assert!(
        closed.contains("\nignore = [\"descripcion\", \"empresa_id\", \"roles\"]\n"),
        "an entry stands once: {closed}"
    );
    let mapping = Mapping::from_toml(&closed).unwrap().with("environment", "produccion").unwrap();
    assert_eq!(outcome(TABLE.as_bytes(), &mapping).unwrap(), Outcome { on: 1, off: 1, withheld: 0 });
}

#[test]
fn two_answers_to_one_entry_are_its_members() {
    let rows = r#"[{"slug": "a", "enabled": true, "empresa_id": 1, "user_id": "x"}]"#;
    let inspection = inspect(rows.as_bytes()).unwrap();
    let both = inspection.answered(&[Some(0), Some(0)]);
    assert_eq!(both.matches("fold = ").count(), 1, "{both}");
    Mapping::from_toml(&both).unwrap();
}

/// The first answer to each question is the narrower one: a caller whom a row keeps out stays out.
#[test]
fn the_first_answers_let_in_nobody_else() {
    let now = esclusa::Time::from_millis(1_790_000_000_000);
    for columns in [
        "audience",
        "applies_to",
        "targeting",
        "scope",
        "disabled_at",
        "enabled_for_admins",
        "enabled_users disabled_users",
        "allowed_tenants excluded_tenants",
        "enabled_user_ids enabled_for_users",
        "target_roles allowed_roles",
        "min_version",
        "plan_codes plans tiers",
        "cidade_slug",
        "garage_id",
        "usuarios_bloqueados usuarios",
    ] {
        let row = |key: &str, value: Option<&str>| {
            let mut row = serde_json::json!({"flag_key": key, "is_active": true});
            for column in columns.split(' ') {
                // The caller of the test is in the list of those who are out.
                row[column] = value.map(|_| if column.contains("dis") { "somebody" } else { "other" }).into();
            }
            row
        };
        let rows = serde_json::json!([row("open", None), row("kept", Some("x"))]).to_string();
        let inspection = inspect(rows.as_bytes()).unwrap();
        let questions = inspection.questions();
        let text = inspection.answered(&vec![Some(0); questions.len()]);
        let mapping = Mapping::from_toml(&text).unwrap_or_else(|error| panic!("{columns}: {error}\n{text}"));
        let (set, _) = esclusa_formats::read(rows.as_bytes(), &mapping).unwrap();
        let is_on = |key| set.resolve(key, &esclusa::Context::new("somebody"), now).is_enabled();
        assert!(is_on("open") && !is_on("kept"), "{columns}:\n{text}");
    }
}

#[test]
fn a_text_id_may_be_the_key() {
    let inspection = inspect(br#"[{"id": "crm", "enabled": true}, {"id": "inbox", "enabled": false}]"#).unwrap();
    assert_eq!(inspection.questions()[0].answers[0].line, "name = \"id\"");
    let mapping = Mapping::from_toml(&inspection.answered(&[Some(0)])).unwrap();
    let rows = br#"[{"id": "crm", "enabled": true}, {"id": "inbox", "enabled": false}]"#;
    assert_eq!(outcome(rows, &mapping).unwrap(), Outcome { on: 1, off: 1, withheld: 0 });
}
