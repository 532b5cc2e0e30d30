//! Charts of the measurements as SVG: bars and curves on logarithmic scales.

use std::fmt::Write;

const WIDTH: f64 = 860.0;
const INK: &str = "#1f2937";
const PALE: &str = "#9ca3af";
const GRID: &str = "#e5e7eb";
const OURS: &str = "#0f766e";
const OTHERS: [&str; 6] = ["#94a3b8", "#b45309", "#7c3aed", "#be123c", "#1d4ed8", "#4d7c0f"];

/// One contender.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    /// A lower bound, or a call that does nothing.
    Yardstick,
    Peer,
}

impl Kind {
    fn colour(self) -> &'static str {
        match self {
            Kind::Ours => OURS,
            Kind::Yardstick => "#cbd5e1",
            Kind::Peer => "#94a3b8",
        }
    }
}

/// Bars under headings, on one scale of nanoseconds.
pub(crate) fn bars(title: &str, groups: &[(String, Vec<Bar>)]) -> String {
    const LEFT: f64 = 250.0;
    const RIGHT: f64 = 70.0;
    const ROW: f64 = 22.0;
    let values: Vec<f64> = groups.iter().flat_map(|(_, bars)| bars.iter().map(|bar| bar.value)).collect();
    let scale = Scale::new(&values, LEFT, WIDTH - RIGHT);
    let rows: f64 = groups.iter().map(|(_, bars)| ROW.mul_add(count(bars.len()), 34.0)).sum();
    let bottom = 52.0 + rows;
    let mut svg = begin(title, bottom + 30.0);
    let legend = [
        (554.0, Kind::Ours, "Esclusa"),
        (626.0, Kind::Peer, "other engines"),
        (730.0, Kind::Yardstick, "by hand, or nothing"),
    ];
    for (x, kind, words) in legend {
        let _ = write!(svg, r#"<rect x="{x}" y="21" width="9" height="9" rx="2" fill="{}"/>"#, kind.colour());
        text(&mut svg, (x + 13.0, 30.0), "start", INK, 11, words);
    }
    for (at, label) in scale.decades() {
        line(&mut svg, (at, 46.0), (at, bottom), GRID);
        text(&mut svg, (at, bottom + 18.0), "middle", PALE, 11, &label);
    }
    let mut y = 52.0;
    for (heading, bars) in groups {
        text(&mut svg, (20.0, y + 18.0), "start", INK, 13, heading);
        y += 26.0;
        for bar in bars {
            let colour = bar.kind.colour();
            let end = scale.place(bar.value);
            let width = (end - LEFT).max(1.0);
            let _ = write!(
                svg,
                r#"<rect x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{:.1}" rx="2" fill="{colour}"/>"#,
                ROW - 6.0
            );
            let ink = if bar.kind == Kind::Ours { OURS } else { INK };
            text(&mut svg, (LEFT - 8.0, y + 12.5), "end", ink, 12, &bar.label);
            text(&mut svg, (end + 6.0, y + 12.5), "start", ink, 12, &time(bar.value));
            y += ROW;
        }
        y += 8.0;
    }
    svg + "</svg>\n"
}

/// Several curves over one quantity.
pub(crate) struct Panel {
    pub(crate) title: String,
    /// The horizontal axis, with its unit.
    pub(crate) across: String,
    /// Labels on the axis in place of numbers.
    pub(crate) ticks: Vec<(f64, String)>,
    /// Whether the vertical axis is a time in nanoseconds.
    pub(crate) is_time: bool,
    pub(crate) curves: Vec<Curve>,
}

pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) is_ours: bool,
    pub(crate) is_dashed: bool,
}

/// Panels side by side, two in a row, on logarithmic scales both ways.
pub(crate) fn panels(title: &str, panels: &[Panel]) -> String {
    const HEIGHT: f64 = 320.0;
    let rows = panels.len().div_ceil(2);
    let mut svg = begin(title, HEIGHT.mul_add(count(rows), 52.0));
    for (number, panel) in panels.iter().enumerate() {
        let corner = ((WIDTH / 2.0) * count(number % 2), HEIGHT.mul_add(count(number / 2), 46.0));
        draw(&mut svg, panel, corner, (WIDTH / 2.0, HEIGHT));
    }
    svg + "</svg>\n"
}

