//! `esclusa.toml`: sources by name and the levels of advice, found in this folder or above it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::desk::{Desk, Trouble};
use crate::lint::Level;

/// What the file is called.
pub const NAME: &str = "esclusa.toml";

/// The file, or what holds without one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Sources by the name under which a command takes them.
    #[serde(default)]
    pub sources: BTreeMap<String, Named>,
    /// What `lint` is to say.
    #[serde(default)]
    pub lint: Lint,
    /// The people for whom `diff` and `test` ask.
    pub sample: Option<Sample>,
    /// What `test` runs.
    #[serde(default)]
    pub tests: Tests,
    /// How `serve` is set up, as that command reads it.
    #[serde(default)]
    pub serve: toml::Table,
    /// The folder that it is in: its paths begin there.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A source with a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// A file or an address.
    pub from: Option<String>,
    /// The variable of the environment that holds the address.
    pub from_env: Option<String>,
    /// The table in a database, or the key in Redis.
    pub table: Option<String>,
    /// The file of a mapping.
    pub mapping: Option<PathBuf>,
    /// Parameters of the mapping.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// The variable of the environment that holds a bearer token.
    pub token_env: Option<String>,
}

/// The section `[sample]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// A file, or the address of a Postgres.
    pub from: Option<String>,
    /// The variable of the environment that holds the address.
    pub from_env: Option<String>,
    /// The query for the people of a database.
    pub query: Option<String>,
}

impl Sample {
    /// The file or the address.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn place(&self, desk: &Desk<'_>) -> Result<String, Trouble> {
        match (&self.from, &self.from_env) {
            (Some(from), _) => Ok(from.clone()),
            (None, variable) => {
                let variable = variable.as_deref().unwrap_or_default();
                (desk.variable)(variable).ok_or_else(|| Trouble::new(format!("the variable `{variable}` is not set")))
            }
        }
    }
}

/// The section `[tests]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tests {
    /// The files, such as `tests/flags/*.yaml`.
    pub files: Option<Vec<String>>,
    /// Where the flags of files come from that name no source.
    pub source: Option<String>,
}

/// The section `[lint]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lint {
    /// Levels by the name of an advice.
    #[serde(default)]
    pub levels: BTreeMap<String, Level>,
}

impl Config {
    /// The nearest file from this folder upwards.
    ///
    /// # Errors
    /// When a file is there that cannot be read or says something that has no meaning.
    pub fn find(desk: &Desk<'_>) -> Result<Self, Trouble> {
        let file = desk.folder.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file());
        file.map_or_else(|| Ok(Config { folder: desk.folder.clone(), ..Config::default() }), |file| Config::read(&file))
    }

    fn read(file: &Path) -> Result<Self, Trouble> {
        let trouble = |problem: String| Trouble::new(format!("`{}`: {}", file.display(), problem.trim_end()));
        let text = std::fs::read_to_string(file).map_err(|error| trouble(error.to_string()))?;
        let mut config: Config = toml::from_str(&text).map_err(|error| trouble(error.to_string()))?;
        if let Some(name) = config.lint.levels.keys().find(|name| !crate::lint::is_known(name)) {
            return Err(trouble(format!(
                "`{name}` is not the name of an advice, expected one of `esclusa lint --explain`"
            )));
        }
        if let Some((name, _)) = config.sources.iter().find(|(_, one)| one.from.is_some() == one.from_env.is_some()) {
            return Err(trouble(format!("source `{name}`: expected exactly one of `from` and `from_env`")));
        }
        if config.sample.as_ref().is_some_and(|sample| sample.from.is_some() == sample.from_env.is_some()) {
            return Err(trouble("[sample]: expected exactly one of `from` and `from_env`".to_owned()));
        }
        config.folder = file.parent().unwrap_or(Path::new(".")).to_path_buf();
        Ok(config)
    }
}
