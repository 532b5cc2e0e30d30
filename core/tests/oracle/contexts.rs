//! What a context holds under a name (section 3).

use std::borrow::Cow;

use super::json::Json;

const FIXED: [&str; 7] = ["user", "targetingKey", "company", "plan", "region", "role", "roles"];

/// A usable text (3.5).
fn usable(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.clone()),
        number => number.integer().map(|whole| whole.to_string()),
    }
}

/// The targeting key (3.2).
pub(crate) fn user(context: &Json) -> Option<String> {
    text(context, "targetingKey").or_else(|| text(context, "user"))
}

/// `company`, `plan` or `region` (3.3).
pub(crate) fn text(context: &Json, name: &str) -> Option<String> {
    context.field(name).and_then(usable)
}

/// Whether there is something that is no text (3.10).
pub(crate) fn is_unreadable(context: &Json, names: &[&str]) -> bool {
    let given = || names.iter().filter_map(|name| context.field(name));
    given().count() > 0 && given().all(|value| usable(value).is_none())
}

/// The caller's roles, if they are known (3.4).
pub(crate) fn roles(context: &Json) -> Option<Vec<String>> {
    let (mut known, mut roles) = (false, Vec::new());
    for name in ["role", "roles"] {
        match context.field(name) {
            Some(Json::List(elements)) => {
                known = true;
                roles.extend(elements.iter().filter_map(usable));
            }
            Some(one) => roles.extend(usable(one)),
            None => {}
        }
    }
    (known || !roles.is_empty()).then_some(roles)
}

/// What a name in a condition means (3.7, 3.8), or `None` when it is missing.
pub(crate) fn attribute<'c>(context: &'c Json, name: &str) -> Option<Cow<'c, Json>> {
    match name {
        "user" | "targetingKey" => user(context).map(|text| Cow::Owned(Json::Text(text))),
        "company" | "plan" | "region" => text(context, name).map(|text| Cow::Owned(Json::Text(text))),
        "role" | "roles" => {
            roles(context).map(|roles| Cow::Owned(Json::List(roles.into_iter().map(Json::Text).collect())))
        }
        _ => other(context, name).map(Cow::Borrowed),
    }
}

fn other<'c>(context: &'c Json, name: &str) -> Option<&'c Json> {
    if let Some(found) = context.field(name) {
        return Some(found);
    }
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() == 1 || FIXED.contains(&parts[0]) {
        return None;
    }
    let mut value = context;
    for part in parts {
        value = value.field(part)?;
    }
    Some(value)
}

/// The text that is bucketed for a unit's name, if there is one (6.2, 6.3).
pub(crate) fn unit(context: &Json, name: &str) -> Option<String> {
    if ["role", "roles"].contains(&name) {
        return None;
    }
    match attribute(context, name)?.as_ref() {
        Json::Text(text) if !text.is_empty() => Some(text.clone()),
        Json::Text(_) => None,
        number => number.integer().map(|whole| whole.to_string()),
    }
}

/// The size of the caller's largest value (7.19).
pub(crate) fn largest(context: &Json) -> u64 {
    let Json::Object(fields) = context else { return 0 };
    let own = fields.iter().map(|(name, _)| name.as_ref()).filter(|name| !FIXED.contains(name));
    let names = ["user", "company", "plan", "region", "roles"].into_iter().chain(own);
    names.filter_map(|name| attribute(context, name)).map(|value| size(&value)).max().unwrap_or(0)
}

fn size(value: &Json) -> u64 {
    16 + match value {
        Json::Text(text) => text.len() as u64,
        Json::List(elements) => elements.iter().map(size).sum(),
        Json::Object(fields) => {
            let last = fields
                .iter()
                .enumerate()
                .filter(|(at, (name, _))| !fields.iter().skip(at + 1).any(|(other, _)| other == name));
            last.map(|(_, (_, value))| size(value)).sum()
        }
        _ => 0,
    }
}
