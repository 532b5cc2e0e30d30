//! "Did you mean": the known name that is nearest to a misspelt one.

/// The nearest of these names, if one is near enough to be meant.
pub(crate) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.map(|name| (strsim::jaro_winkler(&written.to_lowercase(), &name.to_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.85).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_another_word_finds_none() {
        assert_eq!(nearest("crm_advanecd", ["inbox", "crm_advanced"].into_iter()), Some("crm_advanced"));
        assert_eq!(nearest("billing", ["inbox", "crm_advanced"].into_iter()), None);
    }
}
