//! Claims about the measurements, each a ratio or a size with its bound.

use super::comparison::{Comparison, Score};
use super::counts::Counts;
use super::size::{ADDON, Size, WHEEL};

/// A claim.
pub(crate) struct Claim {
    pub(crate) what: String,
    /// `None` if it was not measured.
    pub(crate) measured: Option<f64>,
    pub(crate) bound: Bound,
}

#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Claim {
    pub(crate) fn holds(&self) -> Option<bool> {
        self.measured.map(|measured| match self.bound {
            Bound::AtMost(bound) => measured <= bound,
            Bound::AtLeast(bound) => measured >= bound,
        })
    }
}

const OURS: &str = "esclusa";
/// The workload in which Esclusa uses a key and a reader, and others their only way.
const PREBUILT: &str = "w1-prebuilt-match";

/// A list of claims that is being built.
struct Claims<'c> {
    of: &'c Comparison,
    claims: Vec<Claim>,
}

impl<'c> Claims<'c> {
    fn of(of: &'c Comparison) -> Self {
        Claims { of, claims: Vec::new() }
    }

    fn ours(&self, workload: &str) -> Option<&Score> {
        self.of.ours(workload)
    }

    fn add(&mut self, what: impl Into<String>, measured: Option<f64>, bound: Bound) {
        self.claims.push(Claim { what: what.into(), measured, bound });
    }

    /// The ratio of one contender's time to another's.
    fn ratio(&self, workload: &str, one: &str, other: &str) -> Option<f64> {
        Some(self.of.score(workload, one)?.against(self.of.score(workload, other)?))
    }

    /// The ratio of Esclusa's time to another contender's.
    fn against(&mut self, workload: &str, other: &str, most: f64) {
        let ratio = self.ratio(workload, OURS, other);
        self.add(format!("`{workload}`, times `{other}`"), ratio, Bound::AtMost(most));
    }

    /// The same against the limit, in processes of their own and in turns within one.
    fn beside_the_limit(&mut self, workload: &str, most: f64) {
        self.against(workload, "limit", most);
        let turns = self.of.turn(workload, OURS).zip(self.of.turn(workload, "limit"));
        let ratio = turns.map(|(ours, limit)| ours.against(limit));
        self.add("the same, in turns within one process", ratio, Bound::AtMost(most));
    }

    /// How many times faster Esclusa is than hand-written code.
    fn faster_than(&mut self, workload: &str, other: &str, least: f64) {
        let ratio = self.ours(workload).zip(self.of.score(workload, other)).map(|(ours, other)| other.against(ours));
        self.add(format!("`{workload}`, times faster than `{other}`"), ratio, Bound::AtLeast(least));
    }

    /// How many times faster Esclusa is than the fastest other engine.
    fn faster(&mut self, workload: &str, theirs: &str, least: f64) {
        let peer = self.of.fastest_peer(theirs);
        let ratio = peer.zip(self.ours(workload)).map(|((_, score), ours)| score.against(ours));
        let name = peer.map_or("the fastest engine".to_owned(), |(peer, _)| format!("`{}`", peer.name));
        let beside = if workload == theirs { String::new() } else { format!(" in `{theirs}`") };
        self.add(format!("`{workload}`, times faster than {name}{beside}"), ratio, Bound::AtLeast(least));
    }

    /// The ratio of Esclusa's provider in an SDK of OpenFeature to one that decides nothing.
    fn provider(&mut self, sdk: &str, ours: &str, constant: &str) {
        let ratio = self.ratio(PREBUILT, ours, constant);
        self.add(format!("our provider in OpenFeature's {sdk}, times `{constant}`"), ratio, Bound::AtMost(1.1));
    }
}

