//! Rows of any table, which a mapping reads (`spec/MAPPING.md`), as JSON.
//!
//! A mapping is passed as `{"text", "name", "parameters"}`: its TOML or JSON, its name in the reading or null, and an
//! object of texts. The mapping that comes with the rows (M34) is passed as `{"stored", "parameters"}`: whether the
//! last rows had one. A refusal of a mapping is `{"refused", "code", "violations", "place", "problem"}`, with `stored`
//! if it came with the rows.

use esclusa::{Flags, SnapshotError, Value, Violation, mapping_of};
use esclusa_formats::{Mapping, MappingError, Parameters, ReadError, Stored, read, snapshot};

use crate::publish::{Options, publish, refusal, swapped};

/// The name and parameters of a mapping, `{"name", "parameters": [names], "mapping"}`, or a refusal.
#[must_use]
pub fn mapping(given: &str) -> String {
    let mapping = match own(&Value::from_json(given.as_bytes()).unwrap_or_default()) {
        Ok(mapping) => mapping,
        Err(error) => return refused(&error, false),
    };
    let plain = Value::from_json(mapping.to_json().as_bytes()).unwrap_or_default().into_owned();
    let parameters = mapping.parameters().into_iter().map(Value::from).collect::<Vec<_>>();
    let fields = vec![
        ("name".into(), mapping.name().into()),
        ("parameters".into(), Value::List(parameters)),
        ("mapping".into(), plain),
    ];
    Value::Object(fields).to_json()
}

/// Prefix of the result for rows that come with a mapping, whether that or the app's own read them.
const BROUGHT: &str = "  ";

/// Publishes rows that a mapping reads, as [`publish`](crate::publish) does with a snapshot. It may be called from any
/// thread. The report begins with two spaces if the rows come with a mapping.
#[must_use]
pub fn publish_mapped(flags: &Flags, rows: &[u8], given: &str, options: Options) -> String {
    let brought = mapping_of(rows).is_some();
    let mapping = match Translation::of(given, rows) {
        Ok(Translation::Mapped(mapping)) => mapping,
        Ok(Translation::Snapshot) => return publish(flags, rows, options),
        Err(error) => return refused(&error, brought),
    };
    match publish_by(flags, rows, &mapping, options) {
        Ok(said) if brought => [BROUGHT, &said].concat(),
        Ok(said) => said,
        Err(error) => why(&error, brought),
    }
}

fn publish_by(flags: &Flags, rows: &[u8], mapping: &Mapping, options: Options) -> Result<String, ReadError> {
    let (set, reading) = read(rows, mapping)?;
    if options.strict && !set.violations().is_empty() {
        return Err(SnapshotError::Violations(set.violations().to_vec()).into());
    }
    let mut report = swapped(flags, set, options).to_value();
    reading.complete_report(&mut report);
    Ok(report.to_json())
}

/// The rows as a snapshot that needs no mapping, or a refusal; empty if they are a snapshot without a mapping. It may
/// be called from any thread.
#[must_use]
pub fn mapped(rows: &[u8], given: &str) -> String {
    let brought = mapping_of(rows).is_some();
    let mapping = match Translation::of(given, rows) {
        Ok(Translation::Mapped(mapping)) => mapping,
        Ok(Translation::Snapshot) => return String::new(),
        Err(error) => return refused(&error, brought),
    };
    match snapshot(rows, &mapping) {
        // Another program's document may have any fields; a space before it distinguishes it from a refusal.
        Ok(snapshot) => [if brought { BROUGHT } else { " " }, &snapshot.to_json()].concat(),
        Err(error) => why(&error, brought),
    }
}

/// How rows become flags.
enum Translation {
    /// The mapping of the app, or the one that comes with the rows.
    Mapped(Mapping),
    /// They have no mapping, and so are a snapshot.
    Snapshot,
}

impl Translation {
    fn of(given: &str, rows: &[u8]) -> Result<Self, MappingError> {
        let given = Value::from_json(given.as_bytes()).unwrap_or_default();
        let Some(was_mapped) = given.get("stored") else { return own(&given).map(Translation::Mapped) };
        let kept = parameters(&given).try_fold(Parameters::default(), |kept, (name, value)| kept.with(name, value))?;
        let stored = Stored::new(kept).after(*was_mapped == Value::Bool(true));
        Ok(stored.mapping(rows)?.map_or(Translation::Snapshot, Translation::Mapped))
    }
}

fn own(given: &Value<'_>) -> Result<Mapping, MappingError> {
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let mut mapping = Mapping::from_text(text("text").unwrap_or_default().as_bytes())?;
    if let Some(name) = text("name") {
        mapping = mapping.named(name);
    }
    parameters(given).try_fold(mapping, |mapping, (name, value)| mapping.with(name, value))
}

fn parameters<'v>(given: &'v Value<'_>) -> impl Iterator<Item = (&'v str, &'v str)> {
    let fields = match given.get("parameters") {
        Some(Value::Object(fields)) => fields.as_slice(),
        _ => &[],
    };
    fields.iter().map(|(name, value)| (name.as_ref(), value.as_str().unwrap_or_default()))
}

fn why(error: &ReadError, is_stored: bool) -> String {
    match error {
        ReadError::Mapping(error) => refused(error, is_stored),
        ReadError::Snapshot(error) => refusal(error),
        other => refusal(&SnapshotError::Document(Violation::new(String::new(), other.code(), other.to_string()))),
    }
}

