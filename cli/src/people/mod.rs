//! People for whom a command asks what flags answer: a file in CSV, JSON lines or JSON, the standard input, or a query to
//! Postgres. They are read one by one, and what cannot be read is counted.

mod json;
mod kinds;
mod progress;
mod table;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use esclusa::Value;

use crate::config::Config;
use crate::desk::{Desk, Trouble};
pub(crate) use kinds::Kinds;
use progress::Progress;

/// The most broken lines that are said one by one.
const SAID: usize = 5;

/// The options that say who the people are.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Contexts {
    /// People: a file in CSV, JSON lines or a JSON array, - for the standard input, or postgres://… with --query
    #[arg(long, value_name = "FILE", help_heading = "People")]
    pub contexts: Option<String>,
    /// The people of a database, such as 'SELECT id AS user, plan, role, region FROM users'
    #[arg(long, value_name = "SQL", help_heading = "People")]
    pub query: Option<String>,
    /// Stop with exit code 2 if a line of the people cannot be read
    #[arg(long, help_heading = "People")]
    pub strict: bool,
}

/// Where people come from.
#[derive(Debug)]
pub(crate) struct People {
    place: String,
    folder: PathBuf,
    query: Option<String>,
    is_strict: bool,
}

/// What was read of them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Number of people that were shown.
    pub(crate) read: u64,
    /// Number of those that cannot be read.
    pub(crate) broken: u64,
    /// The first of them: the line, and what is wrong.
    first: Vec<(u64, String)>,
}

/// Shown one person; says what is wrong if it is none.
pub(crate) type Show<'s> = dyn FnMut(&Value<'_>) -> Result<(), String> + 's;

impl Contexts {
    /// The people of the options, or else those of `[sample]` in `esclusa.toml`.
    ///
    /// # Errors
    /// When the options make no sense together.
    pub(crate) fn people(&self, config: &Config, desk: &Desk<'_>) -> Result<Option<People>, Trouble> {
        let (place, folder, query) = match (&self.contexts, &config.sample) {
            (Some(place), _) => (place.clone(), desk.folder.clone(), self.query.clone()),
            (None, Some(sample)) => {
                let query = self.query.clone().or_else(|| sample.query.clone());
                (sample.place(desk)?, config.folder.clone(), query)
            }
            (None, None) if self.query.is_some() => {
                return Err(Trouble::new("`--query` asks a database, expected `--contexts postgres://…` beside it"));
            }
            (None, None) => return Ok(None),
        };
        let people = People { place, folder, query, is_strict: self.strict };
        match (people.is_database(), &people.query) {
            (true, None) => Err(Trouble::new(
                "which people of the database? expected `--query 'SELECT id AS user, plan, role, region FROM …'`",
            )),
            (false, Some(_)) => {
                Err(Trouble::new(format!("`--query` asks a database, and `{}` is a file", people.place)))
            }
            _ => Ok(Some(people)),
        }
    }
}

impl People {
    /// What messages call them, without secrets.
    pub(crate) fn name(&self) -> String {
        match self.place.as_str() {
            "-" => "standard input".to_owned(),
            _ if self.is_database() => "the database".to_owned(),
            place => place.to_owned(),
        }
    }

    /// Whether they are on the standard input.
    pub(crate) fn is_input(&self) -> bool {
        self.place == "-"
    }

    fn is_database(&self) -> bool {
        ["postgres://", "postgresql://"].iter().any(|scheme| self.place.starts_with(scheme))
    }

    /// Shows them one by one, and says which lines cannot be read.
    ///
    /// # Errors
    /// When they cannot be reached, none can be read, or one cannot be and that is asked for.
    pub(crate) fn read(&self, kinds: &Kinds, desk: &mut Desk<'_>, show: &mut Show<'_>) -> Result<Tally, Trouble> {
        let mut tally = Tally::default();
        let trouble = |error: std::io::Error| Trouble::new(format!("cannot read `{}`: {error}", self.place));
        if self.is_database() {
            self.ask(&mut tally, show)?;
        } else if self.is_input() {
            read(desk.input, kinds, &mut tally, show).map_err(trouble)?;
        } else {
            let file = File::open(self.folder.join(&self.place)).map_err(trouble)?;
            let bytes = file.metadata().map_or(0, |about| about.len());
            let progress = Progress::of_bytes(bytes);
            let mut reader = BufReader::with_capacity(1 << 16, progress.wrap(file));
            read(&mut reader, kinds, &mut tally, show).map_err(trouble)?;
        }
        self.say(&tally, desk)?;
        Ok(tally)
    }

    fn ask(&self, tally: &mut Tally, show: &mut Show<'_>) -> Result<(), Trouble> {
        let progress = Progress::of_people();
        let rows = esclusa_sync::Postgres::new(&self.place).map_err(|failure| Trouble::new(failure.error))?;
        let name = esclusa_sync::Source::name(&rows);
        let query = self.query.as_deref().unwrap_or_default();
        crate::source::block_on(rows.each_row(query, |row| {
            progress.step();
            tally.line(tally.read + tally.broken + 1, row.as_bytes(), show);
        }))?
        .map_err(|failure| Trouble::new(format!("{name}: {}", failure.error)))
    }

