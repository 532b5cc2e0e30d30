//! The hours that are kept, read for people: uses, errors, adoption and durations of flags.

use std::collections::BTreeMap;

use esclusa::{Json, Time, Value};

use super::durations::Durations;
use super::series::{HOUR_MS, Origin, Series};
use crate::problem::Problem;
use crate::store::{Cell, Table};

/// Numbers of one flag, or of one of its variants or arms.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) evaluations: i64,
    /// Uses: events that are not views.
    pub(crate) uses: i64,
    pub(crate) errors: i64,
    pub(crate) views: i64,
    pub(crate) clicks: i64,
    pub(crate) durations: Durations,
    pub(crate) feedback: i64,
    pub(crate) feedback_sum: f64,
}

/// What is kept of a number, besides its name.
pub(crate) struct Kept {
    pub(crate) series: Series,
    count: i64,
    errors: i64,
    durations: Durations,
    value_count: i64,
    value_sum: f64,
}

impl Kept {
    pub(crate) fn count(&self) -> i64 {
        self.count
    }
}

impl Figures {
    pub(crate) fn add(&mut self, kept: &Kept) {
        let Kept { series, count, errors, durations, value_count, value_sum } = kept;
        if series.origin == Origin::Evaluation {
            self.evaluations += count;
            return;
        }
        match series.action.as_str() {
            "view" if series.shown != "fallback" => self.views += count,
            // It is not the feature that is shown.
            _ if series.shown == "fallback" => return,
            "feedback" => {
                self.feedback += value_count;
                self.feedback_sum += value_sum;
                return;
            }
            "click" => {
                self.clicks += count;
                self.uses += count;
            }
            _ => self.uses += count,
        }
        self.errors += errors;
        self.durations.merge(durations, 1);
    }

    pub(crate) fn error_rate(&self) -> Option<f64> {
        share(self.errors, self.uses.max(self.errors))
    }

    /// Clicks for each view of the feature.
    pub(crate) fn adoption_rate(&self) -> Option<f64> {
        share(self.clicks.min(self.views), self.views)
    }

    pub(crate) fn write(&self, json: &mut Json) {
        json.name("evaluations").whole(self.evaluations);
        json.name("uses").whole(self.uses);
        json.name("errors").whole(self.errors);
        number(json, "error_rate", self.error_rate());
        number(json, "p50_ms", self.durations.percentile(0.5));
        number(json, "p95_ms", self.durations.percentile(0.95));
    }
}

/// A share; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
pub(crate) fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A number or null.
pub(crate) fn number(json: &mut Json, name: &str, number: Option<f64>) {
    json.name(name).maybe(number, |json, number| json.value(&Value::Number(number)));
}

/// The hours from one time to another, the second not among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Span {
    /// The last hours, the present one among them.
    pub(crate) fn last(hours: u32, now: Time) -> Self {
        let to = now.as_millis().div_euclid(HOUR_MS) + 1;
        Span { from: to - i64::from(hours), to }
    }

    /// As many hours before these.
    pub(crate) fn before(self) -> Self {
        Span { from: self.from - (self.to - self.from), to: self.from }
    }

    /// When an hour begins.
    pub(crate) fn time(hour: i64) -> String {
        Time::from_millis(hour.saturating_mul(HOUR_MS)).to_string()
    }
}

const COLUMNS: &str = "hour, flag, origin, variant, reason, event, action, shown, arm, count, errors, durations,
    value_count, value_sum";

/// All numbers of a flag.
pub(crate) fn of_flag(table: &mut dyn Table, flag: &str, span: Span) -> Result<Vec<Kept>, Problem> {
    let sql =
        format!("SELECT {COLUMNS} FROM own.usage_hour WHERE flag = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY hour");
    let rows = table.own(&sql, &[Cell::text(flag), Cell::Whole(span.from), Cell::Whole(span.to)])?;
    Ok(rows.iter().filter_map(|row| kept(row)).collect())
}

fn kept(row: &[Cell]) -> Option<Kept> {
    Some(Kept {
        series: Series::of_row(row)?,
        count: row.get(9)?.as_whole()?,
        errors: row.get(10)?.as_whole()?,
        durations: Durations::read(row.get(11)?.as_text()?),
        value_count: row.get(12)?.as_whole()?,
        value_sum: row.get(13)?.as_number()?,
    })
}

/// The figures of each flag, without durations. Those of the off arm are of people who have not got the feature.
pub(crate) fn by_flag(table: &mut dyn Table, span: Span) -> Result<BTreeMap<String, Figures>, Problem> {
    let sql = "SELECT flag, origin, action, shown, CAST(sum(count) AS bigint), CAST(sum(errors) AS bigint)
        FROM own.usage_hour WHERE hour >= ?1 AND hour < ?2 AND arm <> 'off' GROUP BY flag, origin, action, shown";
    let mut flags = BTreeMap::<String, Figures>::new();
    for row in table.own(sql, &[Cell::Whole(span.from), Cell::Whole(span.to)])? {
        let [flag, origin, action, shown, count, errors] = row.as_slice() else { continue };
        let text = |cell: &Cell| cell.as_text().unwrap_or_default().to_owned();
        let Some(origin) = Origin::named(&text(origin)) else { continue };
        let mut series = Series::new(span.from, &text(flag), origin);
        (series.action, series.shown) = (text(action), text(shown));
        let (count, errors) = (count.as_whole().unwrap_or_default(), errors.as_whole().unwrap_or_default());
        let kept = Kept { series, count, errors, durations: Durations::default(), value_count: 0, value_sum: 0.0 };
        flags.entry(kept.series.flag.clone()).or_default().add(&kept);
    }
    Ok(flags)
}

/// How many processes have reported in the last five minutes, and how many of them have this revision.
pub(crate) fn processes(table: &mut dyn Table, revision: Option<u64>, now: Time) -> Result<(i64, i64), Problem> {
    let sql =
        "SELECT count(*), CAST(coalesce(sum(CASE WHEN coalesce(revision, -1) = ?1 THEN 1 ELSE 0 END), 0) AS bigint)
        FROM own.usage_process WHERE seen >= ?2";
    // SQLite has no revisions.
    let revision = revision.and_then(|revision| i64::try_from(revision).ok()).unwrap_or(-1);
    let rows = table.own(sql, &[Cell::Whole(revision), Cell::Whole(now.as_millis() - 5 * 60_000)])?;
    let number = |at: usize| rows.first().and_then(|row| row.get(at)).and_then(Cell::as_whole).unwrap_or_default();
    Ok((number(0), number(1)))
}

/// Units of the present run by arm: how many were tracked, and how many were bad by some metric.
pub(crate) fn units(table: &mut dyn Table, flag: &str, run: i64) -> Result<Vec<(bool, String, i64)>, Problem> {
    let sql = "SELECT is_on, metric, count(DISTINCT unit) FROM own.usage_fact WHERE flag = ?1 AND run = ?2
        GROUP BY is_on, metric ORDER BY is_on, metric";
    let rows = table.own(sql, &[Cell::text(flag), Cell::Whole(run)])?;
    let unit = |row: &Vec<Cell>| {
        Some((row.first()?.as_whole()? == 1, row.get(1)?.as_text()?.to_owned(), row.get(2)?.as_whole()?))
    };
    Ok(rows.iter().filter_map(unit).collect())
}
