//! Reading variants and rules (2.2.16 and 2.2.18).

use std::borrow::Cow;

use super::{conditions, given};
use crate::code;
use crate::definition::{RuleDefinition, ServeDefinition, VariantDefinition};
use crate::error::{found, quoted};
use crate::fingerprint::Set;
use crate::keys::Keys;
use crate::limit::{MAX_LIST_ENTRIES, MAX_RULES, MAX_VARIANTS};
use crate::reading::{Place, Reading, Unknown};
use crate::value::Value;

/// The variants, or `None` if any of them is wrong.
pub(super) fn variants<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: &Value<'v>,
) -> Option<Vec<VariantDefinition<'v>>> {
    let before = reading.violations.len();
    let values = reading.list(place, value, (MAX_VARIANTS, "variants"))?;
    let mut keys = Keys::default();
    let (mut variants, mut weights) = (Vec::new(), Vec::new());
    for (at, value) in values.iter().enumerate() {
        let (list, place) = (place, place.entry(at));
        let Some([key, value, weight]) = reading.fields(&place, value, ["key", "value", "weight"], Unknown::Refused)
        else {
            weights.push(None);
            continue;
        };
        let key = own_key(reading, &place.field("key"), key, Reading::key, (&mut keys, list, at));
        let weight = self::weight(reading, &place, weight);
        let value = Cow::Owned(value.map(Value::last_of_each).unwrap_or_default());
        weights.push(weight);
        variants.extend(key.zip(weight).map(|(key, weight)| VariantDefinition { key, value, weight }));
    }
    not_all_zero(reading, place, &weights);
    (reading.violations.len() == before).then_some(variants)
}

pub(super) fn rules<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: &Value<'v>,
    variants: Option<&[VariantDefinition<'v>]>,
) -> Option<Vec<RuleDefinition<'v>>> {
    let variants: Option<Set<&str>> =
        variants.map(|variants| variants.iter().map(|variant| variant.key.as_ref()).collect());
    let values = reading.list(place, value, (MAX_RULES, "rules"))?;
    let mut keys = Keys::default();
    let mut rules = Vec::new();
    for (at, value) in values.iter().enumerate() {
        rules.push(rule(reading, &place.entry(at), value, variants.as_ref(), (&mut keys, place, at)));
    }
    Some(rules)
}

/// A rule. A violation in it is reported, and the places of the rest stay as they are.
fn rule<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: &Value<'v>,
    variants: Option<&Set<&str>>,
    keys: (&mut Keys<'v>, &Place<'_>, usize),
) -> RuleDefinition<'v> {
    let names = ["key", "when", "rollout_percentage", "bucket_by", "variant", "split"];
    let place = &place.object(value);
    let mut rule = RuleDefinition::default();
    let Some([key, when, rollout, bucket_by, variant, split]) = reading.fields(place, value, names, Unknown::Refused)
    else {
        return rule;
    };
    rule.key = own_key(reading, &place.field("key"), key, Reading::name, keys).unwrap_or_default();
    rule.when = match given(when) {
        Some(when) => conditions::condition(reading, &place.field("when"), when),
        None => reading.missing(&place.field("when"), "a condition").unwrap_or_default(),
    };
    if let Some(value) = given(rollout) {
        rule.rollout = reading.percentage(&place.field("rollout_percentage"), value).unwrap_or_default();
    }
    rule.bucket_by = given(bucket_by).and_then(|value| reading.name(&place.field("bucket_by"), value));
    let one = given(variant).map(|value| known_variant(reading, &place.field("variant"), value, variants));
    let several = given(split).map(|value| self::split(reading, &place.field("split"), value, variants));
    rule.serve = match (one, several) {
        (Some(_), Some(_)) => {
            reading.report(
                place,
                code::CONFLICTING_FIELDS,
                "has both `variant` and `split`, expected at most one of them",
            );
            ServeDefinition::Flag
        }
        (Some(variant), None) => ServeDefinition::Variant(variant.unwrap_or_default()),
        (None, Some(parts)) => ServeDefinition::Split(parts),
        (None, None) => ServeDefinition::Flag,
    };
    rule
}

fn split<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: &Value<'v>,
    variants: Option<&Set<&str>>,
) -> Vec<(Cow<'v, str>, u64)> {
    let Some(entries) = reading.list(place, value, (MAX_LIST_ENTRIES, "weighted variants")) else { return Vec::new() };
    if entries.is_empty() {
        reading.report(place, code::EMPTY, "is empty, expected at least one variant");
    }
    let mut taken = Set::default();
    let (mut parts, mut weights) = (Vec::new(), Vec::new());
    for (at, value) in entries.iter().enumerate() {
        let place = place.entry(at);
        let Some([variant, weight]) = reading.fields(&place, value, ["variant", "weight"], Unknown::Refused) else {
            weights.push(None);
            continue;
        };
        let field = place.field("variant");
        let variant = match given(variant) {
            Some(variant) => known_variant(reading, &field, variant, variants),
            None => reading.missing(&field, "the key of a variant"),
        };
        if let Some(key) = &variant
            && !taken.insert(key.clone())
        {
            reading.report(
                &field,
                code::DUPLICATE_VARIANT,
                format_args!("{} stands in this split already, expected each variant once", quoted(key)),
            );
        }
        let weight = self::weight(reading, &place, weight);
        weights.push(weight);
        parts.extend(variant.zip(weight));
    }
    not_all_zero(reading, place, &weights);
    parts
}

/// Reports weights that can all be read and are all 0 (2.2.16).
fn not_all_zero(reading: &mut Reading, place: &Place<'_>, weights: &[Option<u64>]) {
    if !weights.is_empty() && weights.iter().all(|weight| *weight == Some(0)) {
        reading.report(place, code::OUT_OF_RANGE, "has only weights of 0, expected at least one above 0");
    }
}

fn weight(reading: &mut Reading, place: &Place<'_>, value: Option<&Value<'_>>) -> Option<u64> {
    match given(value) {
        Some(value) => reading.weight(&place.field("weight"), value),
        None => Some(1000),
    }
}

/// A key that is unique in its flag.
fn own_key<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: Option<&Value<'v>>,
    read: fn(&mut Reading, &Place<'_>, &Value<'v>) -> Option<Cow<'v, str>>,
    (keys, list, at): (&mut Keys<'v>, &Place<'_>, usize),
) -> Option<Cow<'v, str>> {
    let Some(value) = given(value) else {
        return reading.missing(place, "a string that is not empty");
    };
    let key = read(reading, place, value)?;
    if let Err((_, problem)) = keys.take(list, at, key.clone()) {
        reading.report(place, code::DUPLICATE_KEY, problem);
        return None;
    }
    Some(key)
}

/// The key of a variant; `variants` is `None` if they are invalid, which has been reported.
fn known_variant<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: &Value<'v>,
    variants: Option<&Set<&str>>,
) -> Option<Cow<'v, str>> {
    let key = reading.key(place, value)?;
    if variants.is_some_and(|known| !known.contains(key.as_ref())) {
        reading.report(
            place,
            code::UNKNOWN_VARIANT,
            format_args!("{} is no variant of this flag, expected the key of one", found(value)),
        );
        return None;
    }
    Some(key)
}
