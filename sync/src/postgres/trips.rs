//! Trips in Postgres: `esclusa.trip` of the migration `002_guard.sql` takes them.

use esclusa::Trip;

use super::Postgres;
use crate::source::{Failure, Source};
use crate::trips::{TripStore, Verdict, written};

/// What `esclusa.trip` raises if another run has begun, and if there is no such flag with a guard.
const OTHER_RUN: &str = "ES007";
const NO_FLAG: &str = "ES008";

/// Each trip has a connection of its own, because trips are rare.
impl TripStore for Postgres {
    fn name(&self) -> String {
        Source::name(self)
    }

    async fn propose(&mut self, trip: &Trip) -> Result<Verdict, Failure> {
        let table = match (&self.table, self.schema()) {
            (None, None) => None,
            _ => Some(self.table_name()),
        };
        let client = self.open(|_| {}).await?;
        let run = i64::try_from(trip.run())?;
        let query = "SELECT esclusa.trip($1, $2, $3::text::jsonb, $4)";
        let answer = client.query_one(query, &[&trip.flag(), &run, &written(trip), &table]).await;
        let problem = match answer {
            Ok(row) => return Ok(if row.try_get(0)? { Verdict::Taken } else { Verdict::Known }),
            Err(problem) => problem,
        };
        let Some(said) = problem.as_db_error() else { return Err(problem.into()) };
        match said.code().code() {
            OTHER_RUN => {
                let current = said.detail().and_then(|run| run.parse().ok());
                // A trip that is ahead of the store's run is proposed again when the store has caught up.
                current.filter(|current| *current > trip.run()).map(Verdict::Over).ok_or_else(|| problem.into())
            }
            NO_FLAG => Ok(Verdict::Unguarded),
            _ => {
                let hint = said.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                Err(Failure::new(format!("{}{hint}", said.message())))
            }
        }
    }
}
