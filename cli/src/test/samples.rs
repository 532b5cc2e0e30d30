//! Values that a comparison takes: a text for a regular expression, addresses of a network, versions round a version.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regex_syntax::hir::{Class, Hir, HirKind};

/// How often a part is repeated in a sample at most.
const MAX_REPEATED: u32 = 1_000;

/// A text that a regular expression matches, if a simple one does.
pub(super) fn regex_sample(expression: &str) -> Option<String> {
    let mut sample = Vec::new();
    write(&regex_syntax::parse(expression).ok()?, &mut sample)?;
    String::from_utf8(sample).ok()
}

/// The first alternative, the first letter, and the fewest repetitions. Where a sample must not begin, as at `^` in the
/// middle, it does all the same: the engine decides.
fn write(hir: &Hir, sample: &mut Vec<u8>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            sample.extend_from_slice(&literal.0);
            Some(())
        }
        HirKind::Class(Class::Unicode(class)) => {
            // A letter is easier to read than what stands before it in Unicode.
            let fits = |letter: &char| class.iter().any(|range| (range.start()..=range.end()).contains(letter));
            let letter = ('a'..='z').chain('0'..='9').find(fits).or_else(|| Some(class.iter().next()?.start()))?;
            sample.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            Some(())
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Repetition(repeated) => {
            (0..repeated.min.min(MAX_REPEATED)).try_for_each(|_| write(&repeated.sub, sample))
        }
        HirKind::Capture(group) => write(&group.sub, sample),
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, sample)),
        HirKind::Alternation(parts) => write(parts.first()?, sample),
    }
}

/// Every text that begins with one part, has one inside, and ends with one.
pub(super) fn texts<'t>(
    starts: &'t BTreeSet<String>,
    inside: &'t BTreeSet<String>,
    ends: &'t BTreeSet<String>,
) -> impl Iterator<Item = String> {
    fn or_none(parts: &BTreeSet<String>) -> impl Iterator<Item = &str> + Clone {
        parts.iter().map(String::as_str).chain([""])
    }
    or_none(starts)
        .flat_map(move |start| or_none(inside).map(move |middle| (start, middle)))
        .flat_map(move |(start, middle)| or_none(ends).map(move |end| [start, middle, end].concat()))
}

/// The first and the last address of a network.
pub(super) fn addresses(network: &str) -> impl Iterator<Item = String> {
    let (address, length) =
        network.split_once('/').map_or((network, None), |(address, length)| (address, Some(length)));
    let length = |all: u32| length.and_then(|length| length.parse().ok()).unwrap_or(all).min(all);
    let ends: Option<[IpAddr; 2]> = address.parse().ok().map(|address| match address {
        IpAddr::V4(address) => {
            let own = u32::MAX.checked_shr(length(32)).unwrap_or(0);
            [address.to_bits() & !own, address.to_bits() | own].map(|bits| Ipv4Addr::from_bits(bits).into())
        }
        IpAddr::V6(address) => {
            let own = u128::MAX.checked_shr(length(128)).unwrap_or(0);
            [address.to_bits() & !own, address.to_bits() | own].map(|bits| Ipv6Addr::from_bits(bits).into())
        }
    });
    ends.into_iter().flatten().map(|address| address.to_string())
}

/// A version, the one right below it, one above it, and the ends of all versions.
pub(super) fn versions(version: &str) -> impl Iterator<Item = String> {
    let core = version.split(['-', '+']).next().unwrap_or(version);
    let next = core
        .rsplit_once('.')
        .and_then(|(before, last)| Some(format!("{before}.{}", last.parse::<u64>().ok()?.checked_add(1)?)));
    [version.to_owned(), format!("{core}-0"), "0.0.0-0".to_owned(), "99999.0.0".to_owned()].into_iter().chain(next)
}

#[cfg(test)]
mod tests {
    use super::{addresses, regex_sample, versions};

    #[test]
    fn a_sample_of_an_expression_is_matched_by_it() {
        for (expression, expected) in [
            ("^a+$", "a"),
            (r"@acme\.(com|org)$", "@acme.com"),
            (r"^[A-Z]{3}-\d{2,}$", "AAA-00"),
            ("(?i)beta", "beta"),
            ("", ""),
        ] {
            assert_eq!(regex_sample(expression).as_deref(), Some(expected), "{expression}");
        }
        assert_eq!(regex_sample("("), None);
    }

    #[test]
    fn networks_have_two_ends_and_versions_have_neighbours() {
        assert_eq!(addresses("10.1.2.3/8").collect::<Vec<_>>(), ["10.0.0.0", "10.255.255.255"]);
        assert_eq!(addresses("10.1.2.3").collect::<Vec<_>>(), ["10.1.2.3", "10.1.2.3"]);
        assert_eq!(addresses("0.0.0.0/0").collect::<Vec<_>>(), ["0.0.0.0", "255.255.255.255"]);
        assert_eq!(addresses("2001:db8::/32").next().as_deref(), Some("2001:db8::"));
        assert_eq!(addresses("nowhere").count(), 0);
        assert!(versions("2.3.1").any(|version| version == "2.3.2"));
        assert!(versions("2.3.1-beta").any(|version| version == "2.3.1-0"));
    }
}