fn refused(error: &MappingError, is_stored: bool) -> String {
    let mut fields = vec![
        ("refused".into(), error.to_string().into()),
        ("code".into(), ReadError::from(error.clone()).code().into()),
        ("violations".into(), Value::List(Vec::new())),
        ("place".into(), error.place().into()),
        ("problem".into(), error.problem().into()),
    ];
    if is_stored {
        fields.push(("stored".into(), true.into()));
    }
    Value::Object(fields).to_json()
}

#[cfg(test)]
mod tests {
    use esclusa::{Context, Flags};

    use super::*;

    const GIVEN: &str = r#"{"text": "esclusa_mapping = 1\nname = 'slug'\nenabled = 'is_active'\ncounts = [{ column = 'env', is = ['$env'] }]", "name": "flags.toml", "parameters": {"env": "production"}}"#;
    const ROWS: &[u8] =
        br#"[{"slug": "crm", "is_active": 1, "env": "production"}, {"slug": "old", "is_active": 1, "env": "test"}]"#;

    #[test]
    fn rows_are_published_by_a_mapping_that_the_report_names() {
        let flags = Flags::new();
        let report = publish_mapped(&flags, ROWS, GIVEN, Options { strict: true, ..Options::default() });
        assert!(report.contains(r#""rows_left_out":[{"why":"env","rows":1}]"#), "{report}");
        assert!(report.contains(r#""mapping":"flags.toml""#), "{report}");
        assert!(flags.is_enabled("crm", &Context::anonymous()) && !flags.is_enabled("old", &Context::anonymous()));
    }

    #[test]
    fn a_mapping_that_is_wrong_or_does_not_fit_says_where() {
        let without = GIVEN.replace(r#""env": "production""#, "");
        for (given, rows, place) in [
            (r#"{"text": "esclusa_mapping = 2"}"#, ROWS, "esclusa_mapping"),
            (r#"{"text": "{"}"#, ROWS, ""),
            (without.as_str(), ROWS, "$env"),
            (GIVEN, br#"[{"slug": "crm", "is_active": 1}]"#.as_slice(), "env"),
        ] {
            let place = format!(r#","violations":[],"place":"{place}","problem":""#);
            for said in [publish_mapped(&Flags::new(), rows, given, Options::default()), mapped(rows, given)] {
                assert!(said.starts_with(r#"{"refused":"mapping"#) && said.contains(&place), "{said}");
            }
        }
        assert!(mapped(b"{", GIVEN).contains(r#""violations":["#));
        assert_eq!(
            mapping(r#"{"text": "esclusa_mapping = 2"}"#).find(r#"{"refused":"mapping, `esclusa_mapping`"#),
            Some(0)
        );
    }

    #[test]
    fn a_mapping_that_the_rows_bring_along_is_told_of() {
        let stored = |was: bool| format!(r#"{{"stored": {was}, "parameters": {{"env": "production"}}}}"#);
        let own = Value::from_json(GIVEN.as_bytes()).unwrap_or_default();
        let text = own.get("text").and_then(Value::as_str).unwrap_or_default();
        let plain = Mapping::from_text(text.as_bytes()).map(|mapping| mapping.to_json()).unwrap_or_default();
        let rows = String::from_utf8_lossy(ROWS);
        let document = format!(r#"{{"esclusa": 1, "mapping": {plain}, "tables": {{"flags": {rows}}}}}"#);
        let flags = Flags::new();
        let report = publish_mapped(&flags, document.as_bytes(), &stored(false), Options::default());
        assert!(report.starts_with("  {") && report.contains(r#""mapping":"stored-mapping""#), "{report}");
        assert!(flags.is_enabled("crm", &Context::anonymous()) && !flags.is_enabled("old", &Context::anonymous()));
        assert!(mapped(document.as_bytes(), &stored(false)).starts_with("  {"));
        let native = br#"[{"name": "plain", "enabled": true}]"#;
        assert!(
            publish_mapped(&flags, native, &stored(false), Options::default()).starts_with(r#"{"outcome":"published""#)
        );
        assert_eq!(mapped(native, &stored(false)), "");
        for said in [publish_mapped(&flags, native, &stored(true), Options::default()), mapped(native, &stored(true))] {
            assert!(
                said.contains("is missing in the rows, which had one before") && !said.contains("stored\":true"),
                "{said}"
            );
        }
        let without = document.replace("\"is_active\": 1, ", "");
        for broken in [without, document.replace("\"esclusa_mapping\":1", "\"esclusa_mapping\":2")] {
            assert!(mapped(broken.as_bytes(), &stored(false)).ends_with(r#","stored":true}"#), "{broken}");
        }
        let unknown = r#"{"stored": false, "parameters": {"a b": "c"}}"#;
        assert!(mapped(native, unknown).contains("is no name of a parameter"));
    }

    #[test]
    fn a_mapping_is_told_with_what_it_asks_for() {
        let told = mapping(GIVEN);
        assert!(told.starts_with(r#"{"name":"flags.toml","parameters":["env"],"mapping":{"#), "{told}");
        assert_eq!(mapped(ROWS, GIVEN).find(r#" [{"name":"crm","enabled":true},"#), Some(0));
    }
}
