//! What `esclusa serve` does: reads its set-up, starts the server, and waits for the signal to stop.

use std::path::PathBuf;

use esclusa::Value;
use esclusa_formats::Mapping;
use esclusa_server::{Kind, Secret, Server, Settings, Store};
use esclusa_sync::{Bundled, File, Mapped, Source};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tracing::level_filters::LevelFilter;

use crate::config::Config;
use crate::desk::{Desk, Findings, Trouble};
use crate::people::{Contexts, Kinds};
use crate::serve::{Arguments, TokenKind};
use crate::source::{Place, Use, parameters_of, variable_of};

/// The settings that a variable may give: `ESCLUSA_SERVE_LISTEN` and so on.
const TEXTS: [&str; 4] = ["store", "listen", "public_url", "cache"];
/// The file of SQLite, and its table of flags, where nothing else is said.
const FILE: &str = "esclusa.db";
const TABLE: &str = "feature_flags";
/// People that the panel gets: enough for shares of a thousandth, in an answer of some megabytes.
const MAX_PEOPLE: usize = 20_000;
const NUMBERS: [&str; 2] = ["spread_ms", "max_streams"];

pub(crate) fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    if let Some(kind) = arguments.new_token {
        return new_token(kind, desk);
    }
    let (named, mut settings) = setup(arguments, desk)?;
    let place = place(arguments, named, desk)?;
    let store = store(&place)?;
    let made = tokens_for_now(&mut settings, &place, store.is_some())?;
    log(desk)?;
    settings.people = sample(arguments, desk)?;
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::new(format!("cannot start the network: {error}")))?;
    let listen = settings.listen;
    let listener = runtime.block_on(TcpListener::bind(listen));
    let listener = listener.map_err(|error| Trouble::new(format!("cannot listen on {listen}: {error}")))?;
    let server = {
        let _inside = runtime.enter();
        start(&place, store, &settings, desk)?
    };
    let address = listener.local_addr()?;
    desk.say(format_args!("serving {} at http://{address}", server.status().source))?;
    if let Some(path) = server.setup_path().map_err(|error| Trouble::new(error.to_string()))? {
        desk.say(format_args!("  the first admin, once: http://{address}{path}"))?;
    }
    for secret in &made {
        desk.say(format_args!("  {} token, until this ends: {}", secret.kind(), secret.text()))?;
    }
    runtime.block_on(async {
        let stop = stopped()?;
        server.run(listener, stop).await;
        Ok::<_, Trouble>(())
    })?;
    desk.say("stopped")?;
    Ok(Findings::None)
}

fn new_token(kind: TokenKind, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let kind = match kind {
        TokenKind::Server => Kind::Server,
        TokenKind::Client => Kind::Client,
        TokenKind::Ingest => Kind::Ingest,
        TokenKind::Admin => Kind::Admin,
    };
    let secret = Secret::new(kind).map_err(|error| Trouble::new(error.to_string()))?;
    desk.say("The token, which is shown this once:")?;
    desk.print(format_args!("{}\n", secret.text()))?;
    desk.say(format_args!(
        "What esclusa.toml holds of it:\n\n[[serve.tokens]]\nkind = \"{kind}\"\nid = \"{}\"\nsha256 = \"{}\"",
        secret.id(),
        secret.sha256()
    ))?;
    Ok(Findings::None)
}

/// Where the flags are. Where nothing says it, they are in a file of SQLite in this folder.
fn place(arguments: &Arguments, named: Option<String>, desk: &Desk<'_>) -> Result<Place, Trouble> {
    let given = arguments.source.clone().or(named);
    let is_said = given.is_some() || !arguments.reading.config(desk)?.sources.is_empty();
    let given = if is_said || !cfg!(feature = "sqlite") { given } else { Some(format!("sqlite:{FILE}")) };
    let mut place = arguments.reading.place(given.as_deref(), desk)?;
    if place.place.starts_with("sqlite:") && place.table.is_none() {
        place.table = Some(TABLE.to_owned());
    }
    Ok(place)
}

