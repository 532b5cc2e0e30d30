//! The fixed fields of a context (3.2 to 3.4 of SEMANTICS.md), by their names.

use std::fmt;

/// The fixed fields of a context; the last one, which holds a list, is stored separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    User,
    Company,
    Plan,
    Region,
    Roles,
}

impl Field {
    /// The field that a name in a condition or a unit means (sentence 3.7).
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "user" | "targetingKey" => Some(Field::User),
            "company" => Some(Field::Company),
            "plan" => Some(Field::Plan),
            "region" => Some(Field::Region),
            "role" | "roles" => Some(Field::Roles),
            _ => None,
        }
    }
}

impl Field {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Field::User => "user",
            Field::Company => "company",
            Field::Plan => "plan",
            Field::Region => "region",
            Field::Roles => "roles",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
