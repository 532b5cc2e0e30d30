//! Versions as apps send them, with the precedence of SemVer 2.0.0 (<https://semver.org>, sentence 5.9 of
//! SEMANTICS.md).
//!
//! It borrows the pre-release, so comparing never allocates. The crate `semver`, which allocates for a pre-release of
//! more than eight bytes, is the oracle of the tests.

use std::cmp::Ordering;

/// Maximum number of numbers in a version.
const NUMBERS: usize = 4;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version<'a> {
    /// Absent numbers are 0.
    pub(crate) numbers: [u64; NUMBERS],
    pub(crate) pre_release: &'a str,
}

impl<'a> Version<'a> {
    /// Reads a version; `None` if the text is not one.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
        let (core, pre_release) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
        if build.is_some_and(|build| !build.split('.').all(identifier))
            || pre_release.is_some_and(|pre| !pre.split('.').all(|part| identifier(part) && !padded(part)))
        {
            return None;
        }
        let mut numbers = [0; NUMBERS];
        let mut places = numbers.iter_mut();
        for part in core.split('.') {
            *places.next()? = number(part)?;
        }
        Some(Version { numbers, pre_release: pre_release.unwrap_or_default() })
    }

    /// The precedence; build metadata is ignored.
    pub(crate) fn precedence(&self, other: &Version<'_>) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre_release, other.pre_release) {
            ("", "") => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (a, b) => pre_releases(a, b),
        })
    }
}

/// A whole number, leading zeros allowed.
fn number(text: &str) -> Option<u64> {
    numeric(text).then(|| text.parse().ok())?
}

fn identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn numeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number with a leading zero.
fn padded(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && numeric(text)
}

fn pre_releases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        return match (a.next(), b.next()) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match identifiers(a, b) {
                Ordering::Equal => continue,
                unequal => unequal,
            },
        };
    }
}

/// Numeric identifiers are ordered by their number, of any length, before all others, which are ordered by their bytes.
fn identifiers(a: &str, b: &str) -> Ordering {
    match (numeric(a), numeric(b)) {
        (true, true) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

#[cfg(test)]
#[cfg(not(miri))] // It would take minutes to build the generator.
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        let part = "(0|[1-9][0-9]{0,3}|01|18446744073709551615|18446744073709551616|)";
        let identifiers = "((0|7|11|007|99999999999999999999|alpha|beta|rc-1|-|é|)(\\.(0|2|10|alpha.b))?)";
        let pattern = format!("[vV]?{part}(\\.{part}){{0,4}}(-{identifiers})?(\\+{identifiers})?");
        proptest::string::string_regex(&pattern).unwrap()
    }

    #[test]
    fn versions_are_read_as_apps_send_them() {
        let read = |text: &str| Version::parse(text).map(|version| (version.numbers, version.pre_release.to_owned()));
        for (text, numbers, pre_release) in [
            ("v2.4.0", [2, 4, 0, 0], ""),
            ("V2", [2, 0, 0, 0], ""),
            ("2.4", [2, 4, 0, 0], ""),
            ("2.4.0.145", [2, 4, 0, 145], ""),
            ("02.004.0000000000000000000000007", [2, 4, 7, 0], ""),
            ("2.4-rc.1+build.7", [2, 4, 0, 0], "rc.1"),
            ("18446744073709551615", [u64::MAX, 0, 0, 0], ""),
        ] {
            assert_eq!(read(text), Some((numbers, pre_release.to_owned())), "{text}");
        }
        for text in [
            "",
            "v",
            "vv1",
            "1.",
            ".1",
            "1..2",
            "1.2.3.4.5",
            "1.2.x",
            "1.0-",
            "1.0+",
            "1.0-01",
            "18446744073709551616",
            " 1",
            "-1",
            "+1",
            "١",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn versions_are_read_and_ordered_as_the_semver_crate_does(a in text(), b in text()) {
            let theirs = |text: &str| semver::Version::parse(text).ok();
            if !a.starts_with(['v', 'V']) && a.split(['-', '+']).next().is_some_and(|core| core.split('.').count() == 3) {
                // Leading zeros are what differs then.
                prop_assert!(Version::parse(&a).is_some() || theirs(&a).is_none(), "{}", a);
            }
            if let (Some(x), Some(y), Some(p), Some(q)) = (Version::parse(&a), Version::parse(&b), theirs(&a), theirs(&b)) {
                prop_assert_eq!(x.precedence(&y), p.cmp_precedence(&q), "{} {}", a, b);
            }
        }
    }
}
