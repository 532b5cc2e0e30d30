//! The environment: switches over another source (section 13 of SEMANTICS.md).

use esclusa::sync::{PREFIXES, Request, switches};

use crate::source::{Answer, Failure, Source};

/// The environment variables of this process that switch flags on or off: `FEATURE_X=true`, `ENABLE_X=false`,
/// `NEXT_PUBLIC_FEATURE_X=1`.
///
/// Put it above a store with [`Layers`](crate::Layers): a switch turns a flag on or off and keeps the store's targets.
/// A flag that the store does not have is on or off for everyone.
#[derive(Clone, Debug)]
pub struct Environment {
    prefixes: Vec<String>,
    /// Whether the violations were logged: they do not change, and the source is asked repeatedly.
    is_logged: bool,
}

impl Default for Environment {
    fn default() -> Self {
        Environment::new(PREFIXES)
    }
}

impl Environment {
    /// Variables whose names begin with one of these; [`Environment::default`] takes [`PREFIXES`].
    pub fn new<P: Into<String>>(prefixes: impl IntoIterator<Item = P>) -> Self {
        Environment { prefixes: prefixes.into_iter().map(Into::into).collect(), is_logged: false }
    }
}

impl Source for Environment {
    fn name(&self) -> String {
        "environment".to_owned()
    }

    async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
        // Non-UTF-8 variables are ignored.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        let read = switches(variables, &self.prefixes);
        if !std::mem::replace(&mut self.is_logged, true) {
            for violation in read.violations {
                tracing::warn!("esclusa: environment: {violation}");
            }
        }
        Ok(read.snapshot.into())
    }
}
