//! Loads a document of 10,000 flags: the time, and the memory of the flags afterwards.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::session::check_engine;
use crate::workload::Workload;
use crate::{Contender, Population, Result, Targets, heap};

/// The document, after an engine that loaded it has answered.
pub(crate) fn document<C: Contender>(population: &Population) -> Result<Vec<u8>> {
    let document = C::document(&population.targets, Workload::Load.flags(), 0)?;
    check(&C::new(C::read(&document)?)?, population)?;
    Ok(document)
}

/// One load, from bytes in memory to the first answer. The loaded flags are dropped after the clock has stopped.
pub(crate) fn round<C: Contender>(document: &[u8]) -> Result<Value> {
    let start = Instant::now();
    let engine = black_box(C::new(C::read(black_box(document))?)?);
    let elapsed = start.elapsed();
    drop(engine);
    Ok(json!({ "ns": u64::try_from(elapsed.as_nanos())?, "evaluations": 1, "bytes": document.len() }))
}

/// The first and the last flag, to detect an engine that takes only a part.
fn check<C: Contender>(engine: &C, population: &Population) -> Result<()> {
    if C::ANSWERS {
        check_engine(engine, population, &Targets::key(0))?;
        check_engine(engine, population, &Targets::key(Workload::Load.flags() - 1))?;
    }
    Ok(())
}

/// Starts a new process for [`memory`]: memory of earlier workloads in this one would distort the result.
pub(crate) fn memory_of_a_new_process(name: &str) -> Result<Value> {
    let population = std::env::args().nth(2).ok_or("the population is the second argument")?;
    let output = Command::new(std::env::current_exe()?).args(["--memory", name, &population]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The memory of the loaded flags, and its maximum during the load.
pub(crate) fn memory<C: Contender>(population: &Population) -> Result<Value> {
    let document = C::document(&population.targets, Workload::Memory.flags(), 0)?;
    // What an engine makes once for the process, such as its runtime, is not part of the flags.
    drop(C::new(C::read(&C::document(&population.targets, 1, 0)?)?)?);
    let (peak, before) = (heap::Peak::start(), heap::live());
    let engine = black_box(C::new(C::read(black_box(&document))?)?);
    let (after, peak) = (heap::live(), peak.and_then(|peak| peak.bytes()));
    let live = after.zip(before).map(|(after, before)| after.saturating_sub(before));
    check(&engine, population)?;
    // Pages that were resident already and are used again do not raise the mark.
    let peak = peak.map(|peak| peak.max(live.unwrap_or_default()));
    Ok(json!({ "live": live, "peak": peak, "bytes": document.len() }))
}
