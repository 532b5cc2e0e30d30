//! What an app supplies each time a connection is made: an address or a password that changes.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::source::Failure;

/// How long connecting, and each query or command, may take unless the app says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Gives the text each time a connection is made.
pub(crate) type Supplier = Box<dyn Fn() -> BoxFuture<'static, Result<String, Failure>> + Send + Sync>;

pub(crate) fn supplier<F>(supply: impl Fn() -> F + Send + Sync + 'static) -> Supplier
where
    F: Future<Output = Result<String, Failure>> + Send + 'static,
{
    Box::new(move || Box::pin(supply()))
}
