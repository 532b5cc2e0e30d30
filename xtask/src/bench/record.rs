//! The record of a run: tables and pictures, dated, in `benches/records/`.

use std::fmt::Write;

use esclusa::Value;

use super::chart::{Bar, Curve, Kind, Panel, short, time};
use super::claim::{Bound, Claim};
use super::comparison::Comparison;
use super::contender::Entry;
use super::counts::Counts;

/// A table of every timed workload, the fastest contender first.
pub(crate) fn tables(comparison: &Comparison, workloads: &[&str]) -> String {
    let mut text = String::new();
    for workload in workloads {
        let ranking = comparison.ranking(workload);
        let Some((_, ours)) = ranking.iter().find(|(entry, _)| entry.name.starts_with("esclusa")) else { continue };
        let _ = writeln!(text, "\n### `{workload}`\n");
        text.push_str("| contender | median | best | middle half | times Esclusa | yes |\n|---|---|---|---|---|---|\n");
        for (entry, score) in &ranking {
            let name = if entry.is_ours() { format!("**{}**", entry.name) } else { entry.name.clone() };
            let yes = score.yes.map_or_else(String::new, |yes| format!("{:.1} %", 100.0 * yes));
            let _ = writeln!(
                text,
                "| {name} {} | {} | {} | {} to {} | {} | {yes} |",
                entry.version,
                time(score.median()),
                time(score.best()),
                time(score.quantile(0.25)),
                time(score.quantile(0.75)),
                short(score.against(ours)),
            );
        }
    }
    text
}

/// Who has no number for a workload, and why.
pub(crate) fn left_out(comparison: &Comparison) -> String {
    let mut text = String::new();
    for (name, workload, why) in &comparison.left_out {
        let why = why.lines().next().unwrap_or_default();
        let _ = writeln!(text, "- {name}, `{workload}`: {why}");
    }
    if text.is_empty() { text } else { format!("\nWithout a number:\n\n{text}") }
}

/// What each contender is, as it says itself.
pub(crate) fn contenders(comparison: &Comparison) -> String {
    let mut text = String::from("\n| contender | version | what it is |\n|---|---|---|\n");
    for Entry { name, version, about, .. } in &comparison.entries {
        let _ = writeln!(text, "| {name} | {version} | {} |", about.replace('|', "\\|"));
    }
    text
}

