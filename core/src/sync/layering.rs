//! The answer of a source of layers to one request, once every layer has answered (13.11).

/// The numbers that a source of layers keeps from one request to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layering {
    /// Counts the different merged snapshots so far: the entity tag of the merged snapshot.
    pub made: u64,
    /// The count of the merged snapshot that was returned last.
    pub given: u64,
}

/// Why a layer did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFailure {
    /// The name of the layer's source.
    pub layer: String,
    /// What went wrong.
    pub error: String,
    /// The wait that its store asks for.
    pub retry_after_ms: Option<u64>,
}

/// What a source of layers answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing has changed since the entity tag of the request.
    NotModified,
    /// The merged snapshot, with this entity tag.
    Snapshot {
        /// The entity tag.
        etag: String,
    },
    /// A failure, because a layer failed.
    Failure {
        /// The errors of all layers that failed.
        error: String,
        /// The longest wait that a store asks for.
        retry_after_ms: Option<u64>,
        /// Whether the merged snapshot comes with it, because it was not returned yet.
        with_snapshot: bool,
    },
}

impl Layering {
    /// Concludes a request with this entity tag; `is_new` if the content of any layer has changed.
    pub fn conclude(&mut self, etag: Option<&str>, is_new: bool, failures: &[LayerFailure]) -> Conclusion {
        self.made += u64::from(is_new || self.made == 0);
        let own = self.made.to_string();
        let is_given = std::mem::replace(&mut self.given, self.made) == self.made;
        if failures.is_empty() {
            return if etag == Some(&own) { Conclusion::NotModified } else { Conclusion::Snapshot { etag: own } };
        }
        let errors: Vec<String> =
            failures.iter().map(|failure| [&failure.layer, ": ", &failure.error].concat()).collect();
        Conclusion::Failure {
            error: errors.join("; "),
            retry_after_ms: failures.iter().filter_map(|failure| failure.retry_after_ms).max(),
            with_snapshot: !is_given,
        }
    }
}
