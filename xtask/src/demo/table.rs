//! The table of flags: who is targeted, who has each flag, and a chart by plan and by region.

use super::Problem;
use super::census::{Census, FlagCount, Part};
use super::chance::Verdict;
use super::definition::{Definition, Definitions, Unit};
use super::page::{Page, count};
use super::population::{PLANS, REGIONS};

/// The prefixes of the products' keys, and the products' names; other keys come last.
const PRODUCTS: [(&str, &str); 6] = [
    ("crm_", "CRM"),
    ("loyalty_", "Loyalty program"),
    ("affiliate_", "Affiliate marketing"),
    ("calls_", "Call automation"),
    ("platform_", "All products"),
    ("", "Others"),
];
/// The widths of the columns.
const KEY: usize = 31;
const STATE: usize = 12;
const AUDIENCE: usize = 8;
const SHARE: usize = 9;
const OFF_BY: usize = 8;
const PLAN: usize = 8;
/// The last plan has the longest name.
const LAST_PLAN: usize = 11;

pub(super) fn print(page: &Page, definitions: &Definitions, census: &Census) -> Result<(), Problem> {
    page.line(LEGEND)?;
    page.line("")?;
    let plans: String = plan_columns(&PLANS.map(str::to_owned));
    let regions: String = REGIONS.iter().map(|region| format!("{region} ")).collect();
    let shares = format!("{:>AUDIENCE$}{:>SHARE$}{:>SHARE$}{:>OFF_BY$}", "audience", "expected", "measured", "off by");
    let heads = format!("{:<KEY$}{:<STATE$}{shares}    {plans}{regions}", "flag", "state");
    page.line(&page.faint(heads.trim_end()))?;
    let flags: Vec<(&Definition, &FlagCount)> = definitions.iter().zip(census.flags()).collect();
    for (place, (_, name)) in PRODUCTS.iter().enumerate() {
        let rows: Vec<_> = flags.iter().filter(|(definition, _)| product(&definition.key) == place).collect();
        if !rows.is_empty() {
            page.line(&page.strong(name))?;
        }
        for (definition, counted) in rows {
            page.line(&row(page, definition, counted))?;
        }
    }
    Ok(())
}

const LEGEND: &str = "\
Audience: the users who pass everything but the buckets. Expected: the percentage of them that the definition gives the flag.
Off by: how far measured is from expected, in standard deviations of chance; `exact` where no bucket is asked.
Bars, by plan and by region: the share of the audience there that has the flag. ▁ a little … █ all, _ nobody, · no audience.
◆ Companies are bucketed, all the users of one together: there are fewer units than users, and chance shows more.";

fn plan_columns(cells: &[String; PLANS.len()]) -> String {
    let last = cells.len() - 1;
    let widths = (0..cells.len()).map(|place| if place == last { LAST_PLAN } else { PLAN });
    cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect()
}

fn product(key: &str) -> usize {
    PRODUCTS.iter().position(|(start, _)| key.starts_with(start)).unwrap_or_default()
}

fn row(page: &Page, definition: &Definition, counted: &FlagCount) -> String {
    let mark = if definition.by == Unit::Company { " ◆" } else { "" };
    let start = format!("{:<KEY$}{:<STATE$}", format!(" {}{mark}", definition.key), state(definition, counted));
    let (Some(expected), Some(measured)) = (counted.expected(), counted.all.share()) else {
        let verdict = counted.verdict();
        let width = AUDIENCE + 2 * SHARE + OFF_BY;
        let nobody = format!("{:>width$}", if verdict.is_allowed { "off for everybody" } else { "on for somebody" });
        return format!("{} {}", page.faint(&format!("{start}{nobody}")), tick(page, verdict));
    };
    let verdict = counted.verdict();
    // Plus 0, so that a value that rounds to zero has no minus sign.
    let off_by = match verdict.sigmas {
        Some(sigmas) => format!("{:+.1} σ", (sigmas * 10.0).round() / 10.0 + 0.0),
        None => "exact".to_owned(),
    };
    let shares = format!(
        "{:>AUDIENCE$}{:>SHARE$.2}{:>SHARE$.2}{off_by:>OFF_BY$}",
        count(counted.all.audience),
        expected * 100.0,
        measured * 100.0
    );
    let plans = plan_columns(&counted.plans.map(bar_and_share));
    let regions: String = counted.regions.iter().map(|part| format!("{} ", bar(*part).to_string().repeat(2))).collect();
    format!("{start}{shares} {}  {}", tick(page, verdict), page.picture(format!("{plans}{regions}").trim_end()))
}

/// One word: the state of the row, or else why the flag is off for everyone.
fn state(definition: &Definition, counted: &FlagCount) -> &'static str {
    match counted.expected() {
        _ if definition.is_off() => definition.state,
        None => "unmet",
        Some(expected) if expected <= 0.0 => "zero",
        Some(_) => definition.state,
    }
}

fn tick(page: &Page, verdict: Verdict) -> String {
    if verdict.is_allowed { page.good("✓") } else { page.bad("✗") }
}

fn bar_and_share(part: Part) -> String {
    match part.share() {
        None => "·".to_owned(),
        Some(share) => format!("{}{:>6.1}", bar(part), share * 100.0),
    }
}

/// An eighth of a block for each eighth of the audience, rounded up.
fn bar(part: Part) -> char {
    const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if part.audience == 0 {
        return '·';
    }
    let eighths = (u64::from(part.on) * 8).div_ceil(u64::from(part.audience));
    let eighth = usize::try_from(eighths).unwrap_or_default().checked_sub(1);
    eighth.and_then(|eighth| EIGHTHS.get(eighth)).copied().unwrap_or('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_eighths() {
        let bars = [(0, 0), (0, 80), (1, 80), (10, 80), (11, 80), (79, 80), (80, 80)];
        let drawn: String = bars.iter().map(|&(on, audience)| bar(Part { on, audience })).collect();
        assert_eq!(drawn, "·_▁▁▂██");
    }

    #[test]
    fn a_product_is_known_by_how_its_keys_begin() {
        assert_eq!(
            ["crm_x", "calls_y", "other"].map(|key| PRODUCTS[product(key)].1),
            ["CRM", "Call automation", "Others"]
        );
    }
}
