//! A page that was built since is embedded anew.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // In the published crate there is no such folder.
    if Path::new("../panel/dist").exists() {
        println!("cargo:rerun-if-changed=../panel/dist");
    }
}
