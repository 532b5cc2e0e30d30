//! GrowthBook: its Rust SDK, by the evaluation inside its client and by the client itself.

use std::collections::HashMap;
use std::sync::PoisonError;

use esclusa_contender::{Caller, Contender, Result, Targets, ready};
use growthbook_rust::client::{GrowthBookClient as Client, GrowthBookClientBuilder, GrowthBookClientTrait};
use growthbook_rust::dto::GrowthBookFeature;
use growthbook_rust::growthbook::GrowthBook as Evaluation;
use growthbook_rust::model_public::{GrowthBookAttribute, GrowthBookAttributeValue};
use serde_json::{Map, Value, json};

type Features = HashMap<String, GrowthBookFeature>;
type Attributes = Option<Vec<GrowthBookAttribute>>;

/// `GrowthBook::check` in the client's own lock, which is public: the client's own call clones all flags first.
pub(crate) struct GrowthBook(Client);

impl Contender for GrowthBook {
    const NAME: &'static str = "growthbook-rust";
    const ABOUT: &'static str = "GrowthBook::check under the client's public lock; rule with condition $in, force and \
                                 coverage by id; no callbacks, no sticky buckets, without the feature tracing";

    type Context<'p> = Attributes;
    type Snapshot = Features;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        let mut condition = json!({
            "plan": {"$in": targets.plans}, "role": {"$in": targets.roles}, "region": {"$in": targets.regions},
        });
        if companies > 0 {
            condition["company"] = json!({"$in": targets.companies(companies)});
        }
        let feature = |key: String| {
            let rule = json!({
                "condition": condition, "force": true, "coverage": f64::from(targets.percentage) / 100.0,
                "hashAttribute": "id", "seed": key,
            });
            (key, json!({"defaultValue": false, "rules": [rule]}))
        };
        let features: Map<String, Value> = Targets::keys(flags).map(feature).collect();
        Ok(serde_json::to_vec(&features)?)
    }

    fn read(document: &[u8]) -> Result<Features> {
        Ok(serde_json::from_slice(document)?)
    }

    fn new(snapshot: Features) -> Result<Self> {
        let client = GrowthBookClientBuilder::new().features(snapshot).auto_refresh(false).build();
        Ok(GrowthBook(ready(client).map_err(|error| error.to_string())?))
    }

    fn publish(&self, snapshot: Features) -> Result<()> {
        let new = Evaluation {
            forced_variations: None,
            features: snapshot,
            attributes: None,
            sticky_bucket_service: None,
            saved_groups: HashMap::new(),
        };
        *self.0.gb.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> Attributes {
        let attributes = [
            ("id", &caller.user),
            ("company", &caller.company),
            ("plan", &caller.plan),
            ("role", &caller.role),
            ("region", &caller.region),
        ];
        let attribute = |(name, value): (&str, &String)| {
            GrowthBookAttribute::new(name.to_owned(), GrowthBookAttributeValue::String(value.clone()))
        };
        Some(attributes.into_iter().map(attribute).collect())
    }

    #[inline]
    fn is_on(&self, key: &str, context: &Attributes) -> bool {
        self.0.gb.read().unwrap_or_else(PoisonError::into_inner).check(key, context).on
    }
}

/// The call of its documentation.
pub(crate) struct GrowthBookClient(GrowthBook);

impl Contender for GrowthBookClient {
    const NAME: &'static str = "growthbook-rust-client";
    const ABOUT: &'static str = "GrowthBookClient::is_on, as documented: it clones all flags in each call, and wants the \
                                 attributes by value, so prebuilt ones are cloned; the rest as growthbook-rust";

    type Context<'p> = Attributes;
    type Snapshot = Features;

    fn version() -> String {
        GrowthBook::version()
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        GrowthBook::document(targets, flags, companies)
    }

    fn read(document: &[u8]) -> Result<Features> {
        GrowthBook::read(document)
    }

    fn new(snapshot: Features) -> Result<Self> {
        Ok(GrowthBookClient(GrowthBook::new(snapshot)?))
    }

    fn publish(&self, snapshot: Features) -> Result<()> {
        self.0.publish(snapshot)
    }

    #[inline]
    fn context(caller: &Caller) -> Attributes {
        GrowthBook::context(caller)
    }

    #[inline]
    fn is_on(&self, key: &str, context: &Attributes) -> bool {
        self.0.0.is_on(key, context.clone())
    }
}
