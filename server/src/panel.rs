//! `/panel/`: the page from which people run releases, as `npm run build` in `panel/` has made it. It is embedded when the
//! server is compiled; without it there is a page that says how to build it.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::html::{Text, page};
use crate::problem::Problem;
use crate::shared::Shared;

/// What Vite has built, below `page/`.
#[derive(RustEmbed)]
#[folder = "../panel/dist/"]
#[include = "page/*"]
#[allow_missing = true]
struct Built;

/// Nothing is loaded from anywhere else, nothing inline runs, and nobody frames the page.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";
/// The address that the page has in `index.html`.
const BASE: &str = "<base href=\"/panel/\">";
/// Files below it have a hash of their content in their names.
const HASHED: &str = "assets/";
/// Smaller files gain nothing.
const MIN_PACKED_BYTES: usize = 1_024;

/// Each file, packed when it is first asked for.
static PACKED: Mutex<BTreeMap<String, Bytes>> = Mutex::new(BTreeMap::new());

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(go))
        .route("/panel", get(go))
        .route("/panel/", get(first))
        .route("/panel/{*path}", get(file))
}

async fn go(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    if let Ok(place) = HeaderValue::try_from(format!("{}/panel/", shared.prefix)) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

async fn first(State(shared): State<Arc<Shared>>) -> Response<Body> {
    index(&shared)
}

async fn file(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    match Built::get(&format!("page/{path}")) {
        Some(file) if path != "index.html" => Ok(sent(&path, &file, &headers)),
        // A file of an earlier build: an HTML page in its place would be taken for a broken script.
        None if path.starts_with(HASHED) => {
            Err(Problem::new(StatusCode::NOT_FOUND, "the panel has no such file, expected one of this version"))
        }
        // Every other address is a screen, which the page finds by itself.
        _ => Ok(index(&shared)),
    }
}

/// The page, with the path below which this server is found.
fn index(shared: &Shared) -> Response<Body> {
    let Some(built) = Built::get("page/index.html") else {
        return page(
            StatusCode::OK,
            "Esclusa",
            "<p>This server was compiled without its panel. To have it, run <code>npm ci &amp;&amp; npm run build</code> \
            in <code>panel/</code> and compile the server again. The addresses below <code>/api/v1</code> and \
            <code>/stop</code> work all the same.</p>",
        );
    };
    let base = format!("<base href=\"{}/panel/\">", Text(&shared.prefix));
    let html = String::from_utf8_lossy(&built.data).replacen(BASE, &base, 1);
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    guard(headers);
    response
}

fn guard(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn sent(path: &str, file: &EmbeddedFile, asked: &HeaderMap) -> Response<Body> {
    let hash: String = file.metadata.sha256_hash().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("W/\"{hash}\"");
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // A worker has the policy of its own file.
    guard(headers);
    if let Ok(tag) = HeaderValue::try_from(tag.clone()) {
        headers.insert(ETAG, tag);
    }
    if asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if let Ok(kind) = HeaderValue::from_str(file.metadata.mimetype()) {
        headers.insert(CONTENT_TYPE, kind);
    }
    let takes_gzip = asked.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let takes_gzip = takes_gzip.is_some_and(|value| value.split(',').any(|coding| coding.trim().starts_with("gzip")));
    let body = if takes_gzip && file.data.len() >= MIN_PACKED_BYTES {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        packed(path, &file.data)
    } else {
        Bytes::copy_from_slice(&file.data)
    };
    *response.body_mut() = Body::from(body);
    response
}

fn packed(path: &str, data: &[u8]) -> Bytes {
    let mut packed = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = packed.get(path) {
        return bytes.clone();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory never fails.
    let _ = encoder.write_all(data);
    let bytes = Bytes::from(encoder.finish().unwrap_or_default());
    packed.insert(path.to_owned(), bytes.clone());
    bytes
}
