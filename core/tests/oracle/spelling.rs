//! Flags as the other files read them: their fields by their own names, and what is empty as what it is to be.

use super::json::Json;

const LISTS: [&str; 9] = [
    "target_plans",
    "target_roles",
    "target_companies",
    "target_regions",
    "target_users",
    "variants",
    "rules",
    "prerequisites",
    "schedule",
];
const OTHERS: [&str; 6] = ["rollout_percentage", "start_date", "end_date", "bucket_by", "off_value", "guard_state"];

/// A flag with each field of 2.2 under its own name (2.2.30), empty lists and objects as such (2.2.33), and ids as texts
/// (2.2.29).
pub(crate) fn flag(flag: &Json) -> Json {
    let names: Vec<&str> = LISTS.iter().chain(&OTHERS).copied().collect();
    let flag = each(&renamed(flag, &names), |name, value| match name {
        "rules" => elements(value, rule),
        "guard_state" => renamed(value, &["cleared_steps"]),
        "schedule" => elements(value, |step| renamed(step, &["rollout_percentage"])),
        "overrides" => each(&object(value), |name, side| match name {
            "on" | "off" => each(&object(side), |_, list| ids(&self::list(list))),
            _ => side.clone(),
        }),
        "variants" => elements(value, |variant| with_ids(variant, &["key"])),
        "prerequisites" => elements(value, |prerequisite| with_ids(prerequisite, &["flag", "variants"])),
        _ if name.starts_with("target_") => ids(value),
        _ => value.clone(),
    });
    each(&flag, |name, value| if LISTS.contains(&name) { list(value) } else { value.clone() })
}

/// A segment with each field under its own name.
pub(crate) fn segment(segment: &Json) -> Json {
    each(segment, |name, value| if name == "when" { condition(value) } else { value.clone() })
}

/// A place as it is written in this flag or segment, which stands at `root`.
pub(crate) fn place(place: &str, root: &str, written: &Json) -> String {
    let (mut place, mut written, rest) = (root.to_owned(), Some(written), place.strip_prefix(root).unwrap_or(place));
    for step in rest.split('/').skip(1) {
        let camel = camel(step);
        let has = |name: &str| written.is_some_and(|object| object.last(name).is_some());
        let name = if !has(step) && has(&camel) { &camel } else { step };
        place = format!("{place}/{name}");
        written = match written {
            Some(Json::List(elements)) => step.parse::<usize>().ok().and_then(|at| elements.get(at)),
            other => other.and_then(|object| object.last(name)),
        };
    }
    place
}

fn rule(rule: &Json) -> Json {
    each(&renamed(rule, &["rollout_percentage", "bucket_by"]), |name, value| match name {
        "when" => condition(value),
        "variant" => id(value),
        "split" => elements(value, |part| with_ids(part, &["variant"])),
        _ => value.clone(),
    })
}

fn condition(of: &Json) -> Json {
    each(&renamed(of, &["ignore_case"]), |name, value| match name {
        "all" | "any" => elements(value, condition),
        "not" => condition(value),
        "values" if of.string("op") == Some("in") => ids(value),
        _ => value.clone(),
    })
}

/// A whole number as its digits.
fn id(value: &Json) -> Json {
    value.integer().map_or_else(|| value.clone(), |whole| Json::Text(whole.to_string()))
}

fn ids(list: &Json) -> Json {
    elements(list, id)
}

fn with_ids(object: &Json, names: &[&str]) -> Json {
    each(object, |name, value| if names.contains(&name) { id(&ids(value)) } else { value.clone() })
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        camel.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        camel.extend(characters);
    }
    camel
}

fn renamed(of: &Json, names: &[&str]) -> Json {
    let Json::Object(fields) = of else { return of.clone() };
    let own =
        |name: &String| names.iter().find(|own| camel(own) == *name).map_or(name.clone(), |own| (*own).to_owned());
    Json::Object(fields.iter().map(|(name, value)| (own(name), value.clone())).collect())
}

fn each(object: &Json, change: impl Fn(&str, &Json) -> Json) -> Json {
    let Json::Object(fields) = object else { return object.clone() };
    Json::Object(fields.iter().map(|(name, value)| (name.clone(), change(name, value))).collect())
}

fn elements(list: &Json, change: impl Fn(&Json) -> Json) -> Json {
    let Json::List(elements) = list else { return list.clone() };
    Json::List(elements.iter().map(change).collect())
}

fn is_blank(value: &Json) -> bool {
    value.text().is_some_and(|text| text.trim_matches([' ', '\t', '\n', '\u{c}', '\r']).is_empty())
}

fn list(value: &Json) -> Json {
    if is_blank(value) || *value == Json::Object(Vec::new()) { Json::List(Vec::new()) } else { value.clone() }
}

fn object(value: &Json) -> Json {
    if is_blank(value) || *value == Json::List(Vec::new()) { Json::Object(Vec::new()) } else { value.clone() }
}
