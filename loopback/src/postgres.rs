//! A Postgres of one's own: made in a folder that goes away with it, and stopped, killed and started again at will.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::port;

/// A private server on 127.0.0.1, with the database and the user `postgres` and no password.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes one and starts it, which takes a second or two.
    ///
    /// # Errors
    /// When Postgres is not installed, or does not start; the error says what was tried.
    pub fn start() -> io::Result<Postgres> {
        let programs = folder_of(&["initdb", "pg_ctl"])?;
        let server =
            Postgres { programs, folder: tempfile::Builder::new().prefix("esclusa-").tempdir()?, port: port()? };
        server.give_away(server.folder.path())?;
        let data = server.data();
        server.run(
            "initdb",
            ["-D", &data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale", "C"],
        )?;
        server.start_again()?;
        Ok(server)
    }

    /// A standby of this server, which follows it.
    ///
    /// # Errors
    /// When it cannot be made, or does not start.
    pub fn standby(&self) -> io::Result<Postgres> {
        let (folder, port) = (tempfile::Builder::new().prefix("esclusa-").tempdir()?, port()?);
        let server = Postgres { programs: self.programs.clone(), folder, port };
        server.give_away(server.folder.path())?;
        let mut copy = self.client("pg_basebackup")?;
        copy.args(["-D", &server.data(), "-R", "-X", "stream", "-c", "fast"]);
        server.finish("pg_basebackup", copy)?;
        server.start_again()?;
        Ok(server)
    }

    /// Makes a standby a server of its own.
    ///
    /// # Errors
    /// If it is not one.
    pub fn promote(&self) -> io::Result<()> {
        self.run("pg_ctl", ["-D", &self.data(), "-w", "promote"])
    }

    /// Where it is.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection string.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same by way of another port, of a proxy.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    /// A program of the same package that connects to this server, `pg_dump` for one.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn client(&self, program: &str) -> io::Result<Command> {
        let mut command = Command::new(folder_of(&[program])?.join(program));
        let port = self.port.to_string();
        command.envs([("PGHOST", "127.0.0.1"), ("PGPORT", &port), ("PGUSER", "postgres"), ("PGSSLMODE", "disable")]);
        Ok(command)
    }

    /// Accepts TLS from now on, with this certificate and key in PEM.
    ///
    /// # Errors
    /// When it does not take them.
    pub fn use_tls(&self, certificate: &str, key: &str) -> io::Result<()> {
        use std::io::Write;
        let data = self.folder.path().join("data");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let file = data.join(name);
            std::fs::write(&file, text)?;
            #[cfg(unix)]
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            self.give_away(&file)?;
        }
        std::fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?.write_all(b"ssl = on\n")?;
        self.run("pg_ctl", ["-D", &self.data(), "-w", "-m", "fast", "stop"])?;
        self.start_again()
    }

    /// Asks this user for a password from now on.
    ///
    /// # Errors
    /// When its settings cannot be written.
    pub fn require_passwords(&self, user: &str) -> io::Result<()> {
        let settings = self.folder.path().join("data/pg_hba.conf");
        let before = std::fs::read_to_string(&settings)?;
        std::fs::write(&settings, format!("host all {user} 127.0.0.1/32 scram-sha-256\n{before}"))?;
        self.run("pg_ctl", ["-D", &self.data(), "reload"])
    }

    /// Ends it as a machine that loses its power does.
    ///
    /// # Errors
    /// When it was not running.
    pub fn kill(&self) -> io::Result<()> {
        self.run("pg_ctl", ["-D", &self.data(), "-m", "immediate", "stop"])
    }

    /// Starts it after it was killed; what was committed is there.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> io::Result<()> {
        let log = self.folder.path().join("log");
        let settings = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c full_page_writes=off \
             -c wal_level=logical",
            self.port
        );
        let log = log.to_string_lossy();
        self.run("pg_ctl", ["-D", &self.data(), "-w", "-t", "60", "-l", &log, "-o", &settings, "start"])
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_string_lossy().into_owned()
    }

    fn run<'a>(&self, program: &str, arguments: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments);
        self.finish(program, command)
    }

    fn finish(&self, program: &str, mut command: Command) -> io::Result<()> {
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        // Its output goes to a file: a server that keeps running would hold a pipe open forever.
        let said = self.folder.path().join(format!("{program}.txt"));
        let file = std::fs::File::create(&said)?;
        command.stdout(file.try_clone()?).stderr(file);
        if let Some(owner) = owner() {
            owner.take(&mut command);
        }
        let status = command.status()?;
        if status.success() {
            return Ok(());
        }
        let [said, log] =
            [said, self.folder.path().join("log")].map(|file| std::fs::read_to_string(file).unwrap_or_default());
        Err(io::Error::other(format!("`{program}` failed ({status}): {said}{log}")))
    }

    /// Postgres does not run as root: it then runs as the user that its package has made.
    fn give_away(&self, folder: &Path) -> io::Result<()> {
        match owner() {
            Some(owner) => owner.own(folder),
            None => Ok(()),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// The folder of these programs: one of the path's, or the newest of those that packages make.
fn folder_of(programs: &[&str]) -> io::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut packaged: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    packaged.sort();
    folders.extend(packaged.into_iter().rev());
    let has_all = |folder: &PathBuf| programs.iter().all(|program| folder.join(program).is_file());
    let missing = || {
        let programs = programs.join("` and `");
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("`{programs}` are nowhere, expected Postgres (`apt-get install postgresql`)"),
        )
    };
    folders.into_iter().find(has_all).ok_or_else(missing)
}

/// Lets the user who runs Postgres run this command, in a folder of theirs.
pub(crate) fn give_away(folder: &Path, command: &mut Command) -> io::Result<()> {
    if let Some(owner) = owner() {
        owner.own(folder)?;
        owner.take(command);
    }
    Ok(())
}

/// A user of the machine.
struct Owner {
    user: u32,
    group: u32,
}

/// The user that runs Postgres, if it must not be the current one.
#[cfg(unix)]
fn owner() -> Option<Owner> {
    use std::os::unix::fs::MetadataExt;
    // The folder of this process in /proc belongs to who runs it.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let users = if is_root { std::fs::read_to_string("/etc/passwd").ok()? } else { return None };
    let user = users.lines().find_map(|line| line.strip_prefix("postgres:"))?;
    let mut numbers = user.split(':').skip(1).map(str::parse);
    Some(Owner { user: numbers.next()?.ok()?, group: numbers.next()?.ok()? })
}

#[cfg(not(unix))]
fn owner() -> Option<Owner> {
    None
}

impl Owner {
    #[cfg(unix)]
    fn take(&self, command: &mut Command) {
        use std::os::unix::process::CommandExt;
        command.uid(self.user).gid(self.group);
    }

    #[cfg(unix)]
    fn own(&self, folder: impl AsRef<OsStr>) -> io::Result<()> {
        std::os::unix::fs::chown(Path::new(folder.as_ref()), Some(self.user), Some(self.group))
    }

    #[cfg(not(unix))]
    fn take(&self, _: &mut Command) {}

    #[cfg(not(unix))]
    fn own(&self, _: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(())
    }
}
