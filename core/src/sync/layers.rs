//! Layers: several snapshots are merged into one (section 13 of SEMANTICS.md).
//!
//! The module knows which layer defines a flag and whether a layer only switches flags, not what a flag means.

use crate::error::SnapshotError;
use crate::fingerprint::{Map, Set};
use crate::snapshot::{Part, Snapshot, UNKNOWN_SWITCHES, VERSION};
use crate::switching;
use crate::time::Time;
use crate::value::{Fields, Value};
use crate::{RULES, row};

/// Why layers could not be merged: one of them is not a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct LayerError {
    /// The index of the layer; the first is 0.
    pub layer: usize,
    /// What is wrong with it.
    pub error: SnapshotError,
}

/// Merges snapshots, the uppermost first; `None` is a layer that has not answered yet. Gives no merged snapshot until a
/// layer other than environment switches has answered, or every layer has (13.12).
///
/// ```
/// use esclusa::sync::layered;
/// let store = br#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"]}]"#;
/// let bundled = br#"[{"name": "crm", "enabled": false}, {"name": "billing", "enabled": true}]"#;
/// let one = layered(&[Some(store), Some(bundled)])?;
/// let flags = br#"{"esclusa":1,"flags":[{"name":"crm","enabled":true,"target_plans":["PREMIUM"]},{"name":"billing","enabled":true}]}"#;
/// assert_eq!(one.as_deref(), Some(flags.as_slice()));
/// # Ok::<(), esclusa::sync::LayerError>(())
/// ```
///
/// # Errors
/// When a layer is refused whole (2.1.7).
pub fn layered(layers: &[Option<&[u8]>]) -> Result<Option<Vec<u8>>, LayerError> {
    let mut merged = Merged::default();
    let mut has_base = false;
    // From the bottom up, because switches change the flags of the layers below them.
    for (layer, bytes) in layers.iter().enumerate().rev() {
        match bytes {
            Some(bytes) => {
                let read = Layer::from_json(bytes).map_err(|error| LayerError { layer, error })?;
                has_base |= !read.head.switches;
                merged.lay(read);
            }
            None => merged.is_partial = true,
        }
    }
    let is_complete = has_base || !merged.is_partial;
    Ok(is_complete.then(|| merged.into_document().to_json().into_bytes()))
}

/// One layer.
struct Layer<'a> {
    head: Snapshot,
    segments: Vec<Value<'a>>,
    flags: Vec<Value<'a>>,
}

impl<'a> Layer<'a> {
    fn from_json(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let (mut segments, mut flags) = (Vec::new(), Vec::new());
        let head = Snapshot::from_json(bytes, &mut |part, _, entry| {
            if let Part::Ignored | Part::UnknownSwitches = part {
                return;
            }
            let mut entry = std::mem::take(entry);
            // A row is read with capacity for many columns, which would be wasted here.
            if let Value::Object(fields) = &mut entry {
                fields.shrink_to_fit();
            }
            match part {
                Part::Segments if RULES => segments.push(entry),
                Part::Segments => {}
                Part::Flags | Part::Rows => flags.push(entry),
                Part::Ignored | Part::UnknownSwitches => {}
            }
        })?;
        // The names that a layer ignores apply to its own flags alone.
        let ignored: Set<String> = head.ignored.iter().cloned().collect();
        for flag in flags.iter_mut().filter(|_| !ignored.is_empty()) {
            if let Value::Object(fields) = flag {
                fields.retain(|(name, _)| row::field(name).is_some() || !ignored.contains(name.as_ref()));
            }
        }
        Ok(Layer { head, segments, flags })
    }
}

/// The merged snapshot of the layers so far.
#[derive(Default)]
struct Merged<'a> {
    /// The revision of the uppermost layer that has one.
    revision: Option<u64>,
    generated_at: Option<Time>,
    segments: Entries<'a>,
    flags: Entries<'a>,
    /// Whether a layer so far has not answered.
    is_partial: bool,
    /// Whether a layer so far has flags of its own, other than switches.
    has_flags: bool,
    /// The keys of the switches that matched no flag (13.14).
    unknown_switches: Vec<String>,
}

impl<'a> Merged<'a> {
    fn lay(&mut self, layer: Layer<'a>) {
        if layer.head.switches {
            let mut switches: Vec<_> = layer.flags.iter().filter_map(switch).collect();
            // Of several switches for one flag, off counts (13.10), and so comes last.
            switches.sort_by_key(|(_, enabled)| !enabled);
            let mut places = self.flags.places();
            for (key, enabled) in switches {
                self.switch(key, enabled, &mut places);
            }
        } else {
            self.has_flags = true;
            self.flags = std::mem::take(&mut self.flags).under(flag_key, layer.flags);
            self.segments = std::mem::take(&mut self.segments).under(segment_key, layer.segments);
            if layer.head.revision.is_some() {
                // An offset may put a time a few hours outside the years that can be written.
                let written = layer.head.generated_at.filter(|time| Time::parse(&time.to_string()) == Some(*time));
                (self.revision, self.generated_at) = (layer.head.revision, written);
            }
        }
    }

