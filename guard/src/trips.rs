//! The document of trips (2.3 of `spec/GUARD.md`): what a file and a store keep, so that a flag that tripped stays off.
//!
//! It knows no file: a host reads and writes the text.

use std::collections::BTreeMap;
use std::fmt;

use esclusa::{FlagSet, Trip, Value};

/// Trips, of each flag the one with the highest run.
///
/// ```
/// use esclusa_guard::Trips;
/// let text = br#"{"esclusa": 1, "layer": "trips", "flags": [{"name": "crm", "trip": {"run": 3, "metric": "errors"}}]}"#;
/// let trips = Trips::from_json(text)?;
/// assert_eq!(trips.iter().map(|trip| (trip.flag(), trip.run())).collect::<Vec<_>>(), [("crm", 3)]);
/// # Ok::<(), esclusa_guard::TripsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trips(BTreeMap<String, Trip>);

/// Why a text is not a document of trips.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TripsError(String);

impl Trips {
    /// Reads a document.
    ///
    /// # Errors
    /// Text that is not JSON, a document without `"layer": "trips"`, and a flag in it without a `name` and a `trip`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TripsError> {
        let wrong = |problem: &str| TripsError(problem.to_owned());
        let document = Value::from_json(bytes).map_err(|error| TripsError(error.to_string()))?;
        if document.get("layer").and_then(Value::as_str) != Some("trips") {
            return Err(wrong("has not `\"layer\": \"trips\"`"));
        }
        let flags = document.get("flags").and_then(Value::as_list).ok_or_else(|| wrong("has no `flags`"))?;
        let mut trips = Self::default();
        for flag in flags {
            let trip = flag.get("name").and_then(Value::as_str).zip(flag.get("trip"));
            let trip = trip.and_then(|(name, trip)| Trip::from_value(name, trip));
            trips.take(trip.ok_or_else(|| wrong("has a flag without a `name` and a `trip`"))?);
        }
        Ok(trips)
    }

    /// The trips, by the keys of their flags.
    pub fn iter(&self) -> impl Iterator<Item = &Trip> {
        self.0.values()
    }

    /// Takes a trip; whether none of this run or a higher one was there.
    pub fn take(&mut self, trip: Trip) -> bool {
        let is_new = self.0.get(trip.flag()).is_none_or(|known| known.run() < trip.run());
        if is_new {
            self.0.insert(trip.flag().to_owned(), trip);
        }
        is_new
    }

    /// Takes the trips that keep flags of a set off; whether one of them was new.
    pub fn take_from(&mut self, set: &FlagSet) -> bool {
        let trips = set.trips().filter_map(|(key, trip)| Trip::from_value(key, trip));
        trips.filter(|trip| self.take(trip.clone())).count() > 0
    }
}

impl fmt::Display for Trips {
    /// The document, as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = |trip: &Trip| {
            Value::Object(vec![("name".into(), trip.flag().to_owned().into()), ("trip".into(), trip.to_value())])
        };
        let document = Value::Object(vec![
            ("esclusa".into(), Value::Integer(1)),
            ("layer".into(), "trips".into()),
            ("flags".into(), Value::List(self.iter().map(flag).collect())),
        ]);
        write!(f, "{document}")
    }
}
