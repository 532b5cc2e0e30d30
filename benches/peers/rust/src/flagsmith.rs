//! Flagsmith: the engine inside its SDKs. It knows no single flag: it resolves all of an environment for an identity,
//! which is a part of the environment that it is given.

use std::collections::HashMap;
use std::mem::swap;
use std::sync::{Mutex, PoisonError};

use esclusa_contender::{Caller, Contender, Result, Targets, Workload};
use flagsmith_flag_engine::engine::get_evaluation_result;
use flagsmith_flag_engine::engine_eval::context::IdentityContext;
use flagsmith_flag_engine::engine_eval::{EngineEvaluationContext, EvaluationResult};
use flagsmith_flag_engine::types::{FlagsmithValue, FlagsmithValueType};
use serde_json::{Map, Value, json};

pub(crate) struct Flagsmith(Mutex<EngineEvaluationContext>);

impl Flagsmith {
    /// Its SDK clones the environment for each identity; here the identity is put in and taken out again.
    fn resolve(&self, identity: &Mutex<Option<IdentityContext>>) -> EvaluationResult {
        let mut environment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut identity = identity.lock().unwrap_or_else(PoisonError::into_inner);
        swap(&mut environment.identity, &mut identity);
        let result = get_evaluation_result(&environment);
        swap(&mut environment.identity, &mut identity);
        result
    }
}

impl Contender for Flagsmith {
    const NAME: &'static str = "flagsmith-flag-engine";
    const ABOUT: &'static str = "get_evaluation_result, which resolves all flags (w3: once for all); segment with conditions IN and \
         PERCENTAGE_SPLIT, and its override of the feature; the identity is moved into the environment and out again, \
         where its SDK clones the environment";

    type Context<'p> = Mutex<Option<IdentityContext>>;
    type Snapshot = EngineEvaluationContext;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn skip(workload: Workload) -> Option<&'static str> {
        (workload == Workload::Threads).then_some("the identity is a part of the environment: threads cannot share one")
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        let condition = |name: &str, values: &[String]| json!({"operator": "IN", "property": name, "value": values});
        let mut conditions = vec![
            condition("plan", &targets.plans),
            condition("role", &targets.roles),
            condition("region", &targets.regions),
        ];
        if companies > 0 {
            conditions.push(condition("company", targets.companies(companies)));
        }
        let share = json!({"operator": "PERCENTAGE_SPLIT", "property": "", "value": targets.percentage.to_string()});
        conditions.push(share);
        let feature = |key: &str, enabled: bool| json!({"key": key, "name": key, "enabled": enabled, "value": null});
        let features = Targets::keys(flags).map(|key| {
            let feature = feature(&key, false);
            (key, feature)
        });
        let features: Map<String, Value> = features.collect();
        let segments = Targets::keys(flags).map(|key| {
            let segment = json!({
                "key": key, "name": key, "overrides": [feature(&key, true)],
                "rules": [{"type": "ALL", "conditions": conditions}],
            });
            (key, segment)
        });
        let segments: Map<String, Value> = segments.collect();
        Ok(serde_json::to_vec(&json!({
            "environment": {"key": "production", "name": "Production"}, "features": features, "segments": segments,
        }))?)
    }

    fn read(document: &[u8]) -> Result<EngineEvaluationContext> {
        Ok(serde_json::from_slice(document)?)
    }

    fn new(snapshot: EngineEvaluationContext) -> Result<Self> {
        Ok(Flagsmith(Mutex::new(snapshot)))
    }

    fn publish(&self, snapshot: EngineEvaluationContext) -> Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> Self::Context<'_> {
        let traits =
            [("company", &caller.company), ("plan", &caller.plan), ("role", &caller.role), ("region", &caller.region)];
        let text = |(name, value): (&str, &String)| {
            (name.to_owned(), FlagsmithValue { value: value.clone(), value_type: FlagsmithValueType::String })
        };
        let traits: HashMap<String, FlagsmithValue> = traits.into_iter().map(text).collect();
        Mutex::new(Some(IdentityContext { identifier: caller.user.clone(), key: caller.user.clone(), traits }))
    }

    #[inline]
    fn is_on(&self, key: &str, context: &Self::Context<'_>) -> bool {
        self.resolve(context).flags.get(key).is_some_and(|flag| flag.enabled)
    }

    fn count_on(&self, _: &[String], context: &Self::Context<'_>) -> usize {
        self.resolve(context).flags.values().filter(|flag| flag.enabled).count()
    }
}
