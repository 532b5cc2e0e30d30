//! The kinds of callers that two definitions distinguish, one attribute at a time.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{Context, Value, row};

use crate::document::Definition;
use crate::region::{Callers, Constraint};

/// One attribute, and the classes of its values: both definitions treat all values of a class alike.
pub(crate) struct Dimension {
    pub(crate) attribute: String,
    pub(crate) classes: Vec<Class>,
    /// All values that are named.
    named: Vec<String>,
    /// For roles, of which callers have several: the lists that are distinguished.
    lists: Vec<Vec<String>>,
}

/// Some values of an attribute.
pub(crate) enum Class {
    /// These, which are in the same lists.
    Values { values: Vec<String>, fixes_bucket: bool },
    /// All values without a name, or no value if that makes no difference.
    Rest(Option<String>),
    /// No value, if the attribute is the unit.
    Missing,
    /// For roles: for each list, whether the caller has a role of it.
    Roles { in_list: Vec<bool>, one_of_each: Vec<String> },
}

/// The attributes that the definitions use; the unit is always one of them.
pub(crate) fn dimensions(definitions: &[&Definition], unit: &str) -> Vec<Dimension> {
    let unit = if unit == "targetingKey" { "user" } else { unit };
    let mut lists: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::from([(unit, Vec::new())]);
    let targets = [
        ("plan", "target_plans"),
        ("region", "target_regions"),
        ("company", "target_companies"),
        ("user", "target_users"),
        ("role", "target_roles"),
    ];
    for definition in definitions {
        for (attribute, field) in targets {
            if let Some(values) = definition.field(field) {
                lists.entry(attribute).or_default().push(texts(values));
            }
        }
        for (attribute, field) in [("user", "users"), ("company", "companies")] {
            for side in ["on", "off"] {
                let overrides = definition.field("overrides").and_then(|overrides| overrides.get(side)?.get(field));
                if let Some(values) = overrides {
                    lists.entry(attribute).or_default().push(texts(values));
                }
            }
        }
    }
    lists.into_iter().map(|(attribute, lists)| Dimension::of(attribute, lists, attribute == unit)).collect()
}

/// The ids of a list.
fn texts(values: &Value<'_>) -> Vec<String> {
    values.as_list().unwrap_or_default().iter().filter_map(row::id).collect()
}

impl Dimension {
    fn of(attribute: &str, mut lists: Vec<Vec<String>>, is_unit: bool) -> Self {
        lists.iter_mut().for_each(|list| list.sort_unstable());
        lists.iter_mut().for_each(Vec::dedup);
        lists.sort_unstable();
        lists.dedup();
        let named: Vec<String> = lists.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let classes = match attribute {
            "role" => roles(&lists),
            _ if is_unit => {
                let one = |value: &String| Class::Values { values: vec![value.clone()], fixes_bucket: true };
                let rest = Class::Rest(Some(unnamed(&named)));
                named.iter().map(one).chain([rest, Class::Missing]).collect()
            }
            _ => {
                let mut alike: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
                for value in &named {
                    let in_list = lists.iter().map(|list| list.binary_search(value).is_ok()).collect();
                    alike.entry(in_list).or_default().push(value.clone());
                }
                let class = |values| Class::Values { values, fixes_bucket: false };
                alike.into_values().map(class).chain([Class::Rest(None)]).collect()
            }
        };
        Dimension { attribute: attribute.to_owned(), classes, named, lists }
    }

    /// Whether the callers of a class all have one bucket, or none.
    pub(crate) fn fixes_bucket(&self, class: usize) -> bool {
        matches!(self.classes.get(class), Some(Class::Values { fixes_bucket: true, .. } | Class::Missing))
    }

    /// A caller with a value of that class.
    pub(crate) fn add_to<'c>(&'c self, context: Context<'c>, class: usize) -> Context<'c> {
        match self.classes.get(class) {
            Some(Class::Values { values, .. }) => match values.first() {
                Some(value) => self.with(context, value),
                None => context,
            },
            Some(Class::Rest(Some(value))) => self.with(context, value),
            Some(Class::Roles { one_of_each, .. }) => context.roles(one_of_each.iter().map(String::as_str)),
            Some(Class::Rest(None) | Class::Missing) | None => context,
        }
    }