/// Where flags are written, if it is a store that can be written to. A mapping of the app's own only reads.
fn store(place: &Place) -> Result<Option<Store>, Trouble> {
    if place.mapping.is_some() {
        return Ok(None);
    }
    #[cfg(feature = "sqlite")]
    if let (Some(file), Some(table)) = (place.place.strip_prefix("sqlite:"), &place.table) {
        let store = Store::sqlite(place.folder.join(file), table);
        return store.map(Some).map_err(|error| Trouble::new(error.to_string()));
    }
    if !place.is_postgres() {
        return Ok(None);
    }
    let source = esclusa_sync::Postgres::new(&place.place).map_err(|failure| Trouble::new(failure.error))?;
    Ok(Some(Store::postgres(source, place.table.clone())))
}

/// Arguments over variables over `esclusa.toml`.
fn setup(arguments: &Arguments, desk: &Desk<'_>) -> Result<(Option<String>, Settings), Trouble> {
    let config = arguments.reading.config(desk)?;
    let mut written = config.serve.clone();
    let variable = |name: &str| (desk.variable)(&format!("ESCLUSA_SERVE_{}", name.to_uppercase()));
    for name in TEXTS {
        if let Some(value) = variable(name) {
            written.insert(name.to_owned(), value.into());
        }
    }
    for name in NUMBERS {
        if let Some(value) = variable(name) {
            let number: i64 = value.parse().map_err(|_| {
                Trouble::new(format!("ESCLUSA_SERVE_{} is `{value}`, expected a number", name.to_uppercase()))
            })?;
            written.insert(name.to_owned(), number.into());
        }
    }
    if let Some(value) = variable("usage_keep_days") {
        let days: i64 = value.parse().map_err(|_| {
            Trouble::new(format!("ESCLUSA_SERVE_USAGE_KEEP_DAYS is `{value}`, expected a number of days"))
        })?;
        let usage = written.entry("usage").or_insert_with(|| toml::Table::new().into());
        let expected = || Trouble::new("[serve]: `usage` is no table, expected `[serve.usage]`");
        usage.as_table_mut().ok_or_else(expected)?.insert("keep_days".to_owned(), days.into());
    }
    if let Some(value) = variable("reason_required") {
        let is = value.parse::<bool>();
        let expected = |_| Trouble::new(format!("ESCLUSA_SERVE_REASON_REQUIRED is `{value}`, expected true or false"));
        written.insert("reason_required".to_owned(), is.map_err(expected)?.into());
    }
    let store = match written.remove("store") {
        None => None,
        Some(toml::Value::String(store)) => Some(store),
        Some(_) => return Err(Trouble::new("[serve]: `store` is no text, expected a name or an address")),
    };
    let settings = toml::Value::Table(written).try_into::<Settings>();
    let mut settings = settings.map_err(|error| Trouble::new(format!("[serve]: {}", error.to_string().trim_end())))?;
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    for text in tokens(&config, desk)?.split_whitespace() {
        let secret = Secret::parse(text).map_err(|error| Trouble::new(format!("ESCLUSA_SERVE_TOKENS: {error}")))?;
        settings.tokens.push(secret.token());
    }
    Ok((store, settings))
}

/// People of `[sample]`, of whom the panel asks who gets a flag. Without them everything else works.
fn sample(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Vec<Value<'static>>, Trouble> {
    let config = arguments.reading.config(desk)?;
    let Some(people) = Contexts::default().people(&config, desk)? else { return Ok(Vec::new()) };
    let (mut chosen, mut offered, mut random) = (Vec::new(), 0, fastrand::Rng::with_seed(365));
    let read = people.read(&Kinds::default(), desk, &mut |person| {
        // Each of them is as likely to be chosen (reservoir sampling, algorithm R).
        let person = person.clone().into_owned();
        if chosen.len() < MAX_PEOPLE {
            chosen.push(person);
        } else if let Some(other) = chosen.get_mut(random.usize(0..=offered)) {
            *other = person;
        }
        offered += 1;
        Ok(())
    });
    if let Err(trouble) = read {
        desk.say(format_args!("  the panel knows no people: {trouble}"))?;
    }
    Ok(chosen)
}

