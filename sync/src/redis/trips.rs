//! Trips in Redis: a hash beside the key of the snapshot, with a trip for each flag that has tripped.

use esclusa::{Trip, Value};
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script, cmd};

use super::Redis;
use crate::source::{Failure, Source};
use crate::trips::{TripStore, Verdict, written};

/// Takes a trip unless the flag has one of its run or a later one, and tells whoever listens. Its arguments are the flag,
/// the run and the trip, and the channel.
const PROPOSE: &str = "
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known)['run'] >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[1])
return 1";

/// The trips are in the hash of the key's name with `:trips` after it. They stay there: a trip of a run that is over
/// switches nothing off. A user needs `HGET`, `HGETALL`, `HSET`, `PUBLISH` and `EVAL`.
impl TripStore for Redis {
    fn name(&self) -> String {
        Source::name(self)
    }

    async fn propose(&mut self, trip: &Trip) -> Result<Verdict, Failure> {
        let (hash, channel) = (self.trips_key(), self.channel.clone());
        let mut commands = self.take_commands().await?;
        let script = Script::new(PROPOSE);
        let mut call = script.key(hash);
        call.arg(trip.flag()).arg(trip.run()).arg(written(trip)).arg(channel);
        let taken = call.invoke_async(&mut commands).await;
        Ok(if self.answered(commands, taken)? { Verdict::Taken } else { Verdict::Known })
    }

    async fn trips(&mut self) -> Result<Option<Vec<Trip>>, Failure> {
        let mut commands = self.take_commands().await?;
        let all = cmd("HGETALL").arg(self.trips_key()).query_async(&mut commands).await;
        let all: Vec<(String, String)> = self.answered(commands, all)?;
        let trip = |(flag, trip): &(String, String)| Trip::from_value(flag, &Value::from_json(trip.as_bytes()).ok()?);
        Ok(Some(all.iter().filter_map(trip).collect()))
    }
}

impl Redis {
    /// Keeps the connection that has answered. After an error the next question goes to the node that the error names, or over
    /// a new connection.
    fn answered<T>(&mut self, commands: MultiplexedConnection, answer: RedisResult<T>) -> Result<T, Failure> {
        match &answer {
            Ok(_) => self.commands = Some(commands),
            Err(problem) => {
                self.is_elsewhere(problem);
            }
        }
        Ok(answer?)
    }

    fn trips_key(&self) -> String {
        format!("{}:trips", self.key)
    }
}
