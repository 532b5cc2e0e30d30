//! What an app supplies for each connection: an address or a password that changes.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::source::Failure;

/// Default time limit of connecting, and of each query or command.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Gives the text for each connection.
pub(crate) type Supplier = Box<dyn Fn() -> BoxFuture<'static, Result<String, Failure>> + Send + Sync>;

pub(crate) fn supplier<F>(supply: impl Fn() -> F + Send + Sync + 'static) -> Supplier
where
    F: Future<Output = Result<String, Failure>> + Send + 'static,
{
    Box::new(move || Box::pin(supply()))
}
