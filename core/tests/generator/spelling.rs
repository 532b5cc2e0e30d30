//! Other ways of writing a flag: a `key` with a label, fields in camelCase, and empty values of another kind.

use super::node::{Node, list, raw};
use super::random::Random;

/// The flag, now and then written in another way.
pub(crate) fn respelled(random: &mut Random, flag: Node) -> Node {
    let Node::Object(mut fields) = flag else { return flag };
    let is_named = fields.iter().any(|(name, value)| name == "name" && value.to_string() != "null");
    let has_key = fields.iter().any(|(name, _)| name == "key");
    if is_named && !has_key && random.chance(25) {
        fields.iter_mut().filter(|(name, _)| name == "name").for_each(|(name, _)| "key".clone_into(name));
        if random.chance(70) {
            fields.push(("name".to_owned(), raw(random.pick(&["\"f1\"", "\"a label\"", "7", "[]", "null", "\"\""]))));
        }
    }
    let fields: Vec<(String, Node)> = fields
        .into_iter()
        .map(|(name, value)| {
            let is_empty = value.to_string() == "[]" || name == "overrides" && value.to_string() == "{}";
            let value = if is_empty && name != "name" && random.chance(50) {
                raw(random.pick(&["{}", "[]", "\"\"", "\" \\t\""]))
            } else {
                value
            };
            (name, value)
        })
        .collect();
    let flag = Node::Object(fields);
    if random.chance(15) { in_camel_case(flag) } else { flag }
}

/// The same with every field that has several words in camelCase, in rules and steps too.
fn in_camel_case(node: Node) -> Node {
    let Node::Object(fields) = node else { return node };
    Node::Object(
        fields
            .into_iter()
            .map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("rules" | "schedule", Node::List(elements)) => list(elements.into_iter().map(in_camel_case)),
                    (_, value) => value,
                };
                let mut words = name.split('_').map(str::to_owned);
                let first = words.next().unwrap_or_default();
                let is_ours = !name.starts_with("target_") || name.ends_with('s');
                let camel = words.fold(first, |camel, word| {
                    camel
                        + &word.chars().next().map(|first| first.to_ascii_uppercase()).into_iter().collect::<String>()
                        + word.get(1..).unwrap_or_default()
                });
                (if is_ours { camel } else { name }, value)
            })
            .collect(),
    )
}