pub(crate) fn claims(claims: &[Claim]) -> String {
    let mut text = String::from("\n| what | measured | budget | holds |\n|---|---|---|---|\n");
    for claim in claims {
        let budget = match claim.bound {
            Bound::AtMost(bound) => format!("at most {}", plain(bound)),
            Bound::AtLeast(bound) => format!("at least {}", plain(bound)),
        };
        let holds = if claim.holds() { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {} | {} | {budget} | {holds} |", claim.what, plain(claim.measured));
    }
    text
}

/// Bytes as they are, ratios with three digits.
fn plain(value: f64) -> String {
    if value >= 10_000.0 { format!("{value:.0}") } else { short(value) }
}

pub(crate) fn instructions(counts: &Counts, entries: &[Entry], workloads: &[&str]) -> String {
    let mut text = String::from("\n| contender |");
    for workload in workloads {
        let _ = write!(text, " `{workload}` |");
    }
    text.push_str(&format!("\n|---|{}\n", "---|".repeat(workloads.len())));
    for entry in entries {
        let cells: Vec<Option<f64>> = workloads.iter().map(|workload| counts.of(workload, &entry.name)).collect();
        if cells.iter().all(Option::is_none) {
            continue;
        }
        let _ = write!(text, "| {} |", entry.name);
        for cell in cells {
            let _ = write!(text, " {} |", cell.map_or_else(String::new, |count| format!("{count:.0}")));
        }
        text.push('\n');
    }
    text
}

pub(crate) fn memory(comparison: &Comparison) -> String {
    let mut text = String::from("\n| contender | held, MB | highest, MB | document, MB |\n|---|---|---|---|\n");
    let megabytes = |name: &str, what: &str| {
        let bytes = comparison.number("w4-memory", name, &[what]);
        bytes.map_or_else(String::new, |bytes| short(bytes / 1e6))
    };
    let mut entries: Vec<&Entry> = comparison.entries.iter().collect();
    let held = |entry: &Entry| comparison.number("w4-memory", &entry.name, &["live"]).unwrap_or(f64::INFINITY);
    entries.sort_by(|one, other| held(one).total_cmp(&held(other)));
    for Entry { name, .. } in entries.into_iter().filter(|entry| held(entry).is_finite()) {
        let [live, peak, bytes] = ["live", "peak", "bytes"].map(|what| megabytes(name, what));
        let _ = writeln!(text, "| {name} | {live} | {peak} | {bytes} |");
    }
    text
}

const PERCENTILES: [(&str, f64, &str); 4] =
    [("p50", 2.0, "50 %"), ("p99", 100.0, "99 %"), ("p999", 1e3, "99.9 %"), ("p9999", 1e4, "99.99 %")];

pub(crate) fn latencies(comparison: &Comparison) -> String {
    let mut text = String::from("\n| contender | | 50 % | 99 % | 99.9 % | 99.99 % |\n|---|---|---|---|---|---|\n");
    for Entry { name, .. } in &comparison.entries {
        for when in ["alone", "publishing"] {
            let cells: Vec<f64> = PERCENTILES
                .iter()
                .filter_map(|(percentile, _, _)| comparison.number("w5", name, &[when, percentile]))
                .collect();
            if cells.len() == PERCENTILES.len() {
                let cells: Vec<String> = cells.into_iter().map(time).collect();
                let _ = writeln!(text, "| {name} | {when} | {} |", cells.join(" | "));
            }
        }
    }
    text
}

/// The latencies as two panels: alone, and while somebody publishes.
pub(crate) fn latency_panels(comparison: &Comparison) -> Vec<Panel> {
    [("alone", "Nobody publishes"), ("publishing", "A new snapshot every 10 ms")]
        .map(|(when, title)| {
            let curve = |entry: &Entry| {
                let points: Vec<(f64, f64)> = PERCENTILES
                    .iter()
                    .filter_map(|(name, x, _)| Some((*x, comparison.number("w5", &entry.name, &[when, name])?)))
                    .collect();
                let (name, is_ours) = (entry.name.clone(), entry.is_ours());
                (!points.is_empty()).then_some(Curve { name, points, is_ours, is_dashed: false })
            };
            Panel {
                title: title.to_owned(),
                across: "so many answers take at most".to_owned(),
                ticks: PERCENTILES.iter().map(|(_, x, label)| (*x, (*label).to_owned())).collect(),
                is_time: true,
                curves: comparison.entries.iter().filter_map(curve).collect(),
            }
        })
        .into()
}

/// The bars of one workload, the fastest first.
pub(crate) fn bars(comparison: &Comparison, workload: &str, hidden: &[&str]) -> Vec<Bar> {
    let ranking = comparison.ranking(workload);
    let shown = ranking.into_iter().filter(|(entry, _)| !hidden.iter().any(|part| entry.name.starts_with(part)));
    let bar = |(entry, score): (&Entry, &super::comparison::Score)| Bar {
        label: entry.name.clone(),
        value: score.median(),
        kind: match entry {
            entry if entry.is_ours() => Kind::Ours,
            entry if entry.is_peer() => Kind::Peer,
            _ => Kind::Yardstick,
        },
    };
    shown.map(bar).collect()
}

pub(crate) fn sizes(sizes: &[(String, Value<'static>)]) -> String {
    let mut text =
        String::from("\n| package | gzipped | JavaScript | WebAssembly | evaluates |\n|---|---|---|---|---|\n");
    for (name, size) in sizes {
        let bytes = |what: &str| size.get(what).and_then(Value::as_f64).map_or_else(String::new, |n| format!("{n}"));
        let evaluates = size.get("evaluates").and_then(Value::as_str).unwrap_or_default();
        let (all, script, wasm) = (bytes("gzipped"), bytes("javascript"), bytes("webassembly"));
        let _ = writeln!(text, "| {name} | {all} | {script} | {wasm} | {evaluates} |");
    }
    text
}

/// The curves of `benches/scaling.rs`: a line of JSON for each point.
pub(crate) fn scaling(lines: &str) -> Result<Vec<Panel>, String> {
    let mut panels: Vec<Panel> = Vec::new();
    for line in lines.lines() {
        let point = Value::from_json(line.as_bytes()).map_err(|problem| format!("`{line}`: {problem}"))?;
        let text = |name: &str| point.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| point.get(name).and_then(Value::as_f64);
        let (Some(x), Some(y)) = (number("at"), number("value")) else {
            return Err(format!("`{line}` is no point of a curve"));
        };
        let (title, curve) = (text("panel"), text("curve"));
        let panel = match panels.iter_mut().position(|panel| panel.title == title) {
            Some(at) => panels.get_mut(at),
            None => {
                let (across, is_time) = (text("across"), text("unit") == "ns");
                panels.push(Panel { title, across, ticks: Vec::new(), is_time, curves: Vec::new() });
                panels.last_mut()
            }
        };
        let Some(panel) = panel else { continue };
        match panel.curves.iter_mut().find(|known| known.name == curve) {
            Some(known) => known.points.push((x, y)),
            None => {
                let is_ours = panel.curves.is_empty();
                panel.curves.push(Curve { name: curve, points: vec![(x, y)], is_ours, is_dashed: false });
            }
        }
    }
    Ok(panels)
}

/// The curves as tables.
pub(crate) fn points(panels: &[Panel]) -> String {
    let mut text = String::new();
    for panel in panels {
        let _ = writeln!(text, "\n### {}\n\n| {} | curve | |\n|---|---|---|", panel.title, panel.across);
        for curve in &panel.curves {
            for (x, y) in &curve.points {
                let value = if panel.is_time { time(*y) } else { short(*y) };
                let _ = writeln!(text, "| {x} | {} | {value} |", curve.name);
            }
        }
    }
    text
}
