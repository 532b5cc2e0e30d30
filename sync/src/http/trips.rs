//! Trips behind a URL: the collection of 2.1 to 2.3 of GUARD.md, which `esclusa serve` has under `/v1/trips`.

use esclusa::{Trip, Value};
use esclusa_guard::Trips;
use reqwest::StatusCode;

use super::access::{Wanted, retry_after};
use super::{Http, read};
use crate::source::{Failure, Source};
use crate::trips::{TripStore, Verdict, written};

/// The largest answer to a proposal that is read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The URL is that of all trips: `Http::new("https://flags.example.com/v1/trips")`. Proposals are sent to it alone, and follow
/// no redirect.
impl TripStore for Http {
    fn name(&self) -> String {
        Source::name(self)
    }

    async fn propose(&mut self, trip: &Trip) -> Result<Verdict, Failure> {
        let access = self.access()?;
        let mut url = self.url.clone();
        url.path_segments_mut().map_err(|()| Failure::new("the URL has no path"))?.pop_if_empty().push(trip.flag());
        let response = access.put(url, written(trip)).await?;
        match response.status() {
            StatusCode::CREATED => Ok(Verdict::Taken),
            StatusCode::OK => Ok(Verdict::Known),
            StatusCode::NOT_FOUND => Ok(Verdict::Unguarded),
            StatusCode::CONFLICT => {
                let said = Value::from_json(&read(response, MAX_ANSWER_BYTES).await?)?.into_owned();
                let run = said.get("run").and_then(Value::as_i64).and_then(|run| u64::try_from(run).ok());
                // A trip that is ahead of the store's run is proposed again when the store has caught up.
                let run = run.filter(|run| *run > trip.run());
                run.map(Verdict::Over).ok_or_else(|| Failure::new("the answer of status 409 has no later `run`"))
            }
            status => Err(Failure {
                retry_after: retry_after(response.headers()),
                ..Failure::new(format!("the answer has the status {status}, expected 200, 201, 404 or 409"))
            }),
        }
    }

    async fn trips(&mut self) -> Result<Option<Vec<Trip>>, Failure> {
        let response = self.access()?.get(&self.url, Wanted::Snapshot { etag: None }).await?;
        let trips = Trips::from_json(&read(response, self.max_bytes).await?)?;
        Ok(Some(trips.iter().cloned().collect()))
    }
}
