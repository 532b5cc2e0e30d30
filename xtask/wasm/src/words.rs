//! Words that nobody reads: a panic ends in a trap, and the module has nowhere to print what it says.
//!
//! The standard library is compiled to put a panic into words first. Here that becomes the trap at once, which is what
//! `panic=immediate-abort` would do if a stable compiler had it, and wasm-opt then drops whatever only panics needed.

use std::env;
use std::ops::Range;

use walrus::ir::{Call, Visitor, dfs_in_order};
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// Where the standard library puts panics into words, and hashbrown its one.
const PANICS: [&str; 9] = [
    "__rustc::rust_begin_unwind",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::index::slice_index_fail",
    "std::panicking::",
];

/// Makes every panic the trap that it ends in.
pub(crate) fn trap_at_once(module: &mut Module) {
    let fails = ["handle_error", "capacity_overflow"];
    let panics = named(module, |name| {
        let listed = PANICS.iter().any(|panic| name.starts_with(panic));
        // Of a vector's memory only the failures are panics.
        listed && (!name.starts_with("alloc::raw_vec::") || fails.iter().any(|fail| name.ends_with(fail)))
    });
    replace(module, &panics);
    walrus::passes::gc::run(module);
}

/// Takes out std's formatting, of which the table of indirect calls still holds what panics would have printed.
///
/// # Errors
/// When something else formats text, which would then trap.
pub(crate) fn format_nothing(module: &mut Module) -> Result<(), String> {
    let formatting = named(module, |name| name.contains("core::fmt::") || name.contains("write_fmt"));
    for function in module.funcs.iter() {
        let name = function.name.as_deref().map(plain).unwrap_or_default();
        let FunctionKind::Local(local) = &function.kind else { continue };
        if name.contains("fmt::") {
            continue;
        }
        let mut calls = Calls { of: &formatting, found: false };
        dfs_in_order(&mut calls, local, local.entry_block());
        if calls.found {
            return Err(format!("`{name}` formats text with core::fmt, expected nothing in the small build to do so"));
        }
    }
    replace(module, &formatting);
    Ok(())
}

/// What the standard library would have said before it trapped, as far as it can be told from what others say.
const SAID: [&str; 14] = [
    " out of range for slice of length ",
    " but the index is ",
    "AccessError",
    "Arc counter overflow",
    "Attempted to initialize thread-local while it is being dropped",
    "Tried to shrink to a larger capacity",
    "a Display implementation returned an error unexpectedly",
    "assertion `left ",
    "attempt to join into collection with len > usize::MAX",
    "cannot access a Thread Local Storage value during or after destruction: ",
    "cannot recursively acquire mutex",
    "capacity overflow",
    "index out of bounds: the len is ",
    "range end index ",
];

/// Blanks those words, and the paths of the files that they would have named: no code is left that reads either.
///
/// Zeros shrink to nothing, and the paths would tell where the module was built, so that every machine's were another.
pub(crate) fn forget(module: &mut Module) {
    let rows: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
    for row in rows {
        let text = &mut module.data.get_mut(row).value;
        let said = SAID.iter().flat_map(|said| places(text, said).into_iter().map(|at| at..at + said.len()));
        for words in said.chain(paths(text)).collect::<Vec<_>>() {
            text.get_mut(words).unwrap_or_default().fill(0);
        }
    }
}

/// Where there is the path of a source file: of the standard library, of a crate from the registry, of ours.
fn paths(text: &[u8]) -> Vec<Range<usize>> {
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| home + "/.cargo")).unwrap_or_default();
    let roots = ["/rustc/".to_owned(), home + "/registry/src/", "core/src/".to_owned(), "bindings/".to_owned()];
    let path = |begin: usize| {
        let end = begin + text.get(begin..)?.windows(3).position(|end| end == b".rs")? + 3;
        let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
        text.get(begin..end)?.iter().all(is_path).then_some(begin..end)
    };
    roots.iter().flat_map(|root| places(text, root)).filter_map(path).collect()
}

/// Where these words stand.
fn places(text: &[u8], words: &str) -> Vec<usize> {
    let windows = text.windows(words.len()).enumerate();
    windows.filter(|(_, window)| *window == words.as_bytes()).map(|(at, _)| at).collect()
}

/// Whether a function calls one of these.
struct Calls<'f> {
    of: &'f [FunctionId],
    found: bool,
}

impl Visitor<'_> for Calls<'_> {
    fn visit_call(&mut self, call: &Call) {
        self.found |= self.of.contains(&call.func);
    }
}

fn named(module: &Module, is_wanted: impl Fn(&str) -> bool) -> Vec<FunctionId> {
    let is_wanted = |id: FunctionId| module.funcs.get(id).name.as_deref().is_some_and(|name| is_wanted(&plain(name)));
    module.funcs.iter_local().map(|(id, _)| id).filter(|id| is_wanted(*id)).collect()
}

/// The name as it stands in the source, without hashes.
fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

fn replace(module: &mut Module, functions: &[FunctionId]) {
    for id in functions {
        let signature = module.types.get(module.funcs.get(*id).ty());
        let (takes, gives) = (signature.params().to_vec(), signature.results().to_vec());
        let arguments = takes.iter().map(|kind| module.locals.add(*kind)).collect();
        let mut trap = FunctionBuilder::new(&mut module.types, &takes, &gives);
        trap.func_body().unreachable();
        module.funcs.get_mut(*id).kind = FunctionKind::Local(trap.local_func(arguments));
    }
}
