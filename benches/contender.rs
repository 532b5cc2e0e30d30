//! Esclusa, the limit and plain reading of JSON as contenders of the speed comparison: `benches/README.md`.

use std::process::ExitCode;
use std::sync::Arc;

use arc_swap::ArcSwap;
use esclusa::{FlagSet, Flags, Time};
use esclusa_benches::limit::{self, Prepared, Set, Shared, View};
use esclusa_contender::{Caller, Contender, Entry, Result, Targets, Workload, locked};
use serde_json::{Value, json};

fn main() -> ExitCode {
    esclusa_contender::main(&[Entry::new::<Esclusa>(), Entry::new::<Limit>(), Entry::new::<Plain>()])
}

fn version(name: &str) -> String {
    locked(include_str!("../Cargo.lock"), name)
}

struct Esclusa(Flags);

impl Contender for Esclusa {
    const NAME: &'static str = "esclusa";
    const ABOUT: &'static str =
        "Flags::is_enabled; key: Reader::is_enabled with a Key; w3: FlagSet::resolve_all; w4: from_json and publish";

    type Context<'p> = esclusa::Context<'p>;
    type Snapshot = FlagSet;

    fn version() -> String {
        version("esclusa")
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(&rows(targets, flags, companies))?)
    }

    fn read(document: &[u8]) -> Result<FlagSet> {
        Ok(FlagSet::from_json(document)?)
    }

    fn new(snapshot: FlagSet) -> Result<Self> {
        let flags = Flags::new();
        let _ = flags.publish(snapshot);
        Ok(Esclusa(flags))
    }

    fn publish(&self, snapshot: FlagSet) -> Result<()> {
        let _ = self.0.publish(snapshot);
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> esclusa::Context<'_> {
        esclusa::Context::new(caller.user.as_str())
            .company(caller.company.as_str())
            .plan(caller.plan.as_str())
            .role(caller.role.as_str())
            .region(caller.region.as_str())
    }

    #[inline]
    fn is_on(&self, key: &str, context: &esclusa::Context<'_>) -> bool {
        self.0.is_enabled(key, context)
    }

    fn count_on(&self, _: &[String], context: &esclusa::Context<'_>) -> usize {
        let set = self.0.current();
        let resolved = set.resolve_all(context, Time::from_millis(0));
        resolved.into_iter().filter(|(_, resolution)| resolution.is_enabled()).count()
    }

    fn by_key(&self, key: &str) -> Option<impl FnMut(&esclusa::Context<'_>) -> bool + 'static> {
        let (key, mut reader) = (self.0.key(key), self.0.reader());
        Some(move |context: &esclusa::Context<'_>| reader.is_enabled(&key, context))
    }
}

/// Bare rows, as in a team's table.
fn rows(targets: &Targets, flags: usize, companies: usize) -> Value {
    // The ids of rows are UUIDs, like those of companies.
    let ids = targets.companies(flags);
    let companies = targets.companies(companies);
    let row = |(name, id): (String, &String)| {
        json!({
            "id": id, "name": name, "enabled": true, "status": "active",
            "rollout_percentage": targets.percentage,
            "target_plans": targets.plans, "target_roles": targets.roles, "target_regions": targets.regions,
            "target_companies": companies,
        })
    };
    Targets::keys(flags).zip(ids).map(row).collect()
}

/// Hand-written minimal code; `limit` lists what it leaves out.
struct Limit(Shared);

impl Contender for Limit {
    const NAME: &'static str = "limit";
    const ABOUT: &'static str = "the least code that does the work by hand: benches/limit.rs says what it leaves out";

    type Context<'p> = Prepared;
    type Snapshot = Set;

    fn version() -> String {
        version("esclusa")
    }

    fn skip(workload: Workload) -> Option<&'static str> {
        match workload {
            Workload::Companies(_) => Some("it has no companies"),
            Workload::Load | Workload::Memory => Some("it reads no document"),
            _ => None,
        }
    }

    fn document(_: &Targets, flags: usize, _: usize) -> Result<Vec<u8>> {
        Ok(flags.to_string().into_bytes())
    }

    fn read(document: &[u8]) -> Result<Set> {
        Ok(limit::set(std::str::from_utf8(document)?.parse()?))
    }

    fn new(snapshot: Set) -> Result<Self> {
        Ok(Limit(Arc::new(ArcSwap::from_pointee(snapshot))))
    }

    fn publish(&self, snapshot: Set) -> Result<()> {
        self.0.store(Arc::new(snapshot));
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> Prepared {
        Prepared::of(&caller.user, &caller.plan, &caller.role, &caller.region)
    }

    #[inline]
    fn is_on(&self, key: &str, context: &Prepared) -> bool {
        limit::is_enabled(&self.0, key, context)
    }

    fn count_on(&self, _: &[String], context: &Prepared) -> usize {
        self.0.load().count_on(context)
    }

    fn by_key(&self, key: &str) -> Option<impl FnMut(&Prepared) -> bool + 'static> {
        let mut view = View::new(Arc::clone(&self.0));
        let number = self.0.load().find(key)?;
        Some(move |context: &Prepared| limit::is_enabled_cached(&mut view, number, context))
    }
}

/// Reading the same bytes as plain JSON, to compare loading with.
struct Plain(#[expect(dead_code, reason = "it is held, for what it weighs")] Value);

impl Contender for Plain {
    const NAME: &'static str = "serde_json";
    const ABOUT: &'static str = "serde_json::from_slice::<Value> of the document of Esclusa, and nothing else";
    const ANSWERS: bool = false;

    type Context<'p> = ();
    type Snapshot = Value;

    fn version() -> String {
        version("serde_json")
    }

    fn skip(workload: Workload) -> Option<&'static str> {
        (!matches!(workload, Workload::Load | Workload::Memory)).then_some("it only reads")
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        Esclusa::document(targets, flags, companies)
    }

    fn read(document: &[u8]) -> Result<Value> {
        Ok(serde_json::from_slice(document)?)
    }

    fn new(snapshot: Value) -> Result<Self> {
        Ok(Plain(snapshot))
    }

    fn publish(&self, _: Value) -> Result<()> {
        Ok(())
    }

    fn context(_: &Caller) {}

    fn is_on(&self, _: &str, (): &()) -> bool {
        false
    }
}
