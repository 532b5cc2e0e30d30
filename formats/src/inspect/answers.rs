//! The mapping of the answers: the proposed lines, and a line for each answer.

use super::Inspection;

impl Inspection {
    /// The mapping of the proposed lines and of these answers, in TOML: for each question the index of an answer, or none.
    /// A question without an answer is a comment.
    ///
    /// ```
    /// let rows = br#"[{"slug": "crm", "is_active": 1, "tenant_ids": "7,8"}]"#;
    /// let inspection = esclusa_formats::inspect(rows)?;
    /// let narrow = inspection.answered(&[Some(0)]);
    /// assert!(narrow.contains("\ntarget_companies = { column = \"tenant_ids\", split = \",\" }\n"), "{narrow}");
    /// # Ok::<(), esclusa_formats::ReadError>(())
    /// ```
    #[must_use]
    pub fn answered(&self, answers: &[Option<usize>]) -> String {
        let mut lines: Vec<String> = self.proposals.iter().map(|proposal| proposal.line.clone()).collect();
        let mut open = String::new();
        for (at, question) in self.questions.iter().enumerate() {
            let answer = answers.get(at).copied().flatten().and_then(|answer| question.answers.get(answer));
            match answer {
                Some(answer) => add(&answer.line, &mut lines),
                None => {
                    open.push_str(&format!("\n# {}\n", question.question));
                    for answer in &question.answers {
                        open.push_str(&format!("# {}    # {}\n", answer.line, answer.reason));
                    }
                }
            }
        }
        let lines = lines.into_iter().map(|line| line + "\n");
        std::iter::once("esclusa_mapping = 1\n".to_owned()).chain(lines).chain([open]).collect()
    }
}

/// Adds a line. An existing entry gets the members of the new one, because TOML allows each entry once.
fn add(line: &str, lines: &mut Vec<String>) {
    let same = lines.iter_mut().find(|old| around(old).is_some() && around(old) == around(line));
    match (same, members(line)) {
        (Some(old), Some(new)) => {
            if let (Some(known), Some((before, after))) = (members(old), around(old)) {
                *old = format!("{before}[{known}, {new}]{after}");
            }
        }
        _ => lines.push(line.to_owned()),
    }
}

/// What is inside the outermost list of a line.
fn members(line: &str) -> Option<&str> {
    line.get(line.find('[')? + 1..line.rfind(']')?)
}

/// What is before and after that list.
fn around(line: &str) -> Option<(&str, &str)> {
    let (start, end) = (line.find('[')?, line.rfind(']')?);
    // A list that is one of several options, such as `is` of a column, is not a list of members.
    let is_of_members = ["ignore = ", "off_when = ", "counts = ", "fold = { by = "].contains(&line.get(..start)?);
    is_of_members.then_some((line.get(..start)?, line.get(end + 1..)?))
}
