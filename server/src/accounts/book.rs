//! What the store keeps of accounts, sessions and tokens, as it was read last.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use esclusa::Time;

use super::millis;
use crate::problem::Problem;
use crate::role::{Caller, Role};
use crate::store::statement::{Cell, Cells, Statement};
use crate::token::{Kind, Token};

/// A person.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    /// Its hash.
    pub(crate) password: String,
    pub(crate) role: Role,
    pub(crate) may_roll_back: bool,
    pub(crate) company: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) created: Time,
}

impl Account {
    pub(crate) fn caller(&self, session: &str) -> Caller {
        Caller {
            name: self.name.clone(),
            role: self.role,
            may_roll_back: self.may_roll_back || self.role == Role::Admin,
            company: self.company.clone(),
            account: Some(self.id.clone()),
            session: Some(session.to_owned()),
        }
    }

    fn of(cells: &Cells) -> Option<Self> {
        let [id, email, name, password, role, may_roll_back, company, locale, created] = cells.as_slice() else {
            return None;
        };
        let text = |cell: &Cell| cell.as_text().map(str::to_owned);
        Some(Account {
            id: text(id)?,
            email: text(email)?,
            name: text(name)?,
            password: text(password)?,
            role: Role::named(role.as_text()?)?,
            may_roll_back: may_roll_back.is(),
            company: text(company),
            locale: text(locale),
            created: Time::from_millis(created.as_whole()?),
        })
    }
}

/// Who a session is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Account(String),
    Token(String),
}

/// A session that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) holder: Holder,
    pub(crate) address: String,
    pub(crate) began: Time,
    pub(crate) expires: Time,
}

/// A token that is kept, beside what the configuration would say of it.
#[derive(Clone, Debug)]
pub(crate) struct KeptToken {
    pub(crate) token: Token,
    pub(crate) created: Time,
    pub(crate) used: Option<Time>,
}

/// All of it.
#[derive(Clone, Default)]
pub(crate) struct Book {
    /// Whether there is a place where all this is kept.
    pub(crate) is_kept: bool,
    accounts: HashMap<String, Arc<Account>>,
    /// By the SHA-256 of what the cookie holds.
    sessions: HashMap<String, Arc<Kept>>,
    pub(crate) tokens: Vec<KeptToken>,
}

impl Book {
    /// What is asked of the store.
    pub(super) fn statements() -> [Statement; 3] {
        [
            Statement::new(
                "SELECT CAST(id AS text), email, name, password, role, may_roll_back, company, locale, created_at_ms
                    FROM esclusa_server.account",
                Vec::new(),
            ),
            Statement::new(
                "SELECT id, sha256, CAST(account AS text), token, address, began_at_ms, expires_at_ms
                    FROM esclusa_server.session",
                Vec::new(),
            ),
            Statement::new(
                "SELECT id, kind, sha256, name, role, origins, company, expires_at_ms, used_at_ms, created_at_ms
                    FROM esclusa_server.token",
                Vec::new(),
            ),
        ]
    }

    /// What the store has answered, and the tokens in it. A row that cannot be read is refused.
    pub(super) fn of(rows: Vec<Vec<Cells>>) -> Result<(Self, Vec<Token>), Problem> {
        let [accounts, sessions, tokens] = <[_; 3]>::try_from(rows)
            .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the accounts cannot be read"))?;
        let accounts = accounts.iter().filter_map(Account::of);
        let tokens: Vec<KeptToken> = tokens.iter().filter_map(token).collect();
        let kept = tokens.iter().map(|kept| kept.token.clone()).collect();
        let book = Book {
            is_kept: true,
            accounts: accounts.map(|account| (account.id.clone(), Arc::new(account))).collect(),
            sessions: sessions.iter().filter_map(session).collect(),
            tokens,
        };
        Ok((book, kept))
    }

    pub(crate) fn account(&self, id: &str) -> Option<Arc<Account>> {
        self.accounts.get(id).cloned()
    }

    pub(crate) fn by_email(&self, email: &str) -> Option<Arc<Account>> {
        self.accounts.values().find(|account| account.email == email).cloned()
    }

    /// All accounts, by their addresses.
    pub(crate) fn accounts(&self) -> Vec<Arc<Account>> {
        let mut accounts: Vec<_> = self.accounts.values().cloned().collect();
        accounts.sort_by(|one, other| one.email.cmp(&other.email));
        accounts
    }

    /// The session whose cookie has this hash.
    pub(crate) fn session(&self, sha256: &str) -> Option<Arc<Kept>> {
        self.sessions.get(sha256).cloned()
    }

    /// All sessions, the newest first.
    pub(crate) fn sessions(&self) -> Vec<Arc<Kept>> {
        let mut sessions: Vec<_> = self.sessions.values().cloned().collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.began, session.id.clone())));
        sessions
    }
}

fn session(cells: &Cells) -> Option<(String, Arc<Kept>)> {
    let [id, sha256, account, token, address, began, expires] = cells.as_slice() else { return None };
    let holder = match (account.as_text(), token.as_text()) {
        (Some(account), None) => Holder::Account(account.to_owned()),
        (None, Some(token)) => Holder::Token(token.to_owned()),
        _ => return None,
    };
    let kept = Kept {
        id: id.as_text()?.to_owned(),
        holder,
        address: address.as_text()?.to_owned(),
        began: Time::from_millis(began.as_whole()?),
        expires: Time::from_millis(expires.as_whole()?),
    };
    Some((sha256.as_text()?.to_owned(), Arc::new(kept)))
}

fn token(cells: &Cells) -> Option<KeptToken> {
    let [id, kind, sha256, name, role, origins, company, expires, used, created] = cells.as_slice() else {
        return None;
    };
    let text = |cell: &Cell| cell.as_text().map(str::to_owned);
    let role = match role.as_text() {
        None => None,
        Some(role) => Some(Role::named(role)?),
    };
    let token = Token {
        kind: Kind::named(kind.as_text()?)?,
        id: text(id)?,
        sha256: text(sha256)?,
        name: text(name),
        role,
        origins: origins.as_text()?.lines().map(str::to_owned).collect(),
        expires: expires.as_whole().map(|expires| Time::from_millis(expires).to_string()),
        company: text(company),
    };
    Some(KeptToken {
        token,
        created: Time::from_millis(created.as_whole()?),
        used: used.as_whole().map(Time::from_millis),
    })
}

/// Writes down when a token was used.
pub(super) fn used(id: &str, at: Time) -> Statement {
    let sql = "UPDATE esclusa_server.token SET used_at_ms = $1 WHERE id = $2 AND coalesce(used_at_ms, 0) < $1";
    Statement::new(sql, vec![millis(at), Cell::text(id)])
}
