//! The steps of the specification's scenarios.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use esclusa::Flags;
use esclusa_openfeature::EsclusaProvider;
use gherkin::Step;
use open_feature::{
    Client, EvaluationContext, EvaluationDetails, EvaluationError, EvaluationResult, FlagMetadataValue, Hook,
    HookContext, HookHints, OpenFeature, StructValue, Value as Given, async_trait,
};
use serde_json::{Value, json};

/// What one scenario knows.
pub(crate) struct World {
    flags: Flags,
    client: Client,
    kind: String,
    key: String,
    default: String,
    context: EvaluationContext,
    outcome: Option<Outcome>,
    hooks: Heard,
}

/// An answer as the specification speaks of it.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    value: Value,
    key: String,
    variant: Option<String>,
    reason: Option<String>,
    code: Option<String>,
    metadata: HashMap<String, FlagMetadataValue>,
}

impl World {
    pub(crate) fn new(flags: &Flags) -> Self {
        World {
            flags: flags.clone(),
            client: OpenFeature::default().create_client(),
            kind: String::new(),
            key: String::new(),
            default: String::new(),
            context: EvaluationContext::default(),
            outcome: None,
            hooks: Heard::default(),
        }
    }

    /// Takes one step after the other, until one does not hold.
    pub(crate) async fn take(&mut self, steps: &[&Step]) -> Result<(), String> {
        for step in steps {
            self.step(step).await.map_err(|problem| format!("`{}`: {problem}", step.value))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let texts: Vec<String> = quoted(&step.value);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        // The sentence without what is in quotation marks.
        match (sentence(&step.value).as_str(), texts.as_slice()) {
            ("a stable provider", []) => self.provide(&self.flags.clone()).await,
            ("a not ready provider", []) => self.provide(&Flags::new()).await,
            ("a client with added hook", []) => {
                let client = std::mem::replace(&mut self.client, OpenFeature::default().create_client());
                self.client = client.with_hook(self.hooks.clone());
            }
            (flag, [key, default]) if flag.ends_with("-flag with key and a fallback value") => {
                self.kind = flag.split(['-', ' ']).nth(1).unwrap().to_lowercase();
                (self.key, self.default) = ((*key).to_owned(), (*default).to_owned());
            }
            ("a context containing a key , with type and with value", [name, kind, value]) => {
                let context = std::mem::take(&mut self.context);
                self.context = match *kind {
                    "String" => context.with_custom_field(*name, *value),
                    "Integer" => context.with_custom_field(*name, value.parse::<i64>().unwrap()),
                    "Boolean" => context.with_custom_field(*name, value.parse::<bool>().unwrap()),
                    other => return Err(format!("the type `{other}` is unknown")),
                };
            }
            // The SDK has no null in a context: the field is not there.
            ("a context containing a key with null value", [_]) => {}
            ("the flag was evaluated with details" | "the flag was evaluated with details asynchronously", []) => {
                self.outcome = Some(self.ask().await);
            }
            // A future that is awaited holds up no thread.
            ("the evaluation should complete without blocking", []) => {}
            (then, texts) => return self.then(then, texts, step),
        }
        Ok(())
    }

    fn then(&self, sentence: &str, texts: &[&str], step: &Step) -> Result<(), String> {
        if let ("the hook should have been executed", [stage]) = (sentence, texts) {
            let heard = self.hooks.0.lock().unwrap();
            return same(&heard.iter().any(|(other, _)| other == stage), &true);
        }
        if let ("the hooks should be called with evaluation details", [stages]) = (sentence, texts) {
            return stages.split(", ").try_for_each(|stage| self.called_with(stage, step));
        }
        let outcome = self.outcome.as_ref().ok_or("nothing was evaluated")?;
        match (sentence, texts) {
            ("the resolved details value should be", [value]) => {
                same(&outcome.value, &self.read(value)).or_else(|_| close(&outcome.value, &self.read(value)))
            }
            ("the reason should be", [reason]) => same(&outcome.reason.as_deref(), &Some(*reason)),
            ("the variant should be", [variant]) => same(&outcome.variant.as_deref(), &Some(*variant)),
            ("the error-code should be", [code]) => same(&outcome.code.as_deref(), &Some(*code)),
            ("the flag key should be", [key]) => same(&outcome.key.as_str(), key),
            ("the resolved metadata is empty", []) => same(&outcome.metadata.is_empty(), &true),
            _ => Err("the step is unknown".to_owned()),
        }
    }

    fn called_with(&self, stage: &str, step: &Step) -> Result<(), String> {
        let heard = self.hooks.0.lock().unwrap();
        let (_, outcome) = heard.iter().find(|(other, _)| other == stage).ok_or("it was not called")?;
        for row in step.table.as_ref().unwrap().rows.iter().skip(1) {
            let [_, name, value] = row.as_slice() else { return Err("a row has other columns".to_owned()) };
            let expected = Some(value.as_str()).filter(|value| *value != "null");
            match name.as_str() {
                "flag_key" => same(&Some(outcome.key.as_str()), &expected)?,
                // The SDK does not know the caller's default, and gives a hook that of the type.
                "value" if outcome.reason.as_deref() == Some("ERROR") => {}
                "value" => same(&outcome.value, &self.read(value))?,
                "variant" => same(&outcome.variant.as_deref(), &expected)?,
                "reason" => same(&outcome.reason.as_deref(), &expected)?,
                // It has no error code in the details, but hands it to the hook for errors.
                "error_code" => {
                    let error = heard.iter().find(|(stage, _)| stage == "error");
                    same(&error.and_then(|(_, error)| error.code.as_deref()), &expected)?;
                }
                other => return Err(format!("the column `{other}` is unknown")),
            }
        }
        Ok(())
    }

    async fn provide(&mut self, flags: &Flags) {
        let mut api = OpenFeature::default();
        api.set_provider(EsclusaProvider::new(flags)).await;
        self.client = api.create_client();
    }

    /// A text as a value of the type of the flag.
    fn read(&self, text: &str) -> Value {
        match self.kind.as_str() {
            "string" => text.into(),
            _ => serde_json::from_str(text).unwrap(),
        }
    }

    async fn ask(&self) -> Outcome {
        let (client, key, context) = (&self.client, self.key.as_str(), Some(&self.context));
        match self.kind.as_str() {
            "boolean" => self.outcome(client.get_bool_details(key, context, None).await),
            "string" => self.outcome(client.get_string_details(key, context, None).await),
            "integer" => self.outcome(client.get_int_details(key, context, None).await),
            "float" => self.outcome(client.get_float_details(key, context, None).await),
            "object" => self.outcome(client.get_struct_details::<StructValue>(key, context, None).await),
            other => panic!("the type `{other}` is unknown"),
        }
    }

    /// The answer, or the default behind an error.
    fn outcome<T: Into<Given>>(&self, result: EvaluationResult<EvaluationDetails<T>>) -> Outcome {
        match result {
            Ok(details) => of(details),
            Err(error) => Outcome { value: self.read(&self.default), ..failed(&self.key, &error) },
        }
    }
}

fn of<T: Into<Given>>(details: EvaluationDetails<T>) -> Outcome {
    Outcome {
        value: json(&details.value.into()),
        key: details.flag_key,
        variant: details.variant,
        reason: details.reason.map(|reason| reason.to_string()),
        code: None,
        metadata: details.flag_metadata.values,
    }
}

fn failed(key: &str, error: &EvaluationError) -> Outcome {
    let (reason, code) = (Some("ERROR".to_owned()), Some(error.code.to_string()));
    Outcome { value: Value::Null, key: key.to_owned(), variant: None, reason, code, metadata: HashMap::new() }
}

fn json(value: &Given) -> Value {
    match value {
        Given::Bool(value) => (*value).into(),
        Given::Int(value) => (*value).into(),
        Given::Float(value) => (*value).into(),
        Given::String(value) => value.as_str().into(),
        Given::Array(values) => values.iter().map(json).collect(),
        Given::Struct(value) => {
            Value::Object(value.fields.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("this is {found:?}, expected {expected:?}")) }
}

/// Of two numbers, whether they are the same however they are written.
fn close(found: &Value, expected: &Value) -> Result<(), String> {
    same(&json!(found.as_f64()), &json!(expected.as_f64()))?;
    if found.is_number() { Ok(()) } else { Err(format!("this is {found}, expected {expected}")) }
}

/// What stands in quotation marks; a mark inside has a backslash before it.
fn quoted(text: &str) -> Vec<String> {
    let text = text.replace("\\\"", "\u{1}");
    text.split('"').skip(1).step_by(2).map(|part| part.replace('\u{1}', "\"")).collect()
}

/// What stands outside of them.
fn sentence(text: &str) -> String {
    let text = text.replace("\\\"", "\u{1}");
    let parts: Vec<&str> = text.split('"').step_by(2).map(str::trim).collect();
    parts.join(" ").trim().to_owned()
}

/// A hook that keeps what it is told.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, Outcome)>>>);

impl Heard {
    fn keep(&self, stage: &str, outcome: Outcome) {
        self.0.lock().unwrap().push((stage.to_owned(), outcome));
    }
}

#[async_trait]
impl Hook for Heard {
    async fn before<'a>(
        &self,
        context: &HookContext<'a>,
        _: Option<&'a HookHints>,
    ) -> Result<Option<EvaluationContext>, EvaluationError> {
        let details = EvaluationDetails::error_reason(context.flag_key, false);
        self.keep("before", of(details));
        Ok(None)
    }

    async fn after<'a>(
        &self,
        _: &HookContext<'a>,
        details: &EvaluationDetails<Given>,
        _: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        self.keep("after", of(details.clone()));
        Ok(())
    }

    async fn error<'a>(&self, context: &HookContext<'a>, error: &EvaluationError, _: Option<&'a HookHints>) {
        self.keep("error", failed(context.flag_key, error));
    }

    async fn finally<'a>(&self, _: &HookContext<'a>, details: &EvaluationDetails<Given>, _: Option<&'a HookHints>) {
        self.keep("finally", of(details.clone()));
    }
}
