//! Claims: what must hold of the numbers, each a ratio or a size against its bound.

use esclusa::Value;

use super::comparison::{Comparison, Score};
use super::counts::Counts;

/// Something that is to hold.
pub(crate) struct Claim {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) bound: Bound,
}

#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Claim {
    pub(crate) fn holds(&self) -> bool {
        match self.bound {
            Bound::AtMost(bound) => self.measured <= bound,
            Bound::AtLeast(bound) => self.measured >= bound,
        }
    }
}

const OURS: &str = "esclusa";
/// The workload whose number others have where ours has a key and a reader.
const PREBUILT: &str = "w1-prebuilt-match";

/// A list of claims in the making; one whose numbers were not measured is left out.
struct Claims<'c> {
    of: &'c Comparison,
    claims: Vec<Claim>,
}

impl Claims<'_> {
    fn ours(&self, workload: &str) -> Option<&Score> {
        self.of.score(workload, OURS)
    }

    fn add(&mut self, what: impl Into<String>, measured: Option<f64>, bound: Bound) {
        self.claims.extend(measured.map(|measured| Claim { what: what.into(), measured, bound }));
    }

    /// How many times ours takes as long as another contender.
    fn against(&mut self, workload: &str, other: &str, most: f64) {
        let ratio = self.ours(workload).zip(self.of.score(workload, other)).map(|(ours, other)| ours.against(other));
        self.add(format!("`{workload}`, times `{other}`"), ratio, Bound::AtMost(most));
    }

    /// How many times faster ours is than the fastest engine of others.
    fn faster(&mut self, workload: &str, theirs: &str, least: f64) {
        let Some((peer, score)) = self.of.fastest_peer(theirs) else { return };
        let ratio = self.ours(workload).map(|ours| score.against(ours));
        let beside = if workload == theirs { String::new() } else { format!(" in `{theirs}`") };
        let what = format!("`{workload}`, times faster than `{}`{beside}", peer.name);
        self.add(what, ratio, Bound::AtLeast(least));
    }
}

pub(crate) fn of_rust(rust: &Comparison, counts: &Counts) -> Vec<Claim> {
    let mut claims = Claims { of: rust, claims: Vec::new() };
    claims.against("w1-built-match", "limit", 1.5);
    claims.against(PREBUILT, "limit", 1.25);
    claims.against("w1-key-match", "limit", 1.25);
    claims.against("w3", "limit", 1.5);
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
    let mut claims = Claims { of: python, claims: Vec::new() };
    claims.against(PREBUILT, "noop", 4.0);
    claims.faster(PREBUILT, PREBUILT, 12.0);
    provider(&mut claims);
    claims.claims
}

pub(crate) fn of_node(node: &Comparison) -> Vec<Claim> {
    let mut claims = Claims { of: node, claims: Vec::new() };
    claims.faster(PREBUILT, PREBUILT, 8.0);
    claims.against(PREBUILT, "by-hand-engine", 0.5);
    provider(&mut claims);
    claims.claims
}

pub(crate) fn of_chromium(chromium: &Comparison) -> Vec<Claim> {
    let by_hand = chromium.score(PREBUILT, "by-hand-engine");
    let ours = chromium.score(PREBUILT, "esclusa-wasm");
    let mut claims = Claims { of: chromium, claims: Vec::new() };
    let ratio = ours.zip(by_hand).map(|(ours, by_hand)| ours.against(by_hand));
    claims.add(format!("`{PREBUILT}` of `@esclusa/wasm`, times `by-hand-engine`"), ratio, Bound::AtMost(1.0));
    claims.claims
}

fn provider(claims: &mut Claims<'_>) {
    let [ours, constant] = ["openfeature-esclusa", "openfeature-constant"].map(|name| claims.of.score(PREBUILT, name));
    let ratio = ours.zip(constant).map(|(ours, constant)| ours.against(constant));
    claims.add("our provider in OpenFeature's SDK, times one that is constant", ratio, Bound::AtMost(1.1));
}

/// Of what browsers load, a line of JSON for each package.
pub(crate) fn of_sizes(sizes: &[(String, Value<'static>)]) -> Vec<Claim> {
    let gzipped = |name: &str| {
        sizes.iter().find(|(package, _)| package == name).and_then(|(_, size)| size.get("gzipped")?.as_f64())
    };
    let ours = gzipped("@esclusa/wasm");
    let flipt = gzipped("@flipt-io/flipt-client-js");
    let mut claims = Vec::new();
    let mut add = |what: &str, measured: Option<f64>, most| {
        let what = what.to_owned();
        claims.extend(measured.map(|measured| Claim { what, measured, bound: Bound::AtMost(most) }));
    };
    add("bytes of `@esclusa/wasm` and all that it loads, gzipped", ours, 40_000.0);
    let share = ours.zip(flipt).map(|(ours, flipt)| ours / flipt);
    add("the same, of `@flipt-io/flipt-client-js`", share, 0.25);
    claims
}
