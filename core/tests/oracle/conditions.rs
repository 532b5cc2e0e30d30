//! What a condition is for a context (sections 4 and 5): every part is looked at each time anew.

use std::net::IpAddr;

use super::contexts;
use super::hits::Hits;
use super::json::Json;
use super::resolving::bucket;
use super::written;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

use Truth::{False, True, Unknown};

impl Truth {
    fn of(yes: bool) -> Self {
        if yes { True } else { False }
    }

    fn name(self) -> &'static str {
        match self {
            True => "true",
            False => "false",
            Unknown => "unknown",
        }
    }

    /// As `any` joins its parts (4.3).
    fn any(parts: &[Truth]) -> Self {
        if parts.contains(&True) {
            True
        } else if parts.contains(&Unknown) {
            Unknown
        } else {
            False
        }
    }

    /// As `all` joins its parts (4.2).
    fn all(parts: &[Truth]) -> Self {
        if parts.contains(&False) {
            False
        } else if parts.contains(&Unknown) {
            Unknown
        } else {
            True
        }
    }
}

/// What a condition is looked at with.
pub(crate) struct Sight<'s> {
    pub(crate) context: &'s Json,
    pub(crate) now: i64,
    pub(crate) segment: &'s dyn Fn(&str) -> Option<&'s Json>,
    pub(crate) hits: &'s Hits,
}

impl Sight<'_> {
    pub(crate) fn truth(&self, condition: &Json) -> Truth {
        let parts =
            |list: &Json| list.list().unwrap_or_default().iter().map(|part| self.truth(part)).collect::<Vec<_>>();
        let (kind, truth) = if let Some(list) = condition.field("all") {
            ("all", Truth::all(&parts(list)))
        } else if let Some(list) = condition.field("any") {
            ("any", Truth::any(&parts(list)))
        } else if let Some(inner) = condition.field("not") {
            let turned = match self.truth(inner) {
                True => False,
                False => True,
                Unknown => Unknown,
            };
            ("not", turned)
        } else if let Some(key) = condition.string("segment") {
            ("segment", (self.segment)(key).map_or(Unknown, |when| self.truth(when)))
        } else if let Some(percentage) = condition.field("percentage") {
            ("percentage", self.percentage(percentage))
        } else if let Some(window) = condition.field("now") {
            let bound = |name: &str| window.string(name).and_then(written::bound);
            let (from, to) = (bound("from"), bound("to").filter(|to| *to != i64::MAX));
            let is_over = to.is_some_and(|to| self.now >= to);
            ("now", Truth::of(from.is_none_or(|from| self.now >= from) && !is_over))
        } else {
            return self.comparison(condition);
        };
        self.hits.hit(kind, truth.name());
        truth
    }

    fn percentage(&self, percentage: &Json) -> Truth {
        let share = |name: &str| percentage.field(name).and_then(written::share).unwrap_or_default();
        let Some(unit) = contexts::unit(self.context, percentage.string("of").unwrap_or_default()) else {
            return Unknown;
        };
        let bucket = bucket(&unit, percentage.string("salt").unwrap_or_default());
        Truth::of(bucket >= share("from") && bucket < share("to"))
    }

    fn comparison(&self, condition: &Json) -> Truth {
        let operator = condition.string("op").unwrap_or_default();
        let found = contexts::attribute(self.context, condition.string("attribute").unwrap_or_default());
        let truth = match found.as_deref() {
            present if operator == "present" => Truth::of(present.is_some()),
            None => Unknown,
            Some(Json::List(elements)) => {
                self.hits.hit("attribute is", "a list");
                Truth::any(&elements.iter().map(|element| compare(operator, condition, element)).collect::<Vec<_>>())
            }
            Some(one) => compare(operator, condition, one),
        };
        self.hits.hit(operator, truth.name());
        if condition.field("ignore_case") == Some(&Json::Bool(true)) {
            self.hits.hit("ignore_case", truth.name());
        }
        truth
    }
}

/// One value with an operator; a value that the operator cannot use makes it unknown (4.9).
fn compare(operator: &str, condition: &Json, value: &Json) -> Truth {
    let wanted = condition.field("value").unwrap_or(&Json::Null);
    let answer = match operator {
        "in" | "contains" | "starts_with" | "ends_with" => used(operator, value).map(|text| {
            let ignore_case = condition.field("ignore_case") == Some(&Json::Bool(true));
            let side = |text: &str| if ignore_case { lower(text) } else { text.to_owned() };
            let text = side(&text);
            condition.elements("values").iter().filter_map(Json::text).map(side).any(|entry| match operator {
                "in" => text == entry,
                "contains" => text.contains(&entry),
                "starts_with" => text.starts_with(&entry),
                _ => text.ends_with(&entry),
            })
        }),
        "matches" => value.text().map(|text| written::found(wanted.text().unwrap_or_default(), text)),
        "is" => value.bool().map(|value| Some(value) == wanted.bool()),
        "eq" | "lt" | "le" | "gt" | "ge" => match (value.number(), wanted.number()) {
            (Some(value), Some(wanted)) => Some(match operator {
                "eq" => value == wanted,
                "lt" => value < wanted,
                "le" => value <= wanted,
                "gt" => value > wanted,
                _ => value >= wanted,
            }),
            _ => None,
        },
        "before" | "after" => match (written::instant(value), wanted.text().and_then(written::time)) {
            (Some(value), Some(wanted)) => Some(if operator == "before" { value < wanted } else { value > wanted }),
            _ => None,
        },
        "in_cidr" => value.text().and_then(|text| text.parse::<IpAddr>().ok()).map(|address| {
            let networks = condition.elements("values").iter().filter_map(Json::text);
            written::held(address, &networks.filter_map(written::network).collect::<Vec<_>>())
        }),
        _ => {
            let version = |value: &Json| value.text().and_then(written::version);
            match (version(value), version(wanted)) {
                (Some(value), Some(wanted)) => {
                    let order = value.cmp(&wanted);
                    Some(match operator {
                        "semver_eq" => order.is_eq(),
                        "semver_lt" => order.is_lt(),
                        "semver_le" => order.is_le(),
                        "semver_gt" => order.is_gt(),
                        _ => order.is_ge(),
                    })
                }
                _ => None,
            }
        }
    };
    answer.map_or(Unknown, Truth::of)
}

/// The text that an operator on texts uses: for `in` a whole number is its digits (5.1).
fn used(operator: &str, value: &Json) -> Option<String> {
    let digits = value.integer().filter(|_| operator == "in").map(|whole| whole.to_string());
    value.text().map(str::to_owned).or(digits)
}

/// Character by character, by Unicode's full mapping without context (5.2).
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
