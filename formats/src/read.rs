//! Rows become a flag set. Some facts, such as which table has the flags, are known only after all rows: they are
//! assumed, and if that was wrong, the rows are read again.

use esclusa::{Builder, FlagSet, SnapshotError, Time, Value, Violation};

use crate::error::{MappingError, ReadError, quoted};
use crate::found::is_empty;
use crate::mapping::Mapping;
use crate::native::FIELDS;
use crate::pass::{Known, Pass};
use crate::reading::Reading;

/// Compiles rows by a mapping. The bytes are an array of rows, a document with `flags`, or a bundle with `tables`.
///
/// ```
/// use esclusa::{Context, Time};
/// use esclusa_formats::{Mapping, read};
///
/// let mapping = Mapping::from_toml("esclusa_mapping = 1\nname = 'slug'\nenabled = 'is_active'\ntarget_plans = 'plans'")?;
/// let (set, reading) = read(br#"[{"slug": "crm", "is_active": 1, "plans": ["PRO"]}]"#, &mapping)?;
/// assert!(set.resolve("crm", &Context::new("ana").plan("PRO"), Time::from_millis(0)).is_enabled());
/// assert!(!set.resolve("crm", &Context::new("ana").plan("FREE"), Time::from_millis(0)).is_enabled());
/// assert_eq!(reading.columns()[2].name(), "plans");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When nothing can be published: the bytes are no rows, or the mapping does not fit them as a whole (M4). A value that
/// cannot be read is a violation of its flag alone.
pub fn read(bytes: &[u8], mapping: &Mapping) -> Result<(FlagSet, Reading), ReadError> {
    let mut known = Known::default();
    loop {
        let mut builder = Builder::new();
        builder.ignore(&known.ignored);
        let pass = Pass::over(bytes, mapping, &known, &mut |flag| builder.flag(flag))?;
        let Some(head) = settle(&pass, mapping, &mut known)? else { continue };
        for segment in pass.head.get("segments").and_then(Value::as_list).unwrap_or_default() {
            builder.segment(segment);
        }
        let mut set = builder.finish(head.revision, head.generated_at)?;
        let places = pass.places(head.is_bundle);
        set.restate(|violation| places.restate(violation));
        pass.describe(set.reading_mut());
        let mapping = mapping.name().to_owned();
        let reading = Reading { inner: set.reading().clone(), rows_left_out: pass.left_out(), mapping };
        return Ok((set, reading));
    }
}

/// The flags that rows become, as an array for the engine.
///
/// ```
/// use esclusa_formats::{Mapping, native};
/// let mapping = Mapping::from_toml("esclusa_mapping = 1\nname = 'slug'\nenabled = 'is_active'")?;
/// let flags = native(br#"[{"slug": "crm", "is_active": 1}]"#, &mapping)?;
/// assert_eq!(flags.to_json(), r#"[{"name":"crm","enabled":true}]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`].
pub fn native(bytes: &[u8], mapping: &Mapping) -> Result<Value<'static>, ReadError> {
    Ok(translated(bytes, mapping)?.0)
}

/// The rows as a snapshot that needs no mapping: bare rows, or a document with the revision, the segments and all else
/// that the rows came with. For layers, which are merged before they are compiled.
///
/// ```
/// use esclusa_formats::{Mapping, snapshot};
/// let mapping = Mapping::from_toml("esclusa_mapping = 1\nname = 'slug'\nenabled = 'is_active'")?;
/// let bundle = br#"{"esclusa": 1, "revision": 7, "tables": {"flags": [{"slug": "crm", "is_active": 1}]}}"#;
/// let document = snapshot(bundle, &mapping)?;
/// assert_eq!(document.to_json(), r#"{"esclusa":1,"revision":7,"flags":[{"name":"crm","enabled":true}]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`].
pub fn snapshot(bytes: &[u8], mapping: &Mapping) -> Result<Value<'static>, ReadError> {
    let (flags, rest) = translated(bytes, mapping)?;
    let Value::Object(mut fields) = rest else { return Ok(flags) };
    fields.retain(|(name, _)| !["tables", "mapping", "flags"].contains(&name.as_ref()));
    fields.push(("flags".into(), flags));
    Ok(Value::Object(fields))
}

/// The flags as an array, and the rest of the document.
fn translated(bytes: &[u8], mapping: &Mapping) -> Result<(Value<'static>, Value<'static>), ReadError> {
    let mut known = Known::default();
    loop {
        let mut flags = Vec::new();
        let pass = Pass::over(bytes, mapping, &known, &mut |flag| flags.push(flag.clone().into_owned()))?;
        if settle(&pass, mapping, &mut known)?.is_some() {
            return Ok((Value::List(flags), pass.head.into_owned()));
        }
    }
}

/// The document besides its rows.
struct Head {
    revision: Option<u64>,
    generated_at: Option<Time>,
    is_bundle: bool,
}

