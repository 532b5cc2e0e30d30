//! Letters with accents, as words are compared (2.2.25 of SEMANTICS.md).

use std::borrow::Cow;

/// A name with the plain letter for each Latin letter with an accent, and without combining marks.
pub(super) fn without_accents(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return name.into();
    }
    let letters = name.chars().filter(|letter| !matches!(letter, '\u{300}'..='\u{36f}'));
    letters.map(without_accent).collect::<String>().into()
}

fn without_accent(letter: char) -> char {
    match letter {
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' => 'O',
        'Ù'..='Ü' => 'U',
        'Ý' => 'Y',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' => 'y',
        other => other,
    }
}
