//! Rust: the keys as constants that know the types of their values.

use std::fmt::Write;

use super::definition::Definition;
use super::shape::{Kind, Number};

pub(crate) fn write(header: &str, flags: &[Definition]) -> String {
    let mut body = String::new();
    for flag in flags {
        body.push('\n');
        flag.lines().for_each(|line| _ = writeln!(body, "{}", format!("/// {}", line.replace('[', "\\[")).trim_end()));
        if flag.description.is_none() {
            _ = writeln!(body, "/// The flag `{}`.", flag.key.escape_debug());
        }
        if let Some(why) = &flag.finished {
            _ = writeln!(body, "#[deprecated(note = {why:?})]");
        }
        _ = writeln!(body, "pub const {}: TypedKey<{}> = TypedKey::new({:?});", flag.constant, of(flag), flag.key);
    }
    let value = if body.contains("Value<'static>") { "{TypedKey, Value}" } else { "TypedKey" };
    let import = if flags.is_empty() { String::new() } else { format!("\nuse esclusa::{value};\n") };
    format!("//! {header}\n{import}{body}")
}

/// The type of what it serves; null is no value there.
fn of(flag: &Definition) -> &'static str {
    match flag.value.kind() {
        Some(Kind::Boolean) => "bool",
        Some(Kind::Number(Number::Whole)) => "i64",
        Some(Kind::Number(Number::Double)) => "f64",
        Some(Kind::Text) => "str",
        Some(Kind::List | Kind::Object) | None => "Value<'static>",
    }
}
