//! Names of constants: a key of any letters as a name that programming languages take.

use std::collections::BTreeSet;

/// `crm_advanced`, `crm-advanced` and `crmAdvanced` as `CRM_ADVANCED`; a name that is taken gets a number.
pub(crate) fn constant(key: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = crate::words::words(key).join("_").to_uppercase();
    // Letters of other scripts are names in all of these languages, but not all signs that count as letters are.
    name = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    if !name.starts_with(|first: char| first.is_alphabetic()) {
        name.insert_str(0, "FLAG_");
    }
    let mut chosen = name.clone();
    let mut number = 2;
    while !taken.insert(chosen.clone()) {
        chosen = format!("{name}_{number}");
        number += 1;
    }
    chosen
}

/// A letter or a digit of ASCII, or a letter of the Latin, Greek and Cyrillic scripts.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || (('À'..='\u{52F}').contains(&letter) && letter.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn keys_become_names() {
        let mut taken = BTreeSet::new();
        let mut names = |keys: &[&str]| keys.iter().map(|key| super::constant(key, &mut taken)).collect::<Vec<_>>();
        assert_eq!(
            names(&["crm_advanced", "crm-advanced", "crmAdvanced"]),
            ["CRM_ADVANCED", "CRM_ADVANCED_2", "CRM_ADVANCED_3"]
        );
        assert_eq!(
            names(&["2fa", "facturación.nueva", "日本", "🙂", "x²"]),
            ["FLAG_2FA", "FACTURACIÓN_NUEVA", "FLAG___", "FLAG_", "X_"]
        );
    }
}
