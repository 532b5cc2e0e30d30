//! The words that a key is made of.

/// The words of a key, in small letters.
pub(crate) fn words(key: &str) -> Vec<String> {
    let (mut words, mut after_small) = (vec![String::new()], false);
    for letter in key.chars() {
        let ends = !letter.is_alphanumeric() || (letter.is_uppercase() && after_small);
        if ends {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
        after_small = letter.is_lowercase() || letter.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_end_at_signs_and_capitals() {
        assert_eq!(words("crmAdvanced-list_v2"), ["crm", "advanced", "list", "v2"]);
    }
}
