//! What `inspect` proposes and asks for a table with Spanish names, and how its command ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

use std::io::Write;
use std::process::{Command, Stdio};

use esclusa_formats::{Outcome, inspect};

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

/// Runs the example and gives what it prints with its exit code.
fn command(arguments: &[&str], rows: &str) -> (String, i32) {
    let tests = std::env::current_exe().unwrap();
    let example = tests
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(format!("inspect{}", std::env::consts::EXE_SUFFIX));
    let mut child = Command::new(example)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example is built with the tests");
    child.stdin.take().unwrap().write_all(rows.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn the_command_says_by_its_exit_code_whether_anything_is_left_to_do() {
    let (text, code) = command(&["-", "--yes"], TABLE);
    assert!(text.contains("\nenabled = \"activo\"\n") && text.contains("\n# fold = "), "{text}");
    assert_eq!(code, 1);
    assert_eq!(
        command(&["-", "--yes"], r#"[{"slug": "a", "is_active": 1}]"#),
        ("esclusa_mapping = 1\nname = \"slug\"\nenabled = \"is_active\"\n".to_owned(), 0)
    );
    assert_eq!(command(&["-", "--check"], r#"[{"name": "a", "enabled": true}]"#).1, 0);
    assert_eq!(command(&["-", "--check"], r#"[{"name": "a", "enabled": true, "jira_ticket": "x"}]"#).1, 1);
    assert_eq!(command(&["-", "--check"], r#"[{"slug": "a"}]"#).1, 2);
    let (text, code) = command(&["-"], TABLE);
    assert!(text.contains("today: 0 on for somebody, 0 off, 0 withheld") && code == 0, "{text}");
    let mapping = std::env::temp_dir().join(format!("esclusa-inspect-{}.toml", std::process::id()));
    std::fs::write(&mapping, "esclusa_mapping = 1\ncounts = [{ column = 'env', is = ['$env'] }]\n").unwrap();
    let rows = r#"[{"name": "a", "enabled": true, "env": "x"}]"#;
    let file = mapping.to_str().unwrap();
    assert_eq!(command(&["-", "--mapping", file, "--check"], rows).1, 2);
    assert_eq!(command(&["-", "--mapping", file, "--param", "env=x", "--check"], rows).1, 0);
    std::fs::remove_file(&mapping).unwrap();
}