    /// Switches the flags with this key, or with its key without affixes; if no layer has such a flag, the switch
    /// defines one.
    fn switch(&mut self, name: &str, enabled: bool, places: &mut Map<Vec<u8>, Vec<usize>>) {
        let of_key = |key| places.get(&plain(key)).map(Vec::as_slice);
        let known = [name].into_iter().chain(without_affixes(name)).find_map(of_key);
        for at in known.unwrap_or_default() {
            self.flags.switch(*at, enabled);
        }
        let is_known = known.is_some();
        // The missing layer may restrict, so the flag is off (13.7).
        let is_guess = enabled && self.is_partial;
        if !is_known && self.has_flags && !self.is_partial {
            self.unknown_switches.push(name.to_owned());
        }
        if !is_known && !is_guess {
            let flag = Value::Object(vec![("name".into(), name.to_owned().into()), ("enabled".into(), enabled.into())]);
            places.insert(plain(name), vec![self.flags.0.len()]);
            self.flags.0.push((Some(name.to_owned()), flag));
        }
    }

    fn into_document(self) -> Value<'a> {
        let mut document: Fields<'a> = vec![("esclusa".into(), Value::Integer(VERSION))];
        if !self.is_partial {
            document.extend(self.revision.map(|revision| ("revision".into(), revision.into())));
            document.extend(self.generated_at.map(|time| ("generated_at".into(), time.to_string().into())));
        }
        if !self.segments.0.is_empty() {
            document.push(("segments".into(), self.segments.into_list()));
        }
        if !self.unknown_switches.is_empty() {
            document.push((UNKNOWN_SWITCHES.into(), self.unknown_switches.into()));
        }
        document.push(("flags".into(), self.flags.into_list()));
        Value::Object(document)
    }
}

/// Flags or segments with their keys, if they have one.
#[derive(Default)]
struct Entries<'a>(Vec<(Option<String>, Value<'a>)>);

impl<'a> Entries<'a> {
    /// The entries of an upper layer, followed by those of other keys.
    fn under(self, key: impl for<'v> Fn(&'v Value<'_>) -> Option<&'v str>, upper: Vec<Value<'a>>) -> Self {
        let mut entries: Vec<_> = upper.into_iter().map(|entry| (key(&entry).map(str::to_owned), entry)).collect();
        let taken: Set<String> = entries.iter().filter_map(|(key, _)| key.clone()).collect();
        entries.extend(self.0.into_iter().filter(|(key, _)| key.as_ref().is_none_or(|key| !taken.contains(key))));
        Entries(entries)
    }

    /// The positions of the flags of each key, with the keys in the form of 13.6.
    fn places(&self) -> Map<Vec<u8>, Vec<usize>> {
        let mut places: Map<Vec<u8>, Vec<usize>> = Map::default();
        for (at, (key, flag)) in self.0.iter().enumerate() {
            if let (Some(key), Value::Object(_)) = (key, flag) {
                places.entry(plain(key)).or_default().push(at);
            }
        }
        places
    }

    /// Sets `enabled` of the flag at this position.
    fn switch(&mut self, at: usize, enabled: bool) {
        let Some((_, Value::Object(fields))) = self.0.get_mut(at) else { return };
        let mut is_set = false;
        for (_, value) in fields.iter_mut().filter(|(name, _)| name == "enabled") {
            (*value, is_set) = (enabled.into(), true);
        }
        if !is_set {
            fields.push(("enabled".into(), enabled.into()));
        }
    }

    fn into_list(self) -> Value<'a> {
        Value::List(self.0.into_iter().map(|(_, entry)| entry).collect())
    }
}

/// The key of a flag, if it has one: its name, if there is no `key` (2.2.2).
fn flag_key<'v>(flag: &'v Value<'_>) -> Option<&'v str> {
    flag.get("key").filter(|key| !key.is_null()).or_else(|| flag.get("name"))?.as_str()
}

fn segment_key<'v>(segment: &'v Value<'_>) -> Option<&'v str> {
    segment.get("key")?.as_str()
}

/// The key and the state of an entry of a layer of switches.
fn switch<'v>(flag: &'v Value<'_>) -> Option<(&'v str, bool)> {
    Some((flag_key(flag)?, switching::switch(flag.get("enabled")?)?))
}

/// What variables are named with, beside the key of the flag (13.13).
const PREFIXES: [&str; 2] = ["feature_", "flag_"];
const SUFFIXES: [&str; 3] = ["_enabled", "_active", "_flag"];

/// The key of a switch without its suffix, without its prefix, and without both.
fn without_affixes(name: &str) -> impl Iterator<Item = &str> {
    let keys = [without_suffix(name), without_prefix(name), without_suffix(name).and_then(without_prefix)];
    keys.into_iter().flatten().filter(|key| !key.is_empty())
}

fn without_prefix(name: &str) -> Option<&str> {
    let rest = |prefix: &&str| {
        let (start, rest) = name.split_at_checked(prefix.len())?;
        (plain(start) == prefix.as_bytes()).then_some(rest)
    };
    PREFIXES.iter().find_map(rest)
}

fn without_suffix(name: &str) -> Option<&str> {
    let rest = |suffix: &&str| {
        let (rest, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
        (plain(end) == suffix.as_bytes()).then_some(rest)
    };
    SUFFIXES.iter().find_map(rest)
}

/// A key in the form of 13.6: `CRM_ADVANCED` is for `crm-advanced` too, because the name of an environment variable has
/// neither small letters nor hyphens.
fn plain(key: &str) -> Vec<u8> {
    let plain = |byte: u8| match byte.to_ascii_lowercase() {
        b'-' | b'.' | b':' | b'/' | b' ' => b'_',
        other => other,
    };
    key.bytes().map(plain).collect()
}
