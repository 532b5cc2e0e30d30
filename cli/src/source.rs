//! SNAPSHOT arguments: a file, `-`, a variable, an address, or a name of `esclusa.toml`, asked once.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use esclusa::{FlagSet, SnapshotError};
use esclusa_formats::{Mapping, MappingError, Parameters, ReadError};
use esclusa_sync::{Answer, Failure, Request, Source};
use tokio::runtime::Runtime;

use crate::config::{Config, Named};
use crate::desk::{Desk, Trouble};
use crate::nearest::nearest;

/// How long a store may take to answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// How rows of a table with columns of its own are read.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Reading {
    /// Read rows by this mapping (TOML or JSON)
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    pub mapping: Option<PathBuf>,
    /// Give a parameter of the mapping a value, such as environment=production
    #[arg(long = "param", value_name = "NAME=VALUE", help_heading = "Source")]
    pub parameters: Vec<String>,
    /// Table in the database, or key in Redis
    #[arg(long, value_name = "TABLE", help_heading = "Source")]
    pub table: Option<String>,
    /// Leave esclusa.toml aside
    #[arg(long, help_heading = "Source")]
    pub no_config: bool,
}

impl Reading {
    /// The configuration that holds for a command.
    ///
    /// # Errors
    /// When `esclusa.toml` cannot be read.
    pub fn config(&self, desk: &Desk<'_>) -> Result<Config, Trouble> {
        if self.no_config {
            Ok(Config { folder: desk.folder.clone(), ..Config::default() })
        } else {
            Config::find(desk)
        }
    }
}

impl Reading {
    /// The place of a source; without a name the only source of `esclusa.toml`.
    ///
    /// # Errors
    /// When it cannot be read, or there are several.
    pub(crate) fn place(&self, source: Option<&str>, desk: &Desk<'_>) -> Result<Place, Trouble> {
        if let Some(source) = source {
            return Place::find(source, self, desk);
        }
        let config = self.config(desk)?;
        let names: Vec<&str> = config.sources.keys().map(String::as_str).collect();
        match names.as_slice() {
            [only] => Place::find(only, self, desk),
            [] => Err(Trouble::new("which source? expected `--source SNAPSHOT`")),
            _ => Err(Trouble::new(format!("which source? expected `--source` with one of {}", names.join(", ")))),
        }
    }

    /// The parameters with their values.
    ///
    /// # Errors
    /// When one has no value.
    pub fn parameters(&self) -> Result<Vec<(&str, &str)>, Trouble> {
        let pair = |parameter: &String| {
            Trouble::new(format!("`{parameter}` is not a parameter, expected one such as environment=production"))
        };
        self.parameters.iter().map(|one| one.split_once('=').ok_or_else(|| pair(one))).collect()
    }
}

/// What a source gave.
#[derive(Debug)]
pub struct Snapshot {
    /// What messages call it, without secrets.
    pub name: String,
    /// The file, if it is one.
    pub file: Option<PathBuf>,
    /// The text as the source has it.
    pub bytes: Vec<u8>,
    /// The mapping that reads it.
    pub mapping: Option<Mapping>,
}

impl Snapshot {
    /// Asks the source of an argument.
    ///
    /// # Errors
    /// When it does not answer, or the mapping cannot be read.
    pub fn read(argument: &str, reading: &Reading, desk: &mut Desk<'_>) -> Result<Self, Trouble> {
        let snapshot = Snapshot::read_rows(argument, reading, desk)?;
        if snapshot.mapping.is_none() && !reading.parameters.is_empty() {
            return Err(Trouble::new("`--param` is for a mapping, expected `--mapping FILE` beside it"));
        }
        Ok(snapshot)
    }

