//! The provider inside the real SDK of OpenFeature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test stops at what is wrong"
)]

use std::sync::{Arc, Mutex, OnceLock};

use esclusa::{FlagSet, Flags, Time};
use esclusa_openfeature::EsclusaProvider;
use open_feature::provider::{FeatureProvider, ProviderStatus};
use open_feature::{
    Client, EvaluationContext, EvaluationContextFieldValue as Field, EvaluationDetails, EvaluationError,
    EvaluationErrorCode as Code, EvaluationOptions, EvaluationReason as Reason, EvaluationResult, FlagMetadataValue,
    Hook, HookContext, HookHints, HookWrapper, OpenFeature, StructValue, Value, async_trait,
};
use serde_json::json;
use time::{Duration, OffsetDateTime, UtcOffset};

fn serving(name: &str, value: &serde_json::Value) -> serde_json::Value {
    json!({"name": name, "enabled": true, "variants": [{"key": format!("{name}-variant"), "value": value}]})
}

fn rows() -> serde_json::Value {
    json!([
        {"name": "boolean", "enabled": true},
        {"name": "off", "enabled": false},
        serving("string", &json!("text")),
        serving("integer", &json!(3)),
        serving("exact", &json!(9_007_199_254_740_993_i64)),
        serving("whole", &json!(1e18)),
        serving("huge", &json!(1e300)),
        serving("float", &json!(2.5)),
        serving("object", &json!({"a": [1, 2.5, "x", true, {"b": null}], "gone": null})),
        serving("holes", &json!({"a": [null]})),
        serving("list", &json!([1, 2])),
        serving("null", &json!(null)),
        {"name": "premium", "enabled": true, "target_plans": ["PREMIUM"]},
        {"name": "mine", "enabled": true, "target_users": ["user-42"]},
        {"name": "half", "enabled": true, "rollout_percentage": 50},
        {"name": "broken", "enabled": true, "rollout_percentage": 150},
        {"name": "late", "enabled": true, "rules": [
            {"key": "r", "when": {"attribute": "since", "op": "after", "value": "2025-01-01"}}]},
        {"name": "kept-out", "enabled": true, "overrides": {"off": {"companies": ["acme"]}}},
    ])
}

fn published(rows: &serde_json::Value) -> Flags {
    let flags = Flags::new();
    publish(&flags, rows.to_string().as_bytes());
    flags
}

fn publish(flags: &Flags, snapshot: &[u8]) {
    assert!(flags.publish(FlagSet::from_json(snapshot).unwrap()).is_published());
}

async fn asking(provider: EsclusaProvider) -> Client {
    let mut api = OpenFeature::default();
    api.set_provider(provider).await;
    api.create_client()
}

async fn client() -> Client {
    asking(EsclusaProvider::new(&published(&rows()))).await
}

fn context(key: &str) -> EvaluationContext {
    EvaluationContext::default().with_targeting_key(key)
}

type Seen<T> = Result<(T, Option<String>, Option<Reason>), Code>;

fn seen<T>(result: EvaluationResult<EvaluationDetails<T>>) -> Seen<T> {
    result.map(|details| (details.value, details.variant, details.reason)).map_err(|error| {
        assert!(error.message.is_some_and(|message| !message.is_empty()), "an error says what is wrong");
        error.code
    })
}

#[tokio::test]
async fn values_of_each_type() {
    let client = client().await;
    assert_eq!(client.get_bool_value("boolean", None, None).await, Ok(true));
    assert_eq!(client.get_string_value("string", None, None).await, Ok("text".to_owned()));
    assert_eq!(client.get_int_value("integer", None, None).await, Ok(3));
    assert_eq!(client.get_int_value("exact", None, None).await, Ok(9_007_199_254_740_993));
    assert_eq!(client.get_float_value("float", None, None).await, Ok(2.5));
    let list: Vec<Value> = vec![1.into(), 2.5.into(), "x".into(), true.into(), StructValue::default().into()];
    let expected = StructValue::default().with_field("a", list);
    assert_eq!(client.get_struct_value::<StructValue>("object", None, None).await, Ok(expected));
}

#[tokio::test]
async fn details() {
    let client = client().await;
    let variant = Some("string-variant".to_owned());
    assert_eq!(seen(client.get_bool_details("boolean", None, None).await), Ok((true, None, Some(Reason::Static))));
    assert_eq!(seen(client.get_bool_details("off", None, None).await), Ok((false, None, Some(Reason::Disabled))));
    let text = seen(client.get_string_details("string", None, None).await);
    assert_eq!(text, Ok(("text".to_owned(), variant, Some(Reason::Static))));
    let premium = context("user-42").with_custom_field("plan", "PREMIUM");
    let matched = seen(client.get_bool_details("premium", Some(&premium), None).await);
    assert_eq!(matched, Ok((true, None, Some(Reason::TargetingMatch))));
    assert_eq!(seen(client.get_bool_details("premium", None, None).await), Ok((false, None, Some(Reason::Default))));
    let half = client.get_bool_details("half", Some(&premium), None).await.unwrap();
    assert_eq!((half.reason, half.flag_key), (Some(Reason::Split), "half".to_owned()));
}

