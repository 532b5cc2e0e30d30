//! A trip laid over a finished set: its flag is off, as if the trip stood in its `guard_state`.

use std::borrow::Cow;

use super::Compiler;
use crate::fingerprint::{fingerprint, mix};
use crate::flag_set::{FlagId, State};
use crate::guarded::Guard;
use crate::value::Value;

impl Compiler {
    /// Lays a trip over a flag, unless it has tripped already.
    pub(crate) fn trip(&mut self, id: FlagId, trip: &Value<'static>) {
        let print = fingerprint(trip);
        for guards in &mut self.set.guards {
            let guard = guards.entry(id).or_insert(Guard { policy: None, run: 1, trip: None });
            if guard.trip.is_some() {
                return;
            }
            guard.trip = Some(Cow::Owned(trip.clone()));
        }
        self.settle(id, |flag, origin| {
            if matches!(flag.state, State::Open | State::Completed) {
                flag.state = State::Disabled;
            }
            origin.enabled = false;
            origin.own_fingerprint = mix(origin.own_fingerprint, print);
        });
    }
}