    /// The same, where parameters may be for a mapping that is still to be made.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_rows(argument: &str, reading: &Reading, desk: &mut Desk<'_>) -> Result<Self, Trouble> {
        let place = Place::find(argument, reading, desk)?;
        let mut snapshot = ask(&place, desk)?;
        snapshot.mapping = match place.mapping {
            Some(mapping) => Some(mapping),
            None => stored(&snapshot, &place.parameters)?,
        };
        Ok(snapshot)
    }

    /// The flags of it.
    ///
    /// # Errors
    /// When the bytes hold no flags.
    pub fn set(&self) -> Result<FlagSet, Trouble> {
        self.compile().map_err(|error| Trouble::new(format!("{}: {error}", self.name)))
    }

    /// The same with the error as it is.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn compile(&self) -> Result<FlagSet, ReadError> {
        match &self.mapping {
            Some(mapping) => Ok(esclusa_formats::read(&self.bytes, mapping)?.0),
            None => FlagSet::from_json(&self.bytes).map_err(|error: SnapshotError| ReadError::Snapshot(error)),
        }
    }

    /// The snapshot as it is without a mapping.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn native(&self) -> Result<Cow<'_, [u8]>, Trouble> {
        let Some(mapping) = &self.mapping else { return Ok(Cow::Borrowed(&self.bytes)) };
        let snapshot = esclusa_formats::snapshot(&self.bytes, mapping);
        let snapshot = snapshot.map_err(|error| Trouble::new(format!("{}: {error}", self.name)))?;
        Ok(Cow::Owned(snapshot.to_json().into_bytes()))
    }
}

pub(crate) fn variable_of(name: &str, desk: &Desk<'_>) -> Result<String, Trouble> {
    (desk.variable)(name).ok_or_else(|| Trouble::new(format!("the variable `{name}` is not set")))
}

/// The source of that name in the configuration, or none.
fn named(argument: &str, config: &Config) -> Result<Named, Trouble> {
    if let Some(named) = config.sources.get(argument) {
        return Ok(named.clone());
    }
    let looks_like_name = argument.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'));
    if argument != "-" && looks_like_name && !config.sources.is_empty() && !config.folder.join(argument).exists() {
        let names = config.sources.keys().map(String::as_str);
        let hint = nearest(argument, names.clone()).map_or_else(
            || format!(", which has {}", names.collect::<Vec<_>>().join(", ")),
            |name| format!("; did you mean `{name}`?"),
        );
        return Err(Trouble::new(format!("`{argument}` is neither a file nor a source of esclusa.toml{hint}")));
    }
    Ok(Named::default())
}

/// The mapping that rows bring along, as Postgres keeps one beside a table.
fn stored(snapshot: &Snapshot, parameters: &[(String, String)]) -> Result<Option<Mapping>, Trouble> {
    parameters_of(parameters)
        .and_then(|parameters| Mapping::stored(&snapshot.bytes, &parameters))
        .map_err(|error| Trouble::new(format!("{}: {error}", snapshot.name)))
}

/// Parameters for a mapping that the rows bring along.
pub(crate) fn parameters_of(given: &[(String, String)]) -> Result<Parameters, MappingError> {
    given.iter().try_fold(Parameters::default(), |all, (name, value)| all.with(name, value))
}

/// The mapping that the options or `esclusa.toml` name.
fn mapping(
    reading: &Reading,
    named: &Named,
    parameters: &[(String, String)],
    config: &Config,
    desk: &Desk<'_>,
) -> Result<Option<Mapping>, Trouble> {
    let given = reading.mapping.as_ref().map(|file| desk.folder.join(file));
    let Some(file) = given.or_else(|| named.mapping.as_ref().map(|file| config.folder.join(file))) else {
        return Ok(None);
    };
    let mapping = read_mapping(&file)?;
    let mapping = parameters.iter().try_fold(mapping, |mapping, (name, value)| mapping.with(name, value));
    mapping.map(Some).map_err(|error| Trouble::new(format!("`{}`: {error}", file.display())))
}

/// A mapping in TOML or JSON.
///
/// # Errors
/// When it cannot be read.
pub fn read_mapping(file: &Path) -> Result<Mapping, Trouble> {
    let bytes =
        std::fs::read(file).map_err(|error| Trouble::new(format!("cannot read `{}`: {error}", file.display())))?;
    let mapping = Mapping::from_text(&bytes);
    mapping.map_err(|error| Trouble::new(format!("`{}`: {error}", file.display())))
}

