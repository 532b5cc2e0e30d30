//! The tables and triggers in SQLite: what the migration is in Postgres.
//!
//! The triggers are made from the columns that the table has, each time the file is opened.

use rusqlite::{Connection, Error};

use super::own;

/// Columns that change with the use of a flag, not with its definition: they are not in the history.
const NOISE: [&str; 2] = ["updated_at", "metrics"];

/// The table of flags for a file that has none, and what belongs to it.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS {flags} (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(16)))),
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    enabled BOOLEAN NOT NULL DEFAULT 0,
    status TEXT,
    rollout_percentage REAL,
    target_plans TEXT,
    target_roles TEXT,
    target_companies TEXT,
    target_regions TEXT,
    target_users TEXT,
    start_date TEXT,
    end_date TEXT,
    bucket_by TEXT,
    salt TEXT,
    variants TEXT,
    rules TEXT,
    prerequisites TEXT,
    schedule TEXT,
    overrides TEXT,
    client BOOLEAN,
    guard TEXT,
    guard_state TEXT,
    created_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE TABLE IF NOT EXISTS release_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    feature_flag_id TEXT,
    action TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    performed_by TEXT,
    reason TEXT,
    flag_key TEXT,
    flag_table TEXT,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
-- Rises with each change.
CREATE TABLE IF NOT EXISTS esclusa_revision (
    is_only INTEGER PRIMARY KEY CHECK (is_only = 1),
    revision INTEGER NOT NULL
);
INSERT OR IGNORE INTO esclusa_revision VALUES (1, 0);
-- Who acts in the transaction that is open, and why; empty after it.
CREATE TABLE IF NOT EXISTS esclusa_acting (
    is_only INTEGER PRIMARY KEY CHECK (is_only = 1),
    performed_by TEXT,
    reason TEXT,
    action TEXT
);
-- What 001_accounts.sql makes in Postgres.
CREATE TABLE IF NOT EXISTS esclusa_account (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
    may_roll_back INTEGER NOT NULL DEFAULT 0,
    company TEXT,
    locale TEXT,
    created_at_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS esclusa_token (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    name TEXT,
    role TEXT,
    origins TEXT NOT NULL DEFAULT '',
    company TEXT,
    expires_at_ms INTEGER,
    used_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER) * 1000)
);
CREATE TABLE IF NOT EXISTS esclusa_session (
    id TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    account TEXT REFERENCES esclusa_account ON DELETE CASCADE,
    token TEXT,
    address TEXT NOT NULL,
    began_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
);
";

/// Columns that `esclusa_token` has not in files of the first versions.
const LATER: [(&str, &str); 6] = [
    ("role", "TEXT"),
    ("origins", "TEXT NOT NULL DEFAULT ''"),
    ("company", "TEXT"),
    ("expires_at_ms", "INTEGER"),
    ("used_at_ms", "INTEGER"),
    ("created_at_ms", "INTEGER NOT NULL DEFAULT 0"),
];

/// A column of the table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) is_boolean: bool,
}

/// Makes what is missing, and the triggers anew.
pub(super) fn prepare(connection: &Connection, flags: &str) -> Result<Vec<Column>, Error> {
    connection.execute_batch(&TABLES.replace("{flags}", &quoted(flags)))?;
    connection.execute_batch(&own::in_file(own::TABLES))?;
    let held = columns(connection, "esclusa_token")?;
    for (name, kind) in LATER.iter().filter(|(name, _)| held.iter().all(|column| column.name != *name)) {
        connection.execute_batch(&format!("ALTER TABLE esclusa_token ADD COLUMN {name} {kind}"))?;
    }
    let columns = columns(connection, flags)?;
    connection.execute_batch(&triggers(flags, &columns))?;
    Ok(columns)
}

fn columns(connection: &Connection, flags: &str) -> Result<Vec<Column>, Error> {
    let mut query = connection.prepare("SELECT name, upper(type) FROM pragma_table_info(?1)")?;
    let column = |row: &rusqlite::Row<'_>| {
        let declared: String = row.get(1)?;
        Ok(Column { name: row.get(0)?, is_boolean: matches!(declared.as_str(), "BOOLEAN" | "BOOL") })
    };
    query.query_map([flags], column)?.collect()
}

