//! The variants that users with a flag are served, as bars of one length.

use super::Problem;
use super::census::Census;
use super::definition::{Definitions, Unit};
use super::page::{Page, count};

/// The length of a whole bar.
const BAR: u32 = 22;
const FILLS: [&str; 4] = ["█", "▓", "▒", "░"];

pub(super) fn print(page: &Page, definitions: &Definitions, census: &Census) -> Result<(), Problem> {
    let flags = definitions.iter().zip(census.flags());
    let with_variants: Vec<_> =
        flags.filter(|(_, counted)| !counted.variants.is_empty() && counted.all.on > 0).collect();
    if with_variants.is_empty() {
        return Ok(());
    }
    page.line(&page.strong("\nVariants, of those for whom the flag is on: expected → measured, in percent"))?;
    for (definition, counted) in with_variants {
        let on = counted.all.on;
        let (mut bar, mut shares, mut drawn, mut sum) = (String::new(), Vec::new(), 0, 0);
        for (((key, _), variant), fill) in definition.variants.iter().zip(&counted.variants).zip(FILLS.iter().cycle()) {
            sum += variant.served;
            // Rounded where it ends, so that all bars are equally long.
            let end = (u64::from(sum) * u64::from(BAR) + u64::from(on) / 2) / u64::from(on);
            let end = u32::try_from(end).unwrap_or(BAR);
            bar.push_str(&fill.repeat((end - drawn) as usize));
            drawn = end;
            let (expected, measured) = (variant.expected() / f64::from(on), f64::from(variant.served) / f64::from(on));
            let tick = if variant.verdict().is_allowed { page.good("✓") } else { page.bad("✗") };
            shares.push(format!("{fill} {key} {:.1} → {:.1} {tick}", expected * 100.0, measured * 100.0));
        }
        let mark = if definition.by == Unit::Company { " ◆" } else { "" };
        let start = format!(" {:<28}{:>8}", format!("{}{mark}", definition.key), count(on));
        page.line(&format!("{start}  {}  {}", page.picture(&bar), shares.join("  ")))?;
    }
    Ok(())
}
