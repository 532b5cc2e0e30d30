//! Guards that tick by themselves, and a file that keeps their trips: a process that restarts begins with the flags off that
//! tripped before, and so do the other processes of the host within a second, with or without a store.
//!
//! The file is a document with `"layer": "trips"`, whose flags have a `name` and a `trip`. What tripped is decided by
//! `esclusa-guard`, what a trip does by the core.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use esclusa::{Flags, Trip};
use esclusa_guard::{Guards, Trips};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::alert::{Alert, Alerts};
use crate::trips::{News, Proposal, Proposals, TripStore, keep_up, lock};

const TICK: Duration = Duration::from_secs(1);

/// How many trips wait for whoever speaks of them.
const NEWS: usize = 256;

/// A larger file is none: it is a few lines for each flag that tripped.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Guards that tick until this is dropped.
#[derive(Debug)]
#[must_use = "the guards tick until it is dropped"]
pub struct Guarding {
    flags: Flags,
    pub(crate) tasks: Vec<JoinHandle<()>>,
    proposals: Proposals,
    pub(crate) news: broadcast::Sender<News>,
    /// The names of the stores to which trips are proposed.
    pub(crate) stores: Vec<String>,
    pub(crate) alerts: Alerts,
}

impl Guarding {
    /// Proposes each trip to a store as well, again and again until it answers, and takes the trips that the store has. A
    /// store that is away, slow or silent delays no trip of this process. Several stores may be given.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn propose(mut self, store: impl TripStore) -> Self {
        self.stores.push(store.name());
        let keeping = keep_up(self.flags.clone(), store, self.proposals.clone(), self.news.clone());
        self.tasks.push(tokio::spawn(keeping));
        self
    }

    /// What has become of the alerts that this process has sent.
    pub fn alerts(&self) -> Vec<Alert> {
        crate::alert::lock(&self.alerts).clone()
    }

    /// The names of the stores to which trips are proposed.
    pub fn stores(&self) -> &[String] {
        &self.stores
    }

    /// What has become of the trips that were proposed, by the keys of their flags.
    pub fn proposals(&self) -> Vec<Proposal> {
        lock(&self.proposals).values().cloned().collect()
    }
}

impl Drop for Guarding {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Ticks the guards once a second. With a file, trips are written there and taken from there: several processes of a host
/// may share it.
///
/// The trips in the file are taken before it returns, so that a flag that tripped before a restart is never on.
///
/// # Panics
/// Outside a tokio runtime with time enabled.
pub fn guard(guards: &Guards, file: Option<&Path>) -> Guarding {
    let mut file = file.map(TripsFile::new);
    if let Some(file) = &mut file {
        file.turn(guards.flags());
    }
    let (guards, flags) = (guards.clone(), guards.flags().clone());
    let (news, _) = broadcast::channel(NEWS);
    let told = news.clone();
    let task = tokio::spawn(async move {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let tripped = guards.tick();
            for (flag, trip) in &tripped {
                tracing::warn!(target: "esclusa", "the guard of `{flag}` has switched it off: {}", trip.metric);
            }
            let mut is_own = true;
            if let Some(mut taken) = file.take() {
                let flags = guards.flags().clone();
                let turn = tokio::task::spawn_blocking(move || {
                    let is_own = taken.turn(&flags);
                    (taken, is_own)
                });
                if let Ok((taken, wrote)) = turn.await {
                    (file, is_own) = (Some(taken), wrote);
                }
            }
            let set = guards.flags().current();
            for trip in set.trips().filter_map(|(key, trip)| Trip::from_value(key, trip)) {
                if tripped.iter().any(|(flag, _)| flag == trip.flag()) {
                    // Nobody may be listening.
                    let _ = told.send(News::Tripped { trip, is_own });
                }
            }
        }
    });
    Guarding {
        flags,
        tasks: vec![task],
        proposals: Proposals::default(),
        news,
        stores: Vec::new(),
        alerts: Alerts::default(),
    }
}

/// The file of trips, and what is known of it.
struct TripsFile {
    path: PathBuf,
    /// When the file was changed and how long it was as it was read last.
    read: Option<(SystemTime, u64)>,
    /// The trips in the file.
    known: Trips,
}

impl TripsFile {
    fn new(path: &Path) -> Self {
        TripsFile { path: path.to_owned(), read: None, known: Trips::default() }
    }

    /// Takes trips that the file has, and writes those that it lacks; whether it has written any. What cannot be read or
    /// written is logged and changes nothing; then it is true, because no other process can have written it.
    fn turn(&mut self, flags: &Flags) -> bool {
        self.take(flags).and_then(|()| self.give(flags)).unwrap_or_else(|error| {
            tracing::warn!(target: "esclusa", "the file of trips {}: {error}", self.path.display());
            true
        })
    }

    fn take(&mut self, flags: &Flags) -> io::Result<()> {
        let about = match std::fs::metadata(&self.path) {
            Ok(about) if about.is_file() && about.len() <= MAX_FILE_BYTES => about,
            Ok(_) => return Err(io::Error::other("is not a file of trips")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (self.read, self.known) = (None, Trips::default());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let read = Some((about.modified()?, about.len()));
        if self.read == read {
            return Ok(());
        }
        // A file that is broken is said once, and looked at again when it changes.
        self.read = read;
        let trips = Trips::from_json(&std::fs::read(&self.path)?);
        self.known = trips.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        for trip in self.known.iter() {
            // The report says what changed; the flag says why.
            let _ = flags.trip(trip.clone());
        }
        Ok(())
    }

    fn give(&mut self, flags: &Flags) -> io::Result<bool> {
        let mut all = self.known.clone();
        if !all.take_from(&flags.current()) {
            return Ok(false);
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(all.to_string().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        self.known = all;
        Ok(true)
    }
}
