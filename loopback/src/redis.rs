//! A Redis of one's own, which keeps nothing.

use std::io;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::port;

/// A private server on 127.0.0.1, without a password.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    /// More arguments, and the folder that it writes into.
    arguments: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

/// Redis starts within milliseconds; a busy machine may take longer.
const MAX_START: Duration = Duration::from_secs(20);

impl Redis {
    /// Starts one.
    ///
    /// # Errors
    /// When Redis is not installed, or does not start.
    pub fn start() -> io::Result<Redis> {
        Redis::start_with(&[])
    }

    /// Starts one with more arguments.
    ///
    /// # Errors
    /// When Redis is not installed, or does not start.
    pub fn start_with(arguments: &[&str]) -> io::Result<Redis> {
        let folder = tempfile::Builder::new().prefix("esclusa-").tempdir()?;
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server = Redis { port: port()?, arguments, folder, process: None };
        server.start_again()?;
        Ok(server)
    }

    /// Where it is.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same by way of another port, of a proxy.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        format!("redis://127.0.0.1:{port}/")
    }

    /// Ends it at once; what it held is gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it after it was killed, empty.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> io::Result<()> {
        let port = self.port.to_string();
        let missing = |problem: io::Error| {
            io::Error::new(
                problem.kind(),
                format!(
                    "`redis-server` cannot be started ({problem}), expected Redis (`apt-get install redis-server`)"
                ),
            )
        };
        let arguments =
            ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
        let process = Command::new("redis-server")
            .args(arguments)
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(missing)?;
        self.process = Some(process);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if began.elapsed() > MAX_START {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "`redis-server` does not listen"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
