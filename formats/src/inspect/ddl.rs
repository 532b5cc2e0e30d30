//! The columns of a schema in SQL, without values: every line is a question.

use super::column::InspectedColumn;
use super::{Inspection, Outcome, Proposal, Question, proposing};

/// The first words of parts of a table that are not columns.
const CONSTRAINTS: [&str; 7] = ["primary", "unique", "constraint", "foreign", "check", "exclude", "like"];
/// Words for an index in MySQL, which are names of columns too.
const INDEXES: [&str; 4] = ["key", "index", "fulltext", "spatial"];

/// Looks at the columns of a table in a schema in SQL, such as `pg_dump --schema-only` writes. Names alone say too little to
/// propose a line, so each is asked.
///
/// Without `table` it is the only table, or else the only one whose name has `flag`, `feature` or `toggle` in it.
///
/// ```
/// use esclusa_formats::inspect_ddl;
/// let sql = "CREATE TABLE app.features (slug text PRIMARY KEY, is_active boolean NOT NULL, tenant_ids text[]);";
/// let inspection = inspect_ddl(sql, None)?;
/// let asked: Vec<&str> = inspection.questions().iter().map(|one| one.answers[0].line.as_str()).collect();
/// assert!(asked.contains(&"name = \"slug\"") && asked.contains(&"enabled = { all = [\"is_active\"] }"));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// When the schema has no such table, or several; the text names those that it has.
pub fn inspect_ddl(sql: &str, table: Option<&str>) -> Result<Inspection, String> {
    let tables = tables(&tokens(sql));
    let names: Vec<String> = tables.iter().map(|table| format!("`{}`", table.name.join("."))).collect();
    let wanted = table.map(str::to_lowercase);
    let is_wanted = |table: &&Table| match &wanted {
        Some(wanted) => table.name.join(".").to_lowercase() == *wanted || table.last() == *wanted,
        None => tables.len() == 1 || ["flag", "feature", "toggle"].iter().any(|word| table.last().contains(word)),
    };
    let found: Vec<&Table> = tables.iter().filter(is_wanted).collect();
    let [found] = found.as_slice() else {
        let has = if names.is_empty() { "no table".to_owned() } else { names.join(", ") };
        return Err(format!("the schema has {has}, expected one table of flags, or its name"));
    };
    let columns: Vec<InspectedColumn> = found.columns.iter().map(|name| InspectedColumn::new(name)).collect();
    let (proposals, mut questions) = proposing::propose(&columns);
    questions.extend(proposals.into_iter().map(|proposal| Question {
        question: format!("Is this line right? Its values must fit: {}.", proposal.reason),
        answers: vec![Proposal { reason: "by its name alone".to_owned(), ..proposal }],
    }));
    let today = Outcome::default();
    Ok(Inspection { rows: 0, columns, proposals: Vec::new(), questions, today, outcome: None })
}

#[derive(Debug)]
struct Table {
    /// With the schema before it, if that is said.
    name: Vec<String>,
    columns: Vec<String>,
}

impl Table {
    fn last(&self) -> String {
        self.name.last().map(|name| name.to_lowercase()).unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A name or a word of SQL.
    Word(String),
    /// A name in quotes.
    Quoted(String),
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own.eq_ignore_ascii_case(word))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            Token::Sign(_) => None,
        }
    }
}

/// Names, words and signs; comments and texts are left out.
fn tokens(sql: &str) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), sql);
    while let Some(first) = rest.chars().next() {
        let until = |end: &str, from: usize| rest.get(from..).and_then(|rest| rest.find(end)).map(|at| from + at);
        let used = if rest.starts_with("--") {
            until("\n", 2)
        } else if rest.starts_with("/*") {
            until("*/", 2).map(|at| at + 2)
        } else if first == '\'' {
            until("'", 1).map(|at| at + 1)
        } else if let Some((_, close)) = [('"', "\""), ('`', "`"), ('[', "]")].iter().find(|(open, _)| *open == first) {
            until(close, 1).map(|at| {
                // Array types have brackets too.
                let name = rest.get(1..at).unwrap_or_default();
                if first != '[' || !name.chars().all(|one| one.is_ascii_digit()) {
                    tokens.push(Token::Quoted(name.to_owned()));
                }
                at + 1
            })
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|one: char| !(one.is_alphanumeric() || matches!(one, '_' | '$'))).unwrap_or(rest.len());
            tokens.push(Token::Word(rest.get(..end).unwrap_or_default().to_owned()));
            Some(end)
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            Some(first.len_utf8())
        };
        // An unterminated comment or text is skipped.
        rest = rest.get(used.unwrap_or(rest.len())..).unwrap_or_default();
    }
    tokens
}

