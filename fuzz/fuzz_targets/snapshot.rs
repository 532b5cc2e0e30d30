//! Bytes become a snapshot, a flag set, resolutions: whatever the bytes are, nothing panics, and explaining agrees with
//! resolving. The bytes are up to three snapshots, one after the other, published in order; a line feed, a NUL and a
//! line feed stand between them.
#![no_main]

use esclusa::{Context, FlagSet, Flags, Time};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let flags = Flags::new();
    let mut rest = bytes;
    for _ in 0..3 {
        let end = rest.windows(3).position(|window| window == b"\n\0\n");
        let (one, others) = rest.split_at(end.unwrap_or(rest.len()));
        if let Ok(set) = FlagSet::from_json(one) {
            let strict = FlagSet::from_json_strict(one);
            assert_eq!(strict.is_ok(), set.violations().is_empty());
            let _ = flags.publish(set);
        }
        rest = others.get(3..).unwrap_or_default();
        check(&flags);
        if rest.is_empty() {
            break;
        }
    }
    // The same bytes are also tried as a context.
    let _ = Context::from_json(bytes);
});

fn check(flags: &Flags) {
    let set = flags.current();
    let contexts = [
        Context::anonymous(),
        Context::new("user-42").company("acme").plan("PREMIUM").role("ADMIN").region("CO"),
        Context::new("").roles(["OWNER", "a role of more than fourteen bytes"]).attribute("email", "a@acme.com"),
        Context::new("7")
            .attribute("n", 1.5)
            .attribute("v", "1.2.3-rc.1")
            .attribute("ip", "10.1.2.3")
            .attribute("b", true),
    ];
    for context in &contexts {
        for now in [Time::from_millis(i64::MIN), Time::from_millis(1_750_000_000_000), Time::from_millis(i64::MAX)] {
            for (key, resolution) in set.resolve_all(context, now).take(200) {
                assert_eq!(set.resolve(key, context, now), resolution);
                let explained = set.explain(key, context, now);
                assert_eq!(explained.resolution(), resolution);
                assert!(!explained.to_string().is_empty());
                let projection = set.project([key], context, now);
                let projected = projection.get(key).map(|projected| (projected.is_enabled(), projected.value()));
                assert_eq!(projected, Some((resolution.is_enabled(), resolution.value())));
            }
        }
    }
}
