//! A TCP proxy to any server, which forwards bytes and knows no protocol, and misbehaves on command: at once for the
//! connections that are open and for those to come.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// What a proxy does instead of forwarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProxyFault {
    /// The port is closed, and open connections are closed: the server is gone.
    Refuse,
    /// Connections are accepted, and nothing is ever answered.
    Silent,
    /// Nothing is forwarded in either direction, and no connection is closed.
    HalfOpen,
    /// Connections are closed as soon as they are accepted, and those that are open at once.
    Cut,
    /// A connection is reset (RST) after that many bytes of the answer.
    Reset {
        /// How many bytes; what a connection forwarded before the fault does not count.
        after: u64,
    },
    /// One byte of the answer at a time.
    Slow {
        /// The wait before each byte.
        ms: u64,
    },
    /// Each piece of the answer comes late.
    Delay {
        /// The wait before each piece.
        ms: u64,
    },
}

/// Forwards to one server until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    /// Bound and never listening, so that no other process gets the port while this proxy refuses.
    _port: TcpSocket,
}

#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    fault: Option<ProxyFault>,
    /// How often all connections were cut.
    cuts: u64,
}

/// The connection has been closed on purpose.
struct Closed {
    by_reset: bool,
}

impl Proxy {
    /// A proxy on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(to: SocketAddr) -> io::Result<Proxy> {
        let port = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = port.local_addr()?;
        let listener = bind(address)?.listen(1024)?;
        let (orders, receiver) = watch::channel(Orders::default());
        let open = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(accept(listener, address, to, receiver, Arc::clone(&open)));
        Ok(Proxy { address, orders, open, task, _port: port })
    }

    /// Where to connect to instead of to the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Misbehaves from now on, or forwards again. What a fault held back is forwarded when it is over.
    pub fn fault(&self, fault: Option<ProxyFault>) {
        self.orders.send_modify(|orders| orders.fault = fault);
    }

    /// Closes every connection that is open now; new ones are forwarded.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // Two sockets share the port: the one that keeps it and the one that listens.
    #[cfg(all(unix, not(target_os = "solaris"), not(target_os = "illumos")))]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    to: SocketAddr,
    mut orders: watch::Receiver<Orders>,
    open: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let is_refusing = orders.borrow_and_update().fault == Some(ProxyFault::Refuse);
        if is_refusing {
            listener = None;
        } else if listener.is_none() {
            listener = bind(address).and_then(|socket| socket.listen(1024)).ok();
        }
        tokio::select! {
            changed = orders.changed() => if changed.is_err() { return },
            Some(_) = connections.join_next() => {}
            accepted = next(listener.as_ref(), is_refusing) => if let Some(client) = accepted {
                let _ = client.set_nodelay(true);
                connections.spawn(serve(client, to, orders.clone(), Opened::new(&open)));
            },
        }
    }
}

/// The next connection, or none when it is time to try to listen again.
async fn next(listener: Option<&TcpListener>, is_refusing: bool) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(client, _)| client),
        None if is_refusing => std::future::pending().await,
        None => {
            sleep(Duration::from_millis(5)).await;
            None
        }
    }
}

/// Counts a connection while it is open.
struct Opened(Arc<AtomicUsize>);

impl Opened {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Opened(Arc::clone(open))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(mut client: TcpStream, to: SocketAddr, orders: watch::Receiver<Orders>, _opened: Opened) {
    let began = orders.borrow().cuts;
    let mut valve = Valve { orders, began };
    if valve.open().await.is_err() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    let _ = server.set_nodelay(true);
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let asking = pump(from_client, to_server, valve.clone(), None);
        let answering = pump(from_server, to_client, valve, Some(0));
        // Each direction may end by itself; a closing on purpose ends both.
        tokio::try_join!(asking, answering)
    };
    if ended.is_err_and(|closed| closed.by_reset) {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

/// What the proxy was told, as one connection sees it.
#[derive(Clone)]
struct Valve {
    orders: watch::Receiver<Orders>,
    began: u64,
}

impl Valve {
    /// The fault of now, once bytes may pass.
    async fn open(&mut self) -> Result<Option<ProxyFault>, Closed> {
        loop {
            let orders = *self.orders.borrow_and_update();
            match orders.fault {
                _ if orders.cuts != self.began => return Err(Closed { by_reset: false }),
                Some(ProxyFault::Refuse | ProxyFault::Cut) => return Err(Closed { by_reset: false }),
                Some(ProxyFault::Silent | ProxyFault::HalfOpen) => self.changed().await?,
                fault => return Ok(fault),
            }
        }
    }

    async fn changed(&mut self) -> Result<(), Closed> {
        self.orders.changed().await.map_err(|_| Closed { by_reset: false })
    }
}

/// Forwards one direction to its end; of the answers it is given how many bytes have passed since the fault began.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut valve: Valve,
    mut passed: Option<u64>,
) -> Result<(), Closed> {
    let mut buffer = vec![0; 16 * 1024];
    let mut known = None;
    loop {
        valve.open().await?;
        let read = tokio::select! {
            biased;
            changed = valve.changed() => {
                changed?;
                continue;
            }
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        let mut rest = buffer.get(..read).unwrap_or_default();
        if rest.is_empty() {
            let _ = to.shutdown().await;
            // A connection that is closed in one direction can still be cut.
            return Ok(());
        }
        while !rest.is_empty() {
            let fault = valve.open().await?;
            if fault != known {
                known = fault;
                passed = passed.map(|_| 0);
            }
            let mut now = rest.len();
            match (fault, passed) {
                (Some(ProxyFault::Reset { after }), Some(count)) => {
                    let left = usize::try_from(after.saturating_sub(count)).unwrap_or(usize::MAX);
                    if left == 0 {
                        return Err(Closed { by_reset: true });
                    }
                    now = now.min(left);
                }
                (Some(ProxyFault::Slow { ms } | ProxyFault::Delay { ms }), Some(_)) => {
                    if matches!(fault, Some(ProxyFault::Slow { .. })) {
                        now = 1;
                    }
                    tokio::select! {
                        () = sleep(Duration::from_millis(ms)) => {}
                        changed = valve.changed() => {
                            changed?;
                            continue;
                        }
                    }
                }
                _ => {}
            }
            let (piece, later) = rest.split_at(now);
            let written = tokio::select! {
                written = to.write_all(piece) => written,
                // The client reads nothing and the buffers are full: only a closing counts.
                closed = valve.clone().closed() => return Err(closed),
            };
            if written.is_err() {
                return Err(Closed { by_reset: false });
            }
            rest = later;
            passed = passed.map(|count| count + now as u64);
            if let (Some(ProxyFault::Reset { after }), Some(count)) = (fault, passed)
                && count >= after
            {
                return Err(Closed { by_reset: true });
            }
        }
    }
}

impl Valve {
    /// Waits until the connection is to be closed.
    async fn closed(mut self) -> Closed {
        loop {
            let orders = *self.orders.borrow_and_update();
            if orders.cuts != self.began || matches!(orders.fault, Some(ProxyFault::Refuse | ProxyFault::Cut)) {
                return Closed { by_reset: false };
            }
            if self.orders.changed().await.is_err() {
                return Closed { by_reset: false };
            }
        }
    }
}
