//! The list of faults: what servers do to a client, and what the client must report. Every language runs it.

use serde::{Deserialize, Serialize};

use crate::proxy::ProxyFault;
use crate::store::{RetryAfter, StoreFault};

/// The time-out for which the list is made: a client under test waits at most this long for a whole answer.
pub const TIMEOUT_MS: u64 = 500;

/// The largest answer for which the list is made: a client under test reads no further.
pub const MAX_BYTES: usize = 1 << 20;

/// How long the list's slowest answers are silent: longer than any client under test waits.
pub const SILENCE_MS: u64 = 60_000;

/// A fault of either server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fault {
    /// Of the HTTP store.
    Store(StoreFault),
    /// Of the proxy before it.
    Proxy(ProxyFault),
}

/// The expected state of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// A client with an answer fails, reports it, and keeps its answers.
    Failing,
    /// A client without an answer stays in `starting` and reports why; one with an answer stays fresh.
    Starting,
    /// A client with an answer stays fresh.
    Fresh,
}

/// One fault of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Unique.
    pub name: &'static str,
    /// A description of the fault.
    pub about: &'static str,
    /// The command for the servers.
    pub fault: Fault,
    /// The expected state of the client.
    pub expected: Expected,
    /// Texts that the status's error must contain, in small letters.
    pub says: &'static [&'static str],
}

const fn store(
    name: &'static str,
    about: &'static str,
    fault: StoreFault,
    expected: Expected,
    says: &'static [&'static str],
) -> Case {
    Case { name, about, fault: Fault::Store(fault), expected, says }
}

const fn proxy(
    name: &'static str,
    about: &'static str,
    fault: ProxyFault,
    expected: Expected,
    says: &'static [&'static str],
) -> Case {
    Case { name, about, fault: Fault::Proxy(fault), expected, says }
}

const fn status(status: u16, retry_after: Option<RetryAfter>) -> StoreFault {
    StoreFault::Status { status, retry_after }
}

use Expected::{Failing, Fresh, Starting};

/// Every fault that a client must withstand.
#[rustfmt::skip]
pub const FAULTS: &[Case] = &[
    store("not_modified_without_a_snapshot", "304 to a client that has nothing yet", StoreFault::NotModified, Starting, &["not modified"]),
    store("unauthorized", "401", status(401, None), Failing, &["401"]),
    store("not_found", "404", status(404, None), Failing, &["404"]),
    store("too_many_requests", "429 with Retry-After in seconds", status(429, Some(RetryAfter::Seconds(1))), Failing, &["429"]),
    store("internal_error", "500", status(500, None), Failing, &["500"]),
    store("unavailable", "503 without Retry-After", status(503, None), Failing, &["503"]),
    store("unavailable_until", "503 with Retry-After as a date", status(503, Some(RetryAfter::Date(1))), Failing, &["503"]),
    store("html", "200 with a page for people", StoreFault::Html, Failing, &["json"]),
    store("truncated", "half a snapshot, with the Content-Length of the half", StoreFault::Truncated, Failing, &["json"]),
    store("empty", "200 without a body", StoreFault::Empty, Failing, &["empty"]),
    store("no_rows", "200 with an empty array, as a table behind row-level security", StoreFault::NoRows, Failing, &["no rows"]),
    store("cut_table", "200 with a part of a table, and a Content-Range that says so", StoreFault::CutTable, Failing, &["the rows 0-0 of 5"]),
    store("cut_table_uncounted", "the same, and the number of rows is told only on demand", StoreFault::CutTableUncounted, Failing, &["the rows 0-0 of 5"]),
    store("partial_content", "206", StoreFault::PartialContent, Failing, &["206"]),
    store("older", "the first snapshot again, whose revision is lower", StoreFault::Older, Failing, &["older"]),
    store("huge", "300 MB without Content-Length", StoreFault::Huge, Failing, &["at most"]),
    store("huge_declared", "Content-Length says 300 MB, and they come", StoreFault::HugeDeclared, Failing, &["at most"]),
    store("length_too_long", "Content-Length says more than comes, then the connection is closed", StoreFault::LengthTooLong, Failing, &["broke off"]),
    store("length_too_short", "Content-Length says less than there is", StoreFault::LengthTooShort, Failing, &["json"]),
    store("bomb", "gzip of 300 KB that unpacks to 300 MB", StoreFault::Bomb, Failing, &["at most"]),
    store("broken_gzip", "bytes that are called gzip and are not", StoreFault::BrokenGzip, Failing, &["broke off"]),
    store("redirect_loop", "a redirect to itself without end", StoreFault::RedirectLoop, Failing, &["redirect"]),
    store("redirect_elsewhere", "a redirect to another origin, which has the snapshot and must not see what authorizes", StoreFault::RedirectElsewhere, Fresh, &[]),
    store("new_etag_each_time", "the same snapshot under an ever new entity tag", StoreFault::NewEtagEachTime, Fresh, &[]),
    proxy("refuse", "nobody listens", ProxyFault::Refuse, Failing, &["connect"]),
    proxy("silent", "connections are accepted, nothing is answered", ProxyFault::Silent, Failing, &["within"]),
    proxy("half_open", "open connections stay open, and nothing passes", ProxyFault::HalfOpen, Failing, &["within"]),
    proxy("cut", "connections are closed as soon as they are accepted", ProxyFault::Cut, Failing, &["broke off"]),
    proxy("reset_at_once", "a reset before the first byte of the answer", ProxyFault::Reset { after: 0 }, Failing, &["broke off"]),
    proxy("reset_in_the_head", "a reset after 30 bytes of the answer", ProxyFault::Reset { after: 30 }, Failing, &["broke off"]),
    proxy("slow", "one byte of the answer each 200 ms", ProxyFault::Slow { ms: 200 }, Failing, &["within"]),
    proxy("delay", "an answer that is a little late", ProxyFault::Delay { ms: 20 }, Fresh, &[]),
    proxy("late", "an answer that is later than a client waits", ProxyFault::Delay { ms: SILENCE_MS }, Failing, &["within"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FAULTS, Fault};

    #[test]
    fn names_are_unique_and_every_fault_survives_json() {
        let names: BTreeSet<&str> = FAULTS.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), FAULTS.len());
        for case in FAULTS {
            let json = serde_json::to_string(&case.fault).expect("it is data");
            assert_eq!(serde_json::from_str::<Fault>(&json).expect("it can be read"), case.fault, "{json}");
        }
    }
}
