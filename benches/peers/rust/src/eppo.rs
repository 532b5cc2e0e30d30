//! Eppo: its engine `eppo_core`, on which its SDKs stand.

use std::sync::Arc;

use eppo_core::configuration_store::ConfigurationStore;
use eppo_core::eval::{Evaluator, EvaluatorConfig};
use eppo_core::ufc::{AssignmentValue, UniversalFlagConfig, VariationType};
use eppo_core::{AttributeValue, Attributes, Configuration, SdkMetadata, Str};
use esclusa_contender::{Caller, Contender, Result, Targets};
use serde_json::{Map, Value, json};

const METADATA: SdkMetadata = SdkMetadata { name: "esclusa-peers", version: "0" };

pub(crate) struct Eppo {
    store: Arc<ConfigurationStore>,
    evaluator: Evaluator,
}

impl Contender for Eppo {
    const NAME: &'static str = "eppo_core";
    const ABOUT: &'static str = "Evaluator::get_assignment, feature ahash; allocation with rules ONE_OF and a shard; doLog is false, so that no \
         assignment event is made";

    type Context<'p> = (Str, Arc<Attributes>);
    type Snapshot = Arc<Configuration>;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        let condition =
            |name: &str, values: &[String]| json!({"attribute": name, "operator": "ONE_OF", "value": values});
        let mut conditions = vec![
            condition("plan", &targets.plans),
            condition("role", &targets.roles),
            condition("region", &targets.regions),
        ];
        if companies > 0 {
            conditions.push(condition("company", targets.companies(companies)));
        }
        let flag = |key: String| {
            let flag = json!({
                "key": key, "enabled": true, "variationType": "BOOLEAN", "totalShards": 10_000,
                "variations": {"on": {"key": "on", "value": true}, "off": {"key": "off", "value": false}},
                "allocations": [{
                    "key": "some",
                    "rules": [{"conditions": conditions}],
                    "splits": [{
                        "variationKey": "on",
                        "shards": [{"salt": key, "ranges": [{"start": 0, "end": 100 * targets.percentage}]}],
                    }],
                    "doLog": false,
                }],
            });
            (key, flag)
        };
        let flags: Map<String, Value> = Targets::keys(flags).map(flag).collect();
        Ok(serde_json::to_vec(&json!({
            "createdAt": "2026-01-01T00:00:00Z", "format": "SERVER", "environment": {"name": "Production"}, "flags": flags,
        }))?)
    }

    fn read(document: &[u8]) -> Result<Self::Snapshot> {
        let flags = UniversalFlagConfig::from_json(METADATA, document.to_vec())?;
        Ok(Arc::new(Configuration::from_server_response(flags, None)))
    }

    fn new(snapshot: Self::Snapshot) -> Result<Self> {
        let store = Arc::new(ConfigurationStore::new());
        store.set_configuration(snapshot);
        let config = EvaluatorConfig { configuration_store: Arc::clone(&store), sdk_metadata: METADATA };
        Ok(Eppo { store, evaluator: Evaluator::new(config) })
    }

    fn publish(&self, snapshot: Self::Snapshot) -> Result<()> {
        self.store.set_configuration(snapshot);
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> Self::Context<'_> {
        let attributes =
            [("company", &caller.company), ("plan", &caller.plan), ("role", &caller.role), ("region", &caller.region)];
        let attribute = |(name, value): (&'static str, &String)| {
            (Str::from_static_str(name), AttributeValue::categorical(value.as_str()))
        };
        (Str::new(&caller.user), Arc::new(attributes.into_iter().map(attribute).collect()))
    }

    #[inline]
    fn is_on(&self, key: &str, (user, attributes): &Self::Context<'_>) -> bool {
        let assigned = self.evaluator.get_assignment(key, user, attributes, Some(VariationType::Boolean));
        matches!(assigned, Ok(Some(assignment)) if assignment.value == AssignmentValue::Boolean(true))
    }
}
