//! Regular expressions (sentences 5.4 and 5.5 of SEMANTICS.md).
//!
//! A pattern whose full automaton is small is compiled to one: matching then needs no scratch space, so it neither
//! allocates nor takes a lock. A larger pattern falls back to engines that need some; both give the same answer. The
//! size of a pattern is counted on its syntax tree, which is the same on every machine.
//!
//! Validation parses and counts; compilation gets only the expressions that are within the snapshot's limit (5.17).

#[cfg(feature = "regex")]
pub(crate) use compiled::{Automata, Expression, Pattern};
#[cfg(not(feature = "regex"))]
pub(crate) use left_out::{Automata, Expression, Pattern};

#[cfg(feature = "regex")]
mod compiled {
    use std::sync::Arc;

    use regex_automata::dfa::{Automaton, dense};
    use regex_automata::meta;
    use regex_automata::nfa::thompson::{self, WhichCaptures};
    use regex_automata::util::syntax;
    use regex_automata::{Anchored, Input, MatchKind};
    use regex_syntax::ast::ErrorKind;
    use regex_syntax::hir::{Class, Hir, HirKind};

    use crate::error::quoted;
    use crate::limit::{MAX_REGEX_BYTES, MAX_REGEX_PARTS};

    /// The largest table of a full automaton in bytes: patterns of plain words and classes stay well below it.
    const MAX_AUTOMATON_BYTES: usize = 256 << 10;

    /// A regular expression that an author wrote, parsed and counted.
    #[derive(Debug)]
    pub(crate) struct Expression {
        text: String,
        parts: u64,
        /// The compiled pattern of the flag set that keeps it.
        compiled: Option<Pattern>,
    }

    /// A compiled pattern; cloning shares it.
    #[derive(Clone, Debug)]
    pub(crate) struct Pattern(Arc<Compiled>);

    #[derive(Debug)]
    struct Compiled {
        text: String,
        parts: u64,
        engine: Engine,
    }

    #[derive(Debug)]
    enum Engine {
        Full(Box<dense::DFA<Vec<u32>>>),
        Scratch(meta::Regex),
        /// Neither engine could be built. Within the limit on parts this does not happen.
        None,
    }

    /// The remaining memory for the automata of one flag set, in bytes. Automata make matching fast and change no
    /// answer, so patterns beyond it get the smallest engine.
    #[derive(Debug)]
    pub(crate) struct Automata {
        left: usize,
    }

    impl Default for Automata {
        fn default() -> Self {
            Automata { left: 128 * MAX_AUTOMATON_BYTES }
        }
    }

    impl Expression {
        /// # Errors
        /// What is wrong with the expression, and what was expected.
        pub(crate) fn parse(text: &str) -> Result<Self, String> {
            if text.len() > MAX_REGEX_BYTES {
                return Err(format!("the expression has {} bytes, expected at most {MAX_REGEX_BYTES}", text.len()));
            }
            let hir = regex_syntax::Parser::new().parse(text).map_err(|error| {
                format!("{} is no regular expression{}, expected RE2 syntax", quoted(text), reason(&error, text))
            })?;
            let parts = parts(&hir);
            if parts > MAX_REGEX_PARTS {
                return Err(format!(
                    "the expression has {parts} parts with its repetitions written out, expected at most {MAX_REGEX_PARTS}"
                ));
            }
            Ok(Expression { text: text.to_owned(), parts, compiled: None })
        }

        /// The expression that a pattern was compiled from.
        pub(crate) fn of(pattern: &Pattern) -> Self {
            let Compiled { text, parts, .. } = &*pattern.0;
            Expression { text: text.clone(), parts: *parts, compiled: Some(pattern.clone()) }
        }

        pub(crate) fn as_str(&self) -> &str {
            &self.text
        }

        /// Number of parts with its counted repetitions expanded.
        pub(crate) fn parts(&self) -> u64 {
            self.parts
        }

        pub(crate) fn compile(&self, automata: &mut Automata) -> Pattern {
            let Expression { text, parts, compiled } = self;
            compiled.clone().unwrap_or_else(|| {
                Pattern(Arc::new(Compiled { text: text.clone(), parts: *parts, engine: automata.engine(text) }))
            })
        }
    }

    impl Pattern {
        pub(crate) fn as_str(&self) -> &str {
            &self.0.text
        }

        /// Whether the expression is found anywhere in the text.
        pub(crate) fn is_match(&self, text: &str) -> bool {
            match &self.0.engine {
                // A full automaton has no look-around that could make it give up, so it always answers.
                Engine::Full(full) => full
                    .try_search_fwd(&Input::new(text).anchored(Anchored::No).earliest(true))
                    .is_ok_and(|found| found.is_some()),
                Engine::Scratch(scratch) => scratch.is_match(text),
                Engine::None => false,
            }
        }
    }

    impl Automata {
        fn engine(&mut self, text: &str) -> Engine {
            if self.left >= MAX_AUTOMATON_BYTES {
                let full = full(text);
                // An automaton that becomes too large has taken the most time.
                let took = full.as_ref().map_or(4 * MAX_AUTOMATON_BYTES, dense::DFA::memory_usage);
                self.left = self.left.saturating_sub(took);
                if let Some(full) = full {
                    return Engine::Full(Box::new(full));
                }
            }
            let Ok(hir) = regex_syntax::Parser::new().parse(text) else { return Engine::None };
            scratch(&hir).map_or(Engine::None, Engine::Scratch)
        }
    }

