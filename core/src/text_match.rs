//! Whether a text equals, starts with, ends with or contains any of the author's values (5.1, 5.2).
//!
//! The time is linear in the text, for any number of values, and matching does not allocate. The exception: values of
//! `contains` beyond [`MAX_AUTOMATA_BYTES`] are searched one by one, in a folded copy of the text. Many values are also
//! kept sorted, so that bisection finds the one candidate. `contains` runs an automaton over the text (Aho and
//! Corasick, Comm. ACM 1975).

use std::cmp::Ordering;

use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use crate::definition::TextTest;
use crate::flag_set::Span;
use crate::text::{Text, Texts};

/// Up to this many values are compared one by one.
const FEW: usize = 8;

/// Maximum number of bytes of values for the automata of one flag set; building an automaton takes some forty times as
/// much. Values beyond it are searched one by one.
const MAX_AUTOMATA_BYTES: usize = 2 << 20;

/// Lower case without context, by Unicode's full mapping (5.2).
pub(crate) fn folded(text: &str) -> impl DoubleEndedIterator<Item = char> + Clone {
    text.chars().flat_map(char::to_lowercase)
}

/// The values as written, and after them, if there are many, the same values in search order.
pub(crate) fn arranged(test: TextTest, values: Vec<String>) -> Vec<String> {
    if values.len() <= FEW {
        return values;
    }
    let mut sorted: Vec<&str> = values.iter().map(String::as_str).collect();
    sorted.sort_by(|one, other| order(test, one, other.chars()));
    // A value that begins (or ends) with another one is redundant, and would hide that other one from the search.
    sorted.dedup_by(|later, kept| fits(test, later.chars(), kept));
    let last = sorted.last().copied().unwrap_or_default();
    sorted.resize(values.len(), last);
    let sorted: Vec<String> = sorted.into_iter().map(str::to_owned).collect();
    [values, sorted].concat()
}

/// Whether the text fits any of the values, which [`arranged`] has ordered in the arena.
pub(crate) fn any(
    test: TextTest,
    text: impl DoubleEndedIterator<Item = char> + Clone,
    values: Span,
    (arena, texts): (&[Text], &Texts),
) -> bool {
    if values.len as usize <= FEW {
        return values.of(arena).iter().any(|value| fits(test, text.clone(), texts.get(*value)));
    }
    let sorted = Span { start: values.start + values.len, len: values.len }.of(arena);
    let beyond = sorted.partition_point(|value| order(test, texts.get(*value), text.clone()).is_le());
    let nearest = beyond.checked_sub(1).and_then(|at| sorted.get(at));
    nearest.is_some_and(|value| fits(test, text, texts.get(*value)))
}

/// The order of a search: by characters, from the end if texts are compared there.
fn order(test: TextTest, value: &str, text: impl DoubleEndedIterator<Item = char>) -> Ordering {
    match test {
        TextTest::EndsWith => value.chars().rev().cmp(text.rev()),
        _ => value.chars().cmp(text),
    }
}

fn fits(test: TextTest, text: impl DoubleEndedIterator<Item = char>, value: &str) -> bool {
    match test {
        TextTest::StartsWith => begins(text, value.chars()),
        TextTest::EndsWith => begins(text.rev(), value.chars().rev()),
        TextTest::In | TextTest::Contains => text.eq(value.chars()),
    }
}

fn begins(mut text: impl Iterator<Item = char>, mut wanted: impl Iterator<Item = char>) -> bool {
    wanted.all(|character| text.next() == Some(character))
}

/// The values of one `contains`; they are in lower case if `ignore_case`.
#[derive(Clone, Debug)]
pub(crate) struct Substrings {
    pub(crate) values: Span,
    pub(crate) ignore_case: bool,
    automaton: Option<NFA>,
}

/// Makes the automata of a flag set.
#[derive(Debug)]
pub(crate) struct SubstringBuilder {
    bytes_left: usize,
}

impl Default for SubstringBuilder {
    fn default() -> Self {
        SubstringBuilder { bytes_left: MAX_AUTOMATA_BYTES }
    }
}

