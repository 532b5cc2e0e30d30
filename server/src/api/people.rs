//! `GET /api/v1/people`: people of whom the panel asks who gets a flag, with what flags look at and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use esclusa::{Json, Value};

use super::{answer, store};
use crate::caller::By;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::Purpose;

/// What every context has, by the names of the engine.
const FIXED: [&str; 7] = ["user", "targetingKey", "company", "plan", "role", "roles", "region"];

/// `{"people": [{"user": "…", "plan": "…"}, …]}`: those of the set-up, or none. E-mail addresses and names stay here
/// unless a flag asks for them.
pub(crate) async fn people(State(shared): State<Arc<Shared>>, _: By) -> Result<Response<Body>, Problem> {
    let mut named: BTreeSet<String> = FIXED.map(str::to_owned).into();
    if !shared.people.is_empty() {
        let rows = store(&shared)?.run(Purpose::Reading, |table| table.rows()).await?;
        rows.iter().for_each(|row| attributes(row, &mut named));
    }
    let mut json = Json::default();
    json.object(|json| {
        json.name("people").list(&shared.people, |json, person| {
            let Value::Object(fields) = person else { return };
            let fields = fields.iter().filter(|(name, _)| named.contains(&**name)).cloned();
            json.value(&Value::Object(fields.collect()));
        });
    });
    Ok(answer(StatusCode::OK, json.into_text()))
}

/// The attributes that conditions and shares of a flag name. A database without JSON keeps them as its text.
fn attributes(value: &Value<'_>, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let is_name = matches!(&**name, "attribute" | "by" | "bucket_by" | "bucketBy");
            if let Some(text) = value.as_str().filter(|_| is_name) {
                named.insert(text.to_owned());
            }
            attributes(value, named);
        }),
        Value::List(values) => values.iter().for_each(|value| attributes(value, named)),
        value => {
            let text = value.as_str().filter(|text| text.trim_start().starts_with(['[', '{']));
            if let Some(Ok(value)) = text.map(|text| Value::from_json(text.as_bytes())) {
                attributes(&value, named);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use esclusa::Value;

    use super::attributes;

    #[test]
    fn attributes_are_found_also_in_text() {
        let row = r#"{"name": "crm", "bucket_by": "team", "rules": "[{\"when\": {\"any\": [{\"attribute\": \"language\"}]}}]"}"#;
        let mut named = BTreeSet::new();
        attributes(&Value::from_json(row.as_bytes()).unwrap(), &mut named);
        assert_eq!(named.into_iter().collect::<Vec<_>>(), ["language", "team"]);
    }
}
