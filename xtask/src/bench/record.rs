//! The record of a run: tables and charts, dated, in `benches/records/`.

use std::fmt::Write;

use esclusa::Value;

use super::chart::{Bar, Curve, Kind, Panel, short, time};
use super::claim::{Bound, Claim};
use super::comparison::Comparison;
use super::contender::Entry;
use super::counts::Counts;
use super::size;

/// A table of every timed workload, the fastest contender first.
pub(crate) fn tables(comparison: &Comparison, workloads: &[&str]) -> String {
    let mut text = String::new();
    for workload in workloads {
        let ranking = comparison.ranking(workload);
        if ranking.is_empty() {
            continue;
        }
        let ours = comparison.ours(workload);
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
                ours.map_or_else(String::new, |ours| short(score.against(ours))),
            );
        }
    }
    text
}

/// Contenders that were not run, or have no number for a workload, and why.
pub(crate) fn left_out(comparison: &Comparison) -> String {
    let mut text = String::new();
    if !comparison.not_run.is_empty() {
        text.push_str("\nNot run:\n\n");
    }
    for (name, problem) in &comparison.not_run {
        let _ = writeln!(text, "- {name}: {}", reason(problem));
    }
    // First workloads that one contender leaves out for one reason, then contenders that leave out the same ones for
    // it.
    let mut of_each: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for (name, workload, why) in &comparison.left_out {
        match of_each.iter_mut().find(|(known, reason, _)| *known == name && *reason == why) {
            Some((_, _, workloads)) => workloads.push(workload),
            None => of_each.push((name, why, vec![workload])),
        }
    }
    let mut groups: Vec<(Vec<&str>, &str, Vec<&str>)> = Vec::new();
    for (name, why, workloads) in of_each {
        match groups.iter_mut().find(|(_, reason, known)| *reason == why && *known == workloads) {
            Some((names, _, _)) => names.push(name),
            None => groups.push((vec![name], why, workloads)),
        }
    }
    if !groups.is_empty() {
        text.push_str("\nWithout a number:\n\n");
    }
    for (names, why, workloads) in groups {
        let _ = writeln!(text, "- {} (`{}`): {}", names.join(", "), workloads.join("`, `"), reason(why));
    }
    text
}

/// A problem in one line: the command that failed, and its error, which compilers and installers hide among other
/// output.
pub(crate) fn reason(problem: &str) -> String {
    const LONGEST: usize = 400;
    let mut lines = problem.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = shortened(lines.next().unwrap_or_default());
    let rest: Vec<&str> = lines.collect();
    let mut errors = rest.iter().filter(|line| line.to_lowercase().contains("error")).take(2).copied().peekable();
    let said: Vec<&str> =
        if errors.peek().is_some() { errors.collect() } else { rest.last().copied().into_iter().collect() };
    let line = [&[first.as_str()], said.as_slice()].concat().join(" ");
    if line.chars().count() > LONGEST { line.chars().take(LONGEST).chain(['…']).collect() } else { line }
}

/// A failed command without its folders and most of its arguments, or the line unchanged.
fn shortened(line: &str) -> String {
    let Some(command) = line.strip_prefix('`').and_then(|line| line.strip_suffix("` failed:")) else {
        return line.to_owned();
    };
    let mut words = command.split(' ');
    let program = words.next().and_then(|program| program.rsplit(['/', '\\']).next()).unwrap_or_default();
    let said: Vec<&str> = [program].into_iter().chain(words.by_ref().take(2)).collect();
    let more = if words.next().is_some() { " …" } else { "" };
    format!("`{}{more}` failed:", said.join(" "))
}

/// The descriptions of the contenders.
pub(crate) fn contenders(comparison: &Comparison) -> String {
    let mut text = String::from("\n| contender | version | what it is |\n|---|---|---|\n");
    for Entry { name, version, about, .. } in &comparison.entries {
        let _ = writeln!(text, "| {name} | {version} | {} |", about.replace('|', "\\|"));
    }
    text
}

