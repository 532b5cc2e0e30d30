//! `esclusa guard plan`: how long each step of a rollout must last, so that a regression is stopped before it has hurt more
//! users than allowed.

use esclusa::Value;
use esclusa_guard::{Plan, Probability, log_bar, plan};

use super::share::share;
use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;

/// The largest regression that is looked at, in times of the usual rate of errors.
const MOST_TIMES: f64 = 1_000.0;

/// Plan a guarded rollout: what each step catches, how long that takes, and how many users it hurts until then
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa guard plan --units-per-hour 2000 --errors 1% --hurt 20
  esclusa guard plan --units-per-hour 500 --errors 0.5% --hurt 50 --steps 1,5,20,50,90 --false-trips 5%

Each line is a step: the smallest regression (in times of the usual rate of errors) that is stopped within --hurt, the units
of both arms until then (about the median), the hours, and the units that are hurt. A smaller regression hurts more.
Exit codes: 0 each step keeps within --hurt, 1 a step does not, 2 an option makes no sense.")]
pub struct Arguments {
    /// Units (users, or what `bucket_by` says) of both arms that report within an hour
    #[arg(long, value_name = "NUMBER")]
    pub units_per_hour: f64,
    /// Part of the units that has an error without the flag, such as 1%
    #[arg(long, value_name = "SHARE")]
    pub errors: String,
    /// Units that a regression may hurt in each step before it is stopped
    #[arg(long, value_name = "NUMBER")]
    pub hurt: f64,
    /// Shares of the steps in percent
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,5,10,25,50")]
    pub steps: Vec<f64>,
    /// Part of healthy rollouts that may be stopped in their whole life (`false_trips` of the guard)
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    pub false_trips: String,
    /// Conditions of the guard: each `at_most_times` and each `at_most` is one
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub conditions: u64,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// One step of a rollout.
struct Step {
    percent: f64,
    /// The least regression that is stopped within the budget, and what it costs; none if no regression is.
    caught: Option<(f64, Plan)>,
}

pub(super) fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let errors = share("--errors", &arguments.errors)?;
    let false_trips = share("--false-trips", &arguments.false_trips)?;
    for (option, number) in [("--units-per-hour", arguments.units_per_hour), ("--hurt", arguments.hurt)] {
        if !(number.is_finite() && number > 0.0) {
            return Err(Trouble::new(format!("`{option}` is {number}, expected a number above 0")));
        }
    }
    if arguments.conditions == 0 {
        return Err(Trouble::new("`--conditions` is 0, expected 1 or more"));
    }
    let mut steps = Vec::new();
    for (epoch, percent) in (1..).zip(&arguments.steps) {
        let on = Probability::new(percent / 100.0).ok_or_else(|| {
            Trouble::new(format!("a step of {percent} % has no arms to compare, expected a share between 0 and 100"))
        })?;
        // Each step is an epoch with a higher bar.
        let bar = log_bar(arguments.conditions, epoch, false_trips);
        steps.push(Step { percent: *percent, caught: caught(on, errors, bar, arguments.hurt) });
    }
    let is_kept = steps.iter().all(|step| step.caught.is_some());
    match arguments.format {
        Format::Human => human(&steps, arguments, desk)?,
        Format::Json => {
            let steps = steps.iter().map(|step| value(step, arguments.units_per_hour)).collect();
            desk.print(Value::Object(vec![("steps".into(), Value::List(steps))]).to_json() + "\n")?;
        }
    }
    Ok(Findings::some_if(!is_kept))
}

/// The least regression whose victims are within the budget: a larger one is seen earlier, so it is found by halving.
fn caught(on: Probability, errors: Probability, bar: f64, hurt: f64) -> Option<(f64, Plan)> {
    let most = (1.0 / errors.get()).min(MOST_TIMES);
    let within = |times: f64| plan(on, errors, times, bar).filter(|plan| plan.hurt <= hurt).map(|plan| (times, plan));
    let mut best = within(most)?;
    let mut below = 1.0;
    for _ in 0..60 {
        let times = f64::midpoint(below, best.0);
        match within(times) {
            Some(found) => best = found,
            None => below = times,
        }
    }
    Some(best)
}

fn human(steps: &[Step], arguments: &Arguments, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    desk.print(format_args!("{:>7}  {:>12}  {:>14}  {:>9}  {:>6}\n", "step", "stops", "after units", "hours", "hurt"))?;
    let mut hours = 0.0;
    for Step { percent, caught } in steps {
        let percent = format!("{percent} %");
        match caught {
            Some((times, plan)) => {
                let lasts = plan.units / arguments.units_per_hour;
                hours += lasts;
                let stops = format!("{times:.1} times");
                let units = grouped(plan.units);
                desk.print(format_args!("{percent:>7}  {stops:>12}  {units:>14}  {lasts:>9.1}  {:>6.0}\n", plan.hurt))?;
            }
            None => desk.print(format_args!(
                "{percent:>7}  no regression is stopped before it hurts more than {}\n",
                arguments.hurt
            ))?,
        }
    }
    if hours == 0.0 {
        return Ok(());
    }
    desk.print(format_args!(
        "\nA step that lasts that long stops the regressions of its line. All of them last {hours:.1} hours.\n"
    ))
}

/// A number of units, rounded up, with commas.
fn grouped(units: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let whole = units.ceil() as u64;
    esclusa_impact::grouped(whole)
}

fn value(step: &Step, units_per_hour: f64) -> Value<'static> {
    let number = |number: f64| Value::number(number).unwrap_or_default();
    let caught = |read: fn(&(f64, Plan)) -> f64| step.caught.as_ref().map(read).map(number).unwrap_or_default();
    Value::Object(vec![
        ("percent".into(), number(step.percent)),
        ("times".into(), caught(|(times, _)| *times)),
        ("units".into(), caught(|(_, plan)| plan.units)),
        ("hours".into(), step.caught.as_ref().map(|(_, plan)| number(plan.units / units_per_hour)).unwrap_or_default()),
        ("hurt".into(), caught(|(_, plan)| plan.hurt)),
    ])
}
