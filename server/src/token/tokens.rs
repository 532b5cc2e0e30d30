//! All tokens that are known: those of the configuration, and those that the store keeps.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use esclusa::Time;
use hmac::Mac;
use subtle::ConstantTimeEq;

use super::{Kind, Known, Secret, Token, TokenError, day, digest, events, unhex};

/// All tokens by their ids.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// Those of the configuration.
    own: HashMap<String, Arc<Known>>,
    /// Those that are kept in the store.
    kept: RwLock<HashMap<String, Arc<Known>>>,
}

impl Tokens {
    pub(crate) fn new(tokens: &[Token]) -> Result<Self, TokenError> {
        let mut own = HashMap::new();
        for token in tokens {
            if own.insert(token.id.clone(), Arc::new(Known::check(token)?)).is_some() {
                return Err(TokenError(format!("token `{}` is there twice", token.id)));
            }
        }
        Ok(Tokens { own, kept: RwLock::default() })
    }

    /// Takes what the store keeps now. A token that cannot be one lets nobody in.
    pub(crate) fn keep(&self, tokens: &[Token]) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let known = |token: &Token| {
            let known = Known::check(token).ok()?;
            if let Some(before) = kept.get(&token.id) {
                known.used.store(before.used.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            Some((token.id.clone(), Arc::new(known)))
        };
        let taken = tokens.iter().filter_map(known).collect();
        *kept = taken;
    }

    /// The kept tokens that were used since this was asked last, and when.
    pub(crate) fn used(&self) -> Vec<(String, Time)> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let used = |known: &Arc<Known>| match known.used.swap(0, Ordering::Relaxed) {
            0 => None,
            at => Some((known.id.clone(), Time::from_millis(at))),
        };
        kept.values().filter_map(used).collect()
    }

    fn get(&self, id: &str) -> Option<Arc<Known>> {
        let kept = || self.kept.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        self.own.get(id).cloned().or_else(kept)
    }

    /// The token of this id, if its time is not over.
    pub(crate) fn by_id(&self, id: &str, now: Time) -> Option<Arc<Known>> {
        self.get(id).filter(|known| !known.is_over(now))
    }

    fn any(&self, is: impl Fn(&Known) -> bool) -> bool {
        let kept = || self.kept.read().unwrap_or_else(PoisonError::into_inner).values().any(|known| is(known));
        self.own.values().any(|known| is(known)) || kept()
    }

    /// The token with this text, if it is one and its time is not over.
    pub(crate) fn find(&self, text: &str, now: Time) -> Option<Arc<Known>> {
        let secret = Secret::parse(text).ok()?;
        let known = self.get(&secret.id).filter(|known| known.kind == secret.kind && !known.is_over(now))?;
        if !bool::from(digest(text).ct_eq(&known.sha256)) {
            return None;
        }
        known.used.store(now.as_millis(), Ordering::Relaxed);
        Some(known)
    }

    /// The token that an address of events was made for.
    pub(crate) fn of_ticket(&self, ticket: &str, now: Time) -> Option<Arc<Known>> {
        let (id, rest) = ticket.split_once('.')?;
        let (day_of_ticket, proof) = rest.split_once('.')?;
        let day_of_ticket: i64 = day_of_ticket.parse().ok()?;
        let is_recent = (0..=1).contains(&day(now).saturating_sub(day_of_ticket));
        let known = self.get(id).filter(|known| is_recent && !known.is_over(now))?;
        known.proof(&events(day_of_ticket)).verify_slice(&unhex(proof)?).is_ok().then_some(known)
    }

    /// The token that a session was begun with, and until when the session holds.
    pub(crate) fn of_session(&self, session: &str, now: Time) -> Option<(Arc<Known>, Time)> {
        let (id, rest) = session.split_once('.')?;
        let (until, proof) = rest.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        let known = self.get(id).filter(|known| now.as_millis() < until && !known.is_over(now))?;
        let is_proof = known.proof(&format!("session {until}")).verify_slice(&unhex(proof)?).is_ok();
        is_proof.then_some((known, Time::from_millis(until)))
    }

    /// Whether there is one of this kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.any(|token| token.kind == kind)
    }

    /// Whether a page of this origin may use any token.
    pub(crate) fn allow(&self, origin: &str) -> bool {
        self.any(|token| token.allows(Some(origin)))
    }
}