/// The claims, by their part, and whether they hold.
pub(crate) fn claims(claims: &[(&str, Claim)]) -> String {
    let mut text = String::from("\n| | what | measured | budget | holds |\n|---|---|---|---|---|\n");
    for (part, claim) in claims {
        let (bound, budget) = match claim.bound {
            Bound::AtMost(bound) => (bound, format!("at most {}", plain(bound))),
            Bound::AtLeast(bound) => (bound, format!("at least {}", plain(bound))),
        };
        let measured = match claim.measured {
            // A value a thousandth above the bound must not be shown as the bound.
            Some(measured) if claim.holds() == Some(false) && plain(measured) == plain(bound) => measured.to_string(),
            Some(measured) => plain(measured),
            None => "not measured".to_owned(),
        };
        let holds = match claim.holds() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let _ = writeln!(text, "| {part} | {} | {measured} | {budget} | {holds} |", claim.what);
    }
    text
}

/// Ratios with three digits, bytes as they are.
fn plain(value: f64) -> String {
    if value >= 1_000.0 { size::plain(value) } else { short(value) }
}

pub(crate) fn instructions(counts: &Result<Counts, String>, entries: &[Entry], workloads: &[&str]) -> String {
    let counts = match counts {
        Ok(counts) => counts,
        Err(problem) => return format!("\nNot counted: {problem}.\n"),
    };
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

/// Esclusa and the limit in turns within one process.
pub(crate) fn turns(comparison: &Comparison, workloads: &[&str]) -> String {
    let mut text = String::from("\n| workload | Esclusa | the limit | times the limit |\n|---|---|---|---|\n");
    for workload in workloads {
        let both = ["esclusa", "limit"].map(|name| comparison.turn(workload, name));
        if let [Some(ours), Some(limit)] = both {
            let [one, other, ratio] = [time(ours.median()), time(limit.median()), short(ours.against(limit))];
            let _ = writeln!(text, "| `{workload}` | {one} | {other} | {ratio} |");
        }
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

/// The latencies as two panels: alone, and during publishing.
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
pub(crate) fn bars(comparison: &Comparison, workload: &str) -> Vec<Bar> {
    let shown = comparison.ranking(workload).into_iter().filter(|(entry, _)| entry.is_shown());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_with_what_went_wrong() {
        let pip =
            "`/a/python -m pip install x==1` failed:\nLooking …\nERROR: No matching distribution found for x==1\n\n";
        assert_eq!(reason(pip), "`python -m pip …` failed: ERROR: No matching distribution found for x==1");
        let script = "`node chromium.js --list` failed:\nno Chromium found\n";
        assert_eq!(reason(script), "`node chromium.js --list` failed: no Chromium found");
        assert_eq!(reason("it ended (exit status: 1)"), "it ended (exit status: 1)");
        assert_eq!(reason(&"x".repeat(1_000)).chars().count(), 401);
    }

    #[test]
    fn what_is_left_out_for_one_reason_stands_in_one_line() {
        let left = |name: &str, workload: &str, why: &str| (name.to_owned(), workload.to_owned(), why.to_owned());
        let mut comparison = Comparison::default();
        comparison.not_run.push(("gone".to_owned(), "no package `gone`".to_owned()));
        comparison.left_out.extend([
            left("one", "w1", "no look-up"),
            left("other", "w1", "no look-up"),
            left("third", "w1", "it hangs"),
            left("one", "w2", "no look-up"),
            left("other", "w2", "no look-up"),
        ]);
        let text = "\nNot run:\n\n- gone: no package `gone`\n\nWithout a number:\n\n\
                    - one, other (`w1`, `w2`): no look-up\n- third (`w1`): it hangs\n";
        assert_eq!(left_out(&comparison), text);
    }

    #[test]
    fn a_claim_says_whether_it_holds_or_that_nothing_was_measured() {
        let claim = |measured, bound| ("Node", Claim { what: "what".to_owned(), measured, bound });
        let text = claims(&[
            claim(Some(0.999), Bound::AtLeast(1.0)),
            claim(Some(39_724.0), Bound::AtMost(40_000.0)),
            claim(None, Bound::AtMost(4.0)),
        ]);
        let rows: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            rows,
            [
                "| Node | what | 0.999 | at least 1 | **no** |",
                "| Node | what | 39,724 | at most 40,000 | yes |",
                "| Node | what | not measured | at most 4 |  |",
            ]
        );
    }
}
