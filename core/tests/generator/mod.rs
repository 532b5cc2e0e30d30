//! Random snapshots, contexts and times: the same for the same seed, from vocabularies that are small enough for things
//! to match, and now and then with one of the violations that have a name.
#![allow(dead_code, unused_imports, reason = "no test uses all of it")]
#![allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "the numbers are small")]

mod columns;
mod conditions;
mod contexts;
mod flags;
mod node;
mod random;
mod refusals;
mod spelling;
mod violations;
mod words;

use std::fmt::Write as _;

pub(crate) use conditions::OPERATORS;
pub(crate) use node::Node;
use node::{list, object, text};
pub(crate) use random::Random;
pub(crate) use violations::Expected;

/// A sequence of snapshots, to be published in order, with contexts and times to ask for.
pub(crate) struct Sequence {
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) contexts: Vec<Node>,
    pub(crate) times: Vec<i64>,
}

/// A snapshot as its parts, so that it can be written in either shape and made smaller.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// The fields between `esclusa` and `flags`: a revision, a generation time, others.
    pub(crate) head: Vec<(&'static str, String)>,
    pub(crate) segments: Node,
    pub(crate) flags: Node,
    pub(crate) bare: bool,
    /// Whether a byte order mark stands before it (2.1.1).
    pub(crate) marked: bool,
    /// The index of what makes it refused whole.
    pub(crate) refusal: Option<usize>,
    pub(crate) expected: std::rc::Rc<Vec<Expected>>,
}

/// A snapshot that is being put together.
pub(crate) struct Draft {
    flags: Vec<(String, Node)>,
    segments: Vec<Node>,
    expected: Vec<Expected>,
}

impl Draft {
    fn expect(&mut self, name: &'static str, key: Option<String>) {
        self.expected.push(Expected { name, key });
    }
}

/// The names of all violations that are set aside or only reported.
pub(crate) fn violation_names() -> Vec<&'static str> {
    violations::names()
}

/// The names of all that makes a snapshot refused whole.
pub(crate) fn refusal_names() -> impl Iterator<Item = &'static str> {
    refusals::REFUSALS.iter().map(|(name, ..)| *name)
}

