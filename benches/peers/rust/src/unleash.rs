//! Unleash: its engine `yggdrasil`, on which its SDKs stand.

use std::borrow::Cow;

use esclusa_contender::{Caller, Contender, Result, Targets};
use serde_json::{Value, json};
use unleash_types::client_features::ClientFeatures;
use unleash_yggdrasil::EngineState;
use unleash_yggdrasil::state::{EnrichedContext, PropertiesCow, PropertiesRef};

pub(crate) struct Unleash(EngineState);

impl Contender for Unleash {
    const NAME: &'static str = "unleash-yggdrasil";
    const ABOUT: &'static str = "EngineState::check_enabled with borrowed properties; strategy flexibleRollout with \
                                 constraints IN; metrics are counted only by who calls count_toggle, which is not called";

    type Context<'p> = (&'p str, PropertiesCow<'p>);
    type Snapshot = ClientFeatures;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        let constraint =
            |name: &str, values: &[String]| json!({"contextName": name, "operator": "IN", "values": values});
        let mut constraints = vec![
            constraint("plan", &targets.plans),
            constraint("role", &targets.roles),
            constraint("region", &targets.regions),
        ];
        if companies > 0 {
            constraints.push(constraint("company", targets.companies(companies)));
        }
        let feature = |key: String| {
            json!({
                "name": key, "type": "release", "enabled": true, "project": "default",
                "strategies": [{
                    "name": "flexibleRollout",
                    "parameters": {
                        "rollout": targets.percentage.to_string(), "stickiness": "userId", "groupId": key,
                    },
                    "constraints": constraints,
                }],
            })
        };
        let features: Value = Targets::keys(flags).map(feature).collect();
        Ok(serde_json::to_vec(&json!({"version": 2, "features": features}))?)
    }

    fn read(document: &[u8]) -> Result<ClientFeatures> {
        Ok(serde_json::from_slice(document)?)
    }

    fn new(snapshot: ClientFeatures) -> Result<Self> {
        let engine = Unleash(EngineState::default());
        engine.publish(snapshot)?;
        Ok(engine)
    }

    fn publish(&self, snapshot: ClientFeatures) -> Result<()> {
        let warnings = self.0.apply_client_features(snapshot);
        warnings.map_or(Ok(()), |warnings| Err(format!("{warnings:?}").into()))
    }

    #[inline]
    fn context(caller: &Caller) -> Self::Context<'_> {
        let properties =
            [("company", &caller.company), ("plan", &caller.plan), ("role", &caller.role), ("region", &caller.region)];
        let properties = properties.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value.as_str())));
        (&caller.user, PropertiesCow::from(properties))
    }

    #[inline]
    fn is_on(&self, key: &str, (user, properties): &Self::Context<'_>) -> bool {
        let context = EnrichedContext {
            user_id: Some(user),
            session_id: None,
            environment: None,
            app_name: None,
            current_time: None,
            remote_address: None,
            properties: Some(PropertiesRef::Cows(properties)),
            external_results: None,
            toggle_name: key,
            runtime_hostname: None,
        };
        self.0.check_enabled(&context).unwrap_or_default()
    }
}
