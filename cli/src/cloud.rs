//! Objects in S3, Google Cloud Storage and Azure: addresses, with the rights of the variables that those clouds' own tools
//! take (`AWS_…`, `GOOGLE_…`, `AZURE_…`).

use std::sync::Arc;

use esclusa_sync::Object;
use esclusa_sync::object_store::{ObjectStoreScheme, parse_url_opts};
use url::Url;

use crate::desk::Trouble;

/// Whether an address is one of an object in a cloud.
pub(crate) const SCHEMES: [&str; 7] = ["s3", "s3a", "gs", "az", "adl", "abfs", "abfss"];

/// The object at an address such as `s3://bucket/flags.json`.
///
/// # Errors
/// When the address, or a variable, cannot be used.
pub(crate) fn object(address: &str) -> Result<Object, Trouble> {
    let trouble = |error: &dyn std::fmt::Display| Trouble::new(format!("{address}: {error}"));
    let url = Url::parse(address).map_err(|error| trouble(&error))?;
    ObjectStoreScheme::parse(&url).map_err(|error| trouble(&error))?;
    // The client of HTTP asks the process for its cryptography; one that is there already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (store, path) = parse_url_opts(&url, std::env::vars()).map_err(|error| trouble(&error))?;
    Ok(Object::new(Arc::from(store), path))
}
