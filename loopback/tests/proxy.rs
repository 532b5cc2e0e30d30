//! The proxy does to connections what it is told, to open ones as to new ones.
#![expect(clippy::expect_used, reason = "a test stops at what is wrong")]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use esclusa_loopback::{Proxy, ProxyFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Long enough for an expected answer, short enough where none is expected.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

/// A server that says back what it hears.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a port");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = client.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn say(client: &mut TcpStream, text: &[u8]) -> Vec<u8> {
    client.write_all(text).await.expect("it is written");
    let mut heard = vec![0; text.len()];
    timeout(LONG, client.read_exact(&mut heard)).await.expect("it answers in time").expect("it answers");
    heard
}

async fn end(client: &mut TcpStream) -> Result<usize, ErrorKind> {
    let mut rest = Vec::new();
    timeout(LONG, client.read_to_end(&mut rest)).await.expect("it ends in time").map_err(|problem| problem.kind())
}

#[tokio::test]
async fn it_forwards_and_cuts() {
    let proxy = Proxy::start(echo().await).await.expect("it starts");
    let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
    assert_eq!(say(&mut client, b"hello").await, b"hello");
    assert_eq!(proxy.connections(), 1);
    proxy.cut();
    assert_eq!(end(&mut client).await, Ok(0));
    let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
    assert_eq!(say(&mut client, b"again").await, b"again");
    proxy.fault(Some(ProxyFault::Cut));
    assert_eq!(end(&mut client).await, Ok(0), "an open connection");
    let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
    assert_eq!(end(&mut client).await, Ok(0), "a new connection");
    while proxy.connections() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_refuses_and_listens_again_on_the_same_port() {
    let proxy = Proxy::start(echo().await).await.expect("it starts");
    for _ in 0..20 {
        let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
        assert_eq!(say(&mut client, b"hello").await, b"hello");
        proxy.fault(Some(ProxyFault::Refuse));
        assert!(end(&mut client).await.is_ok_and(|read| read == 0), "an open connection is closed");
        // Connections in the queue of the listener are reset; then the port is closed.
        let refused = async {
            loop {
                match TcpStream::connect(proxy.address()).await {
                    Err(problem) if problem.kind() == ErrorKind::ConnectionRefused => return,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        timeout(LONG, refused).await.expect("it refuses");
        proxy.fault(None);
        let again = async {
            loop {
                if TcpStream::connect(proxy.address()).await.is_ok() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, again).await.expect("it listens again");
    }
}

#[tokio::test]
async fn silence_and_half_open_connections_hold_back_what_passes_later() {
    let proxy = Proxy::start(echo().await).await.expect("it starts");
    for fault in [ProxyFault::Silent, ProxyFault::HalfOpen, ProxyFault::Delay { ms: 1_000_000 }] {
        proxy.fault(None);
        let mut open = TcpStream::connect(proxy.address()).await.expect("it listens");
        assert_eq!(say(&mut open, b"hello").await, b"hello");
        proxy.fault(Some(fault));
        let mut new = TcpStream::connect(proxy.address()).await.expect("it listens");
        for client in [&mut open, &mut new] {
            client.write_all(b"x").await.expect("the kernel takes it");
            assert!(timeout(SHORT, client.read_u8()).await.is_err(), "{fault:?}: nothing comes");
        }
        proxy.fault(None);
        for client in [&mut open, &mut new] {
            let heard = timeout(LONG, client.read_u8()).await.expect("it comes in time").expect("it comes");
            assert_eq!(heard, b'x', "{fault:?}");
        }
    }
}

#[tokio::test]
async fn it_resets_after_so_many_bytes_and_lets_single_bytes_through() {
    let proxy = Proxy::start(echo().await).await.expect("it starts");
    let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
    assert_eq!(say(&mut client, b"0123456789").await, b"0123456789", "what passed before does not count");
    proxy.fault(Some(ProxyFault::Reset { after: 4 }));
    assert_eq!(say(&mut client, b"abc").await, b"abc");
    client.write_all(b"defgh").await.expect("it is written");
    assert_eq!(end(&mut client).await, Err(ErrorKind::ConnectionReset));

    proxy.fault(Some(ProxyFault::Slow { ms: 10 }));
    let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
    client.write_all(b"one by one").await.expect("it is written");
    let mut buffer = [0; 10];
    let read = timeout(LONG, client.read(&mut buffer)).await.expect("it comes in time").expect("it comes");
    assert_eq!((read, buffer[0]), (1, b'o'));
}
