//! "Did you mean": the known name that is nearest to a misspelt one.

/// The nearest of these names, if one is near enough to be meant.
pub(crate) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.map(|name| (strsim::jaro_winkler(&written.to_lowercase(), &name.to_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.85).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
}

/// That a source has no flag of this key, with the one that was meant, if one is near enough.
pub(crate) fn no_flag<'n>(source: &str, flag: &str, keys: impl Iterator<Item = &'n str>) -> String {
    let hint = nearest(flag, keys).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    format!("{source} has no flag `{flag}`{hint}")
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
