//! Roles of people and of admin tokens, and what each address needs of who asks.

use serde::Deserialize;

use crate::access::Denied;

/// What somebody may do with flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees flags with their history, explains and previews.
    Viewer,
    /// Changes flags besides.
    Editor,
    /// Does everything, accounts and tokens among it.
    Admin,
}

impl Role {
    /// The role as accounts name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Admin => "admin",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Role::Viewer, Role::Editor, Role::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// What an address needs of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing; or the address looks at the token itself, as those for apps do.
    Nothing,
    See,
    Change,
    RollBack,
    Administer,
}

/// Who asks: a person, or a program with an admin token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Whom the history names.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// A right of its own, which a viewer on call may have.
    pub(crate) may_roll_back: bool,
    /// The only company that this caller sees.
    pub(crate) company: Option<String>,
    /// The id of the account, if it is one.
    pub(crate) account: Option<String>,
    /// The id of the session, if it is kept.
    pub(crate) session: Option<String>,
}

impl Caller {
    /// # Errors
    /// When this caller may not do that.
    pub(crate) fn may(&self, need: Need) -> Result<(), Denied> {
        let may = match need {
            Need::Nothing => return Ok(()),
            // These addresses show every company. What a company may do has addresses of its own.
            _ if self.company.is_some() => return Err(Denied::Scope),
            Need::See => true,
            Need::Change => self.role != Role::Viewer,
            Need::RollBack => self.may_roll_back || self.role == Role::Admin,
            Need::Administer => self.role == Role::Admin,
        };
        if may { Ok(()) } else { Err(Denied::Role(need)) }
    }
}
