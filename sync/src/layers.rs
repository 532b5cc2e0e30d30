//! Layers: several sources are merged into one (section 13 of SEMANTICS.md).

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use esclusa::FlagSet;
use esclusa::sync::{Conclusion, LayerError, LayerFailure, Layering, Request, layered};
use futures_util::future::{join_all, select_all};

use crate::source::{Answer, AnySource, Failure, MappedBy, News, Source, Translation};
use crate::status::milliseconds;
use crate::syncing::{BEGIN_WITHIN, asked, guarded};

/// Several sources as one: the environment over a store over a bundled file.
///
/// All are asked at the same time. If one fails, the merged snapshot has its last content and the answers of the
/// others; the status is then `failing`, with the name of the layer.
pub struct Layers {
    layers: Vec<Layer>,
    timeout: Duration,
    layering: Layering,
}

struct Layer {
    source: Box<dyn AnySource>,
    /// The entity tag of its last good answer.
    etag: Option<String>,
    content: Option<Vec<u8>>,
    /// Whether its content has changed since the last merge. It outlives a request that is dropped while another layer
    /// has not answered.
    is_new: bool,
}

/// The merged bytes are already a snapshot; this only knows whose mappings made it.
#[derive(Debug)]
struct Merged(Vec<Arc<dyn Translation>>);

impl Translation for Merged {
    fn set(&self, bytes: &[u8]) -> Result<FlagSet, Failure> {
        Ok(FlagSet::from_json(bytes)?)
    }

    fn native(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(bytes.to_vec())
    }

    /// The value of the uppermost layer that has one, except that an app's mapping in place of a stored one always
    /// shows.
    fn mapped_by(&self) -> Option<MappedBy> {
        let mut content = self.0.iter().filter_map(|layer| layer.mapped_by());
        let first = content.next()?;
        let is_over = first == MappedBy::AppInsteadOfStored || content.any(|by| by == MappedBy::AppInsteadOfStored);
        Some(if is_over { MappedBy::AppInsteadOfStored } else { first })
    }
}

/// Default time limit of one layer: less than the default of [`Options`](crate::Options), so that a layer that never
/// answers does not block the others.
const TIMEOUT: Duration = Duration::from_secs(20);

impl Default for Layers {
    fn default() -> Self {
        Layers { layers: Vec::new(), timeout: TIMEOUT, layering: Layering::default() }
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers").field("name", &Source::name(self)).finish_non_exhaustive()
    }
}

impl Layers {
    /// No layers yet.
    #[must_use]
    pub fn new() -> Self {
        Layers::default()
    }

    /// Adds a layer below all the others.
    #[must_use]
    pub fn layer(mut self, source: impl Source) -> Self {
        self.layers.push(Layer { source: Box::new(source), etag: None, content: None, is_new: false });
        self
    }

    /// Time limit of one layer, 20 seconds by default. It should be less than the time-out of
    /// [`Options`](crate::Options), after which no layer's answer is published.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The merged snapshot; `None` while too few layers have answered (13.12). Each content was checked before.
    fn merged(&self) -> Option<Vec<u8>> {
        let layers: Vec<Option<&[u8]>> = self.layers.iter().map(|layer| layer.content.as_deref()).collect();
        layered(&layers).ok().flatten()
    }
}

impl Layer {
    /// Asks the layer, within the time limit. One source's failure (even a panic) does not affect the others.
    async fn ask(&mut self, timeout: Duration, request: &Request) -> Result<(), Failure> {
        let request = Request { etag: self.etag.clone(), revision: None, ..*request };
        let answer = tokio::time::timeout(timeout, asked(self.source.fetch(&request), &request)).await;
        let silent = || Failure::new(format!("no answer within {} s", timeout.as_secs_f64()));
        match answer.map_err(|_| silent())?? {
            Answer::Snapshot { bytes, etag } => {
                self.take(bytes)?;
                self.etag = etag;
                Ok(())
            }
            Answer::NotModified if self.content.is_some() => Ok(()),
            Answer::NotModified => {
                self.etag = None;
                Err(Failure::new("not modified, but there is nothing yet, expected a snapshot"))
            }
        }
    }

    async fn begin(&mut self) -> Option<Vec<u8>> {
        let bytes = tokio::time::timeout(BEGIN_WITHIN, guarded(self.source.bootstrap())).await.ok()?.ok()??;
        self.native(bytes).ok()
    }

    /// Makes the source's answer the content of the layer.
    fn take(&mut self, bytes: Vec<u8>) -> Result<(), Failure> {
        Ok(self.set_content(self.native(bytes)?)?)
    }

    /// The source's answer, as a snapshot.
    fn native(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match self.source.translation() {
            Some(translation) => translation.native(&bytes),
            None => Ok(bytes),
        }
    }

    /// Replaces the content by a snapshot; anything else is an error, and the content stays (13.8).
    fn set_content(&mut self, bytes: Vec<u8>) -> Result<(), LayerError> {
        layered(&[Some(&bytes)])?;
        self.is_new |= self.content.as_ref() != Some(&bytes);
        self.content = Some(bytes);
        Ok(())
    }
}

impl Source for Layers {
    fn name(&self) -> String {
        self.layers.iter().map(|layer| layer.source.name()).collect::<Vec<_>>().join(" over ")
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let timeout = self.timeout;
        let answers = join_all(self.layers.iter_mut().map(|layer| layer.ask(timeout, request))).await;
        let mut failures = Vec::new();
        let mut is_new = false;
        for (layer, answer) in self.layers.iter_mut().zip(answers) {
            if let Err(mut failed) = answer {
                if let Some(Err(error)) = failed.instead.take().map(|instead| layer.take(instead)) {
                    failed.error = format!("{}; instead: {error}", failed.error);
                }
                failures.push(LayerFailure {
                    layer: layer.source.name(),
                    error: failed.error,
                    retry_after_ms: failed.retry_after.map(milliseconds),
                });
            }
            is_new |= std::mem::take(&mut layer.is_new);
        }
        match self.layering.conclude(request.etag.as_deref(), is_new, &failures) {
            Conclusion::NotModified => Ok(Answer::NotModified),
            Conclusion::Snapshot { etag } => {
                let bytes = self.merged().ok_or_else(|| Failure::new("no layer has answered, expected one"))?;
                Ok(Answer::Snapshot { bytes, etag: Some(etag) })
            }
            Conclusion::Failure { error, retry_after_ms, with_snapshot } => Err(Failure {
                error,
                retry_after: retry_after_ms.map(Duration::from_millis),
                instead: if with_snapshot { self.merged() } else { None },
            }),
        }
    }

    async fn news(&mut self) -> News {
        let news: Vec<_> = self.layers.iter_mut().map(|layer| layer.source.news()).collect();
        if news.is_empty() {
            return pending().await;
        }
        select_all(news).await.0
    }

    fn translation(&self) -> Option<Arc<dyn Translation>> {
        let layers: Vec<_> = self.layers.iter().filter_map(|layer| layer.source.translation()).collect();
        (!layers.is_empty()).then(|| Arc::new(Merged(layers)) as Arc<dyn Translation>)
    }

    async fn bootstrap(&mut self) -> Option<Vec<u8>> {
        // A layer that hangs does not block the others.
        let begun = self.layers.iter_mut().map(Layer::begin);
        let content = join_all(begun).await;
        for (layer, content) in self.layers.iter_mut().zip(content) {
            layer.content = content.filter(|bytes| layered(&[Some(bytes)]).is_ok());
        }
        self.merged()
    }
}