/// The tables that are made, each with its columns.
fn tables(tokens: &[Token]) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if !first.is("create") {
            continue;
        }
        // CREATE UNLOGGED TABLE, CREATE FOREIGN TABLE IF NOT EXISTS
        let Some(at) = after.iter().take(4).position(|token| token.is("table")) else { continue };
        let after = after.get(at + 1..).unwrap_or_default();
        let skipped =
            after.iter().take_while(|token| ["if", "not", "exists"].iter().any(|word| token.is(word))).count();
        let after = after.get(skipped..).unwrap_or_default();
        let Some(open) = after.iter().position(|token| *token == Token::Sign('(')) else { continue };
        let (name, body) = after.split_at(open);
        if name.iter().any(|token| *token == Token::Sign(';') || token.is("as")) {
            continue;
        }
        let name: Vec<String> = name
            .iter()
            .map_while(|token| match token {
                Token::Sign('.') => Some(None),
                token => token.name().map(Some),
            })
            .flatten()
            .map(str::to_owned)
            .collect();
        tables.push(Table { name, columns: columns(body) });
    }
    tables
}

/// The first name of each part between the outermost brackets.
fn columns(body: &[Token]) -> Vec<String> {
    let (mut columns, mut depth, mut is_first) = (Vec::new(), 0_usize, false);
    for (at, token) in body.iter().enumerate() {
        match token {
            Token::Sign('(') => {
                depth += 1;
                is_first = depth == 1;
                continue;
            }
            Token::Sign(')') if depth == 1 => break,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Sign(',') if depth == 1 => {
                is_first = true;
                continue;
            }
            Token::Word(word)
                if is_first && is_constraint(&word.to_lowercase(), body.get(at + 1..).unwrap_or_default()) => {}
            Token::Word(name) | Token::Quoted(name) if is_first => columns.push(name.clone()),
            _ => {}
        }
        is_first = false;
    }
    columns
}

/// Whether a part is not a column: `KEY one (tenant_id)` is not, `key varchar(64)` is.
fn is_constraint(word: &str, after: &[Token]) -> bool {
    let is_named = |token: &Token| token.name().is_some_and(|name| name.parse::<u64>().is_err());
    let has_columns = match after {
        [Token::Sign('('), ..] => true,
        [_, Token::Sign('('), first, ..] => is_named(first),
        _ => false,
    };
    CONSTRAINTS.contains(&word) || INDEXES.contains(&word) && has_columns
}

#[cfg(test)]
mod tests {
    use super::inspect_ddl;

    const SCHEMA: &str = r#"
        -- CREATE TABLE old (x int);
        CREATE TYPE state AS ENUM ('on', 'off');
        CREATE TABLE users (id int, email text);
        CREATE UNLOGGED TABLE IF NOT EXISTS "app"."FeatureFlags" (
          id uuid DEFAULT gen_random_uuid() PRIMARY KEY, /* a, b */
          "flagKey" varchar(64) NOT NULL DEFAULT 'it''s, (a)' UNIQUE,
          `isEnabled` boolean, [rolloutPct] numeric(5, 2) CHECK (x >= 0, x <= 1),
          tags text[], key varchar(64), "check" int, index text, tenant_id bigint REFERENCES tenants (id),
          CONSTRAINT one UNIQUE ("flagKey", tenant_id), PRIMARY KEY (id), KEY other (tenant_id), INDEX (tags), UNIQUE KEY x (id)
        ) PARTITION BY LIST (tenant_id);
        CREATE TABLE flag_copy AS SELECT (1);
        CREATE INDEX one ON "app"."FeatureFlags" (id);"#;

    #[test]
    fn columns_of_a_schema_are_found() {
        let names = |sql, table| {
            let inspection = inspect_ddl(sql, table)?;
            Ok::<_, String>(inspection.columns().iter().map(|one| one.name().to_owned()).collect::<Vec<_>>().join(" "))
        };
        let found = Ok("id flagKey isEnabled rolloutPct tags key check index tenant_id".to_owned());
        for table in [None, Some("featureflags"), Some("app.FeatureFlags")] {
            assert_eq!(names(SCHEMA, table), found);
        }
        assert_eq!(names(SCHEMA, Some("users")).as_deref(), Ok("id email"));
        let problem = "the schema has `users`, `app.FeatureFlags`, expected one table of flags, or its name";
        assert_eq!(names(SCHEMA, Some("flags")), Err(problem.to_owned()));
        assert_eq!(names("SELECT 1", None), Err(problem.replace("`users`, `app.FeatureFlags`", "no table")));
        for broken in
            ["CREATE TABLE", "CREATE TABLE x", "CREATE TABLE x (\"a", "CREATE TABLE x (a, 'b", "/*", "--", "("]
        {
            let _ = names(broken, None);
        }
    }

    #[test]
    fn every_line_is_a_question() {
        let sql =
            "CREATE TABLE t (slug text, name text, activo boolean, percentage int, expires_at date, archived_at date,
            environment text, org_id int, color text)";
        let inspection = inspect_ddl(sql, None).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(inspection.proposals(), []);
        let closed = inspection.answered(&vec![Some(0); inspection.questions().len()]);
        for line in [
            "name = \"slug\"",
            "enabled = { all = [\"activo\"] }",
            "rollout_percentage = \"percentage\"",
            "end_date = \"expires_at\"",
            "off_when = [\"archived_at\"]",
            "ignore = [\"color\"]",
        ] {
            assert!(closed.contains(line), "{line}: {closed}");
        }
        assert!(crate::Mapping::from_toml(&closed).is_ok(), "{closed}");
        let open = inspection.answered(&[]);
        assert!(open.lines().skip(1).all(|line| line.is_empty() || line.starts_with('#')), "{open}");
    }
}
