//! What the nodes of a cluster say of keys that another node has.

use redis::{ConnectionAddr, ErrorKind, RedisError, ServerErrorKind};

/// The node that has the key, if the one that was asked says that it is another.
pub(super) fn moved(problem: &RedisError, asked: &ConnectionAddr) -> Option<ConnectionAddr> {
    let (host, port) = server_errors(problem).iter().find_map(redirect)?;
    Some(elsewhere(asked, &host, port))
}

/// Whether the keys of one command or transaction are on different nodes.
pub(super) fn is_apart(problem: &RedisError) -> bool {
    let cross_slot = ErrorKind::Server(ServerErrorKind::CrossSlot);
    server_errors(problem).iter().any(|error| redirect(error).is_some() || error.kind() == cross_slot)
}

/// The error, or those of the commands in a transaction.
fn server_errors(problem: &RedisError) -> Vec<RedisError> {
    let errors = problem.clone().into_server_errors();
    errors.iter().flat_map(|errors| errors.iter().map(|(_, error)| error.clone().into())).collect()
}

/// The node of a cluster that has the key, if this says so.
fn redirect(error: &RedisError) -> Option<(String, u16)> {
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// Another node; without a host it is another port of the node that was asked.
fn elsewhere(asked: &ConnectionAddr, host: &str, port: u16) -> ConnectionAddr {
    let host = |asked: &String| if host.is_empty() { asked.clone() } else { host.to_owned() };
    match asked {
        ConnectionAddr::Tcp(asked, _) => ConnectionAddr::Tcp(host(asked), port),
        ConnectionAddr::TcpTls { host: asked, insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host: host(asked), port, insecure: *insecure, tls_params: tls_params.clone() }
        }
        other => other.clone(),
    }
}
