//! How often who may report: a page 10 times at once and then once a second (1.6 of `spec/GUARD.md`), a token as often as
//! many apps need.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::StatusCode;
use esclusa::Value;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::Problem;
use crate::token::{Kind, Known};

/// What a page may send at once, and each second after that.
const PAGE: (u32, u32) = (10, 1);
/// What all apps with one token may send: a thousand that begin at once, and report each minute.
const TOKEN: (u32, u32) = (2_000, 200);
/// After how many requests those are forgotten that have been quiet.
const FORGET_EVERY: u32 = 1_000;

type Limiter = RateLimiter<String, HashMapStateStore<String>, DefaultClock>;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

pub(super) struct RateLimits {
    pages: Limiter,
    tokens: Limiter,
    asked: AtomicU32,
}

impl RateLimits {
    pub(super) fn new() -> Self {
        let limiter = |(burst, per_second): (u32, u32)| {
            let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
            RateLimiter::hashmap(Quota::per_second(number(per_second)).allow_burst(number(burst)))
        };
        RateLimits { pages: limiter(PAGE), tokens: limiter(TOKEN), asked: AtomicU32::new(0) }
    }

    /// Counts a request from this address.
    ///
    /// # Errors
    /// 429, with the seconds after which it may come again.
    pub(super) fn take(&self, known: &Known, from: &str) -> Result<(), Problem> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.pages.retain_recent();
        }
        if known.kind == Kind::Client {
            ask(&self.pages, &format!("{} {from}", known.id))?;
        }
        ask(&self.tokens, &known.id)
    }
}

fn ask(limiter: &Limiter, key: &String) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("too many requests, expected the next one in {seconds} s");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).with("retry_after_s", Value::from(seconds)).retry(seconds)
    })
}
