//! What `esclusa codegen rust` writes compiles, and its keys answer with the types that they promise.

#![allow(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa::{Context, FlagSet, Flags, Value};

#[allow(unreachable_pub, reason = "an app has the module in a place of its own")]
#[path = "golden/files/generated/flags.rs"]
mod flags;

#[test]
fn keys_answer_with_the_types_that_they_promise() {
    let snapshot = include_bytes!("golden/files/typed.json");
    let app = Flags::new();
    let _ = app.publish(FlagSet::from_json(snapshot).unwrap());
    let context = Context::new("user-42").plan("PREMIUM");
    assert!(app.is_enabled(&flags::CRM_ADVANCED, &context));
    assert!(!app.is_enabled(&flags::FACTURACIÓN_NUEVA, &context));
    #[expect(deprecated, reason = "the flag is finished, and the compiler says so")]
    let finished = flags::FLAG_2FA;
    let set = app.current();
    let now = app.now();
    assert_eq!(set.value_of(&finished, &context, now), Some(true));
    let layout: &str = set.value_of(&flags::CHECKOUT_LAYOUT, &context, now).unwrap();
    assert!(["grid", "list"].contains(&layout));
    assert!(set.value_of(&flags::CHECKOUT_LAYOUT_2, &context, now).is_none_or(|text| text == "gr\"i\\d\u{2028}"));
    let limit: i64 = set.value_of(&flags::LIMIT, &context, now).unwrap();
    assert!([10, 500].contains(&limit));
    let ratio: f64 = set.value_of(&flags::RATIO, &context, now).unwrap();
    assert!((0.5..=1.0).contains(&ratio));
    let theme: &Value<'static> = set.value_of(&flags::THEME, &context, now).unwrap();
    assert!(theme.get("dark").and_then(Value::as_bool).is_some());
    assert!(set.contains(flags::MIXED.as_str()));
}