impl Snapshot {
    /// Why it is refused whole, if it is.
    pub(crate) fn refusal_name(&self) -> Option<&'static str> {
        self.refusal.map(|at| refusals::REFUSALS[at].0)
    }

    /// Whether it can be written as bare rows.
    pub(crate) fn can_be_bare(&self) -> bool {
        let ignores = self.head.iter().any(|(name, _)| *name == "ignored");
        self.refusal.is_none() && !ignores && matches!(&self.segments, Node::List(segments) if segments.is_empty())
    }

    /// The text in the shape that it has.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", if self.marked { "\u{feff}" } else { "" }, self.text_in(self.bare))
    }

    /// The text as bare rows or as a document.
    pub(crate) fn text_in(&self, bare: bool) -> String {
        if bare {
            return self.flags.to_string();
        }
        let (_, start, end) = self.refusal.map_or(("", r#"{"esclusa":1,"#, "}"), |at| refusals::REFUSALS[at]);
        let mut text = start.to_owned();
        if self.refusal_name() == Some("nested too deep") {
            let _ = write!(text, r#"{{"esclusa":1,"other":{}{},"#, "[".repeat(100), "]".repeat(100));
        }
        // A field that the refusal has put there itself is not written once more.
        for (name, value) in self.head.iter().filter(|(name, _)| !start.contains(&format!("\"{name}\""))) {
            let _ = write!(text, "\"{name}\":{value},");
        }
        if !start.contains("\"segments\"") {
            let _ = write!(text, "\"segments\":{},", self.segments);
        }
        let _ = write!(text, "\"flags\":{}{end}", self.flags);
        text
    }
}

impl Sequence {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let random = &mut random;
        let mut draft = Draft { flags: Vec::new(), segments: Vec::new(), expected: Vec::new() };
        let (mut snapshots, mut revision) = (Vec::new(), random.below(5));
        let bare = random.chance(30);
        let deep = !bare && random.chance(30);
        let turning = random.chance(5);
        let defaulting = random.chance(12);
        for at in 0..random.between(1, 3) {
            draft = if at == 0 { first(random, bare) } else { next(random, draft) };
            let mut broken =
                Draft { flags: draft.flags.clone(), segments: draft.segments.clone(), expected: Vec::new() };
            if deep {
                add_deep(random, &mut broken);
            }
            if turning {
                turn(&mut broken, at > 0);
            }
            for flag in 0..broken.flags.len() {
                if broken.flags[flag].0 != "sound" && random.chance(if at == 0 { 12 } else { 20 }) {
                    violate(random, &mut broken, flag, bare);
                }
            }
            for (key, flag) in broken.flags.iter_mut().filter(|(_, flag)| matches!(flag, Node::Object(_))) {
                // A chain is too long only as long as none of it is broken.
                let is_link = key.starts_with("step-") || key.starts_with("loop-");
                if !is_link && random.chance(8) {
                    columns::add(random, flag);
                }
            }
            if defaulting && at > 0 {
                columns::add_default(random, &mut broken.flags);
            }
            revision = if random.chance(8) { revision.saturating_sub(2) } else { revision + random.below(3) };
            snapshots.push(snapshot(random, broken, revision, bare));
            if random.chance(8) {
                snapshots.extend(snapshots.last().cloned());
            }
        }
        let contexts = (0..4).map(|_| contexts::context(random)).collect();
        let times = (0..3).map(|_| contexts::now(random)).collect();
        Sequence { snapshots, contexts, times }
    }
}

/// A segment that is deep in some snapshots and very deep in others, and a flag with a condition around it.
fn add_deep(random: &mut Random, draft: &mut Draft) {
    let depth = *random.pick(&[&50_usize, &90, &91]);
    let not = |inner, _: usize| object([("not", inner)]);
    let when = (1..depth).fold(node::raw("{\"all\":[]}"), not);
    draft.segments.push(object([("key", text("deep")), ("when", when)]));
    if random.chance(50) {
        // With the segment's own node: 60, 100, or 101, which is too deep.
        let when = (0..9).fold(object([("segment", text("deep"))]), not);
        let rules = list([object([("key", text("deep")), ("when", when)])]);
        draft.flags[1].1.set("rules", rules);
    }
}

/// First one flag requires another, later it is the other way round and the one is broken: its definition must not be
/// kept, or there would be a cycle (8.6).
fn turn(draft: &mut Draft, turned: bool) {
    let requires = |key: &str| list([object([("flag", text(key)), ("on", node::raw("true"))])]);
    for (key, flag) in &mut draft.flags {
        if key == if turned { "f0" } else { "f1" } {
            flag.set("prerequisites", requires(if turned { "f1" } else { "f0" }));
        } else if ["f0", "f1"].contains(&key.as_str()) {
            flag.take("prerequisites");
            if turned {
                flag.set("status", text("turned"));
            }
        }
    }
    // `f0` cannot require what is gone.
    if !draft.flags.iter().any(|(key, _)| key == "f1") {
        draft.flags.retain(|(key, _)| key != "f0");
    }
}

/// Puts one violation in; bare rows have no segments to put one into.
fn violate(random: &mut Random, draft: &mut Draft, flag: usize, bare: bool) {
    let taken = |draft: &Draft, key: &str| draft.flags.iter().any(|(other, _)| other == key);
    let (flags, segments) = (draft.flags.clone(), draft.segments.clone());
    let expected = draft.expected.len();
    violations::break_one(random, draft, flag);
    // Two violations that bring the same helpers along would be a third one.
    let helpers = draft.flags.iter().skip(flags.len()).any(|(key, _)| {
        (key.starts_with("loop-") || key.starts_with("step-")) && flags.iter().any(|(other, _)| other == key)
    });
    let brought = draft.segments.len() > segments.len();
    if helpers || (brought && (bare || segments.len() > 3)) || !taken(draft, "sound") {
        draft.flags = flags;
        draft.segments = segments;
        draft.expected.truncate(expected);
    }
}

fn segment_keys(segments: &[Node]) -> Vec<String> {
    (0..segments.len()).map(|at| format!("s{at}")).collect()
}

fn first(random: &mut Random, bare: bool) -> Draft {
    let mut segments = Vec::new();
    for at in 0..if bare { 0 } else { random.between(0, 3) } {
        let earlier = segment_keys(&segments);
        segments.push(flags::segment(random, &format!("s{at}"), &earlier));
    }
    let (keys, names) = (segment_keys(&segments), ["f0", "f1", "f2", "café", "f/4~", "sound"]);
    let mut flags = Vec::new();
    // Prerequisites are later flags, or earlier ones, so that there is no cycle in a snapshot by chance, but there may
    // be one together with a definition that is kept.
    let upward = random.chance(45);
    for (at, key) in names.iter().enumerate() {
        let others = if upward { &names[..at] } else { &names[at + 1..] };
        let others: Vec<String> = others.iter().map(|key| (*key).to_owned()).collect();
        flags.push(((*key).to_owned(), flags::flag(random, key, &keys, &others)));
    }
    Draft { flags, segments, expected: Vec::new() }
}

/// The same snapshot a little later: some flags and segments are others, some are gone.
fn next(random: &mut Random, before: Draft) -> Draft {
    let bare = before.segments.is_empty();
    let mut later = first(random, bare);
    for (at, segment) in before.segments.into_iter().enumerate() {
        if at < later.segments.len() && random.chance(60) {
            later.segments[at] = segment;
        }
    }
    // A kept flag named a segment that may be gone now, which a flag that is not broken must not.
    let count = later.segments.len();
    let names_gone = |flag: &Node| {
        let text = flag.to_string();
        (count..3).any(|at| text.contains(&format!("{{\"segment\":\"s{at}\"")))
    };
    for (key, flag) in before.flags {
        let place = later.flags.iter().position(|(other, _)| *other == key);
        if let Some(at) = place
            && random.chance(60)
            && !names_gone(&flag)
        {
            later.flags[at].1 = flag;
        }
    }
    if random.chance(40) {
        // A flag that no other needs is gone; a definition that is kept may need it still.
        let at = random.below(later.flags.len() - 1);
        let needed = format!("{{\"flag\":{}", text(&later.flags[at].0));
        if !later.flags.iter().any(|(_, flag)| flag.to_string().contains(&needed)) {
            later.flags.remove(at);
        }
    }
    later
}

fn snapshot(random: &mut Random, draft: Draft, revision: usize, bare: bool) -> Snapshot {
    let mut head = Vec::new();
    if random.chance(85) {
        head.push(("revision", random.pick(&["", ".0"]).to_owned()));
        head[0].1.insert_str(0, &revision.to_string());
    }
    if random.chance(20) {
        head.push(("generated_at", text(words::TIMES[random.below(words::TIMES.len())].0).to_string()));
    }
    if random.chance(10) {
        head.push(("other", "{\"flags\":[1,{\"a\":1,\"a\":2}]}".to_owned()));
    }
    if !bare && random.chance(10) {
        let names = ["null", "[]", "[\"scope\",\"environment\",\"name\"]", "[\"is_active\",\"beta\",\"tenantId\"]"];
        head.push(("ignored", random.pick(&names).to_owned()));
    }
    if random.chance(3) {
        head.push(("tables", "null".to_owned()));
    }
    let flags = list(draft.flags.into_iter().map(|(_, flag)| spelling::respelled(random, flag)));
    let refusal = (!bare && random.chance(4)).then(|| random.below(refusals::REFUSALS.len()));
    Snapshot {
        head,
        segments: list(draft.segments),
        flags,
        bare,
        marked: random.chance(3),
        refusal,
        expected: std::rc::Rc::new(draft.expected),
    }
}
