//! What a field that is not read says by its name and its value (2.2.25 to 2.2.28), from the words of the specification.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::json::Json;
use super::written;

static LISTS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let written: BTreeMap<String, Vec<String>> =
        serde_json::from_str(include_str!("../../../spec/words.json")).unwrap_or_default();
    written.into_iter().map(|(name, words)| (name, words.iter().map(|word| stem(word)).collect())).collect()
});

fn on(list: &str, word: &str) -> bool {
    LISTS.get(list).is_some_and(|words| words.iter().any(|known| known == word))
}

fn stem(word: &str) -> String {
    let short = |ending: &str| word.strip_suffix(ending).filter(|_| word.len() > 3);
    match (short("ies"), short("ches"), short("ss"), short("s")) {
        (Some(word), ..) => format!("{word}y"),
        (_, Some(word), ..) => format!("{word}ch"),
        (None, None, None, Some(word)) => word.to_owned(),
        _ => word.to_owned(),
    }
}

/// 2.2.25
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> =
        name.chars().filter(|letter| !('\u{300}'..='\u{36f}').contains(letter)).map(plain).collect();
    let mut spaced = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let small = |at: usize| letters.get(at).is_some_and(char::is_ascii_lowercase);
        let is_last_s = letters.get(at + 1) == Some(&'s') && !small(at + 2);
        let starts = before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
            || (small(at + 1) && !is_last_s);
        if letter.is_ascii_uppercase() && starts {
            spaced.push(' ');
        }
        spaced.push(if letter.is_ascii_alphabetic() { letter.to_ascii_lowercase() } else { ' ' });
    }
    let words = spaced.split_whitespace().flat_map(|word| match word {
        word if word.len() > 40 || is_listed(&stem(word)) => vec![word.to_owned()],
        word => divided(word).unwrap_or_else(|| vec![word.to_owned()]),
    });
    words.map(|word| stem(&word)).collect()
}

fn plain(letter: char) -> char {
    let accented = "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüý";
    let plain = "AAAAAACEEEEIIIINOOOOOUUUUYaaaaaaceeeeiiiinooooouuuuy";
    let at = accented.chars().position(|accented| accented == letter);
    at.and_then(|at| plain.chars().nth(at)).unwrap_or(letter)
}

fn is_listed(word: &str) -> bool {
    ["gate", "beside", "prose", "strong", "aside", "share", "state", "scope", "last"].iter().any(|list| on(list, word))
}

/// 2.2.25: the parts of a word that is written together.
fn divided(word: &str) -> Option<Vec<String>> {
    if word.is_empty() {
        return Some(Vec::new());
    }
    let is_part = |part: &str| on("joined", part) || (part.len() > 2 && is_listed(&stem(part)));
    let ends = (2..=word.len()).rev().filter(|end| is_part(&word[..*end]));
    ends.filter_map(|end| Some([vec![word[..end].to_owned()], divided(&word[end..])?].concat())).next()
}

/// 2.2.26: the list that decides about a name.
pub(crate) fn kind(name: &str) -> Option<&'static str> {
    let words = words(name);
    let any = |list: &str| words.iter().any(|word| on(list, word));
    let last = words.last()?;
    if any("gate") && words.iter().all(|word| on("gate", word) || on("beside", word)) && last != "for" {
        return Some("gate");
    }
    if let Some(list) = ["prose", "strong", "aside", "share", "state", "scope"].into_iter().find(|list| any(list)) {
        return Some(list);
    }
    let ends = words.len() > 1 && (last == "id" || last == "ids");
    (ends && words.iter().any(|word| word != "ids" && !on("last", word))).then_some("last")
}

/// 8.17
pub(crate) fn may_be_default(name: &str) -> bool {
    !words(name).iter().any(|word| on("strong", word) || on("state", word))
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Text(text) => ["", "[]", "{}", "null"].contains(&written::trimmed(text)),
        Json::List(elements) => elements.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn is_anyone(text: &str) -> bool {
    let word = written::trimmed(text).to_ascii_lowercase();
    ["all", "any", "everyone", "everybody", "global", "public", "*", "todos", "todas"].contains(&word.as_str())
}

fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Text(text) => {
            let text = written::trimmed(text);
            Json::parse(written::trimmed(text.strip_suffix('%').unwrap_or(text)).as_bytes())?.number()
        }
        other => other.number(),
    }
}

/// 2.2.27
pub(crate) fn restricts(kind: Option<&str>, value: &Json) -> bool {
    let Some(kind) = kind.filter(|kind| !["prose", "aside"].contains(kind) && !is_empty(value)) else {
        return false;
    };
    match (kind, value) {
        ("gate", _) => matches!(value, Json::List(_) | Json::Object(_)),
        ("scope", Json::Bool(_)) => false,
        (_, Json::Bool(value)) => *value,
        (_, Json::List(elements)) if elements.len() == 1 => !elements[0].text().is_some_and(is_anyone),
        (_, Json::List(_) | Json::Object(_)) => true,
        (_, Json::Text(text)) if is_anyone(text) => false,
        ("share", value) if number(value).is_some() => number(value) < Some(100.0),
        (_, value) if number(value).is_some() => number(value) != Some(0.0),
        (_, value) => written::switch(value) != Some(false),
    }
}

/// 2.2.28
pub(crate) fn switches_off(kind: Option<&str>, value: &Json) -> bool {
    let is_idle = |text: &str| on("idle", &written::trimmed(text).to_ascii_lowercase());
    let is_off = written::switch(value) == Some(false)
        || matches!(written::status(value), Some("draft" | "paused" | "rolled_back"))
        || value.text().is_some_and(is_idle);
    kind == Some("gate") && is_off
}
