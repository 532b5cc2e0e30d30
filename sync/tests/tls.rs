//! HTTPS against a server on the loopback: only a server whose certificate is trusted is believed, and nothing leads out
//! of it.
#![expect(clippy::expect_used, reason = "a test stops at what is wrong")]

mod client;

use std::net::Ipv4Addr;
use std::sync::Arc;

use client::snapshot;
use esclusa_sync::{Answer, Failure, Http, Request, Source};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedKey, IsCa, KeyPair, generate_simple_self_signed,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server that gives every connection the same answer, and what to trust it by.
async fn serve(answer: String) -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate is made");
    serve_as(answer, &cert, &signing_key).await
}

async fn serve_as(answer: String, cert: &Certificate, signing_key: &KeyPair) -> (String, String) {
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("it is a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key))
        .expect("certificate and key belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a port");
    let port = listener.local_addr().expect("it has an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Who does not trust the certificate ends the conversation here.
            if let Ok(mut client) = acceptor.accept(client).await {
                let mut request = [0; 4096];
                let _ = client.read(&mut request).await;
                let _ = client.write_all(answer.as_bytes()).await;
                let _ = client.shutdown().await;
            }
        }
    });
    (format!("https://localhost:{port}/flags.json"), cert.pem())
}

async fn fetch(http: Http) -> Result<Answer, Failure> {
    let mut http = http;
    http.fetch(&Request::default()).await
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate() {
    let body = snapshot(1);
    let (url, pem) =
        serve(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())).await;
    let trusted = Http::new(&url).and_then(|http| http.root_certificates(&pem)).expect("it is right");
    assert_eq!(fetch(trusted).await, Ok(Answer::Snapshot { bytes: body.into_bytes(), etag: None }));
    let failure = fetch(Http::new(&url).expect("it is a URL")).await.expect_err("nobody trusts it");
    assert_eq!(failure.error, "cannot connect: invalid peer certificate: UnknownIssuer");
    let other = Http::new(url.replace("localhost", "127.0.0.1")).and_then(|http| http.root_certificates(&pem));
    let failure = fetch(other.expect("it is right")).await.expect_err("the certificate is for another name");
    assert!(failure.error.starts_with("cannot connect: invalid peer certificate"), "{}", failure.error);
}

/// What `openssl req -x509` makes is its own authority, and is trusted when it is given.
#[tokio::test]
async fn a_certificate_that_is_its_own_authority_is_believed_when_it_is_given() {
    let body = snapshot(1);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    for (name, is_believed) in [("localhost", true), ("db.example.com", false)] {
        let mut parameters = CertificateParams::new([name.to_owned()]).expect("it is a name");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key is made");
        let certificate = parameters.self_signed(&key).expect("a certificate is made");
        let (url, pem) = serve_as(answer.clone(), &certificate, &key).await;
        let given = fetch(Http::new(&url).and_then(|http| http.root_certificates(&pem)).expect("it is right")).await;
        assert_eq!(given.is_ok(), is_believed, "{name}: {given:?}");
        let failure = fetch(Http::new(&url).expect("it is a URL")).await.expect_err("nobody has given it");
        assert!(failure.error.contains("invalid peer certificate"), "{}", failure.error);
    }
}

#[tokio::test]
async fn no_redirect_leads_out_of_it() {
    let answer =
        "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, pem) = serve(answer.to_owned()).await;
    let http = Http::new(&url).and_then(|http| http.root_certificates(&pem)).expect("it is right");
    let failure = fetch(http).await.expect_err("it leads to http");
    assert_eq!(failure.error, "redirected from https to http, expected https");
}
