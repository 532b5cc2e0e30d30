//! MySQL and MariaDB: a table, read as it is, once per interval.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::Request;
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn, DriverError, Error, Opts, OptsBuilder, Row, SslOpts, Value};
use rustls::crypto::CryptoProvider;

use crate::certificates::{certificates, provider};
use crate::rows::{Cell, Rows};
use crate::source::{Answer, Failure, Source};
use crate::supplied::{Supplier, TIMEOUT, supplier};

/// The largest packet that a server can be configured to send.
const MAX_PACKET: usize = 1 << 30;

/// A table (or view) of flags in MySQL or MariaDB.
///
/// These databases have no notifications, so the table is read once per interval: `CHECKSUM TABLE` reads the rows
/// inside the server, and they are sent only if the checksum or a column has changed. The rows of a view, and of a
/// server without checksums, are sent each time.
///
/// A text with a JSON list or object is read as one: MariaDB has no type for them. Times are read in UTC.
pub struct MySql {
    opts: OptsBuilder,
    name: String,
    mode: Mode,
    roots: Option<Vec<u8>>,
    table: String,
    password: Option<Supplier>,
    timeout: Duration,
    connection: Option<Conn>,
    is_warned: bool,
}

/// How the server is verified, in the terms of MySQL's clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disabled,
    Preferred,
    Required,
    VerifyIdentity,
}

/// The connection string may have a password, so `Debug` and the log show only the name.
impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySql").field("name", &self.name).finish_non_exhaustive()
    }
}

