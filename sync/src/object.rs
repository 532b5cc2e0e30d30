//! Object stores: an object in S3, Google Cloud Storage, Azure or a local folder, requested with its entity tag.

use std::fmt;
use std::sync::Arc;

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::Request;
use futures_util::StreamExt;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetResult, ObjectStore};

use crate::source::{Answer, Failure, Source};

/// A snapshot in an object store, in any that the crate `object_store` knows. It is asked for once an interval; while its
/// entity tag is the same, it is not read.
///
/// ```
/// use std::sync::Arc;
///
/// use esclusa_sync::Object;
/// use esclusa_sync::object_store::memory::InMemory;
///
/// let source = Object::new(Arc::new(InMemory::new()), "flags/production.json");
/// ```
///
/// For a store in a cloud, name the crate in your own `Cargo.toml`, with the feature of that cloud
/// (`object_store = { version = "0.14", features = ["aws"] }`), and build the store with it:
///
/// ```text
/// let retry = RetryConfig { max_retries: 1, ..RetryConfig::default() };
/// let s3 = AmazonS3Builder::from_env().with_bucket_name("flags").with_retry(retry).build()?;
/// let source = Object::new(Arc::new(s3), "production.json");
/// ```
///
/// This crate tries again by itself, so few retries in the store are enough. By default the store goes on for three
/// minutes, and the status then says only that there was no answer in time.
pub struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("name", &Source::name(self)).finish_non_exhaustive()
    }
}

impl Object {
    /// The object at this path of the store. It need not exist yet.
    pub fn new(store: Arc<dyn ObjectStore>, path: impl AsRef<str>) -> Self {
        Object { store, path: Path::from(path.as_ref()) }
    }
}

impl Source for Object {
    /// The store's own name, and the path: `AmazonS3(flags)/production.json`.
    fn name(&self) -> String {
        format!("{}/{}", self.store, self.path)
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        // A tag may stay the same while the content changes, so it is sometimes left out (11.16).
        let if_none_match = request.etag.clone().filter(|_| !request.in_full);
        match self.store.get_opts(&self.path, GetOptions { if_none_match, ..GetOptions::default() }).await {
            Ok(object) => {
                let etag = object.meta.e_tag.clone();
                Ok(Answer::Snapshot { bytes: read(object).await?, etag })
            }
            Err(Error::NotModified { .. }) => Ok(Answer::NotModified),
            Err(error) => Err(error.into()),
        }
    }
}

/// The whole object, unless it exceeds the limit.
async fn read(object: GetResult) -> Result<Vec<u8>, Failure> {
    let too_long = || Failure::new(format!("the object is too long, expected at most {MAX_SNAPSHOT_BYTES} bytes"));
    if object.meta.size > MAX_SNAPSHOT_BYTES as u64 {
        return Err(too_long());
    }
    let (mut bytes, mut pieces) = (Vec::new(), object.into_stream());
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        if piece.len() > MAX_SNAPSHOT_BYTES - bytes.len() {
            return Err(too_long());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
