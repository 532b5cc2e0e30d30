//! Server-sent events: one for each new snapshot, and comments in between that keep the connection alive.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use hyper::body::Frame;
use tokio::sync::watch;
use tokio::time::sleep;

/// The state of the streams of events.
#[derive(Clone, Debug)]
pub(crate) struct Broadcast {
    /// Counts the snapshots.
    pub published: u64,
    pub heartbeat: Duration,
    /// Nothing is sent, neither events nor heartbeats.
    pub is_silent: bool,
    /// How often all streams were ended.
    pub ends: u64,
}

impl Default for Broadcast {
    fn default() -> Self {
        Broadcast { published: 0, heartbeat: Duration::from_secs(15), is_silent: false, ends: 0 }
    }
}

/// The body of one answer, from now on.
pub(crate) fn stream(
    mut broadcast: watch::Receiver<Broadcast>,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    let now = broadcast.borrow_and_update().clone();
    let (told, ends) = (now.published, now.ends);
    unfold((broadcast, told, true), move |(mut broadcast, told, is_first)| async move {
        if is_first {
            return Some((Ok(Frame::data(Bytes::from_static(b": welcome\n\n"))), (broadcast, told, false)));
        }
        loop {
            let now = broadcast.borrow_and_update().clone();
            if now.ends != ends {
                return None;
            }
            if !now.is_silent && now.published != told {
                let event = format!("event: snapshot\nid: {0}\ndata: {{\"published\": {0}}}\n\n", now.published);
                return Some((Ok(Frame::data(event.into())), (broadcast, now.published, false)));
            }
            tokio::select! {
                changed = broadcast.changed() => if changed.is_err() { return None },
                () = sleep(now.heartbeat), if !now.is_silent => {
                    return Some((Ok(Frame::data(Bytes::from_static(b": alive\n\n"))), (broadcast, told, false)));
                }
            }
        }
    })
}