#[tokio::test]
async fn numbers_that_fit_the_other_type() {
    let client = client().await;
    assert_eq!(client.get_float_value("integer", None, None).await, Ok(3.0));
    assert_eq!(client.get_int_value("whole", None, None).await, Ok(1_000_000_000_000_000_000));
    let huge = client.get_int_value("huge", None, None).await.unwrap_err();
    assert_eq!(huge.code, Code::TypeMismatch);
    assert_eq!(huge.message.as_deref(), Some("`huge` serves a whole number beyond 64 bits, expected an integer"));
    assert_eq!(client.get_float_value("huge", None, None).await, Ok(1e300));
}

#[tokio::test]
async fn a_value_of_another_type() {
    let client = client().await;
    let mut found = Vec::new();
    for key in ["string", "integer", "float", "object", "list"] {
        found.push((key, "bool", client.get_bool_value(key, None, None).await.map(drop)));
    }
    for key in ["boolean", "integer", "float", "object"] {
        found.push((key, "string", client.get_string_value(key, None, None).await.map(drop)));
    }
    for key in ["boolean", "string", "float", "object"] {
        found.push((key, "integer", client.get_int_value(key, None, None).await.map(drop)));
    }
    for key in ["boolean", "string", "object"] {
        found.push((key, "float", client.get_float_value(key, None, None).await.map(drop)));
    }
    for key in ["boolean", "string", "integer", "list", "holes"] {
        found.push((key, "object", client.get_struct_value::<StructValue>(key, None, None).await.map(drop)));
    }
    for (key, asked, result) in found {
        let error = result.expect_err(key);
        assert_eq!(error.code, Code::TypeMismatch, "{key}");
        let message = error.message.unwrap();
        assert!(message.contains(&format!("`{key}` serves a")) && message.contains(asked), "{message}");
    }
}

#[tokio::test]
async fn a_null_value_is_no_value_and_the_default_stands() {
    let client = client().await;
    let error = client.get_string_value("null", None, None).await.unwrap_err();
    assert_eq!(error.code, Code::General("the flag serves no value".to_owned()));
    assert_eq!(error.message.as_deref(), Some("`null` serves no value (STATIC)"));
    assert_eq!(client.get_int_value("null", None, None).await.unwrap_or(7), 7);
}

#[tokio::test]
async fn errors_are_named() {
    let client = client().await;
    let found = [("missing", Code::FlagNotFound), ("half", Code::TargetingKeyMissing), ("broken", Code::ParseError)];
    for (key, code) in found {
        assert_eq!(seen(client.get_bool_details(key, None, None).await), Err(code), "{key}");
    }
    let empty = asking(EsclusaProvider::new(&Flags::new())).await;
    assert_eq!(seen(empty.get_bool_details("boolean", None, None).await), Err(Code::ProviderNotReady));
}

#[tokio::test]
async fn the_context() {
    let client = client().await;
    let mine = async |context: EvaluationContext| client.get_bool_value("mine", Some(&context), None).await.unwrap();
    assert!(mine(context("user-42")).await);
    assert!(mine(context("user-42").with_custom_field("user", "other")).await, "the targeting key counts");
    assert!(mine(context("user-42").with_custom_field("targetingKey", "other")).await);
    assert!(mine(EvaluationContext::default().with_custom_field("user", "user-42")).await);
    assert!(!mine(context("other").with_custom_field("user", "user-42")).await);
    assert!(!mine(EvaluationContext::default()).await);

    // An hour before midnight in UTC, and the next year where it is written.
    let zone = UtcOffset::from_hms(2, 0, 0).unwrap();
    let eve = OffsetDateTime::from_unix_timestamp(1_735_686_000).unwrap().to_offset(zone);
    for (since, expected) in [(eve, false), (eve + Duration::hours(2), true)] {
        let context = context("u").with_custom_field("since", since);
        assert_eq!(client.get_bool_value("late", Some(&context), None).await, Ok(expected), "{since}");
    }
}

#[tokio::test]
async fn structures_of_each_type_are_read() {
    let rule = json!({"key": "r", "when": {"attribute": "tags", "op": "in", "values": ["b"]}});
    let flags = published(&json!([
        {"name": "roles", "enabled": true, "target_roles": ["ADMIN"]},
        {"name": "tags", "enabled": true, "rules": [rule]},
    ]));
    let client = asking(EsclusaProvider::new(&flags)).await;
    let esclusa = esclusa::Value::from(vec!["b"]);
    for field in [
        Field::new_struct(vec!["a", "b"]),
        Field::new_struct(vec!["a".to_owned(), "b".to_owned()]),
        Field::new_struct(Value::from(vec!["a", "b"])),
        Field::new_struct(esclusa),
        Field::new_struct(json!(["a", "b", null, 1.5])),
    ] {
        let context = context("u").with_custom_field("tags", field);
        assert_eq!(client.get_bool_value("tags", Some(&context), None).await, Ok(true), "{context:?}");
    }
    let context = context("u").with_custom_field("roles", Field::new_struct(vec!["USER", "ADMIN"]));
    assert_eq!(client.get_bool_value("roles", Some(&context), None).await, Ok(true));
}

