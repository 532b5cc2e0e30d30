//! Other engines in Rust as contenders of the speed comparison: `benches/peers/README.md` says how each is configured,
//! `benches/README.md` how each is asked. One file for each.

mod configcat;
mod eppo;
mod flagsmith;
mod growthbook;
mod launchdarkly;
mod unleash;

use std::process::ExitCode;

use esclusa_contender::Entry;

fn main() -> ExitCode {
    esclusa_contender::main(&[
        Entry::new::<unleash::Unleash>(),
        Entry::new::<eppo::Eppo>(),
        Entry::new::<launchdarkly::LaunchDarkly>(),
        Entry::new::<configcat::ConfigCat>(),
        Entry::new::<growthbook::GrowthBook>(),
        Entry::new::<growthbook::GrowthBookClient>(),
        Entry::new::<flagsmith::Flagsmith>(),
    ])
}

fn version(name: &str) -> String {
    esclusa_contender::locked(include_str!("../Cargo.lock"), name)
}
