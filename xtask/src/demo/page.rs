//! The output: lines on stdout, with colours on a terminal, and readable numbers.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Stdout, or what reads it.
pub(super) struct Page {
    coloured: bool,
}

impl Page {
    pub(super) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Page { coloured: wanted && io::stdout().is_terminal() }
    }

    pub(super) fn line(&self, text: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{text}")
    }

    pub(super) fn heading(&self, text: &str) -> io::Result<()> {
        let heading = self.strong(text);
        self.line(&format!("\n{heading}"))
    }

    pub(super) fn strong(&self, text: &str) -> String {
        self.painted("1", text)
    }

    pub(super) fn faint(&self, text: &str) -> String {
        self.painted("2", text)
    }

    pub(super) fn good(&self, text: &str) -> String {
        self.painted("32", text)
    }

    pub(super) fn bad(&self, text: &str) -> String {
        self.painted("31", text)
    }

    /// Bars and other pictures.
    pub(super) fn picture(&self, text: &str) -> String {
        self.painted("36", text)
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A whole number with commas: `200,000`.
pub(super) fn count(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut apart = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// A duration with three digits and the unit that suits it: `1.35 ms`.
pub(super) fn duration(duration: Duration) -> String {
    let nanos = duration.as_secs_f64() * 1e9;
    let (value, unit) = match nanos {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(["0", "999", "1,000", "200,000", "8,800,000"], [0u32, 999, 1000, 200_000, 8_800_000].map(count)[..]);
        assert_eq!(duration(Duration::from_nanos(416)), "416 ns");
        assert_eq!(duration(Duration::from_nanos(1_351_000)), "1.35 ms");
        assert_eq!(duration(Duration::from_millis(61_500)), "61.5 s");
    }
}
