//! What a command works with: where data goes, where talk goes, the input, the clock and the folder.
//!
//! Commands take nothing else from the process, so tests call them with a desk of their own.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use esclusa::Time;

/// Where a command reads and writes.
pub struct Desk<'d> {
    /// Data: what another program may read.
    pub out: &'d mut dyn Write,
    /// Everything that is said to a person besides.
    pub talk: &'d mut dyn Write,
    /// The standard input.
    pub input: &'d mut dyn BufRead,
    /// Whether input and talk are terminals, so that a command may ask.
    pub can_ask: bool,
    /// Whether `out` shows colours.
    pub colours: bool,
    /// Number of columns of the terminal.
    pub width: usize,
    /// The current time.
    pub now: Time,
    /// The folder that the tool was started in.
    pub folder: PathBuf,
    /// The variables of the environment.
    pub variable: &'d dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("folder", &self.folder).field("width", &self.width).finish_non_exhaustive()
    }
}

impl Desk<'_> {
    /// Prints data.
    ///
    /// # Errors
    /// When the output is closed or cannot be written.
    pub fn print(&mut self, text: impl fmt::Display) -> Result<(), Trouble> {
        write!(self.out, "{text}").map_err(Trouble::from)
    }

    /// Says something to the person.
    ///
    /// # Errors
    /// As [`print`](Self::print).
    pub fn say(&mut self, text: impl fmt::Display) -> Result<(), Trouble> {
        // On a terminal both are one text.
        self.out.flush()?;
        writeln!(self.talk, "{text}").map_err(Trouble::from)
    }

    /// Asks before something is changed, unless it was said that it shall be.
    ///
    /// # Errors
    /// When the answer is no, or there is no terminal to ask on.
    pub fn confirm(&mut self, question: &str, yes: bool) -> Result<(), Trouble> {
        if yes {
            return Ok(());
        }
        if !self.can_ask {
            return Err(Trouble::new("nothing is changed: expected `--yes`, or a terminal to ask on"));
        }
        self.out.flush()?;
        write!(self.talk, "{question} [y/N] ")?;
        self.talk.flush()?;
        let mut line = String::new();
        self.input.read_line(&mut line)?;
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Trouble::new("nothing is changed")),
        }
    }

    /// Writes a file whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_file(&self, path: &std::path::Path, text: &str) -> Result<(), Trouble> {
        let path = self.folder.join(path);
        let trouble = |error: io::Error| Trouble::new(format!("cannot write `{}`: {error}", path.display()));
        let folder = path.parent().unwrap_or(&self.folder);
        let mut file = tempfile::Builder::new().prefix(".esclusa-").tempfile_in(folder).map_err(trouble)?;
        file.write_all(text.as_bytes()).map_err(trouble)?;
        keep_rights(&path, file.as_file()).map_err(trouble)?;
        file.persist(&path).map_err(|error| trouble(error.error)).map(drop)
    }
}

/// A temporary file is for its owner alone; the file that it replaces may be for others too.
#[cfg(unix)]
fn keep_rights(path: &std::path::Path, file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let rights =
        std::fs::metadata(path).map_or_else(|_| std::fs::Permissions::from_mode(0o644), |old| old.permissions());
    file.set_permissions(rights)
}

#[cfg(not(unix))]
fn keep_rights(_: &std::path::Path, _: &std::fs::File) -> io::Result<()> {
    Ok(())
}

/// Whether a command found something to object to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Findings {
    /// Nothing: exit code 0.
    None,
    /// Something: exit code 1.
    Some,
}

impl Findings {
    /// That there are some.
    #[must_use]
    pub fn some_if(found: bool) -> Self {
        if found { Findings::Some } else { Findings::None }
    }
}

/// Why a command could not do what it was asked: exit code 2.
#[derive(Debug)]
pub enum Trouble {
    /// Said to the person.
    Said(String),
    /// The reader of the output has closed it, as `head` does: a success.
    Closed,
}

impl Trouble {
    /// What is wrong, in one line.
    pub fn new(problem: impl Into<String>) -> Self {
        Trouble::Said(problem.into())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Trouble::Closed } else { Trouble::Said(error.to_string()) }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Said(problem) => f.write_str(problem),
            Trouble::Closed => f.write_str("the output is closed"),
        }
    }
}