impl MySql {
    /// A connection string, `mysql://app:password@db.example.com/app?ssl-mode=VERIFY_IDENTITY`. The schemes of MariaDB and
    /// of ORMs (`mariadb://`, `mysql+pymysql://`) are read too, and what else the query holds is for other clients.
    ///
    /// `ssl-mode` means what MySQL's clients say: without it, and with `PREFERRED`, TLS is used if the server has it;
    /// `REQUIRED` wants it; neither verifies the server's certificate, which is logged as a warning. `VERIFY_IDENTITY`
    /// verifies it with its name, by the roots of Mozilla or by [`root_certificates`](MySql::root_certificates), and so
    /// does `VERIFY_CA`.
    ///
    /// # Errors
    /// When the string cannot be read; the error tells nothing of a user or a password.
    pub fn new(url: &str) -> Result<Self, Failure> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        if !["mysql", "mariadb"].contains(&scheme.split('+').next().unwrap_or_default()) {
            return Err(Failure::new("the address begins with no scheme of MySQL, expected `mysql://`"));
        }
        let opts = Opts::from_url(&format!("mysql://{rest}"))?;
        let database = opts.db_name().unwrap_or_default();
        let name = format!("mysql://{}:{}/{database}", opts.ip_or_hostname(), opts.tcp_port());
        Ok(MySql {
            name,
            mode: mode(query)?,
            opts: OptsBuilder::from_opts(opts)
                // The socket of the same name may belong to another server.
                .prefer_socket(false)
                .max_allowed_packet(Some(MAX_PACKET))
                .wait_timeout(Some(usize::MAX)),
            roots: None,
            table: "feature_flags".to_owned(),
            password: None,
            timeout: TIMEOUT,
            connection: None,
            is_warned: false,
        })
    }

    /// Reads another table (or view) than `feature_flags`, written as in a query: `` app.`Flags` ``.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// Asks for the password each time it connects: one that rotates, or a token that expires.
    ///
    /// ```
    /// # fn main() -> Result<(), esclusa_sync::Failure> {
    /// let source = esclusa_sync::MySql::new("mysql://app@db.example.com/app")?
    ///     .password(|| async { Ok(std::fs::read_to_string("/run/secrets/db")?.trim().to_owned()) });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn password<F>(mut self, password: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, Failure>> + Send + 'static,
    {
        self.password = Some(supplier(password));
        self
    }

    /// Time limit of connecting and reading together; 10 seconds by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificates, in PEM, instead of Mozilla's, and verifies the server by them.
    ///
    /// # Errors
    /// When the text holds no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, Failure> {
        certificates(pem)?;
        self.roots = Some(pem.to_vec());
        self.mode = Mode::VerifyIdentity;
        Ok(self)
    }

    async fn connect(&mut self) -> Result<Conn, Failure> {
        let mut opts = self.opts.clone().init(vec![self.session()]);
        if let Some(password) = &self.password {
            opts = opts.pass(Some(password().await?));
        }
        if self.mode == Mode::Disabled {
            return Ok(Conn::new(opts).await?);
        }
        if CryptoProvider::get_default().is_none() {
            // The client takes the provider from the process. Another thread may install it first.
            let _ = (*provider()).clone().install_default();
        }
        match Conn::new(opts.clone().ssl_opts(self.tls())).await {
            Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) if self.mode == Mode::Preferred => {
                Ok(Conn::new(opts).await?)
            }
            connected => {
                let connected = connected?;
                if self.mode != Mode::VerifyIdentity && !std::mem::replace(&mut self.is_warned, true) {
                    let name = &self.name;
                    tracing::warn!(
                        "esclusa: {name}: the certificate of the server is not verified; `ssl-mode=VERIFY_IDENTITY` verifies it"
                    );
                }
                Ok(connected)
            }
        }
    }

    fn tls(&self) -> SslOpts {
        let verifies = self.mode == Mode::VerifyIdentity;
        let roots = self.roots.iter().map(|pem| pem.clone().into()).collect();
        SslOpts::default()
            .with_root_certs(roots)
            .with_disable_built_in_roots(self.roots.is_some())
            .with_danger_accept_invalid_certs(!verifies)
            .with_danger_skip_domain_validation(!verifies)
    }

    /// Times in UTC, and time limits for what this side has given up: waiting for a table that is being altered, and
    /// reading. The names differ, and each server skips the other's comment.
    fn session(&self) -> String {
        let (seconds, ms) = (self.timeout.as_secs().max(1), self.timeout.as_millis().max(1));
        format!(
            "SET time_zone = '+00:00', lock_wait_timeout = {seconds} /*M! , max_statement_time = {seconds} */ \
             /*!50708 , max_execution_time = {ms} */"
        )
    }

    async fn read(&self, connection: &mut Conn, known: Option<&str>) -> Result<Answer, Failure> {
        // The tag is read first, so that a change in between is read again.
        let etag = self.etag(connection).await?;
        if etag.is_some() && etag.as_deref() == known {
            return Ok(Answer::NotModified);
        }
        let mut rows = connection.query_iter(format!("SELECT * FROM {}", self.table)).await?;
        let mut json = Rows::default();
        while let Some(row) = rows.next().await? {
            let columns = row.columns();
            let cells = columns.iter().zip(row.unwrap()).map(|(column, value)| cell(column, value));
            let names: Vec<_> = columns.iter().map(Column::name_str).collect();
            json.push(names.iter().map(AsRef::as_ref).zip(cells));
            if json.bytes() > MAX_SNAPSHOT_BYTES {
                return Err(Failure::new(format!(
                    "the rows are too long, expected at most {MAX_SNAPSHOT_BYTES} bytes"
                )));
            }
        }
        Ok(Answer::Snapshot { bytes: json.into_json(), etag })
    }

    /// Identifies the rows and columns of the table; `None` for a view.
    async fn etag(&self, connection: &mut Conn) -> Result<Option<String>, Failure> {
        let mut columns = DefaultHasher::new();
        let none = connection.query_iter(format!("SELECT * FROM {} LIMIT 0", self.table)).await?;
        for column in none.columns_ref() {
            (column.name_ref(), column.column_type() as u8).hash(&mut columns);
        }
        none.drop_result().await?;
        let sum: Result<Option<Row>, Error> = connection.query_first(format!("CHECKSUM TABLE {}", self.table)).await;
        let sum: Option<Value> = match sum {
            Ok(row) => row.and_then(|row| row.get(1)),
            // A server that only speaks MySQL's protocol may not have it.
            Err(Error::Server(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(match sum {
            Some(Value::Bytes(sum)) => Some(format!("{}-{:x}", String::from_utf8_lossy(&sum), columns.finish())),
            _ => None,
        })
    }
}

fn mode(query: &str) -> Result<Mode, Failure> {
    let mut parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
    let mode = parameters.rfind(|(name, _)| ["ssl-mode", "ssl_mode", "sslmode"].contains(name));
    let Some((name, mode)) = mode else { return Ok(Mode::Preferred) };
    match mode.to_ascii_uppercase().replace('-', "_").as_str() {
        "DISABLED" | "DISABLE" => Ok(Mode::Disabled),
        "PREFERRED" | "PREFER" => Ok(Mode::Preferred),
        "REQUIRED" | "REQUIRE" => Ok(Mode::Required),
        "VERIFY_CA" | "VERIFY_IDENTITY" | "VERIFY_FULL" => Ok(Mode::VerifyIdentity),
        _ => {
            let expected = "`DISABLED`, `PREFERRED`, `REQUIRED` or `VERIFY_IDENTITY`";
            Err(Failure::new(format!("`{name}` in the address has another value, expected {expected}")))
        }
    }
}

/// A value in the form of the server's answer.
fn cell(column: &Column, value: Value) -> Cell {
    use ColumnType as Type;
    let bytes = match value {
        Value::NULL => return Cell::Null,
        Value::Bytes(bytes) => bytes,
        other => return Cell::Text(other.as_sql(true)),
    };
    if column.column_type() == Type::MYSQL_TYPE_BIT {
        let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        return Cell::Json(number.to_string());
    }
    let Ok(text) = String::from_utf8(bytes) else { return Cell::Bytes };
    match column.column_type() {
        // It may have leading zeros.
        Type::MYSQL_TYPE_TINY
        | Type::MYSQL_TYPE_SHORT
        | Type::MYSQL_TYPE_INT24
        | Type::MYSQL_TYPE_LONG
        | Type::MYSQL_TYPE_LONGLONG
        | Type::MYSQL_TYPE_YEAR => text.parse().map_or(Cell::Json(text), Cell::Integer),
        Type::MYSQL_TYPE_FLOAT
        | Type::MYSQL_TYPE_DOUBLE
        | Type::MYSQL_TYPE_DECIMAL
        | Type::MYSQL_TYPE_NEWDECIMAL
        | Type::MYSQL_TYPE_JSON => Cell::Json(text),
        _ => Cell::Text(text),
    }
}

impl Source for MySql {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let (timeout, known) = (self.timeout, request.etag.as_deref().filter(|_| !request.in_full));
        let asked = async {
            // A connection that is interrupted from here on, by time or by an error, is not used again.
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let answer = self.read(&mut connection, known).await?;
            self.connection = Some(connection);
            Ok(answer)
        };
        let asked = tokio::time::timeout(timeout, asked).await;
        asked.unwrap_or_else(|_| Err(Failure::new(format!("no answer within {} s", timeout.as_secs_f64()))))
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, MySql, Source};

    #[test]
    fn addresses_of_other_clients_are_read_and_secrets_kept() {
        for (url, name, mode) in [
            ("mysql://app:s3cret@db/app", "mysql://db:3306/app", Mode::Preferred),
            ("mariadb://app:s3cret@db:3307/app?ssl-mode=REQUIRED", "mysql://db:3307/app", Mode::Required),
            ("mysql+pymysql://app:s3cret@db/app?charset=utf8mb4", "mysql://db:3306/app", Mode::Preferred),
            ("mysql://app:s3cret@db/app?a=b&sslmode=verify-full", "mysql://db:3306/app", Mode::VerifyIdentity),
            ("mysql://app:s3cret@db/app?ssl_mode=disabled", "mysql://db:3306/app", Mode::Disabled),
        ] {
            let source = MySql::new(url).expect(url);
            assert_eq!((source.name().as_str(), source.mode), (name, mode), "{url}");
            assert!(!format!("{source:?}").contains("s3cret"));
        }
        for url in
            ["", "db/app", "postgres://app:s3cret@db/app", "mysql://", "mysql://app:s3cret@db/app?sslmode=s3cret"]
        {
            let error = MySql::new(url).expect_err(url).error;
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