    fn say(&self, tally: &Tally, desk: &mut Desk<'_>) -> Result<(), Trouble> {
        let name = self.name();
        for (line, problem) in &tally.first {
            desk.say(format_args!("warning: {name}:{line}: {problem}"))?;
        }
        let more = tally.broken - tally.first.len() as u64;
        if more > 0 {
            desk.say(format_args!("warning: {name}: {more} more cannot be read"))?;
        }
        match tally.broken {
            0 => Ok(()),
            broken if self.is_strict => {
                Err(Trouble::new(format!("{name}: {broken} of the people cannot be read, and none may be (--strict)")))
            }
            broken if tally.read == 0 => Err(Trouble::new(format!("{name}: none of {broken} people can be read"))),
            _ => Ok(()),
        }
    }
}

impl Tally {
    /// Shows one person that is written as JSON.
    fn line(&mut self, line: u64, json: &[u8], show: &mut Show<'_>) {
        let shown = match Value::from_json(json) {
            Ok(person) => show(&person),
            Err(error) => Err(error.to_string().replacen("line 1, ", "", 1)),
        };
        self.count(line, shown);
    }

    fn count(&mut self, line: u64, shown: Result<(), String>) {
        match shown {
            Ok(()) => self.read += 1,
            Err(problem) => {
                self.broken += 1;
                if self.first.len() < SAID {
                    self.first.push((line, problem));
                }
            }
        }
    }
}

/// Reads any of the three formats, by its first letter.
fn read(reader: &mut dyn BufRead, kinds: &Kinds, tally: &mut Tally, show: &mut Show<'_>) -> std::io::Result<()> {
    let mut line = 1;
    if reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    loop {
        match reader.fill_buf()?.first() {
            None => return Ok(()),
            Some(b'[') => return json::array(reader, line, tally, show),
            Some(b'{') => return json::lines(reader, line, tally, show),
            Some(letter) if letter.is_ascii_whitespace() => {
                line += u64::from(*letter == b'\n');
                reader.consume(1);
            }
            Some(_) => return table::read(reader, line, kinds, tally, show),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> (Vec<String>, Vec<(u64, String)>) {
        let (mut people, mut tally) = (Vec::new(), Tally::default());
        let kinds = Kinds::of(&[br#"[{"name": "f", "rules": [{"when": {"all": [
            {"attribute": "seats", "op": "gt", "value": 3}, {"attribute": "beta", "op": "is", "value": true}]}}]}]"#]);
        // A buffer of a few bytes cuts everywhere.
        let mut reader = BufReader::with_capacity(16, text.as_bytes());
        read(&mut reader, &kinds, &mut tally, &mut |person| {
            people.push(person.to_json());
            matches!(person, Value::Object(_)).then_some(()).ok_or_else(|| "is no object".to_owned())
        })
        .unwrap();
        people.retain(|person| person.starts_with('{'));
        assert_eq!((tally.read, tally.broken), (people.len() as u64, tally.first.len() as u64));
        (people, tally.first)
    }

    #[test]
    fn an_array_is_read_element_by_element_with_the_lines_of_broken_ones() {
        let (people, broken) =
            all("\u{feff}\n[{\"user\": \"a,]\\\"\"},\n 7, {\"user\": [1, {}]},\n{\"user\" 1},\n{}]\n");
        assert_eq!(people, [r#"{"user":"a,]\""}"#, r#"{"user":[1,{}]}"#, "{}"]);
        assert_eq!(broken.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(all("[ ]"), (Vec::new(), Vec::new()));
        let (people, broken) = all("[{}, {\"user\": \"b\"");
        assert_eq!((people.len(), broken.len()), (1, 1), "{broken:?}");
    }

    #[test]
    fn lines_of_json_are_read_with_the_numbers_of_broken_ones() {
        let (people, broken) = all("{\"user\": \"a\"}\n\n[]\n{\"user\"\n{\"user\": \"b\"}");
        assert_eq!(people, [r#"{"user":"a"}"#, r#"{"user":"b"}"#]);
        assert_eq!(broken.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn cells_of_a_table_are_texts_unless_the_flags_compare_numbers_or_booleans() {
        let text = "user,seats,beta,version,roles,zip\n1,4,true,4.0,\"[\"\"A\"\",\"\"B\"\"]\",01\n\
            2,many,no,,\"{C,\"\"D,E\"\"}\",\n3,1\n\"x\ny\",1.5,false,1,\"A\",2\n5,6,7,8,9\n";
        let (people, broken) = all(text);
        assert_eq!(
            people,
            [
                r#"{"user":"1","seats":4,"beta":true,"version":"4.0","roles":["A","B"],"zip":"01"}"#,
                r#"{"user":"2","seats":"many","beta":"no","roles":["C","D,E"]}"#,
                r#"{"user":"x\ny","seats":1.5,"beta":false,"version":"1","roles":"A","zip":"2"}"#,
            ]
        );
        assert_eq!(broken, [(4, "has 2 columns, expected 6".to_owned()), (7, "has 5 columns, expected 6".to_owned()),]);
        assert_eq!(all("user;plan\n1;A\n").0, [r#"{"user":"1","plan":"A"}"#]);
    }
}
