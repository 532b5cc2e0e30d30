//! `esclusa guard forecast`: whether the next step of a rollout is likely to be stopped, and whom it would hurt.

use esclusa::Value;
use esclusa_guard::{Forecast, Seen, forecast, log_bar};

use super::share::share;
use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;

/// Look ahead to the next step of a rollout: how likely the guard stops it, and how many users it hurts until then
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa guard forecast --on 24/1000 --off 90/9000 --share 10% --next 25% --units 20000
  esclusa guard forecast --on 3/500 --off 41/9500 --share 5% --next 10% --units 8000 --epoch 3 --hold 20%

The counts of the step in force are in the status of the guard (`guards()`), each user once. Nothing is switched off by a
forecast: it says when to wait for more users before the share is raised.
Exit codes: 0 the next step may begin, 1 better hold: the guard would stop it with the probability of --hold or more, 2 an
option makes no sense.")]
pub struct Arguments {
    /// Users of the on arm that had an error, of all that reported
    #[arg(long, value_name = "BAD/ALL")]
    pub on: String,
    /// The same of the off arm
    #[arg(long, value_name = "BAD/ALL")]
    pub off: String,
    /// Share of the step in force
    #[arg(long, value_name = "SHARE")]
    pub share: String,
    /// Share of the next step
    #[arg(long, value_name = "SHARE")]
    pub next: String,
    /// Users of both arms that report in the next step
    #[arg(long, value_name = "NUMBER")]
    pub units: u64,
    /// Probability of a stop from which it is better to hold
    #[arg(long, value_name = "SHARE", default_value = "30%")]
    pub hold: String,
    /// Number of the epoch in which the next step begins: each step and each day is one
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub epoch: u64,
    /// Part of healthy rollouts that may be stopped in their whole life (`false_trips` of the guard)
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    pub false_trips: String,
    /// Conditions of the guard: each `at_most_times` and each `at_most` is one
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub conditions: u64,
    /// How the forecast is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

pub(super) fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let (on_bad, on_units) = counts("--on", &arguments.on)?;
    let (off_bad, off_units) = counts("--off", &arguments.off)?;
    let seen = Seen { share: share("--share", &arguments.share)?, on_units, on_bad, off_units, off_bad };
    let (next, hold) = (share("--next", &arguments.next)?, share("--hold", &arguments.hold)?);
    for (option, number) in [("--epoch", arguments.epoch), ("--conditions", arguments.conditions)] {
        if number == 0 {
            return Err(Trouble::new(format!("`{option}` is 0, expected 1 or more")));
        }
    }
    let bar = log_bar(arguments.conditions, arguments.epoch, share("--false-trips", &arguments.false_trips)?);
    let Forecast { trips, hurt, caused } = forecast(seen, next, arguments.units, bar);
    let holds = trips >= hold.get();
    match arguments.format {
        Format::Human => desk.print(format_args!(
            "{}: stopped with a probability of {:.0} % within {} users\n{:.0} users who have it would have an error, {}\n{}\n",
            arguments.next,
            trips * 100.0,
            esclusa_impact::grouped(arguments.units),
            hurt,
            if caused < 0.0 {
                format!("{:.0} fewer than without the flag", -caused)
            } else {
                format!("{caused:.0} of them by the flag")
            },
            if holds { "hold: wait for more users in this step" } else { "the next step may begin" }
        ))?,
        Format::Json => {
            let number = |number: f64| Value::number(number).unwrap_or_default();
            let fields = vec![
                ("trips".into(), number(trips)),
                ("hurt".into(), number(hurt)),
                ("caused".into(), number(caused)),
                ("hold".into(), Value::Bool(holds)),
            ];
            desk.print(Value::Object(fields).to_json() + "\n")?;
        }
    }
    Ok(Findings::some_if(holds))
}

/// `24/1000`.
fn counts(option: &str, text: &str) -> Result<(u64, u64), Trouble> {
    let parts = text.split_once('/').and_then(|(bad, all)| Some((bad.trim().parse().ok()?, all.trim().parse().ok()?)));
    parts.filter(|(bad, all)| bad <= all).ok_or_else(|| {
        Trouble::new(format!("`{option}` is `{text}`, expected two counts, such as 24/1000: 24 of 1000 had an error"))
    })
}
