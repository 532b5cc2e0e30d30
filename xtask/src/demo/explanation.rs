//! Explanations: a user with the flag, and a colleague without it.

use std::io;

use esclusa::{FlagSet, Time};

use super::KEY;
use super::census::Census;
use super::definition::Definitions;
use super::page::Page;
use super::population::{Person, Population};
use super::rows::Rows;

/// Two users by number.
pub(super) struct Pair {
    pub(super) has_it: usize,
    has_it_not: usize,
}

/// The first user with the flag, and the most similar user without it: in the audience if possible, and of the same
/// company if possible. `None` if all users have it or none has.
pub(super) fn pair(
    rows: &Rows,
    definitions: &Definitions,
    population: &Population,
    census: &Census,
    at: Time,
) -> Option<Pair> {
    let flag = definitions.iter().position(|definition| definition.key == KEY)?;
    let has_it = census.flags().nth(flag)?.first_on?;
    let company = population.person(has_it)?.user.company;
    let likeness = |person: &Person<'_>| (definitions.odds(flag, person).is_some(), person.user.company == company);
    let without =
        population.people().enumerate().filter(|(_, person)| !rows.set().is_enabled(KEY, &person.context(), at));
    // The first of several that are equally similar.
    let (has_it_not, _) = without
        .map(|(number, person)| (number, likeness(&person)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    Some(Pair { has_it, has_it_not })
}

pub(super) fn print(page: &Page, set: &FlagSet, population: &Population, pair: &Pair, at: Time) -> io::Result<()> {
    for number in [pair.has_it, pair.has_it_not] {
        let Some(person) = population.person(number) else { continue };
        let told = set.explain(KEY, &person.context(), at).to_string();
        for (place, line) in told.lines().enumerate() {
            match line.trim_start().chars().next() {
                _ if place == 0 => wrapped(line).iter().try_for_each(|line| page.line(&page.strong(line)))?,
                Some('✓') => page.line(&page.good(line))?,
                Some('✗') => page.line(&page.bad(line))?,
                _ => page.line(line)?,
            }
        }
        if number == pair.has_it {
            page.line("")?;
        }
    }
    Ok(())
}

/// The line, broken between words where it is longer than a terminal is wide.
fn wrapped(line: &str) -> Vec<String> {
    const WIDTH: usize = 138;
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= WIDTH {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(format!("  {word}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_between_words() {
        let lines = wrapped(&"word ".repeat(40));
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.chars().count() <= 138));
        assert_eq!(wrapped("short"), ["short"]);
    }
}
