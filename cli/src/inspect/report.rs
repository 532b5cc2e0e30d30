//! What an inspection says: the columns, the proposals, the questions, and what becomes of the flags.

use esclusa::{Context, Value};
use esclusa_formats::{Inspection, Outcome, Proposal, read};

use super::{Inspected, said};
use crate::desk::{Desk, Trouble};

/// How many flags are explained.
const EXPLAINED: usize = 3;

pub(super) fn columns(inspection: &Inspection, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    desk.print(format_args!("{} rows\n\n", inspection.rows()))?;
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let all = inspection.columns();
    let name = widest(&mut all.iter().map(|one| one.name().chars().count())).min(desk.width / 3);
    let look = widest(&mut all.iter().map(|one| one.looks_like().chars().count()));
    for column in all {
        let (rows, not_empty) = column.rows();
        let line = format!(
            "  {:<name$}  {not_empty:>6} of {rows:<6}  {:<look$}  {}",
            column.name(),
            column.looks_like(),
            column.examples().join(", ")
        );
        desk.print(cut(&line, desk.width))?;
        desk.print("\n")?;
    }
    Ok(())
}

/// The columns of a schema, which has no rows.
pub(super) fn names(inspection: &Inspection, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let all = inspection.columns();
    let name = all.iter().map(|one| one.name().chars().count()).max().unwrap_or_default();
    all.iter().try_for_each(|column| desk.print(format_args!("  {:<name$}  {}\n", column.name(), column.looks_like())))
}

/// The same as one object.
pub(super) fn schema(inspection: &Inspection) -> Value<'static> {
    let columns = inspection.columns().iter().map(|column| {
        let name = column.name().to_owned();
        Value::Object(vec![("column".into(), name.into()), ("looks_like".into(), column.looks_like().into())])
    });
    let questions = inspection.questions().iter().map(|question| {
        let answers = question.answers.iter().map(|answer| Value::Object(proposal(answer)));
        Value::Object(vec![
            ("question".into(), question.question.clone().into()),
            ("answers".into(), Value::List(answers.collect())),
        ])
    });
    Value::Object(vec![
        ("columns".into(), Value::List(columns.collect())),
        ("questions".into(), Value::List(questions.collect())),
        ("mapping".into(), inspection.answered(&[]).into()),
    ])
}

/// As much of a line as the terminal shows.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.trim_end().to_owned();
    }
    line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn lines(proposals: &[Proposal], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    proposals.iter().try_for_each(|one| desk.print(format_args!("  {}    # {}\n", one.line, one.reason)))
}

pub(super) fn proposals(inspection: &Inspection, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    desk.print("\nproposed\n  esclusa_mapping = 1\n")?;
    lines(inspection.proposals(), desk)
}

/// The questions with the effect of each answer, where the input is not a terminal.
pub(super) fn questions(inspected: &Inspected<'_>, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    for (at, question) in inspected.inspection.questions().iter().enumerate() {
        desk.print(format_args!("\n{}\n", question.question))?;
        for (number, answer) in question.answers.iter().enumerate() {
            let effect = inspected.effect_of(at, number);
            desk.print(format_args!("  {}    # {}\n      {effect}\n", answer.line, answer.reason))?;
        }
    }
    Ok(())
}

/// What becomes of the flags today, with what is proposed or was answered, and with the mapping that was given.
pub(super) fn outcomes(
    inspected: &Inspected<'_>,
    answers: &[Option<usize>],
    with: Option<Outcome>,
    desk: &mut Desk<'_>,
) -> Result<(), Trouble> {
    let (inspection, given) = (inspected.inspection, inspected.rows.mapping.clone());
    desk.print("\n")?;
    if let Some(with) = with {
        desk.print(format_args!("with the mapping: {}\n", said(with)))?;
    } else if !answers.is_empty() {
        desk.print(format_args!("with this mapping: {}\n", inspected.effect(answers)))?;
    } else {
        desk.print(format_args!("with what is proposed: {}\n", inspected.effect(&[])))?;
        if !inspection.questions().is_empty() {
            let first = vec![Some(0); inspection.questions().len()];
            desk.print(format_args!("with the first answer to each question: {}\n", inspected.effect(&first)))?;
        }
    }
    desk.print(format_args!("today: {}\n", said(inspection.today())))?;
    let mapping = given.or_else(|| inspected.mapping(answers).ok());
    let Some((set, _)) = mapping.and_then(|mapping| read(&inspected.rows.bytes, &mapping).ok()) else { return Ok(()) };
    for key in set.keys().take(EXPLAINED) {
        desk.print(format_args!("\n{}\n", set.explain(key, &Context::new("somebody"), desk.now)))?;
    }
    Ok(())
}

/// The same as one object. It goes to other programs, so it holds no values of the table.
pub(super) fn json(inspected: &Inspected<'_>, with: Option<Outcome>) -> Value<'static> {
    let inspection = inspected.inspection;
    let columns = inspection.columns().iter().map(|column| {
        let (rows, not_empty) = column.rows();
        Value::Object(vec![
            ("column".into(), column.name().to_owned().into()),
            ("looks_like".into(), column.looks_like().into()),
            ("rows".into(), rows.into()),
            ("not_empty".into(), not_empty.into()),
        ])
    });
    let questions = inspection.questions().iter().enumerate().map(|(at, question)| {
        let answers = question.answers.iter().enumerate().map(|(number, answer)| {
            let mut fields = proposal(answer);
            fields.push(("effect".into(), inspected.effect_of(at, number).into()));
            Value::Object(fields)
        });
        Value::Object(vec![
            ("question".into(), question.question.clone().into()),
            ("answers".into(), Value::List(answers.collect())),
        ])
    });
    let proposals = inspection.proposals().iter().map(|one| Value::Object(proposal(one)));
    Value::Object(vec![
        ("rows".into(), inspection.rows().into()),
        ("columns".into(), Value::List(columns.collect())),
        ("proposals".into(), Value::List(proposals.collect())),
        ("questions".into(), Value::List(questions.collect())),
        ("mapping".into(), inspection.answered(&[]).into()),
        ("today".into(), of(inspection.today())),
        ("proposed".into(), inspection.outcome().map(of).into()),
        ("with_mapping".into(), with.map(of).into()),
    ])
}

type Fields = Vec<(std::borrow::Cow<'static, str>, Value<'static>)>;

fn proposal(proposal: &Proposal) -> Fields {
    vec![("line".into(), proposal.line.clone().into()), ("reason".into(), proposal.reason.clone().into())]
}

fn of(outcome: Outcome) -> Value<'static> {
    let count = |count: usize| Value::from(count as u64);
    Value::Object(vec![
        ("on".into(), count(outcome.on)),
        ("off".into(), count(outcome.off)),
        ("withheld".into(), count(outcome.withheld)),
    ])
}
