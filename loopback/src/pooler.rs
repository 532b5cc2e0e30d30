//! A PgBouncer of one's own before a Postgres, which hands out one connection for each transaction.

use std::io;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Postgres, port, postgres};

/// PgBouncer starts within milliseconds; a busy machine may take longer.
const MAX_START: Duration = Duration::from_secs(20);

/// A private pooler on 127.0.0.1, which lets everyone in.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    process: Child,
    /// Its settings, which go away with it.
    _folder: TempDir,
}

impl Pooler {
    /// Starts one before this server, with two connections, so that transactions of one client come by both.
    ///
    /// # Errors
    /// When PgBouncer is not installed, or does not start.
    pub fn start(server: &Postgres) -> io::Result<Pooler> {
        let (folder, port) = (tempfile::Builder::new().prefix("esclusa-").tempdir()?, port()?);
        let settings = folder.path().join("pgbouncer.ini");
        // With `any` all clients are one user.
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = 2\n",
            server.port()
        );
        std::fs::write(&settings, text)?;
        let mut command = Command::new(program());
        command.arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Like Postgres it does not run as root.
        postgres::give_away(folder.path(), &mut command)?;
        let process = command.spawn().map_err(|problem| {
            let expected = "expected PgBouncer (`apt-get install pgbouncer`)";
            io::Error::new(problem.kind(), format!("`pgbouncer` cannot be started ({problem}), {expected}"))
        })?;
        let pooler = Pooler { port, process, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if began.elapsed() > MAX_START {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "`pgbouncer` does not listen"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(pooler)
    }

    /// Where it is.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Its package puts it where not everyone's path leads.
fn program() -> &'static str {
    let packaged = "/usr/sbin/pgbouncer";
    if std::path::Path::new(packaged).is_file() { packaged } else { "pgbouncer" }
}