/// Where a source is, before it is asked.
pub(crate) struct Place {
    /// A file, `-`, `env:NAME`, or an address.
    pub(crate) place: String,
    /// The folder that a file is looked for in.
    pub(crate) folder: PathBuf,
    /// The table in the database, or the key in Redis.
    pub(crate) table: Option<String>,
    /// The mapping that reads it.
    pub(crate) mapping: Option<Mapping>,
    /// Parameters of that mapping, or of the one that the rows bring along.
    pub(crate) parameters: Vec<(String, String)>,
    token: Option<String>,
}

impl Place {
    /// What an argument means.
    ///
    /// # Errors
    /// When a name, a variable or a mapping cannot be read.
    pub(crate) fn find(argument: &str, reading: &Reading, desk: &Desk<'_>) -> Result<Self, Trouble> {
        let config = reading.config(desk)?;
        let named = named(argument, &config)?;
        let given = reading.parameters()?.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters: Vec<(String, String)> = named.params.clone().into_iter().chain(given).collect();
        let mapping = mapping(reading, &named, &parameters, &config, desk)?;
        let place = match (&named.from, &named.from_env) {
            (Some(from), _) => from.clone(),
            (None, Some(variable)) => variable_of(variable, desk)?,
            (None, None) => argument.to_owned(),
        };
        let is_named = named.from.is_some() || named.from_env.is_some();
        let folder = if is_named { config.folder.clone() } else { desk.folder.clone() };
        let table = reading.table.clone().or(named.table);
        let token = named.token_env.as_deref().map(|variable| variable_of(variable, desk)).transpose()?;
        let token = token.or_else(|| (desk.variable)("ESCLUSA_TOKEN"));
        Ok(Place { place, folder, table, mapping, parameters, token })
    }

    /// Whether it is a Postgres.
    pub(crate) fn is_postgres(&self) -> bool {
        self.scheme().is_some_and(|scheme| matches!(scheme, "postgres" | "postgresql"))
    }

    /// Its path, if it is a file.
    pub(crate) fn file(&self) -> Option<&str> {
        match self.scheme() {
            Some("file") => self.place.strip_prefix("file://"),
            None if self.place != "-" && !["env:", "sqlite:"].iter().any(|kind| self.place.starts_with(kind)) => {
                Some(&self.place)
            }
            _ => None,
        }
    }

    fn scheme(&self) -> Option<&str> {
        self.place.split_once("://").map(|(scheme, _)| scheme)
    }

    fn table_in(&self, database: &str) -> Result<&str, Trouble> {
        self.table
            .as_deref()
            .ok_or_else(|| Trouble::new(format!("which table of {database}? expected `--table TABLE`")))
    }
}

fn ask(asked: &Place, desk: &mut Desk<'_>) -> Result<Snapshot, Trouble> {
    let place = asked.place.as_str();
    let given = |name: &str, bytes: Vec<u8>| Snapshot { name: name.to_owned(), file: None, bytes, mapping: None };
    if place == "-" {
        let mut bytes = Vec::new();
        desk.input.read_to_end(&mut bytes).map_err(|error| Trouble::new(format!("standard input: {error}")))?;
        return Ok(given("standard input", bytes));
    }
    if let Some(variable) = place.strip_prefix("env:") {
        return Ok(given(place, variable_of(variable, desk)?.into_bytes()));
    }
    if let Some(path) = asked.file() {
        return file(path, &asked.folder);
    }
    asked.store(Fetch)
}

/// What is done with a store, of whichever type it is.
pub(crate) trait Use {
    /// What comes of it.
    type Made;

    /// Does it.
    ///
    /// # Errors
    /// When it cannot be done.
    fn with(self, source: impl Source) -> Result<Self::Made, Trouble>;
}

/// Asking it once.
struct Fetch;

impl Use for Fetch {
    type Made = Snapshot;

    fn with(self, source: impl Source) -> Result<Snapshot, Trouble> {
        fetch(source)
    }
}

