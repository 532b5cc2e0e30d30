//! Words that nobody reads: a panic ends in a trap, and the module has nowhere to print what it says.
//!
//! The standard library is compiled to put a panic into words first. Here that becomes the trap at once, which is what
//! `panic=immediate-abort` would do if a stable compiler had it, and wasm-opt then drops whatever only panics needed.

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
