//! flagd: its provider for OpenFeature, in-process, with flags from a file.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use esclusa_contender::{Caller, Contender, Result, Targets, Workload, ready};
use open_feature::EvaluationContext;
use open_feature::provider::FeatureProvider;
use open_feature_flagd::{FlagdOptions, FlagdProvider, ResolverType};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
});

/// It announces each update, while it holds the locks of its flags, in a channel that only the cache reads.
const STOPS: &str = "without its cache it stops answering after 1,000 updates";

pub(crate) struct Flagd {
    provider: FlagdProvider,
    file: PathBuf,
}

impl Contender for Flagd {
    const NAME: &'static str = "open-feature-flagd";
    const ABOUT: &'static str = "FlagdProvider::resolve_bool_value, resolver File, no cache; `in` and `fractional`; w4 \
                                 writes and reads a file, because it takes flags from nothing else but a server";

    type Context<'p> = EvaluationContext;
    type Snapshot = PathBuf;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn skip(workload: Workload) -> Option<&'static str> {
        (workload == Workload::Threads).then_some(STOPS)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        document(targets, flags, companies)
    }

    /// A folder of its own for each file, because the provider watches the folder.
    fn read(document: &[u8]) -> Result<PathBuf> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = files().join(number.to_string());
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("flags.json");
        std::fs::write(&file, document)?;
        Ok(file)
    }

    fn new(file: PathBuf) -> Result<Self> {
        let options = FlagdOptions {
            resolver_type: ResolverType::File,
            source_configuration: Some(file.to_string_lossy().into_owned()),
            cache_settings: None,
            ..FlagdOptions::default()
        };
        let provider = RUNTIME.block_on(FlagdProvider::new(options))?;
        Ok(Flagd { provider, file })
    }

    fn publish(&self, _: PathBuf) -> Result<()> {
        Err(STOPS.into())
    }

    #[inline]
    fn context(caller: &Caller) -> EvaluationContext {
        context(caller)
    }

    #[inline]
    fn is_on(&self, key: &str, context: &EvaluationContext) -> bool {
        ready(self.provider.resolve_bool_value(key, context)).is_ok_and(|details| details.value)
    }
}

impl Drop for Flagd {
    fn drop(&mut self) {
        remove_folder_of(&self.file);
    }
}

/// Where this process has its files.
fn files() -> PathBuf {
    std::env::temp_dir().join(format!("esclusa-peers-{}", std::process::id()))
}

/// An engine that lasts as long as the process is never dropped, so its file is removed at the end.
pub(crate) fn remove_files() {
    // What cannot be removed from the folder for temporary files is left there.
    let _ = std::fs::remove_dir_all(files());
}

fn remove_folder_of(file: &std::path::Path) {
    let _ = file.parent().map(std::fs::remove_dir_all);
}

/// flagd's own format.
pub(crate) fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
    let condition = |name: &str, values: &[String]| json!({"in": [{"var": name}, values]});
    let mut conditions = vec![
        condition("plan", &targets.plans),
        condition("role", &targets.roles),
        condition("region", &targets.regions),
    ];
    if companies > 0 {
        conditions.push(condition("company", targets.companies(companies)));
    }
    let share = json!({"fractional": [["on", targets.percentage], ["off", 100 - targets.percentage]]});
    let flag = |key: String| {
        let flag = json!({
            "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"if": [{"and": conditions}, share, "off"]},
        });
        (key, flag)
    };
    let flags: Map<String, Value> = Targets::keys(flags).map(flag).collect();
    Ok(serde_json::to_vec(&json!({"flags": flags}))?)
}

/// A caller as OpenFeature's SDK has it.
#[inline]
pub(crate) fn context(caller: &Caller) -> EvaluationContext {
    EvaluationContext::default()
        .with_targeting_key(caller.user.as_str())
        .with_custom_field("company", caller.company.as_str())
        .with_custom_field("plan", caller.plan.as_str())
        .with_custom_field("role", caller.role.as_str())
        .with_custom_field("region", caller.region.as_str())
}