fn draw(svg: &mut String, panel: &Panel, (left, top): (f64, f64), (width, height): (f64, f64)) {
    let legend = 15.0 * count(panel.curves.len());
    let (start, end) = (left + 62.0, left + width - 24.0);
    let (floor, ceiling) = (top + height - 58.0 - legend, top + 30.0);
    let all = || panel.curves.iter().flat_map(|curve| &curve.points);
    let across = Scale::new(&all().map(|(x, _)| *x).collect::<Vec<_>>(), start, end);
    let up = Scale::new(&all().map(|(_, y)| *y).collect::<Vec<_>>(), floor, ceiling);
    text(svg, (left + 20.0, top + 18.0), "start", INK, 13, &panel.title);
    for (y, label) in up.decades_as(if panel.is_time { time } else { amount }) {
        line(svg, (start, y), (end, y), GRID);
        text(svg, (start - 6.0, y + 4.0), "end", PALE, 11, &label);
    }
    let ticks = if panel.ticks.is_empty() {
        across.decades_as(amount)
    } else {
        panel.ticks.iter().map(|(x, label)| (across.place(*x), label.clone())).collect()
    };
    for (x, label) in ticks {
        line(svg, (x, floor), (x, ceiling), GRID);
        text(svg, (x, floor + 15.0), "middle", PALE, 11, &label);
    }
    text(svg, (f64::midpoint(start, end), floor + 31.0), "middle", INK, 11, &panel.across);
    let mut colours = OTHERS.iter().cycle();
    for (number, curve) in panel.curves.iter().enumerate() {
        let colour = if curve.is_ours { OURS } else { colours.next().copied().unwrap_or(PALE) };
        let dash = if curve.is_dashed { r#" stroke-dasharray="5 4""# } else { "" };
        let points: Vec<String> =
            curve.points.iter().map(|(x, y)| format!("{:.1},{:.1}", across.place(*x), up.place(*y))).collect();
        let points = points.join(" ");
        let _ = write!(svg, r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>"#);
        for (x, y) in &curve.points {
            let (x, y) = (across.place(*x), up.place(*y));
            let _ = write!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="2.5" fill="{colour}"/>"#);
        }
        let y = 15.0f64.mul_add(count(number), floor + 48.0);
        let _ = write!(
            svg,
            r#"<line x1="{start}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}" stroke="{colour}" stroke-width="2"{dash}/>"#,
            start + 22.0
        );
        text(svg, (start + 28.0, y + 4.0), "start", INK, 11, &curve.name);
    }
}

/// Maps a number to a coordinate, by its logarithm.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Full decades that contain all numbers.
    fn new(values: &[f64], from: f64, to: f64) -> Self {
        let logs = || values.iter().filter(|value| **value > 0.0).map(|value| value.log10());
        let low = logs().fold(f64::INFINITY, f64::min).floor();
        let high = logs().fold(f64::NEG_INFINITY, f64::max).ceil();
        let low = if low.is_finite() { low } else { 0.0 };
        Scale { low, high: high.max(low + 1.0), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low);
        (self.to - self.from).mul_add(share.clamp(0.0, 1.0), self.from)
    }

    fn decades(&self) -> Vec<(f64, String)> {
        self.decades_as(time)
    }

    fn decades_as(&self, label: fn(f64) -> String) -> Vec<(f64, String)> {
        let mut decades = Vec::new();
        let mut exponent = self.low;
        while exponent <= self.high {
            let value = 10f64.powf(exponent);
            decades.push((self.place(value), label(value)));
            exponent += 1.0;
        }
        decades
    }
}

/// A time in the unit that fits.
pub(crate) fn time(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns >= 1e9 => (ns / 1e9, "s"),
        ns if ns >= 1e6 => (ns / 1e6, "ms"),
        ns if ns >= 1e3 => (ns / 1e3, "µs"),
        ns => (ns, "ns"),
    };
    format!("{} {unit}", short(value))
}

/// A number with k or M for a thousand or a million.
pub(crate) fn amount(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{} M", short(value / 1e6)),
        value if value >= 1e3 => format!("{} k", short(value / 1e3)),
        value => short(value),
    }
}

/// Three digits.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
fn count(rows: usize) -> f64 {
    rows as f64
}

fn begin(title: &str, height: f64) -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" font-family="system-ui, sans-serif" role="img"><title>{title}</title><rect width="{WIDTH}" height="{height:.0}" rx="8" fill="#ffffff"/>"##
    );
    text(&mut svg, (20.0, 30.0), "start", INK, 16, title);
    svg
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
    let _ = write!(svg, r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}"/>"#);
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, size: u32, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = write!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{words}</text>"#
    );
}
