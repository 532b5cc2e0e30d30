//! ConfigCat: its Rust SDK with all flags from a local source, so that it asks no server.

use std::collections::HashMap;

use configcat::{Client, Config, OverrideBehavior, OverrideDataSource, PollingMode, Setting, User};
use esclusa_contender::{Caller, Contender, Result, Targets, Workload, ready};
use serde_json::{Map, Value, json};

pub(crate) struct ConfigCat(Client);

struct Local(Config);

impl OverrideDataSource for Local {
    fn settings(&self) -> &HashMap<String, Setting> {
        &self.0.settings
    }
}

impl Contender for ConfigCat {
    const NAME: &'static str = "configcat";
    const ABOUT: &'static str = "Client::get_value with LocalOnly overrides of its own config JSON; targeting rule with IS ONE OF (cleartext) and \
         percentage options; it wants the user by value, so a prebuilt one is cloned in the call; no logger is installed";

    type Context<'p> = User;
    type Snapshot = Config;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn skip(workload: Workload) -> Option<&'static str> {
        (workload == Workload::Threads).then_some("local flags cannot be replaced, and others come from its server")
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        // Comparator 0 is IS ONE OF (cleartext).
        let condition = |name: &str, values: &[String]| json!({"u": {"a": name, "c": 0, "l": values}});
        let mut conditions = vec![
            condition("plan", &targets.plans),
            condition("role", &targets.roles),
            condition("region", &targets.regions),
        ];
        if companies > 0 {
            conditions.push(condition("company", targets.companies(companies)));
        }
        let setting = |key: String| {
            let setting = json!({
                "t": 0, "v": {"b": false}, "i": "off",
                "r": [{
                    "c": conditions,
                    "p": [
                        {"p": targets.percentage, "v": {"b": true}, "i": "on"},
                        {"p": 100 - targets.percentage, "v": {"b": false}, "i": "off"},
                    ],
                }],
            });
            (key, setting)
        };
        let settings: Map<String, Value> = Targets::keys(flags).map(setting).collect();
        Ok(serde_json::to_vec(
            &json!({"p": {"u": "https://cdn-global.configcat.com", "r": 0, "s": "salt"}, "f": settings}),
        )?)
    }

    fn read(document: &[u8]) -> Result<Config> {
        Ok(serde_json::from_slice(document)?)
    }

    fn new(snapshot: Config) -> Result<Self> {
        let client = Client::builder("local")
            .overrides(Box::new(Local(snapshot)), OverrideBehavior::LocalOnly)
            .polling_mode(PollingMode::Manual)
            .build()
            .map_err(|error| error.to_string())?;
        // The first question makes it take the flags from the source.
        ready(client.get_value("", false, None));
        Ok(ConfigCat(client))
    }

    fn publish(&self, _: Config) -> Result<()> {
        Err("local flags cannot be replaced".into())
    }

    #[inline]
    fn context(caller: &Caller) -> User {
        User::new(&caller.user)
            .custom("company", caller.company.as_str())
            .custom("plan", caller.plan.as_str())
            .custom("role", caller.role.as_str())
            .custom("region", caller.region.as_str())
    }

    #[inline]
    fn is_on(&self, key: &str, context: &User) -> bool {
        ready(self.0.get_value(key, false, Some(context.clone())))
    }
}
