//! A comment for a pull request.

use std::fmt::Write;

use super::words;
use crate::diff::difference::{Difference, FieldDifference, FlagDifference};

/// A comment that begins so is ours, and is written anew.
const MARK: &str = "<!-- esclusa diff -->";

/// The widest that a value of a field is shown.
const WIDTH: usize = 120;

pub(super) fn markdown(difference: &Difference) -> String {
    let mut text = format!("{MARK}\n### Feature flags: {}\n", escaped(&words::summary(difference)));
    for failure in &difference.failures {
        let _ = write!(text, "\n> :no_entry: **{}** (`--{}`)\n", escaped(&failure.problem), words::gate(failure));
    }
    for aside in &difference.set_aside {
        let keeps = if aside.keeps_old { "apps keep the definition that they have" } else { "it is off for everybody" };
        let _ = write!(text, "\n> :warning: {} is broken, and {keeps}\n", code(&aside.flag));
    }
    if !difference.flags.is_empty() {
        text.push_str("\n| flag | what differs | who flips |\n|---|---|---|\n");
    }
    for flag in &difference.flags {
        let _ = writeln!(text, "| {} | {} | {} |", code(&flag.flag), changes(flag), who(flag, difference));
    }
    for segment in &difference.segments {
        let _ = write!(text, "\nSegment {}: {}\n", code(&segment.field), code(&words::field(segment, WIDTH)));
    }
    for flag in &difference.flags {
        details(flag, &mut text);
    }
    text
}

fn changes(flag: &FlagDifference) -> String {
    let mut parts = vec![flag.kind.to_owned()];
    if flag.kind == "changed" {
        let field = |field: &FieldDifference| format!("{} {}", code(&field.field), code(&words::field(field, WIDTH)));
        parts = flag.fields.iter().map(field).collect();
    }
    if !flag.through.is_empty() {
        parts.push(format!("through {}", flag.through.iter().map(|one| code(one)).collect::<Vec<_>>().join(", ")));
    }
    if !flag.reshuffles.is_empty() {
        parts.push(":twisted_rightwards_arrows: people fall into other buckets".to_owned());
    }
    parts.join("<br>")
}

fn who(flag: &FlagDifference, difference: &Difference) -> String {
    let mut parts = Vec::new();
    match &flag.exactly {
        Some(exactly) if exactly.is_empty() => parts.push("nobody".to_owned()),
        Some(exactly) => parts.extend(exactly.iter().map(|part| escaped(&part.sentence))),
        None if difference.people.is_none() => parts.push("it takes people to say it (`--contexts`)".to_owned()),
        None => {}
    }
    parts.extend(difference.people.as_ref().and_then(|people| words::people(flag, people)));
    parts.join("<br>")
}

fn details(flag: &FlagDifference, text: &mut String) {
    let groups = words::groups(flag);
    let examples = flag.people.iter().flat_map(|people| &people.examples).collect::<Vec<_>>();
    if groups.is_empty() && examples.is_empty() {
        return;
    }
    let _ = write!(text, "\n<details><summary>{}</summary>\n", html(&flag.flag));
    if !groups.is_empty() {
        text.push_str("\n| by | who flips |\n|---|---|\n");
    }
    for (name, values) in groups {
        let _ = writeln!(text, "| {} | {} |", escaped(name), escaped(&values));
    }
    for example in examples {
        let fence = "~~~~";
        let _ = write!(
            text,
            "\n{}:\n\n{fence}\n{}\n\n{}\n{fence}\n",
            code(&words::who(&example.person)),
            example.before.replace(fence, "~~~"),
            example.after.replace(fence, "~~~")
        );
    }
    text.push_str("\n</details>\n");
}

/// A text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '\\' | '*' | '_' | '[' | ']' | '#' | '|' | '~' => escaped.extend(['\\', letter]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A name after it would be told.
            '@' => escaped.push_str("@\u{200b}"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(char::is_control, " ")
}

/// A text as code, also inside a table.
fn code(text: &str) -> String {
    format!(
        "<code>{}</code>",
        html(text).replace('|', "&#124;").replace('`', "&#96;").replace('*', "&#42;").replace('_', "&#95;")
    )
}
