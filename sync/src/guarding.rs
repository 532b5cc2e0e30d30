//! Guards that tick by themselves, and a file that keeps their trips: a process that restarts begins with the flags off that
//! tripped before, and so do the other processes of the host within a second, with or without a store.
//!
//! The file is a document with `"layer": "trips"`, whose flags have a `name` and a `trip`. What tripped is decided by
//! `esclusa-guard`, what a trip does by the core.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use esclusa::Flags;
use esclusa_guard::{Guards, Trips};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::trips::{Proposal, Proposals, TripStore, keep_up, lock};

const TICK: Duration = Duration::from_secs(1);

/// A larger file is none: it is a few lines for each flag that tripped.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Guards that tick until this is dropped.
#[derive(Debug)]
#[must_use = "the guards tick until it is dropped"]
pub struct Guarding {
    flags: Flags,
    tasks: Vec<JoinHandle<()>>,
    proposals: Proposals,
}

impl Guarding {
    /// Proposes each trip to a store as well, again and again until it answers, and takes the trips that the store has. A
    /// store that is away, slow or silent delays no trip of this process. Several stores may be given.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn propose(mut self, store: impl TripStore) -> Self {
        self.tasks.push(tokio::spawn(keep_up(self.flags.clone(), store, self.proposals.clone())));
        self
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
    let task = tokio::spawn(async move {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for (flag, trip) in guards.tick() {
                tracing::warn!(target: "esclusa", "the guard of `{flag}` has switched it off: {}", trip.metric);
            }
            let Some(mut taken) = file.take() else { continue };
            let flags = guards.flags().clone();
            let turn = tokio::task::spawn_blocking(move || {
                taken.turn(&flags);
                taken
            });
            file = turn.await.ok();
        }
    });
    Guarding { flags, tasks: vec![task], proposals: Proposals::default() }
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

    /// Takes trips that the file has, and writes those that it lacks. What cannot be read or written is logged and changes
    /// nothing.
    fn turn(&mut self, flags: &Flags) {
        if let Err(error) = self.take(flags).and_then(|()| self.give(flags)) {
            tracing::warn!(target: "esclusa", "the file of trips {}: {error}", self.path.display());
        }
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

    fn give(&mut self, flags: &Flags) -> io::Result<()> {
        let mut all = self.known.clone();
        if !all.take_from(&flags.current()) {
            return Ok(());
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(all.to_string().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        self.known = all;
        Ok(())
    }
}
