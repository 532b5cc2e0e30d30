//! The caller: who asks, and when.

use esclusa::{Context, Time, Value};

use crate::desk::{Desk, Trouble};

/// The options that describe a caller.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Caller {
    /// Id of the user
    #[arg(long, value_name = "ID", help_heading = "Caller")]
    pub user: Option<String>,
    /// Company of the user
    #[arg(long, value_name = "ID", help_heading = "Caller")]
    pub company: Option<String>,
    /// Plan of the company
    #[arg(long, help_heading = "Caller")]
    pub plan: Option<String>,
    /// Role of the user; may be given more than once
    #[arg(long = "role", value_name = "ROLE", help_heading = "Caller")]
    pub roles: Vec<String>,
    /// Region of the caller
    #[arg(long, help_heading = "Caller")]
    pub region: Option<String>,
    /// Any other attribute, such as version=4.0.2 or seats=12; a value in JSON keeps its type
    #[arg(long = "attr", value_name = "NAME=VALUE", help_heading = "Caller")]
    pub attributes: Vec<String>,
    /// The caller as JSON: an object, @FILE, or - for the standard input; the other options win over it
    #[arg(long, value_name = "JSON", help_heading = "Caller")]
    pub context: Option<String>,
    /// Time of the question, such as 2026-02-01T00:00Z; now without it
    #[arg(long, value_name = "TIME", help_heading = "Caller")]
    pub at: Option<String>,
}

impl Caller {
    /// The context that they make.
    ///
    /// # Errors
    /// When an attribute or the JSON cannot be read.
    pub fn context(&self, desk: &mut Desk<'_>) -> Result<Context<'static>, Trouble> {
        let mut context = match &self.context {
            Some(written) => from_json(written, desk)?,
            None => Context::anonymous(),
        };
        if let Some(user) = &self.user {
            context = context.attribute("user", user.clone());
        }
        if let Some(company) = &self.company {
            context = context.company(company.clone());
        }
        if let Some(plan) = &self.plan {
            context = context.plan(plan.clone());
        }
        if !self.roles.is_empty() {
            context = context.attribute("roles", Value::from(self.roles.clone()));
        }
        if let Some(region) = &self.region {
            context = context.region(region.clone());
        }
        for attribute in &self.attributes {
            let Some((name, written)) = attribute.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                let problem = format!("`{attribute}` is not an attribute, expected one such as version=4.0.2");
                return Err(Trouble::new(problem));
            };
            let value = Value::from_json(written.as_bytes())
                .map_or_else(|_| Value::from(written.to_owned()), Value::into_owned);
            context = context.attribute(name.to_owned(), value);
        }
        Ok(context)
    }

    /// The time of the question.
    ///
    /// # Errors
    /// When it is not a time.
    pub fn time(&self, desk: &Desk<'_>) -> Result<Time, Trouble> {
        time(self.at.as_deref(), desk)
    }
}

/// A time that is written, or now.
///
/// # Errors
/// When it is not a time.
pub fn time(written: Option<&str>, desk: &Desk<'_>) -> Result<Time, Trouble> {
    let problem = |at: &str| Trouble::new(format!("`{at}` is not a time, expected one such as 2026-02-01T00:00Z"));
    written.map_or(Ok(desk.now), |at| Time::parse(at).ok_or_else(|| problem(at)))
}

fn from_json(written: &str, desk: &mut Desk<'_>) -> Result<Context<'static>, Trouble> {
    let bytes = match written.strip_prefix('@') {
        Some(file) => std::fs::read(desk.folder.join(file))
            .map_err(|error| Trouble::new(format!("cannot read `{file}`: {error}")))?,
        None if written == "-" => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(desk.input, &mut bytes)?;
            bytes
        }
        None => written.as_bytes().to_vec(),
    };
    let trouble = |error: &dyn std::fmt::Display| Trouble::new(format!("--context: {error}"));
    let value = Value::from_json(&bytes).map_err(|error| trouble(&error))?;
    Context::from_value(value.into_owned()).map_err(|error| trouble(&error))
}