/// Tokens as they are, from the variable or from the file that the other variable names.
fn tokens(config: &Config, desk: &Desk<'_>) -> Result<String, Trouble> {
    if let Ok(tokens) = variable_of("ESCLUSA_SERVE_TOKENS", desk) {
        return Ok(tokens);
    }
    let Ok(file) = variable_of("ESCLUSA_SERVE_TOKENS_FILE", desk) else { return Ok(String::new()) };
    let path = config.folder.join(&file);
    std::fs::read_to_string(path).map_err(|error| Trouble::new(format!("cannot read `{file}`: {error}")))
}

/// Without tokens two are made that end with the process, on this machine alone: there is no default password.
fn tokens_for_now(settings: &mut Settings, place: &Place, is_written: bool) -> Result<Vec<Secret>, Trouble> {
    if !settings.tokens.is_empty() {
        return Ok(Vec::new());
    }
    // SQLite keeps its admin tokens, and gives the first one by a link.
    let keeps_tokens = is_written && !place.is_postgres();
    if !settings.listen.ip().is_loopback() {
        if keeps_tokens {
            return Ok(Vec::new());
        }
        return Err(Trouble::new(format!(
            "no token is set up, and {} can be reached from outside: expected one of `esclusa serve --new-token server`",
            settings.listen
        )));
    }
    let mut kinds = vec![Kind::Server, Kind::Client];
    kinds.extend((is_written && !keeps_tokens).then_some(Kind::Admin));
    let made = kinds.into_iter().map(Secret::new).collect::<Result<Vec<_>, _>>();
    let made = made.map_err(|error| Trouble::new(error.to_string()))?;
    settings.tokens = made.iter().map(Secret::token).collect();
    Ok(made)
}

/// Notes of what happens, on the standard error: those of `ESCLUSA_SERVE_LOG` and above.
fn log(desk: &Desk<'_>) -> Result<(), Trouble> {
    let level = match variable_of("ESCLUSA_SERVE_LOG", desk) {
        Ok(level) => level.parse().map_err(|_| {
            Trouble::new(format!("ESCLUSA_SERVE_LOG is `{level}`, expected off, error, warn, info, debug or trace"))
        })?,
        Err(_) => LevelFilter::INFO,
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false);
    subscriber.try_init().map_err(|error| Trouble::new(format!("cannot write a log: {error}")))
}

fn start(place: &Place, store: Option<Store>, settings: &Settings, desk: &mut Desk<'_>) -> Result<Server, Trouble> {
    let starting = Starting { place, store, settings };
    if place.place == "-" {
        let mut bytes = Vec::new();
        desk.input.read_to_end(&mut bytes)?;
        return starting.with(Bundled::new(bytes));
    }
    if let Some(variable) = place.place.strip_prefix("env:") {
        return starting.with(Bundled::new(variable_of(variable, desk)?));
    }
    match place.file() {
        Some(path) => starting.with(File::new(place.folder.join(PathBuf::from(path)))),
        None => place.store(starting),
    }
}

/// Starting a server on a store.
struct Starting<'s> {
    place: &'s Place,
    store: Option<Store>,
    settings: &'s Settings,
}

impl Use for Starting<'_> {
    type Made = Server;

    fn with(self, source: impl Source) -> Result<Server, Trouble> {
        let server = match (&self.place.mapping, self.store) {
            (Some(mapping), _) => Server::start(source.mapped(Mapping::clone(mapping)), self.settings),
            // Rows may bring a mapping along, as Postgres keeps one beside a table.
            (None, store) => {
                let parameters = parameters_of(&self.place.parameters);
                let parameters = parameters.map_err(|error| Trouble::new(error.to_string()))?;
                let source = Mapped::as_stored(source, parameters);
                match store {
                    Some(store) => Server::start_writing(source, store, self.settings),
                    None => Server::start(source, self.settings),
                }
            }
        };
        server.map_err(|error| Trouble::new(format!("[serve]: {error}")))
    }
}

/// Ends at the first signal to stop.
fn stopped() -> Result<impl Future<Output = ()>, Trouble> {
    #[cfg(unix)]
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        #[cfg(not(unix))]
        drop(tokio::signal::ctrl_c().await);
    })
}
