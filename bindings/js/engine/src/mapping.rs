//! Rows of any table, which a mapping reads (`spec/MAPPING.md`), as JSON.
//!
//! A mapping crosses as `{"text", "name", "parameters"}`: its TOML or JSON, what the reading calls it or null, and an object
//! of texts. A refusal of a mapping is `{"refused", "code", "violations", "place", "problem"}`.

use esclusa::{Flags, SnapshotError, Value, Violation};
use esclusa_formats::{Mapping, MappingError, ReadError, read, snapshot};

use crate::publish::{Options, refusal, swapped};

/// What there is to know of a mapping, `{"name", "parameters": [the names that it asks for], "mapping"}`, or a refusal.
#[must_use]
pub fn mapping(given: &str) -> String {
    let mapping = match mapping_of(given) {
        Ok(mapping) => mapping,
        Err(error) => return refused(&error),
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

/// Publishes rows that a mapping reads, as [`publish`](crate::publish) does with a snapshot. It may be called from any
/// thread.
#[must_use]
pub fn publish_mapped(flags: &Flags, rows: &[u8], given: &str, options: Options) -> String {
    let done = mapping_of(given).map_err(ReadError::from).and_then(|mapping| read(rows, &mapping));
    let (set, reading) = match done {
        Ok((set, _)) if options.strict && !set.violations().is_empty() => {
            return refusal(&SnapshotError::Violations(set.violations().to_vec()));
        }
        Ok(done) => done,
        Err(error) => return why(&error),
    };
    let mut report = swapped(flags, set, options).to_value();
    reading.complete_report(&mut report);
    report.to_json()
}

/// The rows as a snapshot that needs no mapping, or a refusal. It may be called from any thread.
#[must_use]
pub fn mapped(rows: &[u8], given: &str) -> String {
    match mapping_of(given).map_err(ReadError::from).and_then(|mapping| snapshot(rows, &mapping)) {
        // A document of somebody else's may have any fields; with a space in front it looks like no refusal.
        Ok(snapshot) => [" ", &snapshot.to_json()].concat(),
        Err(error) => why(&error),
    }
}

fn mapping_of(given: &str) -> Result<Mapping, MappingError> {
    let given = Value::from_json(given.as_bytes()).unwrap_or_default();
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let mut mapping = Mapping::from_text(text("text").unwrap_or_default().as_bytes())?;
    if let Some(name) = text("name") {
        mapping = mapping.named(name);
    }
    if let Some(Value::Object(parameters)) = given.get("parameters") {
        for (name, value) in parameters {
            mapping = mapping.with(name, value.as_str().unwrap_or_default())?;
        }
    }
    Ok(mapping)
}

fn why(error: &ReadError) -> String {
    match error {
        ReadError::Mapping(error) => refused(error),
        ReadError::Snapshot(error) => refusal(error),
        other => refusal(&SnapshotError::Document(Violation::new(String::new(), other.code(), other.to_string()))),
    }
}

fn refused(error: &MappingError) -> String {
    let fields = vec![
        ("refused".into(), error.to_string().into()),
        ("code".into(), ReadError::from(error.clone()).code().into()),
        ("violations".into(), Value::List(Vec::new())),
        ("place".into(), error.place().into()),
        ("problem".into(), error.problem().into()),
    ];
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
    fn a_mapping_is_told_with_what_it_asks_for() {
        let told = mapping(GIVEN);
        assert!(told.starts_with(r#"{"name":"flags.toml","parameters":["env"],"mapping":{"#), "{told}");
        assert_eq!(mapped(ROWS, GIVEN).find(r#" [{"name":"crm","enabled":true},"#), Some(0));
    }
}
