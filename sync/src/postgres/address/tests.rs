//! The strings that databases and their vendors hand out.

use tokio_postgres::config::Host;

use super::*;

/// Connection strings of vendors: TLS mode and verification, first host and port, and database.
const HANDED_OUT: &[(&str, &str, SslMode, Check, &str, &str)] = &[
    (
        "Debian, socket",
        "host=/var/run/postgresql dbname=app",
        SslMode::Prefer,
        Check::Nothing,
        "/var/run/postgresql:5432",
        "app",
    ),
    ("Debian, URL", "postgresql://app:pw@localhost/app", SslMode::Prefer, Check::Nothing, "localhost:5432", "app"),
    (
        "Debian, socket in a URL",
        "postgresql:///app?host=/var/run/postgresql&user=app",
        SslMode::Prefer,
        Check::Nothing,
        "/var/run/postgresql:5432",
        "app",
    ),
    (
        "Debian, encoded socket",
        "postgresql://app@%2Fvar%2Frun%2Fpostgresql/app",
        SslMode::Prefer,
        Check::Nothing,
        "/var/run/postgresql:5432",
        "app",
    ),
    (
        "psql's own",
        "host='db' port = 5433 user=app password='it\\'s \\\\ok' dbname=app sslmode=prefer gssencmode=disable",
        SslMode::Prefer,
        Check::Nothing,
        "db:5433",
        "app",
    ),
    ("Docker", "postgres://postgres:postgres@db:5432/postgres", SslMode::Prefer, Check::Nothing, "db:5432", "postgres"),
    (
        "Docker, Go",
        "postgresql://postgres:pw@my_db:5432/app?sslmode=disable",
        SslMode::Disable,
        Check::Nothing,
        "my_db:5432",
        "app",
    ),
    (
        "Supabase, direct",
        "postgresql://postgres:[YOUR-PASSWORD]@db.abcdefgh.supabase.co:5432/postgres",
        SslMode::Prefer,
        Check::Nothing,
        "db.abcdefgh.supabase.co:5432",
        "postgres",
    ),
    (
        "Supabase, pooler",
        "postgres://postgres.abcdefgh:pw@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true",
        SslMode::Prefer,
        Check::Nothing,
        "aws-0-eu-central-1.pooler.supabase.com:6543",
        "postgres",
    ),
    (
        "Supabase, Vercel",
        "postgres://postgres.ab:pw@aws-0.pooler.supabase.com:6543/postgres?sslmode=require&supa=base-pooler.x",
        SslMode::Require,
        Check::Nothing,
        "aws-0.pooler.supabase.com:6543",
        "postgres",
    ),
    (
        "Neon",
        "postgresql://app:npg_x@ep-cool-1234-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require",
        SslMode::Require,
        Check::Nothing,
        "ep-cool-1234-pooler.eu-central-1.aws.neon.tech:5432",
        "neondb",
    ),
    (
        "Neon, endpoint",
        "postgres://app:pw@ep.neon.tech/neondb?sslmode=verify-full&options=endpoint%3Dep-cool-1234",
        SslMode::Require,
        Check::ChainAndName,
        "ep.neon.tech:5432",
        "neondb",
    ),
    (
        "RDS",
        "host=app.abc.eu-west-1.rds.amazonaws.com port=5432 dbname=app user=app sslmode=verify-full sslrootcert=system",
        SslMode::Require,
        Check::ChainAndName,
        "app.abc.eu-west-1.rds.amazonaws.com:5432",
        "app",
    ),
    (
        "RDS, bundle",
        "postgres://app:pw@app.rds.amazonaws.com/app?sslmode=verify-ca&sslrootcert={ROOT}",
        SslMode::Require,
        Check::Chain,
        "app.rds.amazonaws.com:5432",
        "app",
    ),
    (
        "Heroku",
        "postgres://u1:p2@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d3",
        SslMode::Prefer,
        Check::Nothing,
        "ec2-1-2-3-4.compute-1.amazonaws.com:5432",
        "d3",
    ),
    (
        "Heroku, node-postgres",
        "postgres://u1:p2@ec2-1-2.amazonaws.com:5432/d3?sslmode=no-verify",
        SslMode::Require,
        Check::Nothing,
        "ec2-1-2.amazonaws.com:5432",
        "d3",
    ),
    (
        "Prisma",
        "postgresql://app:pw@db.example.com:5432/app?schema=public&pgbouncer=true&connection_limit=1&pool_timeout=0",
        SslMode::Prefer,
        Check::Nothing,
        "db.example.com:5432",
        "app",
    ),
    (
        "Prisma, strict",
        "postgresql://app:pw@db.example.com:5432/app?schema=public&sslmode=require&sslaccept=strict",
        SslMode::Require,
        Check::ChainAndName,
        "db.example.com:5432",
        "app",
    ),
    (
        "PgBouncer",
        "host=127.0.0.1 port=6432 dbname=app user=app sslmode=allow",
        SslMode::Prefer,
        Check::Nothing,
        "127.0.0.1:6432",
        "app",
    ),
    (
        "Azure",
        "host=app.postgres.database.azure.com port=5432 dbname=app user=app@app password=x sslmode=require",
        SslMode::Require,
        Check::Nothing,
        "app.postgres.database.azure.com:5432",
        "app",
    ),
    (
        "DigitalOcean",
        "postgresql://doadmin:x@db-1.ondigitalocean.com:25060/defaultdb?sslmode=require",
        SslMode::Require,
        Check::Nothing,
        "db-1.ondigitalocean.com:25060",
        "defaultdb",
    ),
    (
        "Cockroach",
        "postgresql://app:x@host.cockroachlabs.cloud:26257/app?sslmode=verify-full",
        SslMode::Require,
        Check::ChainAndName,
        "host.cockroachlabs.cloud:26257",
        "app",
    ),
    (
        "require with roots",
        "postgres://app@db/app?sslmode=require&sslrootcert={ROOT}",
        SslMode::Require,
        Check::Chain,
        "db:5432",
        "app",
    ),
    (
        "several hosts",
        "postgres://app@db1:5432,db2:5433/app?target_session_attrs=primary&load_balance_hosts=random",
        SslMode::Prefer,
        Check::Nothing,
        "db1:5432",
        "app",
    ),
    ("SQLAlchemy", "postgresql+asyncpg://app:pw@db/app", SslMode::Prefer, Check::Nothing, "db:5432", "app"),
    (
        "JDBC",
        "jdbc:postgresql://db:5432/app?user=app&password=p%40ss&ssl=true&currentSchema=public",
        SslMode::Require,
        Check::Nothing,
        "db:5432",
        "app",
    ),
    (
        "Rails",
        "postgres://app:p?w@db/app?pool=5&encoding=unicode&connect_timeout=3",
        SslMode::Prefer,
        Check::Nothing,
        "db:5432",
        "app",
    ),
];

