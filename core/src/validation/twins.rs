//! Rows of one key (8.2): they are one flag if their definitions are equal, and off if they differ.

use super::Candidate;
use crate::fingerprint::fingerprint;
use crate::keys::Keys;
use crate::value::Value;

/// A row whose key was taken by an earlier row.
#[derive(Debug)]
pub(crate) struct Twin {
    /// The index of the flag that took the key.
    number: u32,
    /// The fingerprint of its definition, if it breaks no rule.
    fingerprint: Option<u64>,
    killed: bool,
    client: bool,
    off_value: Value<'static>,
}

impl Twin {
    /// The twin of a flag whose key is taken.
    pub(super) fn of(flag: &Candidate<'_>) -> Option<Self> {
        Some(Twin {
            number: flag.twin?,
            fingerprint: flag.definition().map(fingerprint),
            killed: flag.killed,
            client: flag.definition.client,
            off_value: served_when_off(flag),
        })
    }
}

/// The value of a flag that is off (2.2.17, and 8.8 if it breaks a rule).
fn served_when_off(flag: &Candidate<'_>) -> Value<'static> {
    match flag.definition() {
        Some(definition) => definition.off_value.as_deref().map_or(Value::Bool(false), Value::to_owned),
        None => flag.off_value.to_owned(),
    }
}

/// The later rows of a key of which not all are equal.
#[derive(Debug)]
pub(crate) struct Twins {
    /// The index of the flag.
    pub(crate) number: u32,
    /// Whether any of them says off.
    pub(crate) killed: bool,
    /// Whether any of them says `client`.
    pub(crate) client: bool,
    pub(crate) off_values: Vec<Value<'static>>,
}

/// The keys whose rows differ; a flag among `flags` that has such a key is set aside.
pub(super) fn that_differ(
    mut twins: Vec<Twin>,
    keys: &Keys<'_>,
    flags: &mut [Candidate<'_>],
    compiled: &dyn Fn(u32) -> Option<u64>,
) -> Vec<Twins> {
    twins.sort_unstable_by_key(|twin| twin.number);
    let mut differing = Vec::new();
    for rows in twins.chunk_by_mut(|one, other| one.number == other.number) {
        let Some(number) = rows.first().map(|row| row.number) else { continue };
        let at = keys.at(number).and_then(|at| flags.binary_search_by_key(&at, |flag| flag.at).ok());
        let first = at.and_then(|at| flags.get_mut(at));
        let own = match &first {
            Some(first) => first.definition().map(fingerprint),
            None => compiled(number),
        };
        if own.is_some() && rows.iter().all(|row| row.fingerprint == own) {
            continue;
        }
        if let Some(first) = first {
            first.off_value = served_when_off(first);
            first.sound = false;
        }
        differing.push(Twins {
            number,
            killed: rows.iter().any(|row| row.killed),
            client: rows.iter().any(|row| row.client),
            off_values: rows.iter_mut().map(|row| std::mem::take(&mut row.off_value)).collect(),
        });
    }
    differing
}
