//! The provider: what the SDK asks.

use std::fmt;
#[cfg(feature = "sync")]
use std::sync::Arc;
#[cfg(feature = "sync")]
use std::time::Duration;

use esclusa::Flags;
#[cfg(feature = "sync")]
use esclusa_sync::{State, Syncing};
use open_feature::provider::{FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails};
use open_feature::{EvaluationContext, EvaluationResult, Hook, HookWrapper, StructValue, async_trait};

use crate::answer::{Asked, answer};
use crate::caller::Callers;

/// Default time limit of initialising.
#[cfg(feature = "sync")]
const INITIALIZATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Gives the values of a [`Flags`] to the clients of OpenFeature.
pub struct EsclusaProvider {
    flags: Flags,
    metadata: ProviderMetadata,
    hooks: Vec<HookWrapper>,
    callers: Callers,
    is_initialized: bool,
    #[cfg(feature = "sync")]
    syncing: Option<Arc<Syncing>>,
    #[cfg(feature = "sync")]
    initialization_timeout: Duration,
}

impl EsclusaProvider {
    /// A provider of these flags, into which the app or a source goes on publishing.
    #[must_use]
    pub fn new(flags: &Flags) -> Self {
        EsclusaProvider {
            flags: flags.clone(),
            metadata: ProviderMetadata::new("esclusa"),
            hooks: Vec::new(),
            callers: Callers::default(),
            is_initialized: false,
            #[cfg(feature = "sync")]
            syncing: None,
            #[cfg(feature = "sync")]
            initialization_timeout: INITIALIZATION_TIMEOUT,
        }
    }

    /// The sync that keeps the flags fresh: initialising waits for its first good answer, and the status follows it.
    #[cfg(feature = "sync")]
    #[must_use]
    pub fn syncing(mut self, syncing: impl Into<Arc<Syncing>>) -> Self {
        self.syncing = Some(syncing.into());
        self
    }

    /// Time limit of initialising, the wait for the source's first good answer; 10 seconds by default.
    #[cfg(feature = "sync")]
    #[must_use]
    pub fn initialization_timeout(mut self, timeout: Duration) -> Self {
        self.initialization_timeout = timeout;
        self
    }

    /// A hook that the SDK runs at every evaluation that this provider answers.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(HookWrapper::new(hook));
        self
    }

    fn resolve<T: Asked>(&self, key: &str, context: &EvaluationContext) -> EvaluationResult<ResolutionDetails<T>> {
        let caller = self.callers.read(context);
        let set = self.flags.current();
        let resolution = set.resolve_by(key, &caller, || self.flags.now());
        answer(key, &resolution, set.revision())
    }

    #[cfg(feature = "sync")]
    async fn wait(&self) {
        if let Some(syncing) = &self.syncing {
            syncing.ready(self.initialization_timeout).await;
        }
    }

    #[cfg(not(feature = "sync"))]
    async fn wait(&self) {}

    #[cfg(feature = "sync")]
    fn is_fresh(&self) -> bool {
        self.syncing.as_ref().is_none_or(|syncing| syncing.status().state == State::Fresh)
    }

    #[cfg(not(feature = "sync"))]
    fn is_fresh(&self) -> bool {
        true
    }
}

#[async_trait]
impl FeatureProvider for EsclusaProvider {
    /// Waits for the source's first good answer, if there is a source.
    async fn initialize(&mut self, _: &EvaluationContext) {
        self.wait().await;
        self.is_initialized = true;
    }

    /// Ready once something is published, and stale while its source fails or is stale; without a snapshot an error
    /// after initialising, and not ready before.
    fn status(&self) -> ProviderStatus {
        match (self.is_initialized, self.flags.current().is_ready()) {
            (false, _) => ProviderStatus::NotReady,
            (true, false) => ProviderStatus::Error,
            (true, true) if self.is_fresh() => ProviderStatus::Ready,
            (true, true) => ProviderStatus::STALE,
        }
    }

    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    fn hooks(&self) -> &[HookWrapper] {
        &self.hooks
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(flag_key, context)
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve(flag_key, context)
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve(flag_key, context)
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve(flag_key, context)
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve(flag_key, context)
    }
}

impl fmt::Debug for EsclusaProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EsclusaProvider").field("status", &self.status()).finish_non_exhaustive()
    }
}
