//! What a text holds as a snapshot (2.1).

use super::checking;
use super::json::Json;

/// What a snapshot holds.
pub(crate) struct Document {
    pub(crate) revision: Option<u64>,
    pub(crate) flags: Vec<Json>,
    pub(crate) segments: Vec<Json>,
    /// The place of the flags.
    pub(crate) root: &'static str,
    pub(crate) ignored: Vec<String>,
}

/// What a snapshot holds, or `None` if it is refused whole (2.1).
pub(crate) fn document(text: &[u8]) -> Option<Document> {
    if text.len() > 268_435_456 {
        return None;
    }
    let json = Json::parse(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text))?;
    if json.depth() > 100 {
        return None;
    }
    let small = |list: &[Json]| list.len() <= 1_000_000;
    if let Json::List(flags) = json {
        let document =
            || Document { revision: None, flags: flags.clone(), segments: Vec::new(), root: "", ignored: Vec::new() };
        return small(&flags).then(document);
    }
    let named = ["esclusa", "flags", "revision", "generated_at", "segments", "ignored", "tables"];
    let once = named.iter().all(|name| json.every(name).count() <= 1);
    let one = json.field("esclusa")?.number() == Some(1.0);
    let flags = json.field("flags")?.list()?.to_vec();
    let revision = match json.field("revision") {
        None => None,
        Some(revision) => Some(revision.natural()?),
    };
    let generated = json.field("generated_at").is_none_or(checking::is_time);
    let segments = json.field("segments").map_or(Some(Vec::new()), |segments| Some(segments.list()?.to_vec()))?;
    let ignored = json.field("ignored").map_or(Some(Vec::new()), |ignored| {
        ignored.list()?.iter().map(|name| name.text().map(str::to_owned)).collect()
    })?;
    let fits = once && one && generated && json.field("tables").is_none() && small(&flags) && small(&segments);
    fits.then_some(Document { revision, flags, segments, root: "/flags", ignored })
}