#[test]
fn every_string_that_is_handed_out_is_read() {
    let root = rcgen::generate_simple_self_signed(["db".to_owned()]).unwrap().cert.pem();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), root).unwrap();
    for (name, text, mode, check, host, database) in HANDED_OUT {
        let text = text.replace("{ROOT}", &file.path().display().to_string());
        let address = Address::parse(&text).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let config = &address.config;
        assert_eq!((config.get_ssl_mode(), address.check), (*mode, *check), "{name}");
        let first = match config.get_hosts().first().unwrap() {
            Host::Tcp(host) => host.clone(),
            Host::Unix(path) => path.display().to_string(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        assert_eq!((format!("{first}:{port}").as_str(), config.get_dbname()), (*host, Some(*database)), "{name}");
        assert_eq!(address.schema, None, "{name}");
        assert_eq!(address.roots.len(), usize::from(text.contains("sslrootcert=/")), "{name}");
    }
}

#[test]
fn values_are_handed_on_as_they_are() {
    let said = |text: &str| Address::parse(text).unwrap().config;
    let quoted = said(r"host=db user=app password='it\'s \\ ok'  dbname = app");
    assert_eq!(quoted.get_password(), Some(&b"it's \\ ok"[..]));
    assert_eq!(said("jdbc:postgresql://db/app?user=u&password=p%40s%26s").get_password(), Some(&b"p@s&s"[..]));
    assert_eq!(said("postgres://u:p?w@db/app?application_name=x%20y").get_password(), Some(&b"p?w"[..]));
    assert_eq!(said("postgres://db/app?options=-c%20geqo%3Doff").get_options(), Some("-c geqo=off"));
    assert_eq!(Address::parse("postgres://db/app?schema=flags").unwrap().schema.as_deref(), Some("flags"));
}

#[test]
fn what_is_not_known_is_refused_without_a_secret() {
    for (text, expected) in [
        ("postgres://app:hunter2@x/y?nonsense=hunter2", "unknown option `nonsense`"),
        ("postgres://app:hunter2@x/y?sslmode=sometimes", "`sslmode` is `sometimes`, expected `disable`"),
        ("postgres://app:hunter2@x/y?sslrootcert=/nowhere.pem", "`sslrootcert`: cannot read `/nowhere.pem`"),
        ("mysql://app:hunter2@x/y", "another scheme"),
        ("host=x hunter2", "expected pairs"),
        ("host=x password='hunter2", "does not end"),
        ("postgres://app:hunter2@x/y?password=%zz", "hexadecimal"),
    ] {
        let error = Address::parse(text).err().unwrap().error;
        assert!(error.contains(expected) && !error.contains("hunter2"), "{text}: {error}");
    }
}