impl SubstringBuilder {
    /// Builds from `texts`, the values at `values`.
    pub(crate) fn build(&mut self, values: Span, ignore_case: bool, texts: &[String]) -> Substrings {
        let bytes: usize = texts.iter().map(String::len).sum();
        // A single value is found in linear time without an automaton, if the text need not be folded.
        let automaton = if (texts.len() < 2 && !ignore_case) || bytes > self.bytes_left {
            None
        } else {
            self.bytes_left -= bytes;
            let padding = padding(texts.len());
            let patterns = std::iter::once(padding.as_slice()).chain(texts.iter().map(String::as_bytes));
            NFA::builder().match_kind(MatchKind::Standard).build(patterns).ok()
        };
        Substrings { values, ignore_case, automaton }
    }
}

/// A value that no text contains, because it is not UTF-8. aho-corasick moves matching states before all others by
/// swaps, and then follows chains of swaps: a chain is as long as the number of matching states divided by that of
/// other states before them, so without this value 40,000 short values take 3 seconds.
fn padding(values: usize) -> Vec<u8> {
    vec![0xff; 2 + values / 8]
}

impl Substrings {
    /// Whether the text contains any of the values, which are in the arena.
    pub(crate) fn is_in(&self, text: &str, (arena, texts): (&[Text], &Texts)) -> bool {
        let Some(automaton) = &self.automaton else {
            let folded: Option<String> = self.ignore_case.then(|| folded(text).collect());
            let text = folded.as_deref().unwrap_or(text);
            return self.values.of(arena).iter().any(|value| text.contains(texts.get(*value)));
        };
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return false };
        if automaton.is_match(state) {
            return true;
        }
        let mut found = |bytes: &[u8]| {
            bytes.iter().any(|byte| {
                state = automaton.next_state(Anchored::No, state, *byte);
                automaton.is_match(state)
            })
        };
        if !self.ignore_case {
            return found(text.as_bytes());
        }
        text.chars().any(|character| {
            if character.is_ascii() {
                return found(&[character.to_ascii_lowercase() as u8]);
            }
            let mut room = [0; 4];
            character.to_lowercase().any(|folded| found(folded.encode_utf8(&mut room).as_bytes()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naive reading of 5.1 and 5.2.
    fn naive(test: TextTest, text: &str, values: &[String]) -> bool {
        values.iter().any(|value| match test {
            TextTest::In => text == value,
            TextTest::Contains => text.contains(value.as_str()),
            TextTest::StartsWith => text.starts_with(value.as_str()),
            TextTest::EndsWith => text.ends_with(value.as_str()),
        })
    }

    #[test]
    fn few_and_many_values_fit_the_texts_that_the_naive_reading_finds() {
        let alphabet = ['a', 'b', 'ñ', 'İ', 'ẞ', 'Σ'];
        let mut random = 7_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let mut text = |most: u64| -> String {
            let len = next(most + 1);
            (0..len).map(|_| alphabet[usize::try_from(next(alphabet.len() as u64)).unwrap()]).collect()
        };
        let mut hits = 0;
        for round in 0..if cfg!(miri) { 20 } else { 4_000 } {
            let ignore_case = round % 2 == 1;
            let fold = |text: String| if ignore_case { folded(&text).collect() } else { text };
            let values: Vec<String> = (0..round % 30).map(|_| fold(text(4))).collect();
            let given = text(6);
            for test in [TextTest::In, TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith] {
                let mut texts = Texts::default();
                let (span, found);
                if test == TextTest::Contains {
                    let arena: Vec<Text> = values.iter().map(|value| texts.push(value)).collect();
                    span = Span { start: 0, len: u32::try_from(values.len()).unwrap() };
                    let substrings = SubstringBuilder::default().build(span, ignore_case, &values);
                    let slow = SubstringBuilder { bytes_left: 0 }.build(span, ignore_case, &values);
                    found = substrings.is_in(&given, (&arena, &texts));
                    assert_eq!(found, slow.is_in(&given, (&arena, &texts)));
                } else {
                    let arranged = arranged(test, values.clone());
                    let arena: Vec<Text> = arranged.iter().map(|value| texts.push(value)).collect();
                    span = Span { start: 0, len: u32::try_from(values.len()).unwrap() };
                    found = if ignore_case {
                        any(test, folded(&given), span, (&arena, &texts))
                    } else {
                        any(test, given.chars(), span, (&arena, &texts))
                    };
                }
                assert_eq!(found, naive(test, &fold(given.clone()), &values), "{test:?} {given:?} {values:?}");
                hits += usize::from(found);
            }
        }
        assert!(cfg!(miri) || hits > 1_000);
    }
}
