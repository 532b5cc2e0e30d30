//! The server's own tables, in the schema `esclusa_server` of Postgres, or beside the flags in SQLite: what apps and pages
//! have reported. No trigger of the flags is on them, so no app hears of a report.
//!
//! Statements are written once for both stores: a table is `own.NAME`, a parameter `?1`, and times are numbers.

use esclusa_sync::tokio_postgres::Row;
use esclusa_sync::tokio_postgres::types::{ToSql, Type};

/// The lock that servers on one Postgres take while they write.
pub(super) const LOCK: i64 = 0x6573_636c_7573_6101;

/// `usage_hour` is what is added up; `usage_report` what each process has reported of an hour, so that a report may come
/// again; `usage_process` which processes have reported, and `usage_fact` which units apps have seen.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS own.usage_hour (
    hour bigint NOT NULL,
    flag text NOT NULL,
    origin text NOT NULL,
    variant text NOT NULL,
    reason text NOT NULL,
    event text NOT NULL,
    action text NOT NULL,
    shown text NOT NULL,
    arm text NOT NULL,
    count bigint NOT NULL,
    errors bigint NOT NULL,
    durations text NOT NULL,
    value_count bigint NOT NULL,
    value_sum double precision NOT NULL,
    PRIMARY KEY (hour, flag, origin, variant, reason, event, action, shown, arm)
);
CREATE TABLE IF NOT EXISTS own.usage_report (
    process text NOT NULL,
    hour bigint NOT NULL,
    minutes text NOT NULL,
    PRIMARY KEY (process, hour)
);
CREATE TABLE IF NOT EXISTS own.usage_process (
    process text PRIMARY KEY,
    revision bigint,
    seen bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS own.usage_fact (
    flag text NOT NULL,
    run bigint NOT NULL,
    day bigint NOT NULL,
    share bigint NOT NULL,
    metric text NOT NULL,
    unit text NOT NULL,
    is_on bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (flag, run, day, share, metric, unit)
);
";

/// Makes the tables in Postgres. The schema is not looked for by PostgREST, and nobody but its owner reads the tables.
pub(super) fn tables_in_postgres() -> String {
    let names = ["usage_hour", "usage_report", "usage_process", "usage_fact"];
    let closed = names.map(|name| format!("ALTER TABLE esclusa_server.{name} ENABLE ROW LEVEL SECURITY;"));
    format!("{}\n{}", in_schema(TABLES), closed.concat())
}

/// The statement in Postgres.
pub(super) fn in_schema(sql: &str) -> String {
    sql.replace("own.", "esclusa_server.")
}

/// The statement in SQLite.
#[cfg(feature = "sqlite")]
pub(super) fn in_file(sql: &str) -> String {
    sql.replace("own.", "esclusa_")
}

/// `(?1, ?2), (?3, ?4)` for two rows of two cells.
pub(super) fn places(rows: &[Vec<Cell>]) -> String {
    let mut next = 1..;
    let row = |row: &Vec<Cell>| {
        let places: Vec<String> = next.by_ref().take(row.len()).map(|place: usize| format!("?{place}")).collect();
        format!("({})", places.join(", "))
    };
    rows.iter().map(row).collect::<Vec<_>>().join(", ")
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Whole(i64),
    Number(f64),
    Text(String),
}

impl Cell {
    pub(crate) fn text(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }

    pub(crate) fn as_whole(&self) -> Option<i64> {
        match self {
            Cell::Whole(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "a whole number that is a sum of fractions")]
            Cell::Whole(number) => Some(*number as f64),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn for_postgres(&self) -> &(dyn ToSql + Sync) {
        match self {
            Cell::Null => &None::<i64>,
            Cell::Whole(number) => number,
            Cell::Number(number) => number,
            Cell::Text(text) => text,
        }
    }

    pub(super) fn of_postgres(row: &Row, at: usize) -> Self {
        let kind = row.columns().get(at).map(|column| column.type_().clone());
        let cell = match kind {
            Some(Type::INT8) => row.try_get::<_, Option<i64>>(at).map(|number| number.map(Cell::Whole)),
            Some(Type::FLOAT8) => row.try_get::<_, Option<f64>>(at).map(|number| number.map(Cell::Number)),
            _ => row.try_get::<_, Option<String>>(at).map(|text| text.map(Cell::Text)),
        };
        cell.ok().flatten().unwrap_or(Cell::Null)
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn of_sqlite(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Self> {
        Ok(match row.get(at)? {
            rusqlite::types::Value::Integer(number) => Cell::Whole(number),
            rusqlite::types::Value::Real(number) => Cell::Number(number),
            rusqlite::types::Value::Text(text) => Cell::Text(text),
            _ => Cell::Null,
        })
    }
}

#[cfg(feature = "sqlite")]
impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => rusqlite::types::Null.into(),
            Cell::Whole(number) => (*number).into(),
            Cell::Number(number) => (*number).into(),
            Cell::Text(text) => text.as_str().into(),
        })
    }
}