/// The columns that name a flag.
pub(super) fn keys(columns: &[Column]) -> Vec<String> {
    let has = |name: &&str| columns.iter().any(|column| column.name == *name);
    ["key", "name"].into_iter().filter(has).map(str::to_owned).collect()
}

/// The key of a row in SQL, such as that of `NEW`.
pub(super) fn key_of(row: &str, columns: &[Column]) -> String {
    let keys: Vec<String> = keys(columns).iter().map(|key| format!("nullif({row}.{}, '')", quoted(key))).collect();
    match keys.as_slice() {
        [only] => only.clone(),
        keys => format!("coalesce({})", keys.join(", ")),
    }
}

fn triggers(flags: &str, columns: &[Column]) -> String {
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    let of = |row: &str, column: &Column| {
        // JSON holds no bytes.
        let name = format!("{row}.{}", quoted(&column.name));
        format!("iif(typeof({name}) = 'blob', hex({name}), {name})")
    };
    let whole = |row: &str| {
        let fields = columns.iter().map(|column| format!("{}, {}", text(&column.name), of(row, column)));
        format!("json_object({})", fields.collect::<Vec<_>>().join(", "))
    };
    let acts = "(SELECT action FROM esclusa_acting)";
    let differs = |column: &Column| {
        let name = quoted(&column.name);
        // A rollback of a flag that is off already is recorded too.
        let is_switch = ["enabled", "rollout_percentage"].contains(&column.name.as_str());
        let always = if is_switch { format!(" OR {acts} = 'emergency_rollback'") } else { String::new() };
        format!("(OLD.{name} IS NOT NEW.{name}{always})")
    };
    let compared = || columns.iter().filter(|column| !NOISE.contains(&column.name.as_str()));
    let difference = |row: &str| {
        let fields = compared().map(|column| {
            format!("SELECT {} AS name, {} AS value WHERE {}", text(&column.name), of(row, column), differs(column))
        });
        let fields: Vec<String> = fields.collect();
        format!("(SELECT json_group_object(name, value) FROM ({}))", fields.join(" UNION ALL "))
    };
    let any: Vec<String> = compared().map(differs).collect();
    let share = if has("rollout_percentage") {
        "WHEN OLD.rollout_percentage IS NOT NEW.rollout_percentage THEN 'rollout_update'"
    } else {
        ""
    };
    let action = format!(
        "coalesce({acts}, CASE WHEN OLD.enabled IS NOT NEW.enabled THEN iif(NEW.enabled, 'enable', 'disable') {share}
            ELSE 'update' END)"
    );
    let record = |row: &str, action: &str, old: &str, new: &str| {
        let id = if has("id") { format!("{row}.id") } else { "NULL".to_owned() };
        format!(
            "INSERT INTO release_history
                (feature_flag_id, action, old_value, new_value, performed_by, reason, flag_key, flag_table)
            SELECT {id}, {action}, {old}, {new}, (SELECT performed_by FROM esclusa_acting),
                (SELECT reason FROM esclusa_acting), {}, {};
            UPDATE esclusa_revision SET revision = revision + 1;",
            key_of(row, columns),
            text(flags)
        )
    };
    let trigger = |kind: &str, when: &str, body: &str| {
        let name = quoted(&format!("esclusa_record_{}_{flags}", kind.to_lowercase()));
        let table = quoted(flags);
        format!(
            "DROP TRIGGER IF EXISTS {name}; CREATE TRIGGER {name} AFTER {kind} ON {table} {when} BEGIN {body} END;\n"
        )
    };
    let mut sql = trigger("INSERT", "", &record("NEW", "'create'", "NULL", &whole("NEW")));
    sql += &trigger("DELETE", "", &record("OLD", "'delete'", &whole("OLD"), "NULL"));
    let update = record("NEW", &action, &difference("OLD"), &difference("NEW"));
    sql + &trigger("UPDATE", &format!("WHEN {}", any.join(" OR ")), &update)
}

/// A name as it is written in a query.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
