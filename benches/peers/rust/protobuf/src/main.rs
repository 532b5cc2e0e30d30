//! Other engines in Rust whose build wants a compiler of protocol buffers, as contenders of the speed comparison:
//! `benches/peers/README.md` says how each is configured.

mod confidence;
mod flagd;
mod flagd_engine;

use std::process::ExitCode;

use esclusa_contender::Entry;

fn main() -> ExitCode {
    let done = esclusa_contender::main(&[
        Entry::new::<confidence::Confidence>(),
        Entry::new::<flagd::Flagd>(),
        Entry::new::<flagd_engine::FlagdEngine>(),
    ]);
    flagd::remove_files();
    done
}

fn version(name: &str) -> String {
    esclusa_contender::locked(include_str!("../../Cargo.lock"), name)
}
