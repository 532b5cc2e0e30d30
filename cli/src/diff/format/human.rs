//! For people: a paragraph for each flag.

use super::words;
use crate::desk::{Desk, Trouble};
use crate::diff::difference::{Difference, FlagDifference, PeopleCounted};

pub(super) fn print(difference: &Difference, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    for flag in &difference.flags {
        let text = paragraph(flag, difference.people.as_ref(), desk.width);
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let head = if desk.colours { format!("\u{1b}[1m{head}\u{1b}[0m") } else { head.to_owned() };
        desk.print(format_args!("{head}\n{rest}\n"))?;
    }
    for segment in &difference.segments {
        let width = desk.width.saturating_sub(12 + segment.field.chars().count());
        desk.print(format_args!("segment {}  {}\n", segment.field, words::field(segment, width)))?;
    }
    for aside in &difference.set_aside {
        let keeps = if aside.keeps_old { "apps keep the definition that they have" } else { "it is off for everybody" };
        desk.say(format_args!(
            "warning: `{}` is broken in {}, and {keeps}: `esclusa lint` says why",
            aside.flag, difference.new
        ))?;
    }
    desk.say(words::summary(difference))
}

fn paragraph(flag: &FlagDifference, people: Option<&PeopleCounted>, width: usize) -> String {
    let mut lines = vec![format!("{}  {}", flag.flag, flag.kind)];
    let mut rows: Vec<(String, String)> = Vec::new();
    // Of a flag that is new or gone all fields would be listed.
    for field in flag.fields.iter().filter(|_| flag.kind == "changed") {
        rows.push((field.field.clone(), words::field(field, width.saturating_sub(24))));
    }
    if !flag.through.is_empty() {
        rows.push(("through".to_owned(), flag.through.join(", ")));
    }
    if !flag.reshuffles.is_empty() {
        rows.push(("reshuffles".to_owned(), "people fall into other buckets".to_owned()));
    }
    match &flag.exactly {
        Some(parts) if parts.is_empty() => rows.push(("exactly".to_owned(), "nobody flips".to_owned())),
        Some(parts) => rows.extend(parts.iter().map(|part| ("exactly".to_owned(), part.sentence.clone()))),
        None if people.is_none() => {
            let why = flag.not_exact.as_deref().unwrap_or_default();
            rows.push(("exactly".to_owned(), format!("it takes people to say who flips (--contexts): {why}")));
        }
        None => {}
    }
    if let Some(said) = people.and_then(|people| words::people(flag, people)) {
        rows.push(("people".to_owned(), said));
        rows.extend(words::groups(flag).into_iter().map(|(name, values)| (name.to_owned(), values)));
    }
    for example in flag.people.iter().flat_map(|people| &people.examples) {
        rows.push(("e.g.".to_owned(), format!("{} turns {}", words::who(&example.person), turns(example.direction))));
        rows.push((String::new(), format!("was {}", words::headline(&example.before))));
        rows.push((String::new(), format!("is  {}", words::headline(&example.after))));
    }
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default().min(20);
    lines.extend(rows.iter().map(|(name, said)| format!("  {name:<widest$}  {said}")));
    lines.join("\n") + "\n"
}

fn turns(direction: &str) -> &str {
    match direction {
        "variant" => "to another variant",
        "value" => "to another value",
        other => other,
    }
}
