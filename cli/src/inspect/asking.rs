//! The questions, one at a time: each answer with its effect on this table; Enter takes the first, which is the narrower.

use esclusa_formats::Question;

use super::Inspected;
use crate::desk::{Desk, Trouble};

/// Asks every question.
pub(super) fn ask(inspected: &Inspected<'_>, desk: &mut Desk<'_>) -> Result<Vec<Option<usize>>, Trouble> {
    let mut answers: Vec<Option<usize>> = Vec::new();
    let questions = inspected.inspection.questions();
    let count = questions.len();
    for (at, question) in questions.iter().enumerate() {
        desk.say(format_args!("\n{} of {count}  {}", at + 1, question.question))?;
        for (number, answer) in question.answers.iter().enumerate() {
            let with: Vec<Option<usize>> = answers.iter().copied().chain([Some(number)]).collect();
            let effect = inspected.effect(&with);
            desk.say(format_args!("  {}) {}\n       {}\n       {effect}", number + 1, answer.reason, answer.line))?;
        }
        answers.push(choose(question, desk)?);
    }
    Ok(answers)
}

fn choose(question: &Question, desk: &mut Desk<'_>) -> Result<Option<usize>, Trouble> {
    let count = question.answers.len();
    if count == 0 {
        desk.say("  the table does not say; the question stays in the mapping as a comment")?;
        return Ok(None);
    }
    loop {
        write!(desk.talk, "  1 to {count}, s to leave it open [1]: ")?;
        desk.talk.flush()?;
        let mut line = String::new();
        if desk.input.read_line(&mut line)? == 0 {
            return Err(Trouble::new("the input has ended before every question had an answer, nothing is written"));
        }
        match line.trim() {
            "" => return Ok(Some(0)),
            "s" => return Ok(None),
            other => match other.parse::<usize>() {
                Ok(number) if (1..=count).contains(&number) => return Ok(Some(number - 1)),
                _ => desk.say(format_args!("  `{other}` is not an answer, expected a number from 1 to {count}"))?,
            },
        }
    }
}
