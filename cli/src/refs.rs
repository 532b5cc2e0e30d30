//! `esclusa refs`: where code names flags, in one pass over all files; what no code names, and what is gone but still named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use esclusa::Value;
use ignore::{WalkBuilder, WalkState};

use crate::code::Code;
use crate::codegen;
use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::located::{Lines, Position};
use crate::words::words;

/// A larger file is not taken for source code.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// How much of a file is looked at to see whether it is text.
const BEGINNING: usize = 8 << 10;

/// Find where code names flags, and flags that no code names
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa refs flags.json src
  esclusa refs production --format json
  esclusa refs flags.json --old flags.before.json

Files that git ignores and hidden files are left out. A key of several words counts wherever it is a word, also
in camelCase, PascalCase, kebab-case and SCREAMING_CASE; a key of one word counts in quotes only.
What `esclusa codegen` wrote is no reference, and its constants are, such as `flagKeys.INBOX`.
Exit codes: 0 done, 1 code names a flag that is gone (--old), 2 the flags cannot be read.")]
pub struct Arguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub code: Code,
    /// Look for keys as they are written only
    #[arg(long)]
    pub exact: bool,
    /// How references are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// A place in code that names a flag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) key: String,
    written: String,
}

/// Runs the command.
///
/// # Errors
/// When a source does not answer or a folder cannot be read.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let code = arguments.code.read(arguments.exact, desk)?;
    let named = code.keys();
    let unnamed: Vec<&str> = code.set.keys().filter(|key| !named.contains(key)).collect();
    let gone = code.gone();
    match arguments.format {
        Format::Human => {
            for one in &code.references {
                let mark = if code.is_gone(one) { "  which is gone" } else { "" };
                desk.print(format_args!("{}:{}:{}: {}{mark}\n", one.file, one.line, one.column, one.key))?;
            }
            let count = code.references.len();
            desk.say(format_args!("{count} references to {} flags", named.len()))?;
            if !unnamed.is_empty() {
                desk.say(format_args!("no code names {}", unnamed.join(", ")))?;
            }
        }
        Format::Json => {
            let unnamed: Vec<String> = unnamed.iter().map(|key| (*key).to_owned()).collect();
            let value = Value::Object(vec![
                ("references".into(), Value::List(code.references.iter().map(value).collect())),
                ("unreferenced".into(), unnamed.into()),
                ("gone".into(), Value::List(gone.iter().map(|one| value(one)).collect())),
            ]);
            desk.print(value.to_json() + "\n")?;
        }
    }
    Ok(Findings::some_if(!gone.is_empty()))
}

pub(crate) fn value(one: &Reference) -> Value<'static> {
    let number = |at: usize| Value::from(at as u64);
    Value::Object(vec![
        ("flag".into(), one.key.clone().into()),
        ("file".into(), one.file.clone().into()),
        ("line".into(), number(one.line)),
        ("column".into(), number(one.column)),
        ("written".into(), one.written.clone().into()),
    ])
}

/// Every way in which keys are written.
struct Names {
    automaton: AhoCorasick,
    /// For each pattern its key, and where it counts.
    meanings: Vec<(String, Counts)>,
}

/// Where a name counts as a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// Wherever it is a word.
    AsWord,
    /// In quotes.
    InQuotes,
    /// As a word behind a dot or `::`.
    AsMember,
}

impl Names {
    fn new(keys: &[&str], exact: bool) -> Result<Self, Trouble> {
        let mut patterns: Vec<String> = Vec::new();
        let mut meanings = Vec::new();
        let mut seen: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        for key in keys {
            let words = words(key);
            patterns.push((*key).to_owned());
            meanings.push(((*key).to_owned(), if words.len() < 2 { Counts::InQuotes } else { Counts::AsWord }));
            let aliases = if exact || words.len() < 2 { Vec::new() } else { aliases(&words) };
            for alias in aliases {
                if seen.insert(alias.clone()) {
                    patterns.push(alias);
                    meanings.push(((*key).to_owned(), Counts::AsWord));
                }
            }
        }
        let sorted: BTreeSet<&str> = keys.iter().copied().filter(|_| !exact).collect();
        let mut taken = BTreeSet::new();
        for key in sorted {
            let constant = codegen::constant(key, &mut taken);
            if seen.insert(constant.clone()) {
                patterns.push(constant);
                meanings.push((key.to_owned(), Counts::AsMember));
            }
        }
        // Most of the text is in few of its states, so its size costs little.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&patterns)
            .map_err(|error| Trouble::new(format!("the keys are too many: {error}")))?;
        Ok(Names { automaton, meanings })
    }

