//! A MariaDB of one's own: made in a folder that goes away with it, and killed and started again at will.

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::port;

/// How long it may take to start.
const START_WITHIN: Duration = Duration::from_secs(60);

/// A private server on 127.0.0.1, with the database `test` and the user `root` without a password.
#[derive(Debug)]
pub struct MariaDb {
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

impl MariaDb {
    /// Makes one and starts it, which takes a few seconds.
    ///
    /// # Errors
    /// When MariaDB is not installed, or does not start; the error says what was tried.
    pub fn start() -> io::Result<MariaDb> {
        let folder = tempfile::Builder::new().prefix("esclusa-").tempdir()?;
        let mut server = MariaDb { folder, port: port()?, server: None };
        let mut install = server.command("mariadb-install-db")?;
        install.args(["--auth-root-authentication-method=normal", "--skip-name-resolve"]);
        if !install.status()?.success() {
            return Err(server.failed("mariadb-install-db"));
        }
        std::fs::create_dir_all(server.folder.path().join("data/test"))?;
        server.start_again()?;
        Ok(server)
    }

    /// Where it is.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection string, by way of the port of a proxy for one.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        format!("mysql://root@127.0.0.1:{port}/test")
    }

    /// Accepts TLS from the next start on, with this certificate and key in PEM.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn use_tls(&self, certificate: &str, key: &str) -> io::Result<()> {
        std::fs::write(self.folder.path().join("server.crt"), certificate)?;
        std::fs::write(self.folder.path().join("server.key"), key)
    }

    /// Ends it as a machine that loses its power does.
    ///
    /// # Errors
    /// When it was not running.
    pub fn kill(&mut self) -> io::Result<()> {
        let mut server = self.server.take().ok_or_else(|| io::Error::other("it is not running"))?;
        server.kill()?;
        server.wait().map(drop)
    }

    /// Starts it after it was killed; what was committed is there.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> io::Result<()> {
        let mut command = self.command("mariadbd")?;
        command.arg(format!("--port={}", self.port)).args([
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=16M",
        ]);
        command.arg(format!("--socket={}", self.folder.path().join("socket").display()));
        if self.folder.path().join("server.crt").exists() {
            for (option, file) in [("cert", "server.crt"), ("key", "server.key")] {
                command.arg(format!("--ssl-{option}={}", self.folder.path().join(file).display()));
            }
        }
        let server = self.server.insert(command.spawn()?);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if server.try_wait()?.is_some() || began.elapsed() > START_WITHIN {
                return Err(self.failed("mariadbd"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// A program of the server, in its folder, with the settings of no other.
    fn command(&self, program: &str) -> io::Result<Command> {
        let mut command = Command::new(path_of(program)?);
        let folder = self.folder.path();
        // Its output goes to a file: a server that keeps running would hold a pipe open forever.
        let said = File::create(folder.join(format!("{program}.txt")))?;
        command.arg("--no-defaults").arg(format!("--datadir={}", folder.join("data").display()));
        // It runs as root only if it is told so.
        command.args(is_root().then_some("--user=root"));
        // Two servers that are made at once would take each other's temporary tables away.
        command.env("TMPDIR", folder).current_dir(folder);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        Ok(command)
    }

    fn failed(&self, program: &str) -> io::Error {
        let said = std::fs::read_to_string(self.folder.path().join(format!("{program}.txt"))).unwrap_or_default();
        io::Error::other(format!("`{program}` failed: {said}"))
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Where a program is: packages keep the server out of the path of users.
fn path_of(program: &str) -> io::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file()).ok_or_else(|| {
        let packages = "`apt-get install mariadb-server-core mariadb-client-core`";
        io::Error::new(io::ErrorKind::NotFound, format!("`{program}` is nowhere, expected MariaDB ({packages})"))
    })
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // The folder of this process in /proc belongs to the user who runs it.
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