/// Keeps what is logged.
struct Log(Mutex<Vec<String>>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn a_structure_of_an_unknown_type_is_missing_and_lets_nobody_in() {
    struct Company;
    static LOG: OnceLock<Log> = OnceLock::new();
    log::set_logger(LOG.get_or_init(|| Log(Mutex::default()))).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let client = client().await;
    let acme = context("u").with_custom_field("company", Field::new_struct(Company));
    // Whether it is the one that is kept out cannot be told (3.10).
    for _ in 0..2 {
        assert_eq!(client.get_bool_value("kept-out", Some(&acme), None).await, Ok(false));
    }
    let odd = context("u").with_custom_field("since", f64::NAN);
    assert_eq!(client.get_bool_value("late", Some(&odd), None).await, Ok(false));
    assert_eq!(client.get_bool_value("kept-out", Some(&odd), None).await, Ok(true));
    let logged = LOG.get().unwrap().0.lock().unwrap().clone();
    for field in ["company", "since"] {
        let of_it = logged.iter().filter(|line| line.contains(&format!("the field `{field}` of a context")));
        assert_eq!(of_it.count(), 1, "{logged:?}");
    }
}

#[tokio::test]
async fn the_clock_of_the_flags_counts() {
    let flags = Flags::with_clock(|| Time::from_millis(0));
    let rows = br#"[{"name": "over", "enabled": true, "end_date": "1970-01-02"}]"#;
    publish(&flags, rows);
    let client = asking(EsclusaProvider::new(&flags)).await;
    assert_eq!(client.get_bool_value("over", None, None).await, Ok(true));
}

#[tokio::test]
async fn metadata_says_what_snapshot_it_was() {
    let flags = published(&json!([{"name": "boolean", "enabled": true}]));
    let client = asking(EsclusaProvider::new(&flags)).await;
    let plain = client.get_bool_details("boolean", None, None).await.unwrap();
    assert!(plain.flag_metadata.values.is_empty());
    let document = json!({"esclusa": 1, "revision": 42, "flags": [{"name": "boolean", "enabled": true}]});
    publish(&flags, document.to_string().as_bytes());
    let details = client.get_bool_details("boolean", None, None).await.unwrap();
    let values = details.flag_metadata.values;
    assert_eq!(values.get("revision"), Some(&FlagMetadataValue::Int(42)));
    assert_eq!(values.get("version"), Some(&FlagMetadataValue::String("42".to_owned())));
    assert_eq!(values.len(), 2);
}

/// What the SDK tells hooks.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Hook for Heard {
    async fn before<'a>(
        &self,
        _: &HookContext<'a>,
        _: Option<&'a HookHints>,
    ) -> Result<Option<EvaluationContext>, EvaluationError> {
        Ok(None)
    }

    async fn after<'a>(
        &self,
        context: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        let (variant, reason) = (details.variant.as_deref().unwrap(), details.reason.as_ref().unwrap());
        self.0.lock().unwrap().push(format!("{} {variant} {reason}", context.provider_metadata.name));
        Ok(())
    }

    async fn error<'a>(&self, _: &HookContext<'a>, error: &EvaluationError, _: Option<&'a HookHints>) {
        self.0.lock().unwrap().push(error.code.to_string());
    }

    async fn finally<'a>(&self, _: &HookContext<'a>, _: &EvaluationDetails<Value>, _: Option<&'a HookHints>) {}
}

#[tokio::test]
async fn hooks_see_variant_and_reason() {
    let (own, asked) = (Heard::default(), Heard::default());
    let client = asking(EsclusaProvider::new(&published(&rows())).hook(own.clone())).await;
    let options = EvaluationOptions { hooks: vec![HookWrapper::new(asked.clone())], ..EvaluationOptions::default() };
    client.get_string_value("string", None, Some(&options)).await.unwrap();
    client.get_string_value("missing", None, Some(&options)).await.unwrap_err();
    for heard in [own, asked] {
        assert_eq!(*heard.0.lock().unwrap(), ["esclusa string-variant STATIC", "FLAG_NOT_FOUND"]);
    }
}

#[tokio::test]
async fn its_status_without_a_source() {
    let flags = Flags::new();
    let mut provider = EsclusaProvider::new(&flags);
    assert_eq!(provider.metadata().name, "esclusa");
    assert_eq!(provider.status(), ProviderStatus::NotReady);
    provider.initialize(&EvaluationContext::default()).await;
    assert_eq!(provider.status(), ProviderStatus::Error);
    publish(&flags, b"[]");
    assert_eq!(provider.status(), ProviderStatus::Ready);
}
