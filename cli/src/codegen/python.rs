//! Python: the keys as constants that know the types of their values.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::definition::Definition;
use super::shape::{Number, Shape};

pub(crate) fn write(header: &str, flags: &[Definition]) -> String {
    let mut body = String::new();
    for flag in flags {
        _ = writeln!(body, "\n{}: Final = TypedKey[{}]({})", flag.constant, of(&flag.value, true), quoted(&flag.key));
        document(&mut body, flag);
    }
    let typing: Vec<&str> = ["Any", "Final", "Literal"].into_iter().filter(|name| body.contains(name)).collect();
    let typing =
        if typing.is_empty() { String::new() } else { format!("from typing import {}\n\n", typing.join(", ")) };
    let import = if flags.is_empty() { "" } else { "from esclusa import TypedKey\n" };
    let keys: Vec<String> = flags.iter().map(|flag| format!("    \"{}\",\n", flag.constant)).collect();
    let all = if keys.is_empty() { "[]".to_owned() } else { format!("[\n{}]", keys.concat()) };
    // The names sort as the linters of imports want them: constants by their letters.
    format!(
        "# {header}\n# ruff: noqa\n\"\"\"The flags of this app: `flags.value(KEY, context)` knows their types.\"\"\"\n\n{typing}{import}\n__all__ = {all}\n{body}"
    )
}

fn document(text: &mut String, flag: &Definition) {
    let mut lines: Vec<String> = flag.lines().map(str::to_owned).collect();
    lines.extend(flag.finished.iter().map(|why| format!("Deprecated: {why}")));
    if lines.is_empty() {
        return;
    }
    let escaped: Vec<String> = lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
    _ = writeln!(text, "\"\"\"{}\"\"\"", escaped.join("\n"));
}

/// A text as Python writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() || matches!(control, '\u{2028}' | '\u{2029}') => {
                _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The type of a value; texts are told one by one where they are what a flag serves.
fn of(shape: &Shape, is_served: bool) -> String {
    if shape.any {
        return "Any".to_owned();
    }
    let mut parts: BTreeSet<String> = BTreeSet::new();
    if !shape.texts.is_empty() {
        let texts: Vec<String> = shape.texts.iter().map(|text| quoted(text)).collect();
        parts.insert(if is_served { format!("Literal[{}]", texts.join(", ")) } else { "str".to_owned() });
    }
    parts.extend(shape.boolean.then(|| "bool".to_owned()));
    parts.extend(shape.number.map(|number| if number == Number::Whole { "int" } else { "float" }.to_owned()));
    parts.extend(shape.list.as_ref().map(|list| format!("list[{}]", of(list, false))));
    parts.extend(shape.object.as_ref().map(|_| "dict[str, Any]".to_owned()));
    let mut parts: Vec<String> = parts.into_iter().collect();
    parts.extend(shape.null.then(|| "None".to_owned()));
    if parts.is_empty() { "Any".to_owned() } else { parts.join(" | ") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_are_escaped() {
        assert_eq!(super::quoted("a\"b\\c\nd\u{7f}é"), "\"a\\\"b\\\\c\\u000ad\\u007fé\"");
        assert_eq!(esclusa::Value::from("x".to_owned()).to_json(), super::quoted("x"));
    }
}
