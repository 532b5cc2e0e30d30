//! The limit on the work of one answer: parts of conditions times the size of the caller's largest value (7.19 of
//! SEMANTICS.md). Each of the two has a limit of its own, and their product needs one too.

use std::borrow::Cow;

use crate::answer::No;
use crate::context::{Context, Field};
use crate::explain::{self, Recorder};
use crate::flag_set::Detail;
use crate::limit::{MAX_ANSWER_WORK, MAX_LIGHT_PARTS};
use crate::resolution::{ErrorCode, Reason};
use crate::resolve::Walk;
use crate::value::{Value, lasts};

/// The size of a value without its text, its elements and its fields.
const BARE: u64 = 16;
const FEW_FIELDS: usize = 64;

impl<R: Recorder> Walk<'_, '_, R> {
    /// 7.19.
    #[inline]
    pub(crate) fn work(&mut self, detail: &Detail) -> Result<(), No> {
        if detail.parts <= MAX_LIGHT_PARTS { Ok(()) } else { self.heavy_work(u64::from(detail.parts)) }
    }

    #[cold]
    #[inline(never)]
    fn heavy_work(&mut self, parts: u64) -> Result<(), No> {
        let size = self.context.largest();
        if parts.saturating_mul(size) <= MAX_ANSWER_WORK {
            return Ok(());
        }
        self.recorder.note(|| explain::work(parts, size));
        Err((Reason::Error, Some(ErrorCode::InvalidContext)))
    }
}

impl Context<'_> {
    /// The size of its largest value.
    fn largest(&self) -> u64 {
        let text = |text: &str| BARE.saturating_add(text.len() as u64);
        let fields = [Field::User, Field::Company, Field::Plan, Field::Region].map(|field| self.field(field));
        let fields = fields.into_iter().flatten().map(|word| text(word.as_str()));
        let roles = self.known_roles().into_iter().map(|roles| sum(roles.map(|role| text(role.as_str()))));
        let attributes = last_values(&self.attributes).filter(|value| !value.is_null()).map(size);
        fields.chain(roles).chain(attributes).max().unwrap_or_default()
    }
}

fn size(value: &Value<'_>) -> u64 {
    match value {
        Value::Text(text) => BARE.saturating_add(text.len() as u64),
        Value::List(elements) => sum(elements.iter().map(size)),
        Value::Object(fields) => sum(last_values(fields).map(size)),
        _ => BARE,
    }
}

/// The values of fields, of those with one name the last. Few names are compared with each other, which allocates nothing.
fn last_values<'v, 'a>(fields: &'v [(Cow<'a, str>, Value<'a>)]) -> impl Iterator<Item = &'v Value<'a>> {
    let lasts = if fields.len() > FEW_FIELDS { lasts(fields) } else { Vec::new() };
    let is_last = move |at: usize, name: &str| match lasts.get(at) {
        Some(is_last) => *is_last,
        None => !fields.iter().skip(at + 1).any(|(other, _)| other == name),
    };
    fields.iter().enumerate().filter(move |(at, (name, _))| is_last(*at, name)).map(|(_, (_, value))| value)
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(BARE, u64::saturating_add)
}
