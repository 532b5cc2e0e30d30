//! flagd: the engine inside its in-process provider.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use esclusa_contender::{Caller, Contender, Result, Targets};
use flagd_evaluation_engine::{FeatureFlag, FlagParser, Operator};
use open_feature::EvaluationContext;
use serde_json::Value;

use crate::flagd;

pub(crate) struct FlagdEngine {
    operator: Operator,
    flags: RwLock<HashMap<String, Flag>>,
}

/// A flag whose targeting was made text already, which is what the engine takes.
pub(crate) struct Flag {
    targeting: String,
    default: String,
    variants: HashMap<String, Value>,
}

impl Contender for FlagdEngine {
    const NAME: &'static str = "flagd-evaluation-engine";
    const ABOUT: &'static str = "FlagParser::parse_string, and Operator::apply, which compiles the JSONLogic in each call; `in` and `fractional`; \
         the provider on top of it clones flag and context besides";

    type Context<'p> = EvaluationContext;
    type Snapshot = HashMap<String, Flag>;

    fn version() -> String {
        crate::version(Self::NAME)
    }

    fn document(targets: &Targets, flags: usize, companies: usize) -> Result<Vec<u8>> {
        flagd::document(targets, flags, companies)
    }

    fn read(document: &[u8]) -> Result<Self::Snapshot> {
        let flag = |(key, flag): (String, FeatureFlag)| {
            let targeting = flag.get_targeting();
            (key, Flag { targeting, default: flag.default_variant, variants: flag.variants })
        };
        Ok(FlagParser::parse_string(std::str::from_utf8(document)?)?.flags.into_iter().map(flag).collect())
    }

    fn new(snapshot: Self::Snapshot) -> Result<Self> {
        Ok(FlagdEngine { operator: Operator::new(), flags: RwLock::new(snapshot) })
    }

    fn publish(&self, snapshot: Self::Snapshot) -> Result<()> {
        *self.flags.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    #[inline]
    fn context(caller: &Caller) -> EvaluationContext {
        flagd::context(caller)
    }

    #[inline]
    fn is_on(&self, key: &str, context: &EvaluationContext) -> bool {
        let flags = self.flags.read().unwrap_or_else(PoisonError::into_inner);
        let Some(flag) = flags.get(key) else { return false };
        let Ok(variant) = self.operator.apply(key, &flag.targeting, context) else { return false };
        flag.variants.get(variant.as_ref().unwrap_or(&flag.default)) == Some(&Value::Bool(true))
    }
}