    fn find(&self, text: &[u8], file: &str, found: &mut Vec<Reference>) {
        let mut lines = None;
        for one in self.automaton.find_iter(text) {
            let Some((key, counts)) = self.meanings.get(one.pattern().as_usize()) else { continue };
            let before = one.start().checked_sub(1).and_then(|at| text.get(at)).copied();
            let after = text.get(one.end()).copied();
            let is_quoted = before == after && matches!(before, Some(b'"' | b'\'' | b'`'));
            let is_word = !before.is_some_and(is_inside) && !after.is_some_and(is_inside);
            let is_reference = match counts {
                Counts::AsWord => is_word,
                Counts::InQuotes => is_quoted,
                Counts::AsMember => is_word && matches!(before, Some(b'.' | b':')),
            };
            if is_reference {
                let lines = lines.get_or_insert_with(|| Lines::of(text));
                let Position { line, column } = lines.position(text, one.start());
                let written = String::from_utf8_lossy(text.get(one.range()).unwrap_or_default()).into_owned();
                found.push(Reference { file: file.to_owned(), line, column, key: key.clone(), written });
            }
        }
    }
}

/// Whether a word goes on with this byte.
fn is_inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii()
}

/// The words in the styles of programming languages.
fn aliases(words: &[String]) -> Vec<String> {
    let capital = |word: &String| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    let pascal: String = words.iter().map(capital).collect();
    let camel: String = words.iter().take(1).cloned().chain(words.iter().skip(1).map(capital)).collect();
    vec![words.join("_"), words.join("-"), words.join("_").to_uppercase(), camel, pascal]
}

/// Where code names these keys: as they are written, or in all the ways of programming languages too. The files that are left
/// out are no code.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn find(
    keys: &[&str],
    exact: bool,
    paths: &[PathBuf],
    left_out: &[PathBuf],
    folder: &Path,
) -> Result<Vec<Reference>, Trouble> {
    let names = Names::new(keys, exact)?;
    let mut paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
    if let Some(path) = paths.iter().find(|path| !path.exists()) {
        return Err(Trouble::new(format!("cannot read `{}`: there is no such file or folder", path.display())));
    }
    if paths.is_empty() {
        paths.push(folder.to_path_buf());
    }
    let Some((first, others)) = paths.split_first() else { return Ok(Vec::new()) };
    let mut walk = WalkBuilder::new(first);
    for path in others {
        walk.add(path);
    }
    walk.require_git(false).max_filesize(Some(MAX_FILE_BYTES));
    let all = Mutex::new(Vec::new());
    walk.build_parallel().run(|| {
        Box::new(|entry| {
            let Ok(entry) = entry else { return WalkState::Continue };
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if !is_file || left_out.iter().any(|file| file == entry.path()) {
                return WalkState::Continue;
            }
            let Ok(bytes) = std::fs::read(entry.path()) else { return WalkState::Continue };
            let beginning = bytes.get(..BEGINNING.min(bytes.len())).unwrap_or_default();
            if beginning.contains(&0) || codegen::is_generated(beginning) {
                return WalkState::Continue;
            }
            let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let mut found = Vec::new();
            names.find(&bytes, &path.to_string_lossy().replace('\\', "/"), &mut found);
            if !found.is_empty() {
                all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&mut found);
            }
            WalkState::Continue
        })
    });
    let mut all = all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::Names;

    fn found(keys: &[&str], text: &str) -> Vec<String> {
        let mut found = Vec::new();
        Names::new(keys, false).unwrap().find(text.as_bytes(), "a.rs", &mut found);
        found.into_iter().map(|one| format!("{}:{} {} {}", one.line, one.column, one.key, one.written)).collect()
    }

    #[test]
    fn a_key_of_several_words_is_found_as_a_word_in_every_style() {
        let text = "crm_v2; CrmV2\n CRM_V2 crm-v2(crmV2) xcrm_v2 crm_v2x crm_v2_b";
        let expected =
            ["1:1 crm_v2 crm_v2", "1:9 crm_v2 CrmV2", "2:2 crm_v2 CRM_V2", "2:9 crm_v2 crm-v2", "2:16 crm_v2 crmV2"];
        assert_eq!(found(&["crm_v2"], text), expected);
    }

    #[test]
    fn a_key_of_one_word_is_found_in_quotes() {
        assert_eq!(found(&["inbox"], "inbox 'inbox' \"inbox' `inbox`"), ["1:8 inbox inbox", "1:24 inbox inbox"]);
    }

    #[test]
    fn a_generated_constant_of_one_word_is_found_behind_a_dot() {
        let text = "INBOX flagKeys.INBOX flags::INBOX flags.INBOX_2 x.INBOXES 'FLAG_2FA' flags.FLAG_2FA";
        let expected = ["1:16 inbox INBOX", "1:29 inbox INBOX", "1:76 2fa FLAG_2FA"];
        assert_eq!(found(&["inbox", "2fa"], text), expected);
    }

    #[test]
    fn the_longest_key_wins() {
        assert_eq!(found(&["new_crm", "new_crm_list"], "'new_crm_list'"), ["1:2 new_crm_list new_crm_list"]);
    }
}
