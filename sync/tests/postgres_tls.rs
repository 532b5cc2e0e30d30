//! TLS to Postgres: `sslmode` means what libpq says, and certificates that have signed themselves are trusted when they are
//! given.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod database;
mod listener;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use database::{connect, server};
use esclusa_sync::{Answer, Failure, Postgres, Request, Source};
use listener::{LOG, Listener};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

/// What a server has, and what trusts it.
struct Certificate {
    pem: String,
    key: String,
    root: String,
}

fn parameters(name: &str, names: &[&str], is_authority: bool) -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    for name in names {
        parameters.subject_alt_names.push(match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        });
    }
    if is_authority {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    }
    parameters
}

/// One that has signed itself; an authority is what `openssl req -x509` makes.
fn alone(parameters: &CertificateParams) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let pem = parameters.self_signed(&key).unwrap().pem();
    Certificate { root: pem.clone(), pem, key: key.serialize_pem() }
}

fn signed(names: &[&str]) -> Certificate {
    let (authority, authority_key) = (parameters("authority", &[], true), KeyPair::generate().unwrap());
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let pem = parameters("server", names, false).signed_by(&key, &issuer).unwrap().pem();
    Certificate { pem, key: key.serialize_pem(), root }
}

async fn fetch(source: Result<Postgres, Failure>) -> Result<Answer, Failure> {
    source?.timeout(Duration::from_secs(5)).fetch(&Request::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sslmode() {
    let server = server(&[]).await;
    let table =
        "CREATE TABLE feature_flags (name text, enabled boolean); INSERT INTO feature_flags VALUES ('crm', true)";
    connect(&server.url()).await.batch_execute(table).await.unwrap();
    let url = |rest: &str| format!("postgres://postgres@127.0.0.1:{}/postgres{rest}", server.port());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.pem");
    let with_roots = format!("&sslrootcert={}", file.display());

    // A server without TLS.
    for (mode, works) in
        [("", true), ("?sslmode=prefer", true), ("?sslmode=require", false), ("?sslmode=verify-ca", false)]
    {
        assert_eq!(fetch(Postgres::new(&url(mode))).await.is_ok(), works, "no TLS, {mode}");
    }

    let here: &[&str] = &["127.0.0.1"];
    let expired = |mut parameters: CertificateParams| {
        parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2001, 1, 1);
        parameters
    };
    // The certificate, and whether `verify-ca` and `verify-full` believe it when its root is given.
    for (name, certificate, by_chain, by_name) in [
        ("signed by an authority", signed(here), true, true),
        ("signed for another name", signed(&["db.example.com"]), true, false),
        ("of `openssl req -x509`", alone(&parameters("127.0.0.1", &[], true)), true, true),
        ("of its own, for this name", alone(&parameters("own", here, true)), true, true),
        ("of its own, for another name", alone(&parameters("own", &["db.example.com"], true)), true, false),
        ("of its own, no authority", alone(&parameters("own", here, false)), true, true),
        ("of its own, expired", alone(&expired(parameters("own", here, true))), false, false),
    ] {
        server.use_tls(&certificate.pem, &certificate.key).unwrap();
        std::fs::write(&file, &certificate.root).unwrap();
        for mode in ["", "?sslmode=allow", "?sslmode=prefer", "?sslmode=require", "?sslmode=no-verify"] {
            let got = fetch(Postgres::new(&url(mode))).await;
            assert!(got.is_ok(), "{name}, {mode}: {got:?}");
        }
        for mode in ["?sslmode=verify-ca", "?sslmode=verify-full", "?sslrootcert=system"] {
            let error = fetch(Postgres::new(&url(mode))).await.unwrap_err().error;
            assert!(error.contains("certificate"), "no root of this machine signed it: {name}, {mode}: {error}");
        }
        for (mode, believed) in
            [("?sslmode=require", by_chain), ("?sslmode=verify-ca", by_chain), ("?sslmode=verify-full", by_name)]
        {
            let got = fetch(Postgres::new(&url(&format!("{mode}{with_roots}")))).await;
            assert_eq!(got.is_ok(), believed, "{name}, {mode} with its root: {got:?}");
        }
        let root = certificate.root.as_bytes();
        let got = fetch(Postgres::new(&url("")).and_then(|source| source.root_certificates(root))).await;
        assert_eq!(got.is_ok(), by_name, "{name}, given by the app: {got:?}");
        let other = alone(&parameters("own", here, true)).root;
        let got = fetch(Postgres::new(&url("")).and_then(|source| source.root_certificates(other.as_bytes()))).await;
        assert!(got.is_err(), "{name}, with the root of another");
    }
}

/// What is not verified is said, once for each source, with what would verify it.
#[tokio::test(flavor = "multi_thread")]
async fn unverified_certificates_are_warned_of() {
    tracing::subscriber::set_global_default(Listener).unwrap();
    let server = server(&[]).await;
    let certificate = alone(&parameters("own", &["localhost"], true));
    server.use_tls(&certificate.pem, &certificate.key).unwrap();
    let url = format!("postgres://postgres@localhost:{}/postgres", server.port());
    for (mode, warnings) in [("", 1), ("?sslmode=require", 1), ("?sslmode=disable", 0)] {
        let mut source = Postgres::new(&format!("{url}{mode}")).unwrap();
        for _ in 0..3 {
            // Each failure, for want of a table, is followed by another connection.
            source.fetch(&Request::default()).await.unwrap_err();
        }
        let log = std::mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner));
        let said = "the certificate of `localhost` is not verified; `sslmode=verify-full` verifies it";
        assert_eq!(log.matches(said).count(), warnings, "{mode}: {log}");
    }
}

/// A password that rotates is asked for each time a connection is made.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_rotate() {
    let server = server(&[]).await;
    let client = connect(&server.url()).await;
    let sql = "CREATE TABLE feature_flags (name text, enabled boolean); CREATE ROLE app LOGIN PASSWORD 'first';
        GRANT SELECT ON feature_flags TO app";
    client.batch_execute(sql).await.unwrap();
    server.require_passwords("app").unwrap();
    let url = format!("postgres://app@127.0.0.1:{}/postgres?sslmode=disable", server.port());
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let mut source = Postgres::new(&url).unwrap().password(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        async move { Ok(if number == 0 { "first" } else { "second" }.to_owned()) }
    });
    source.fetch(&Request::default()).await.unwrap();
    source.fetch(&Request::default()).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "once for each connection");
    let cut = "ALTER ROLE app PASSWORD 'second'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'";
    client.batch_execute(cut).await.unwrap();
    let _ = source.fetch(&Request::default()).await;
    source.fetch(&Request::default()).await.unwrap();
    let mut wrong = Postgres::new(&url).unwrap().password(|| async { Err(Failure::new("the vault is closed")) });
    assert_eq!(wrong.fetch(&Request::default()).await.unwrap_err().error, "the vault is closed");
}
