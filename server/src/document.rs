//! The snapshot as it is handed on to clients that evaluate by themselves: the text, packed once, and its entity tag.

use std::io::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use xxhash_rust::xxh3::xxh3_64;

/// A snapshot.
#[derive(Debug)]
pub(crate) struct Document {
    plain: Bytes,
    packed: OnceLock<Bytes>,
    /// `<revision>-<hash>`, without quotation marks: the hash tells snapshots apart that have no revision.
    tag: String,
}

impl Document {
    pub(crate) fn new(json: Vec<u8>, revision: Option<u64>) -> Self {
        let revision = revision.map_or_else(|| "none".to_owned(), |revision| revision.to_string());
        let tag = format!("{revision}-{:016x}", xxh3_64(&json));
        Document { plain: json.into(), packed: OnceLock::new(), tag }
    }

    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    pub(crate) fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    /// The text in gzip. The first call packs it, which takes a while for a long text.
    pub(crate) fn packed(&self) -> Bytes {
        let pack = || {
            let mut packer = GzEncoder::new(Vec::new(), Compression::default());
            // Writing into memory does not fail.
            packer.write_all(&self.plain).and_then(|()| packer.finish()).map(Bytes::from).unwrap_or_default()
        };
        self.packed.get_or_init(pack).clone()
    }

    /// The packed text, if it is there already.
    pub(crate) fn packed_before(&self) -> Option<Bytes> {
        self.packed.get().cloned()
    }
}
