//! Writes the callers and the flag's targets as one JSON document, so that contenders in every language evaluate for
//! the same callers: `cargo run -p esclusa-benches --example population > population.json`.

use esclusa_benches::{PERCENTAGE, PLANS, REGIONS, ROLES, callers, company, key, mixed_callers};

fn main() {
    let population = serde_json::json!({
        "key": key(0),
        "plans": PLANS,
        "roles": ROLES,
        "regions": REGIONS,
        "percentage": PERCENTAGE,
        "companies": (0..100_000).map(company).collect::<Vec<_>>(),
        "match": callers(10_000),
        "mix": mixed_callers(10_000),
    });
    println!("{population}");
}
