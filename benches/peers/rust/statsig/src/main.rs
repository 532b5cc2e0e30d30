//! Statsig as a contender of the speed comparison: its server SDK, with flags from memory.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use esclusa_contender::{Caller, Contender, Entry, Result, Targets, locked};
use serde_json::{Map, Value, json};
use statsig_rust::{
    FeatureGateEvaluationOptions, Statsig, StatsigBootstrapSpecsAdapter, StatsigOptions, StatsigUser,
    StatsigUserBuilder,
};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    esclusa_contender::main(&[Entry::new::<Peer>()])
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
});

struct Peer {
    statsig: Statsig,
    adapter: Arc<StatsigBootstrapSpecsAdapter>,
}

impl Contender for Peer {
    const NAME: &'static str = "statsig-rust";
    const ABOUT: &'static str = "check_gate_with_options without exposure logging, disable_all_logging, no network, specs \
                                 from the bootstrap adapter; a rule with conditions any and passPercentage; it still \
                                 counts unexposed checks, and remembers up to 10,000 hashes of users";

    type Context<'p> = StatsigUser;
    type Snapshot = String;

    fn version() -> String {
        locked(include_str!("../../Cargo.lock"), Self::NAME)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        let condition = |name: &str, values: &[String]| {
            json!({
                "type": "user_field", "field": name, "operator": "any", "targetValue": values,
                "additionalValues": {}, "isDeviceBased": false, "idType": "userID",
            })
        };
        let mut conditions = json!({
            "1": condition("plan", &targets.plans),
            "2": condition("role", &targets.roles),
            "3": condition("region", &targets.regions),
        });
        let mut names = vec!["1", "2", "3"];
        if companies > 0 {
            conditions["4"] = condition("company", targets.companies(companies));
            names.push("4");
        }
        let gate = |key: String| {
            let rule = json!({
                "name": "some", "id": "some", "salt": "some", "groupName": "some", "idType": "userID",
                "passPercentage": targets.percentage, "conditions": names, "returnValue": true,
            });
            let gate = json!({
                "type": "feature_gate", "entity": "feature_gate", "salt": key, "enabled": true, "defaultValue": false,
                "idType": "userID", "rules": [rule],
            });
            (key, gate)
        };
        let gates: Map<String, Value> = Targets::keys(flags).map(gate).collect();
        Ok(serde_json::to_vec(&json!({
            "feature_gates": gates, "condition_map": conditions, "response_format": "dcs-v2",
            "dynamic_configs": {}, "layer_configs": {}, "experiment_to_layer": {}, "layers": {},
            "has_updates": true, "time": 1, "company_id": "company", "id_lists": {}, "diagnostics": {},
            "sdk_keys_to_app_ids": {},
        }))?)
    }

    fn read(document: &[u8]) -> Result<String> {
        Ok(std::str::from_utf8(document)?.to_owned())
    }

    fn new(snapshot: String) -> Result<Self> {
        let adapter = Arc::new(StatsigBootstrapSpecsAdapter::new(snapshot));
        let options = StatsigOptions {
            specs_adapter: Some(adapter.clone()),
            disable_network: Some(true),
            disable_all_logging: Some(true),
            disable_country_lookup: Some(true),
            disable_disk_access: Some(true),
            ..StatsigOptions::default()
        };
        let _runtime = RUNTIME.enter();
        let statsig = Statsig::new("secret-esclusa", Some(Arc::new(options)));
        RUNTIME.block_on(statsig.initialize()).map_err(|error| error.to_string())?;
        Ok(Peer { statsig, adapter })
    }

    fn publish(&self, snapshot: String) -> Result<()> {
        Ok(self.adapter.set_data(snapshot).map_err(|error| error.to_string())?)
    }

    #[inline]
    fn context(caller: &Caller) -> StatsigUser {
        let custom =
            [("company", &caller.company), ("plan", &caller.plan), ("role", &caller.role), ("region", &caller.region)];
        let custom = custom.into_iter().map(|(name, value)| (name.to_owned(), value.clone()));
        StatsigUserBuilder::new_with_user_id(caller.user.clone())
            .custom_from_str_map(Some(HashMap::from_iter(custom)))
            .build()
    }

    #[inline]
    fn is_on(&self, key: &str, context: &StatsigUser) -> bool {
        let options = FeatureGateEvaluationOptions { disable_exposure_logging: true };
        self.statsig.check_gate_with_options(context, key, options)
    }
}
