//! TypeScript: a type of all flags for `Flags<…>`, and the keys as constants.

use std::fmt::Write;

use esclusa::Value;

use super::definition::Definition;
use super::shape::{Fields, Shape};

pub(crate) fn write(header: &str, flags: &[Definition], name: &str, react: bool) -> String {
    let mut text = format!(
        "/* eslint-disable */\n// {header}\n\n/** The flags of this app: `Flags<{name}>` knows their keys and values. */\nexport type {name} = {{\n"
    );
    for flag in flags {
        document(&mut text, flag);
        let variants: Vec<String> = flag.variants.iter().map(|variant| quoted(variant)).collect();
        let variants = if flag.value.any { "string".to_owned() } else { variants.join(" | ") };
        let variant = if variants.is_empty() { "null".to_owned() } else { format!("{variants} | null") };
        _ = writeln!(text, "  {}: {{ value: {}; variant: {variant} }};", quoted(&flag.key), of(&flag.value, true));
    }
    text.push_str("};\n\n/** The keys, as constants. */\nexport const flagKeys = {\n");
    for flag in flags {
        document(&mut text, flag);
        _ = writeln!(text, "  {}: {},", flag.constant, quoted(&flag.key));
    }
    _ = writeln!(text, "}} as const satisfies Record<string, keyof {name}>;");
    if react {
        _ = writeln!(
            text,
            "\ndeclare module '@esclusa/react' {{\n  interface Registered {{\n    flags: {name};\n  }}\n}}"
        );
    }
    text
}

fn document(text: &mut String, flag: &Definition) {
    let mut lines: Vec<String> = flag.lines().map(|line| line.replace("*/", "*\\/")).collect();
    lines.extend(flag.finished.iter().map(|why| format!("@deprecated {}", why.replace("*/", "*\\/"))));
    match lines.as_slice() {
        [] => {}
        [line] => _ = writeln!(text, "  /** {line} */"),
        lines => {
            text.push_str("  /**\n");
            lines.iter().for_each(|line| _ = writeln!(text, "{}", format!("   * {line}").trim_end()));
            text.push_str("   */\n");
        }
    }
}

/// A text as TypeScript writes it: JSON is a part of it, but for these two.
fn quoted(text: &str) -> String {
    let json = Value::from(text.to_owned()).to_json();
    json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// The type of a value; texts are told one by one where they are what a flag serves.
fn of(shape: &Shape, is_served: bool) -> String {
    if shape.any {
        return "unknown".to_owned();
    }
    let mut parts = Vec::new();
    match is_served {
        true => parts.extend(shape.texts.iter().map(|text| quoted(text))),
        false => parts.extend((!shape.texts.is_empty()).then(|| "string".to_owned())),
    }
    parts.extend(shape.boolean.then(|| "boolean".to_owned()));
    parts.extend(shape.number.map(|_| "number".to_owned()));
    parts.extend(shape.list.as_ref().map(|list| list_of(&of(list, false))));
    parts.extend(shape.object.as_ref().map(object));
    parts.extend(shape.null.then(|| "null".to_owned()));
    if parts.is_empty() { "unknown".to_owned() } else { parts.join(" | ") }
}

fn list_of(element: &str) -> String {
    if element.contains(' ') { format!("({element})[]") } else { format!("{element}[]") }
}

fn object(object: &Fields) -> String {
    let field = |(name, field): (&String, _)| {
        let optional = if object.is_in_all(field) { "" } else { "?" };
        format!("{}{optional}: {}", quoted(name), of(&field.shape, false))
    };
    let fields: Vec<String> = object.fields.iter().map(field).collect();
    if fields.is_empty() { "Record<string, never>".to_owned() } else { format!("{{ {} }}", fields.join("; ")) }
}
