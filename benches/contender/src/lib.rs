//! A contender of the speed comparison: answers, one line of JSON for each line with the name of a workload, what one
//! round of it took. `benches/README.md` is the protocol.
//!
//! What an engine has to say about itself is the trait [`Contender`]; the rest is the same for all of them. It is
//! generic, so that between the clock and an engine there is no call that the engine would not have in a service.
//! It knows nothing of any engine.

mod answering;
mod heap;
mod loading;
mod population;
mod rounds;
mod session;
mod threads;
mod turns;
mod workload;

use std::error::Error;
use std::pin::pin;
use std::task::{Poll, Waker};

pub use answering::{Entry, main};
pub use population::{Caller, Population, Targets};
pub use workload::{Callers, Context, Workload};

/// A result whose error is text for the reader of the comparison.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// An engine, with its flags loaded.
pub trait Contender: Sized + Send + Sync + 'static {
    /// Its name on the command line and in the results.
    const NAME: &'static str;
    /// Its configuration, in one sentence: which calls are timed, and what could not be turned off.
    const ABOUT: &'static str;
    /// Whether it evaluates at all; a plain reader of documents has no answers to check.
    const ANSWERS: bool = true;

    /// A caller in the engine's own form.
    type Context<'p>: Send + Sync;
    /// A document, prepared as far as the engine's way of updating allows before it is applied: compiled, or only
    /// parsed.
    type Snapshot: Send;

    /// The version of the engine.
    fn version() -> String;

    /// Why it cannot do a workload.
    fn skip(workload: Workload) -> Option<&'static str> {
        let _ = workload;
        None
    }

    /// The engine's own document of that many flags, each of which also targets the first `companies` companies if that
    /// is not 0.
    /// that is not 0.
    ///
    /// # Errors
    ///
    /// What the engine cannot express.
    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>>;

    /// Prepares a document.
    ///
    /// # Errors
    ///
    /// What the engine does not take.
    fn read(document: &[u8]) -> Result<Self::Snapshot>;

    /// An engine that is ready to answer.
    ///
    /// # Errors
    ///
    /// What the engine does not take.
    fn new(snapshot: Self::Snapshot) -> Result<Self>;

    /// Replaces the flags, while other threads evaluate them.
    ///
    /// # Errors
    ///
    /// What the engine does not take.
    fn publish(&self, snapshot: Self::Snapshot) -> Result<()>;

    /// A caller in the engine's own form.
    fn context(caller: &Caller) -> Self::Context<'_>;

    /// Whether a flag is on.
    fn is_on(&self, key: &str, context: &Self::Context<'_>) -> bool;

    /// How many of these flags, which are all flags of the engine, are on.
    fn count_on(&self, keys: &[String], context: &Self::Context<'_>) -> usize {
        keys.iter().filter(|key| self.is_on(key, context)).count()
    }

    /// Evaluates a flag that was looked up before; `None` if the engine has no such way.
    fn by_key(&self, key: &str) -> Option<impl FnMut(&Self::Context<'_>) -> bool + 'static> {
        let _ = key;
        None::<fn(&Self::Context<'_>) -> bool>
    }
}

/// The result of a future that is ready: an engine may be asynchronous and yet answer from memory.
pub fn ready<F: Future>(future: F) -> F::Output {
    let (mut future, mut context) = (pin!(future), std::task::Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        // It only waits for another thread's short lock, so it is polled again without a waker.
        std::hint::spin_loop();
    }
}

/// The version of a crate in the text of a `Cargo.lock`, so that no version is repeated.
#[must_use]
pub fn locked(lock: &str, name: &str) -> String {
    let title = format!("name = \"{name}\"");
    let mut lines = lock.lines().skip_while(|line| *line != title);
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \""));
    version.map_or("unknown", |version| version.trim_end_matches('"')).to_owned()
}