    fn full(text: &str) -> Option<dense::DFA<Vec<u32>>> {
        let config = dense::Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .start_kind(regex_automata::dfa::StartKind::Unanchored)
            .dfa_size_limit(Some(MAX_AUTOMATON_BYTES))
            .determinize_size_limit(Some(4 * MAX_AUTOMATON_BYTES));
        dense::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new())
            .thompson(
                thompson::Config::new().nfa_size_limit(Some(MAX_AUTOMATON_BYTES)).which_captures(WhichCaptures::None),
            )
            .build(text)
            .ok()
    }

    fn scratch(hir: &Hir) -> Option<meta::Regex> {
        // The scratch space of the remaining engine has a fixed size: once allocated, searching does not allocate. The
        // limit on parts bounds the size; the engine's own limits differ between machines and are lifted.
        let config = meta::Config::new()
            .nfa_size_limit(None)
            .onepass_size_limit(None)
            .dfa(false)
            .which_captures(WhichCaptures::None);
        meta::Builder::new().configure(config).build_from_hir(hir).ok()
    }

    /// Number of parts of an expression with its counted repetitions expanded.
    fn parts(hir: &Hir) -> u64 {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => 1,
            HirKind::Literal(literal) => literal.0.len() as u64,
            HirKind::Class(Class::Unicode(class)) => class.ranges().len().max(1) as u64,
            HirKind::Class(Class::Bytes(class)) => class.ranges().len().max(1) as u64,
            HirKind::Repetition(repetition) => {
                let times = repetition.max.unwrap_or(repetition.min).max(1);
                parts(&repetition.sub).saturating_mul(u64::from(times))
            }
            HirKind::Capture(capture) => parts(&capture.sub),
            HirKind::Concat(subs) | HirKind::Alternation(subs) => {
                subs.iter().fold(0, |sum: u64, sub| sum.saturating_add(parts(sub)))
            }
        }
    }

    /// The parser's reason and where it is; its full message draws the expression over several lines.
    fn reason(error: &regex_syntax::Error, text: &str) -> String {
        let (reason, span) = match error {
            regex_syntax::Error::Parse(error) => {
                let reason = match error.kind() {
                    ErrorKind::RepetitionMissing => "nothing to repeat".to_owned(),
                    ErrorKind::NestLimitExceeded(most) => format!("more than {most} groups inside each other"),
                    ErrorKind::DecimalInvalid => "a number that is too large".to_owned(),
                    ErrorKind::EscapeUnexpectedEof => "a backslash with nothing behind it".to_owned(),
                    ErrorKind::ClassRangeInvalid => "a range that runs backwards".to_owned(),
                    ErrorKind::RepetitionCountInvalid => "a count that runs backwards".to_owned(),
                    ErrorKind::UnsupportedLookAround => "look-ahead and look-behind are not supported".to_owned(),
                    other => other.to_string(),
                };
                (reason, error.span())
            }
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span()),
            _ => return String::new(),
        };
        let before = text.get(..span.start.offset).unwrap_or_default();
        format!(" at character {}: {reason}", before.chars().count() + 1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn compiled(text: &str) -> Pattern {
            Expression::parse(text).unwrap().compile(&mut Automata::default())
        }

        #[test]
        fn both_engines_give_the_same_answers() {
            let patterns = [
                "^a+$",
                "acme",
                r"^[\w.]+@acme\.(com|co)$",
                r"\bADMIN\b",
                "(?i)straße",
                "^$",
                "",
                r"\d{2,4}",
                "a|b$",
                r"^.{3}$",
            ];
            let texts = [
                "",
                "a",
                "aaa",
                "acme",
                "x@acme.co",
                "x@acme.com.evil",
                "the ADMIN",
                "ADMINS",
                "STRAßE",
                "año",
                "١٢",
                "123",
                "b\n",
                "日本語",
            ];
            for pattern in patterns {
                let hir = regex_syntax::Parser::new().parse(pattern).unwrap();
                let scratch = scratch(&hir).unwrap();
                let pattern = compiled(pattern);
                for text in texts {
                    assert_eq!(pattern.is_match(text), scratch.is_match(text), "{} on {text:?}", pattern.as_str());
                }
            }
        }

        #[test]
        fn an_expression_too_large_for_a_full_automaton_still_answers() {
            let pattern = compiled("(a|b)*a(a|b){20}$");
            assert!(matches!(pattern.0.engine, Engine::Scratch(_)));
            assert!(pattern.is_match(&format!("a{}", "b".repeat(20))));
            assert!(!pattern.is_match(&"b".repeat(21)));
        }

        #[test]
        fn a_bomb_is_refused_by_its_size() {
            assert!(Expression::parse("((a{100}){100}){100}").unwrap_err().contains("1000000 parts"));
            assert!(Expression::parse(r"(\pL{100}){100}").is_err());
        }
    }
}

#[cfg(not(feature = "regex"))]
mod left_out {
    /// Uninhabited: this build reads no expressions (8.10).
    #[derive(Debug)]
    pub(crate) struct Expression(std::convert::Infallible);

    /// Uninhabited too.
    #[derive(Clone, Debug)]
    pub(crate) struct Pattern(std::convert::Infallible);

    /// No automata.
    #[derive(Debug, Default)]
    pub(crate) struct Automata;

    impl Expression {
        pub(crate) fn parse(_: &str) -> Result<Self, String> {
            Err("this build leaves regular expressions out, expected a build with the feature `regex`".to_owned())
        }

        pub(crate) fn of(pattern: &Pattern) -> Self {
            match pattern.0 {}
        }

        pub(crate) fn as_str(&self) -> &str {
            match self.0 {}
        }

        pub(crate) fn parts(&self) -> u64 {
            match self.0 {}
        }

        pub(crate) fn compile(&self, _: &mut Automata) -> Pattern {
            match self.0 {}
        }
    }

    impl Pattern {
        pub(crate) fn as_str(&self) -> &str {
            match self.0 {}
        }

        pub(crate) fn is_match(&self, _: &str) -> bool {
            match self.0 {}
        }
    }
}
