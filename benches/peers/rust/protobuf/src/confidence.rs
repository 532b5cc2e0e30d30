//! Confidence, by Spotify: the resolver inside its providers.

use std::sync::{Mutex, PoisonError, RwLock};

use confidence_resolver::proto::Message;
use confidence_resolver::proto::confidence::flags::admin::v1::ResolverState as Document;
use confidence_resolver::proto::confidence::flags::resolver::v1::{ResolveReason, Sdk};
use confidence_resolver::proto::google::value::Kind;
use confidence_resolver::proto::google::{Struct, Value};
use confidence_resolver::{Client, FlagToApply, Host, MaterializationContext, ResolvedValue, ResolverState};
use esclusa_contender::{Caller, Contender, Result, Targets};
use serde_json::json;

const SECRET: &str = "secret";

pub(crate) struct Confidence(RwLock<ResolverState>);

/// Logs nothing.
struct Quiet;

impl Host for Quiet {
    fn log_resolve(_: &str, _: &Struct, _: &[ResolvedValue<'_>], _: &Client) {}
    fn log_assign(_: &str, _: &[FlagToApply<'_>], _: &Client, _: &Option<Sdk>) {}
}

impl Contender for Confidence {
    const NAME: &'static str = "confidence_resolver";
    const ABOUT: &'static str = "AccountResolver::resolve_flag, whose reason says whether the one variant was assigned; segment with set rules, \
         and a rule that assigns 10 of 100 buckets; the context is moved into the resolver and out again; no resolve token";

    type Context<'p> = Mutex<Struct>;
    type Snapshot = ResolverState;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        let criterion = |name: &str, values: &[String]| {
            let values: Vec<_> = values.iter().map(|value| json!({"stringValue": value})).collect();
            json!({"attribute": {"attributeName": name, "setRule": {"values": values}}})
        };
        let mut criteria = json!({
            "1": criterion("plan", &targets.plans),
            "2": criterion("role", &targets.roles),
            "3": criterion("region", &targets.regions),
        });
        let mut all = vec![json!({"ref": "1"}), json!({"ref": "2"}), json!({"ref": "3"})];
        if companies > 0 {
            criteria["4"] = criterion("company", targets.companies(companies));
            all.push(json!({"ref": "4"}));
        }
        let segment = |key: String| {
            json!({
                "name": format!("segments/{key}"), "state": "ALLOCATED",
                "targeting": {"criteria": criteria, "expression": {"and": {"operands": all}}},
            })
        };
        let flag = |key: String| {
            let variant = format!("flags/{key}/variants/on");
            json!({
                "name": format!("flags/{key}"), "state": "ACTIVE", "clients": ["clients/a"],
                "variants": [{"name": variant, "value": {"on": true}}],
                "rules": [{
                    "name": format!("flags/{key}/rules/some"), "segment": format!("segments/{key}"), "enabled": true,
                    "targetingKeySelector": "user",
                    "assignmentSpec": {
                        "bucketCount": 100,
                        "assignments": [{
                            "assignmentId": "on", "variant": {"variant": variant},
                            "bucketRanges": [{"lower": 0, "upper": targets.percentage}],
                        }],
                    },
                }],
            })
        };
        let document: Document = serde_json::from_value(json!({
            "flags": Targets::keys(flags).map(flag).collect::<Vec<_>>(),
            "segmentsNoBitsets": Targets::keys(flags).map(segment).collect::<Vec<_>>(),
            "clients": [{"name": "clients/a"}],
            "clientCredentials": [{"name": "clients/a/credentials/a", "clientSecret": {"secret": SECRET}}],
        }))?;
        Ok(document.encode_to_vec())
    }

    fn read(document: &[u8]) -> Result<ResolverState> {
        let state = ResolverState::from_proto(Document::decode(document)?, "account", None);
        Ok(state.map_err(|error| format!("{error:?}"))?)
    }

    fn new(snapshot: ResolverState) -> Result<Self> {
        Ok(Confidence(RwLock::new(snapshot)))
    }

    fn publish(&self, snapshot: ResolverState) -> Result<()> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> Mutex<Struct> {
        let fields = [
            ("user", &caller.user),
            ("company", &caller.company),
            ("plan", &caller.plan),
            ("role", &caller.role),
            ("region", &caller.region),
        ];
        let field =
            |(name, value): (&str, &String)| (name.to_owned(), Value { kind: Some(Kind::StringValue(value.clone())) });
        Mutex::new(Struct { fields: fields.into_iter().map(field).collect() })
    }

    #[inline]
    fn is_on(&self, key: &str, context: &Mutex<Struct>) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut context = context.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = std::mem::take(&mut *context);
        // Without a resolve token there is nothing to encrypt.
        let Ok(resolver) = state.get_resolver::<Quiet>(SECRET, fields, &Default::default()) else { return false };
        let flag = state.flags.get(&format!("flags/{key}"));
        let on = flag.is_some_and(|flag| {
            let resolved = resolver.resolve_flag(flag, &mut MaterializationContext::unsupported());
            resolved.is_ok_and(|resolved| resolved.reason() == ResolveReason::Match)
        });
        *context = resolver.evaluation_context.context;
        on
    }
}
