//! Staying fresh (sections 11 and 13 of SEMANTICS.md): everything that every host must decide alike, without I/O and
//! without a clock. Hosts bring sockets, files and timers.

mod answer;
mod decision;
mod environment;
mod event_stream;
mod layering;
mod layers;
mod policy;
mod protocol;
mod redaction;
mod retry_after;
mod status;
mod understood;

pub use answer::{Rows, has_no_rows, should_save};
pub use decision::decide;
pub use environment::{PREFIXES, Switches, switches};
pub use event_stream::EventReader;
pub use layering::{Conclusion, LayerFailure, Layering};
pub use layers::{LayerError, layered};
pub use policy::{Policy, PolicyError};
pub use protocol::{Action, MAX_RETRY_AFTER_MS, Protocol, READ_IN_FULL_EVERY_MS, Request, Response};
pub use redaction::redacted;
pub use retry_after::retry_after_ms;
pub use status::{State, Status};
pub use understood::{Understood, understood};