/// Checks the whole after all rows; `None` if they must be read again with what is known now.
fn settle(pass: &Pass<'_, '_>, mapping: &Mapping, known: &mut Known) -> Result<Option<Head>, ReadError> {
    let head = head(&pass.head)?;
    if known.table.is_none()
        && let Some(table) = main_table(pass, mapping, head.is_bundle)?
    {
        known.table = Some(table);
        return Ok(None);
    }
    let ignored: Vec<String> = pass
        .head
        .get("ignored")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    if known.ignored != ignored {
        known.ignored = ignored;
        return Ok(None);
    }
    for side in mapping.side_tables() {
        if !pass.tables.iter().any(|table| table == side) {
            let problem =
                format!("there is no table {} beside that of the flags, expected it among `tables`", quoted(side));
            return Err(MappingError::new("side", problem).into());
        }
    }
    let plan = &*mapping.plan;
    let is_named =
        |table: &String| *table == pass.table || mapping.side_tables().any(|side| side == table) || plan.ignores(table);
    if let Some(table) = pass.tables.iter().find(|table| !is_named(table)) {
        let problem = "no entry names this table of the bundle, expected it in `side`, or in `ignore`";
        return Err(MappingError::new(table, problem).into());
    }
    if let Some((column, field)) = &pass.row.conflict {
        let name = FIELDS.get(*field).copied().unwrap_or_default();
        let problem = format!(
            "the column {} is the field `{name}` by its own name, and an entry gives that field too, expected `ignore = [{column:?}]` or no such entry",
            quoted(column)
        );
        return Err(MappingError::new(column, problem).into());
    }
    if pass.rows == 0 {
        return Ok(Some(head));
    }
    let missing =
        plan.columns.names.iter().enumerate().find(|(root, _)| {
            plan.is_required(*root) && pass.row.counts.get(*root).is_some_and(|count| count.rows == 0)
        });
    if let Some((_, column)) = missing {
        let problem = "no row has this column, expected the name of one that is there: it may have been renamed";
        return Err(MappingError::new(column, problem).into());
    }
    if plan.enabled.is_none() && !plan.may_do_without_enabled() && !pass.saw_enabled {
        let problem = "is missing, and no row has a column `enabled`, expected the column that says on or off";
        return Err(MappingError::new("enabled", problem).into());
    }
    if pass.saw_enabled && pass.assumed_none && plan.enabled.is_none() && plan.may_do_without_enabled() {
        known.has_enabled = Some(true);
        return Ok(None);
    }
    Ok(Some(head))
}

/// The engine's result for the document without flags; errors are in the engine's own words.
fn head(rest: &Value<'_>) -> Result<Head, ReadError> {
    let Value::Object(fields) = rest else {
        let set = FlagSet::from_json(rest.to_json().as_bytes())?;
        return Ok(Head { revision: set.revision(), generated_at: set.generated_at(), is_bundle: false });
    };
    let tables = fields.iter().find(|(name, value)| name == "tables" && !value.is_null());
    let is_bundle = tables.is_some();
    if let Some((_, tables)) = tables {
        check_tables(tables)?;
        if rest.get("flags").is_some_and(|flags| !is_empty(flags)) || fields.iter().any(|(name, _)| name == "flags") {
            return Err(wrong("/flags", "conflicting-fields", "stands beside `tables`, expected one of both"));
        }
    }
    if fields.iter().filter(|(name, _)| name == "mapping").count() > 1 {
        return Err(wrong("/mapping", "repeated-field", "stands more than once, expected once"));
    }
    let mut whole: Vec<_> = fields.iter().filter(|(name, _)| name != "tables" && name != "mapping").cloned().collect();
    if is_bundle {
        whole.push(("flags".into(), Value::List(Vec::new())));
    }
    let set = FlagSet::from_json(Value::Object(whole).to_json().as_bytes())?;
    Ok(Head { revision: set.revision(), generated_at: set.generated_at(), is_bundle })
}

fn check_tables(tables: &Value<'_>) -> Result<(), ReadError> {
    let Value::Object(tables) = tables else {
        return Err(wrong(
            "/tables",
            "type-mismatch",
            "is no object, expected tables by their names, each an array of rows",
        ));
    };
    for (at, (name, table)) in tables.iter().enumerate() {
        let place = format!("/tables/{}", name.replace('~', "~0").replace('/', "~1"));
        if table.as_list().is_none() {
            return Err(wrong(&place, "type-mismatch", "is no table, expected an array of rows"));
        }
        if tables.iter().take(at.min(1_000)).any(|(other, _)| other == name) {
            return Err(wrong(&place, "repeated-field", "stands more than once, expected once"));
        }
    }
    Ok(())
}

fn wrong(place: &str, code: &'static str, problem: &str) -> ReadError {
    SnapshotError::Document(Violation::new(place.to_owned(), code, problem.to_owned())).into()
}

/// The table of the flags, if it differs from the assumed one (M2).
fn main_table(pass: &Pass<'_, '_>, mapping: &Mapping, is_bundle: bool) -> Result<Option<String>, ReadError> {
    if !is_bundle {
        // In a document the table is `flags`; the mapping's `table` is for bundles.
        return Ok(
            (pass.table != "flags" && pass.tables.iter().any(|table| table == "flags")).then(|| "flags".to_owned())
        );
    }
    if pass.tables.contains(&pass.table) {
        return Ok(None);
    }
    let sides: Vec<&str> = mapping.side_tables().collect();
    let mut others = pass.tables.iter().filter(|table| !sides.contains(&table.as_str()));
    match (&mapping.plan.table, others.next(), others.next()) {
        (None, Some(only), None) => Ok(Some(only.clone())),
        (Some(table), ..) => {
            let problem = format!("there is no table {}, expected the name of one of `tables`", quoted(table));
            Err(MappingError::new("table", problem).into())
        }
        _ => {
            let problem =
                "is missing, and none of `tables` is called `flags`, expected the name of the table of the flags";
            Err(MappingError::new("table", problem).into())
        }
    }
}
