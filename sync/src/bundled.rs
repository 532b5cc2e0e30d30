//! A snapshot that is built into the app: the lowest layer.

use esclusa::sync::Request;

use crate::source::{Answer, Failure, Source};

/// A snapshot that never changes, such as `include_bytes!("flags.json")`.
#[derive(Clone, Debug)]
pub struct Bundled {
    bytes: Vec<u8>,
}

/// The source has one answer, with this tag.
const ETAG: &str = "bundled";

impl Bundled {
    /// A document or bare rows, as JSON.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Bundled { bytes: bytes.into() }
    }
}

impl Source for Bundled {
    fn name(&self) -> String {
        "bundled".to_owned()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        Ok(match request.etag.as_deref() {
            Some(ETAG) => Answer::NotModified,
            _ => Answer::Snapshot { bytes: self.bytes.clone(), etag: Some(ETAG.to_owned()) },
        })
    }

    async fn bootstrap(&mut self) -> Option<Vec<u8>> {
        Some(self.bytes.clone())
    }
}