pub(crate) fn of_rust(rust: &Comparison, counts: &Counts) -> Vec<Claim> {
    let mut claims = Claims::of(rust);
    claims.beside_the_limit("w1-built-match", 1.5);
    claims.beside_the_limit(PREBUILT, 1.25);
    claims.beside_the_limit("w1-key-match", 1.25);
    claims.beside_the_limit("w3", 1.5);
    let lists = claims.ours("w2-100000").zip(claims.ours("w2-1000")).map(|(large, small)| large.against(small));
    claims.add("`w2-100000`, times `w2-1000`", lists, Bound::AtMost(1.2));
    claims.against("w4", "serde_json", 1.5);
    let memory =
        |name: &str| Some(rust.number("w4-memory", name, &["live"])? / rust.number("w4-memory", OURS, &["bytes"])?);
    claims.add("memory of 10,000 flags, times their JSON", memory(OURS), Bound::AtMost(1.2));
    let late = |when: &str| rust.number("w5", OURS, &[when, "p999"]);
    let stall = late("publishing").zip(late("alone")).map(|(publishing, alone)| publishing / alone);
    claims.add("99.9 % of answers while publishing, times the same alone", stall, Bound::AtMost(1.5));
    claims.faster(PREBUILT, PREBUILT, 5.0);
    claims.faster("w1-key-match", PREBUILT, 10.0);
    claims.faster("w2-100000", "w2-100000", 6.0);
    claims.faster("w3", "w3", 25.0);
    claims.faster("w4", "w4", 1.5);
    let peers = rust.entries.iter().filter(|entry| entry.is_peer());
    let least = peers.filter_map(|peer| memory(&peer.name)).min_by(f64::total_cmp);
    let smaller = least.zip(memory(OURS)).map(|(theirs, ours)| theirs / ours);
    claims.add("memory of 10,000 flags, times smaller than the smallest engine's", smaller, Bound::AtLeast(5.0));
    for workload in ["w1-built-match", PREBUILT] {
        let peers = rust.entries.iter().filter(|entry| entry.is_peer());
        let fewest = peers.filter_map(|peer| counts.of(workload, &peer.name)).min_by(f64::total_cmp);
        let share = counts.of(workload, OURS).zip(fewest).map(|(ours, theirs)| ours / theirs);
        claims.add(format!("instructions of `{workload}`, of the fewest of an engine"), share, Bound::AtMost(0.2));
    }
    claims.claims
}

pub(crate) fn of_python(python: &Comparison) -> Vec<Claim> {
    let mut claims = Claims::of(python);
    // In Python an iteration of the loop takes nearly as long as a call that does nothing.
    let scores = || Some((claims.ours(PREBUILT)?, python.score(PREBUILT, "noop")?, python.score(PREBUILT, "loop")?));
    let ratio = scores().map(|(ours, noop, turn)| ours.without(turn).against(&noop.without(turn)));
    claims.add(format!("`{PREBUILT}` without its loop, times `noop` without it"), ratio, Bound::AtMost(4.0));
    claims.faster(PREBUILT, PREBUILT, 12.0);
    claims.provider("SDK", "openfeature-esclusa", "openfeature-constant");
    claims.claims
}

pub(crate) fn of_node(node: &Comparison) -> Vec<Claim> {
    let mut claims = Claims::of(node);
    claims.faster(PREBUILT, PREBUILT, 8.0);
    claims.faster_than(PREBUILT, "by-hand-engine", 2.0);
    claims.provider("server SDK", "openfeature-esclusa", "openfeature-constant");
    claims.provider("web SDK", "openfeature-web-esclusa", "openfeature-web-constant");
    claims.claims
}

pub(crate) fn of_chromium(chromium: &Comparison) -> Vec<Claim> {
    let mut claims = Claims::of(chromium);
    claims.faster_than(PREBUILT, "by-hand-engine", 1.0);
    claims.claims
}

/// Claims about downloads: bytes by the name of the package.
pub(crate) fn of_sizes(sizes: &[Size]) -> Vec<Claim> {
    let bytes = |name: &str| sizes.iter().find(|size| size.name == name).and_then(|size| size.bytes);
    let ours = bytes("@esclusa/wasm");
    // The smaller of its two ways to load its engine.
    let theirs = ["@flipt-io/flipt-client-js", "@flipt-io/flipt-client-js/slim"];
    let flipt = theirs.into_iter().filter_map(bytes).min_by(f64::total_cmp);
    let share = ours.zip(flipt).map(|(ours, flipt)| ours / flipt);
    let claim = |what: &str, measured, most| Claim { what: what.to_owned(), measured, bound: Bound::AtMost(most) };
    vec![
        claim("`@esclusa/wasm` and all that it loads, gzipped bytes", ours, 80_000.0),
        claim("the same, of what `@flipt-io/flipt-client-js` loads", share, 0.5),
        claim("`@esclusa/react` on values alone, gzipped bytes", bytes("@esclusa/react"), 3_000.0),
        claim("the wheel, bytes", bytes(WHEEL), 2_000_000.0),
        claim("the package with the addon for Node, bytes", bytes(ADDON), 2_000_000.0),
    ]
}
