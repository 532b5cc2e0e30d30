//! The sizes of downloads: the packages of a release, and what a browser loads.

use std::fmt::Write;
use std::path::PathBuf;

use esclusa::Value;

/// The names of the native packages in the record.
pub(crate) const WHEEL: &str = "wheel";
pub(crate) const ADDON: &str = "addon for Node";

/// The size of a download.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) name: String,
    version: String,
    /// `None` if it could not be built.
    pub(crate) bytes: Option<f64>,
    /// The bytes of JavaScript and of WebAssembly in it, for what a browser loads.
    script: Option<f64>,
    wasm: Option<f64>,
    /// The file's name, or where flags are evaluated; or why it has no size.
    about: String,
}

/// The wheel and the addon's package, among the files that were built.
pub(crate) fn of_native(built: &[(PathBuf, u64)]) -> Vec<Size> {
    let size = |name: &str, ending: &str| {
        let (file, bytes) = built.iter().find(|(file, _)| file.extension().is_some_and(|found| found == ending))?;
        let about = format!("`{}`", file.file_name()?.to_string_lossy());
        #[expect(clippy::cast_precision_loss, reason = "no artefact has petabytes")]
        let bytes = Some(*bytes as f64);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Some(Size { name: name.to_owned(), version, bytes, script: None, wasm: None, about })
    };
    [size(WHEEL, "whl"), size(ADDON, "tgz")].into_iter().flatten().collect()
}

/// The lines that `sizes.js` prints.
pub(crate) fn of_browsers(lines: &str) -> Result<Vec<Size>, String> {
    let size = |line: &str| {
        let size = Value::from_json(line.as_bytes()).map_err(|problem| format!("`{line}`: {problem}"))?;
        let text = |name: &str| size.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| size.get(name).and_then(Value::as_f64);
        let about = if size.get("error").is_some() { format!("failed: {}", text("error")) } else { text("evaluates") };
        let [bytes, script, wasm] = ["gzipped", "javascript", "webassembly"].map(number);
        Ok(Size { name: text("name"), version: text("version"), bytes, script, wasm, about })
    };
    lines.lines().filter(|line| line.starts_with('{')).map(size).collect()
}

/// Downloads as a table; common columns for all of them would be half empty.
pub(crate) fn native(sizes: &[Size]) -> String {
    let mut text = String::from("\n| artefact | bytes | file |\n|---|---|---|\n");
    for Size { name, bytes, about, .. } in sizes {
        let _ = writeln!(text, "| {name} | {} | {about} |", bytes.map_or_else(String::new, plain));
    }
    text
}

/// What browsers load, the smallest first.
pub(crate) fn browsers(sizes: &[Size]) -> String {
    let mut text =
        String::from("\n| package | gzipped | JavaScript | WebAssembly | evaluates |\n|---|---|---|---|---|\n");
    let mut sizes: Vec<&Size> = sizes.iter().collect();
    let bytes = |size: &Size| size.bytes.unwrap_or(f64::INFINITY);
    sizes.sort_by(|one, other| bytes(one).total_cmp(&bytes(other)));
    for Size { name, version, bytes, script, wasm, about } in sizes {
        let name = if name.starts_with("@esclusa/") { format!("**{name}**") } else { name.clone() };
        let [bytes, script, wasm] = [bytes, script, wasm].map(|bytes| bytes.map_or_else(String::new, plain));
        let _ = writeln!(text, "| {name} {version} | {bytes} | {script} | {wasm} | {about} |");
    }
    text
}

/// Bytes with commas, as the documents write them.
pub(crate) fn plain(bytes: f64) -> String {
    let digits = format!("{bytes:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