    fn with<'c>(&'c self, context: Context<'c>, value: &'c str) -> Context<'c> {
        match self.attribute.as_str() {
            "user" => context.attribute("user", value),
            "company" => context.company(value),
            "plan" => context.plan(value),
            "region" => context.region(value),
            name => context.attribute(name, value),
        }
    }

    /// What callers of these classes have in common; `None` if a list of values cannot express it.
    pub(crate) fn say(&self, classes: &BTreeSet<usize>) -> Option<Vec<Constraint>> {
        if classes.len() == self.classes.len() {
            return Some(Vec::new());
        }
        if self.attribute == "role" {
            return self.say_roles(classes);
        }
        let (mut values, mut rest, mut missing, mut anything) = (Vec::new(), false, false, false);
        for class in classes {
            match self.classes.get(*class)? {
                Class::Values { values: more, .. } => values.extend(more.iter().cloned()),
                Class::Rest(None) => (rest, anything) = (true, true),
                Class::Rest(Some(_)) => rest = true,
                Class::Missing => missing = true,
                Class::Roles { .. } => return None,
            }
        }
        values.sort_unstable();
        let others = || self.named.iter().filter(|value| values.binary_search(value).is_err()).cloned().collect();
        let callers = match (rest, missing) {
            (false, false) => Callers::OneOf(values),
            (false, true) if values.is_empty() => Callers::Missing,
            (false, true) => return None,
            (true, false) if !anything => Callers::OthersThan(others()),
            (true, _) => Callers::NoneOf(others()),
        };
        Some(vec![Constraint { attribute: self.attribute.clone(), callers }])
    }

    /// Classes that agree on some lists, and include all combinations of the others.
    fn say_roles(&self, classes: &BTreeSet<usize>) -> Option<Vec<Constraint>> {
        let of = |class: &usize| match self.classes.get(*class) {
            Some(Class::Roles { in_list, .. }) => Some(in_list),
            _ => None,
        };
        let chosen: Vec<&Vec<bool>> = classes.iter().filter_map(of).collect();
        let first = chosen.first()?;
        let mut constraints = Vec::new();
        for ((at, list), wanted) in self.lists.iter().enumerate().zip(first.iter()) {
            if chosen.iter().all(|in_list| in_list.get(at) == Some(wanted)) {
                let callers = if *wanted { Callers::OneOf(list.clone()) } else { Callers::NoneOf(list.clone()) };
                constraints.push(Constraint { attribute: self.attribute.clone(), callers });
            }
        }
        // All classes that these constraints allow must be among the chosen ones.
        let fits = |in_list: &Vec<bool>| {
            in_list.iter().enumerate().all(|(at, holds)| {
                let fixed = chosen.iter().all(|other| other.get(at) == first.get(at));
                !fixed || first.get(at) == Some(holds)
            })
        };
        let all = (0..self.classes.len()).filter(|class| of(class).is_some_and(fits)).count();
        (all == chosen.len()).then_some(constraints)
    }
}

/// The combinations of lists of which a caller can have roles. Two definitions have at most two lists.
fn roles(lists: &[Vec<String>]) -> Vec<Class> {
    let ways = 1_usize << lists.len();
    let way = |number: usize| -> Option<Class> {
        let in_list: Vec<bool> = (0..lists.len()).map(|at| number & (1 << at) != 0).collect();
        let is_free = |role: &&String| {
            lists.iter().zip(&in_list).all(|(list, wanted)| *wanted || list.binary_search(role).is_err())
        };
        // For each wanted list, one role that is in none of the unwanted lists.
        let mut one_of_each = Vec::new();
        for (list, _) in lists.iter().zip(&in_list).filter(|(_, wanted)| **wanted) {
            one_of_each.push(list.iter().find(is_free)?.clone());
        }
        Some(Class::Roles { in_list, one_of_each })
    };
    (0..ways).filter_map(way).collect()
}

/// A text that equals none of these.
fn unnamed(named: &[String]) -> String {
    let mut text = "somebody".to_owned();
    while named.binary_search(&text).is_ok() {
        text.push('\'');
    }
    text
}
