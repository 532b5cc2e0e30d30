//! What it costs to read 10,000 rows of 20 columns, 9 of them mapped, beside the same flags under native names.
//!
//! `cargo run --release -p esclusa-formats --example cost`
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement stops at what is wrong")]

use std::time::{Duration, Instant};

use esclusa::FlagSet;
use esclusa_formats::{Mapping, read};

const ROWS: usize = 10_000;

fn rows(names: [&str; 9]) -> String {
    let [key, on, share, plans, roles, regions, start, end, salt] = names;
    let row = |at: usize| {
        let others: Vec<String> =
            (0..11).map(|column| format!(r#""note_{column}":"text of column {column}, row {at}""#)).collect();
        format!(
            r#"{{"{key}":"feature_{at}","{on}":true,"{share}":{},"{plans}":["PRO","ENTERPRISE"],"{roles}":["ADMIN"],"{regions}":["CO","MX"],"{start}":"2025-01-01T00:00:00Z","{end}":null,"{salt}":null,{}}}"#,
            at % 101,
            others.join(",")
        )
    };
    format!("[{}]", (0..ROWS).map(row).collect::<Vec<_>>().join(","))
}

fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..31).map(|_| {
        let begin = Instant::now();
        run();
        begin.elapsed()
    });
    times.min().unwrap()
}

fn main() {
    let native = rows([
        "name",
        "enabled",
        "rollout_percentage",
        "target_plans",
        "target_roles",
        "target_regions",
        "start_date",
        "end_date",
        "salt",
    ]);
    let mapped = rows([
        "feature_key",
        "is_on",
        "rollout_pct",
        "allowed_plans",
        "allowed_roles",
        "countries",
        "visible_since",
        "visible_till",
        "seed",
    ]);
    let mapping = Mapping::from_toml(
        "esclusa_mapping = 1\nname = 'feature_key'\nenabled = 'is_on'\nrollout_percentage = 'rollout_pct'\ntarget_plans = 'allowed_plans'\n\
         target_roles = 'allowed_roles'\ntarget_regions = 'countries'\nstart_date = 'visible_since'\nend_date = 'visible_till'\nsalt = 'seed'\n",
    )
    .unwrap();
    let set = read(mapped.as_bytes(), &mapping).unwrap().0;
    assert_eq!((set.len(), set.violations().len()), (ROWS, 0));
    let one = best(|| drop(FlagSet::from_json(native.as_bytes()).unwrap()));
    let other = best(|| drop(read(mapped.as_bytes(), &mapping).unwrap()));
    println!("native {one:?}, mapped {other:?}, {:.2} times", other.as_secs_f64() / one.as_secs_f64());
}
