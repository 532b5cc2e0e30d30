//! What may be shown of another program's text: one line, without what looks like a secret (11.21).

/// The longest text that is shown, in characters.
const MAX_CHARACTERS: usize = 500;

/// What ends an address or a value.
fn ends(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\'' | '"' | '<' | '>')
}

/// The text in one line and of limited length, with addresses reduced to scheme, host and path, and without the values
/// of names like password, token or key.
///
/// ```
/// use esclusa::sync::redacted;
/// assert_eq!(redacted("no route to postgres://app:pw@db/flags?sslmode=require"), "no route to postgres://db/flags");
/// assert_eq!(redacted("password=hunter2 refused"), "password=*** refused");
/// ```
#[must_use]
pub fn redacted(text: &str) -> String {
    let line: Vec<&str> = text.split(|character: char| character.is_whitespace() || character.is_control()).collect();
    let line: Vec<&str> = line.into_iter().filter(|word| !word.is_empty()).collect();
    let line = without_named_values(&without_queries(&without_addresses(&line.join(" "))));
    match line.char_indices().nth(MAX_CHARACTERS) {
        None => line,
        Some(_) => line.chars().take(MAX_CHARACTERS - 1).chain(['…']).collect(),
    }
}

/// Addresses without user, password, query and fragment.
fn without_addresses(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("://") {
        let scheme = before.rsplit(|character: char| !is_of_scheme(character)).next().unwrap_or_default();
        shown.push_str(before);
        shown.push_str("://");
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
            rest = after;
            continue;
        }
        let (address, beyond) = after.split_at(after.find(ends).unwrap_or(after.len()));
        let address = address.rsplit_once('@').map_or(address, |(_, host)| host);
        shown.push_str(address.split(['?', '#']).next().unwrap_or_default());
        rest = beyond;
    }
    shown + rest
}

fn is_of_scheme(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '.' | '-')
}

/// The query of an address without its host: `/flags?key=***`.
fn without_queries(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['?', '&']) {
        let (before, after) = rest.split_at(at + 1);
        shown.push_str(before);
        let is_of_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '-');
        let name_end = after.find(|character: char| !is_of_name(character)).unwrap_or(after.len());
        let (name, value) = after.split_at(name_end);
        rest = match value.strip_prefix('=') {
            Some(value) if !name.is_empty() => {
                let end = value.find(|character: char| ends(character) || matches!(character, '&' | ')'));
                shown.push_str(name);
                shown.push_str("=***");
                value.get(end.unwrap_or(value.len())..).unwrap_or_default()
            }
            _ => after,
        };
    }
    shown + rest
}

const SECRET: [&str; 9] =
    ["password", "passwd", "pwd", "secret", "token", "apikey", "authorization", "cookie", "credential"];
const SCHEMES: [&str; 2] = ["bearer", "basic"];

/// Connection strings of keywords, headers, and what follows `Bearer`.
fn without_named_values(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(is_of_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|character| !is_of_word(character)).unwrap_or(from.len()));
        shown.push_str(before);
        shown.push_str(word);
        rest = after;
        let plain: String = word.chars().filter(|character| character.is_alphanumeric()).collect();
        let plain = plain.to_lowercase();
        if SCHEMES.contains(&plain.as_str()) {
            rest = token_hidden(&mut shown, rest);
        } else if SECRET.iter().any(|secret| plain.contains(secret)) {
            rest = value_hidden(&mut shown, rest);
        }
    }
    shown + rest
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// Hides the value after `name=`, `name: ` or `"name": `.
fn value_hidden<'t>(shown: &mut String, text: &'t str) -> &'t str {
    let after_quote = text.strip_prefix(['\'', '"']).unwrap_or(text);
    let Some(value) = after_quote.trim_start().strip_prefix(['=', ':']).map(str::trim_start) else { return text };
    shown.push_str(text.get(..text.len() - value.len()).unwrap_or_default());
    let first = value.split_whitespace().next().unwrap_or_default();
    let value = if SCHEMES.contains(&first.to_lowercase().as_str()) {
        value.get(first.len()..).unwrap_or_default().trim_start()
    } else {
        value
    };
    if value.is_empty() {
        return value;
    }
    shown.push_str("***");
    let end = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => value.get(1..).and_then(|inner| inner.find(quote)).map(|at| at + 2),
        _ => None,
    };
    let end = end.unwrap_or_else(|| value.find(char::is_whitespace).unwrap_or(value.len()));
    value.get(end..).unwrap_or_default()
}

/// Hides the text after `Bearer` or `Basic`, if it looks like a token.
fn token_hidden<'t>(shown: &mut String, text: &'t str) -> &'t str {
    let token = text.trim_start();
    let is_of_token = |character: char| character.is_alphanumeric() || "_.~+/=-".contains(character);
    let len = token.find(|character| !is_of_token(character)).unwrap_or(token.len());
    if len < 8 || token.len() == text.len() {
        return text;
    }
    shown.push_str(" ***");
    token.get(len..).unwrap_or_default()
}