impl Place {
    /// Does something with the store of an address.
    ///
    /// # Errors
    /// When it is none, or it cannot be done.
    pub(crate) fn store<U: Use>(&self, used: U) -> Result<U::Made, Trouble> {
        let place = self.place.as_str();
        if let Some(file) = place.strip_prefix("sqlite:") {
            return sqlite(self, file, used);
        }
        match self.scheme() {
            Some("http" | "https") => {
                let http = esclusa_sync::Http::new(place).map_err(|error| Trouble::new(error.to_string()))?;
                used.with(match &self.token {
                    Some(token) => http.bearer(token).map_err(|error| Trouble::new(error.to_string()))?,
                    None => http,
                })
            }
            Some("postgres" | "postgresql") => {
                let postgres = esclusa_sync::Postgres::new(place).map_err(failed)?;
                used.with(match &self.table {
                    Some(table) => postgres.table(table),
                    None => postgres,
                })
            }
            Some("redis" | "rediss") => {
                let redis = esclusa_sync::Redis::new(place).map_err(failed)?;
                used.with(match &self.table {
                    Some(key) => redis.key(key),
                    None => redis,
                })
            }
            Some("mysql" | "mariadb") => mysql(self, used),
            #[cfg(feature = "cloud")]
            Some(scheme) if crate::cloud::SCHEMES.contains(&scheme) => used.with(crate::cloud::object(place)?),
            scheme => Err(Trouble::new(format!(
                "`{}://` is not an address that this tool reads, expected https, postgres, redis, sqlite:FILE or a file (mysql and s3, gs and az in builds with the features `mysql` and `cloud`)",
                scheme.unwrap_or_default()
            ))),
        }
    }
}

fn file(path: &str, folder: &Path) -> Result<Snapshot, Trouble> {
    let whole = folder.join(path);
    let bytes = std::fs::read(&whole).map_err(|error| Trouble::new(format!("cannot read `{path}`: {error}")))?;
    Ok(Snapshot { name: path.to_owned(), file: Some(whole), bytes, mapping: None })
}

#[cfg(feature = "sqlite")]
fn sqlite<U: Use>(asked: &Place, file: &str, used: U) -> Result<U::Made, Trouble> {
    let table = asked.table_in("the SQLite file")?;
    used.with(esclusa_sync::Sqlite::table(asked.folder.join(file), table))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite<U: Use>(asked: &Place, _: &str, _: U) -> Result<U::Made, Trouble> {
    asked.table_in("the SQLite file")?;
    Err(Trouble::new("this build reads no SQLite, expected one with the feature `sqlite`"))
}

#[cfg(feature = "mysql")]
fn mysql<U: Use>(asked: &Place, used: U) -> Result<U::Made, Trouble> {
    let table = asked.table_in("MySQL")?;
    used.with(esclusa_sync::MySql::new(&asked.place).map_err(failed)?.table(table))
}

#[cfg(not(feature = "mysql"))]
fn mysql<U: Use>(asked: &Place, _: U) -> Result<U::Made, Trouble> {
    asked.table_in("MySQL")?;
    Err(Trouble::new("this build reads no MySQL, expected one with the feature `mysql`"))
}

fn failed(failure: Failure) -> Trouble {
    Trouble::new(failure.error)
}

/// Where what waits for the network runs.
///
/// # Errors
/// When the system gives no means to wait.
pub(crate) fn runtime() -> Result<Runtime, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Trouble::new(format!("cannot start the network: {error}")))
}

/// Runs what waits for the network.
///
/// # Errors
/// As [`runtime`].
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, Trouble> {
    Ok(runtime()?.block_on(future))
}

/// Asks a source once.
fn fetch(mut source: impl Source) -> Result<Snapshot, Trouble> {
    let name = source.name();
    let answer = block_on(async {
        let request = Request::default();
        tokio::time::timeout(TIMEOUT, source.fetch(&request)).await
    })?;
    let said = match answer {
        Ok(Ok(Answer::Snapshot { bytes, .. })) => return Ok(Snapshot { name, file: None, bytes, mapping: None }),
        Ok(Ok(Answer::NotModified)) => "it answered that nothing has changed, expected a snapshot".to_owned(),
        Ok(Err(failure)) => failure.error,
        Err(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
    };
    Err(Trouble::new(if said.contains(&name) { said } else { format!("{name}: {said}") }))
}
