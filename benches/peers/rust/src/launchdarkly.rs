//! LaunchDarkly: the evaluator inside its server SDK.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use esclusa_contender::{Caller, Contender, Result, Targets};
use launchdarkly_server_sdk_evaluation::{Context, ContextBuilder, Flag, FlagValue, Segment, Store, evaluate};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The SDK's own store is a lock around tables as well; this one lends the flag, which the SDK's clones.
pub(crate) struct LaunchDarkly(RwLock<Flags>);

#[derive(Deserialize)]
pub(crate) struct Flags {
    flags: HashMap<String, Flag>,
}

impl Store for Flags {
    fn flag(&self, key: &str) -> Option<Flag> {
        self.flags.get(key).cloned()
    }

    fn segment(&self, _: &str) -> Option<Segment> {
        None
    }
}

impl Contender for LaunchDarkly {
    const NAME: &'static str = "launchdarkly-server-sdk-evaluation";
    const ABOUT: &'static str = "evaluate with a flag that is borrowed from a table behind a lock, which the SDK would \
                                 clone; a rule with clauses `in` and a rollout by key; no events";

    type Context<'p> = Context;
    type Snapshot = Flags;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        let clause = |name: &str, values: &[String]| json!({"contextKind": "user", "attribute": name, "op": "in", "values": values});
        let mut clauses =
            vec![clause("plan", &targets.plans), clause("role", &targets.roles), clause("region", &targets.regions)];
        if companies > 0 {
            clauses.push(clause("company", targets.companies(companies)));
        }
        let share = 1_000 * targets.percentage;
        let flag = |key: String| {
            let flag = json!({
                "key": key, "version": 1, "on": true, "targets": [], "prerequisites": [], "salt": key,
                "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 1},
                "clientSideAvailability": {"usingMobileKey": false, "usingEnvironmentId": false},
                "rules": [{
                    "id": "some", "clauses": clauses, "trackEvents": false,
                    "rollout": {
                        "contextKind": "user",
                        "variations": [
                            {"variation": 0, "weight": share}, {"variation": 1, "weight": 100_000 - share},
                        ],
                    },
                }],
            });
            (key, flag)
        };
        let flags: Map<String, Value> = Targets::keys(flags).map(flag).collect();
        Ok(serde_json::to_vec(&json!({"flags": flags}))?)
    }

    fn read(document: &[u8]) -> Result<Flags> {
        Ok(serde_json::from_slice(document)?)
    }

    fn new(snapshot: Flags) -> Result<Self> {
        Ok(LaunchDarkly(RwLock::new(snapshot)))
    }

    fn publish(&self, snapshot: Flags) -> Result<()> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> Context {
        let mut builder = ContextBuilder::new(caller.user.as_str());
        builder
            .set_string("company", caller.company.as_str())
            .set_string("plan", caller.plan.as_str())
            .set_string("role", caller.role.as_str())
            .set_string("region", caller.region.as_str());
        builder.build().expect("a key that is not empty is all that it wants")
    }

    #[inline]
    fn is_on(&self, key: &str, context: &Context) -> bool {
        let flags = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let flag = flags.flags.get(key);
        flag.is_some_and(|flag| matches!(evaluate(&*flags, flag, context, None).value, Some(FlagValue::Bool(true))))
    }
}
