//! Who flips, exactly and without a list of people, for two definitions that have only columns and a share.
//!
//! The engine itself decides, for one caller of each kind: with a share of 100 and of 0 percent in place of the flag's
//! own, so that only the share remains to be computed. The values that the two definitions name make the kinds; both
//! treat all other values alike.

use std::fmt;

use esclusa::{BUCKETS, Context, FlagSet, Time, Value, row};

use crate::comparison::Direction;
use crate::dimension::{Dimension, dimensions};
use crate::document::{Definition, Document};
use crate::merge::merge;
use crate::region::Region;

/// Maximum number of kinds of callers that are evaluated.
const MAX_CELLS: usize = 100_000;

/// Why only a list of people can tell who flips.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotExact {
    /// A definition has this field: `rules`, `prerequisites` or `schedule`.
    Has(&'static str),
    /// This field differs and decides the bucket or the value of people: `salt`, `bucket_by`, `variants` or
    /// `off_value`.
    Differs(&'static str),
    /// A definition breaks a rule, or several rows of the key differ.
    Broken,
    /// There are too many kinds of callers.
    TooManyCells {
        /// How many there are.
        cells: usize,
    },
}

impl fmt::Display for NotExact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotExact::Has(field) => write!(f, "it has `{field}`"),
            NotExact::Differs(field) => write!(f, "`{field}` differs"),
            NotExact::Broken => f.write_str("a definition breaks a rule"),
            NotExact::TooManyCells { cells } => {
                write!(f, "there are {cells} kinds of callers, at most {MAX_CELLS} are asked about")
            }
        }
    }
}

/// Who flips between the definitions of one key at a time: regions that do not overlap. A document without the key counts
/// as one that is off for everybody.
///
/// It counts for callers whose attributes are texts, as plans, roles and regions are.
///
/// # Errors
/// The reason why it takes people to say it.
pub fn exactly(key: &str, old: &Document, new: &Document, at: Time) -> Result<Vec<Region>, NotExact> {
    let sides = [old.side(key)?, new.side(key)?];
    let definitions: Vec<&Definition> = sides.iter().flatten().map(|side| side.definition).collect();
    if let [one, other] = definitions.as_slice() {
        for field in ["salt", "bucket_by", "variants", "off_value"] {
            if one.field(field) != other.field(field) {
                return Err(NotExact::Differs(field));
            }
        }
    }
    let Some(first) = definitions.first() else { return Ok(Vec::new()) };
    let unit = first.field("bucket_by").and_then(Value::as_str).unwrap_or("user");
    let dimensions = dimensions(&definitions, unit);
    let cells = dimensions.iter().map(|dimension| dimension.classes.len()).try_fold(1_usize, usize::checked_mul);
    let cells = cells.unwrap_or(usize::MAX);
    if cells > MAX_CELLS {
        return Err(NotExact::TooManyCells { cells });
    }
    let mut flips = Vec::new();
    for cell in 0..cells {
        let chosen = coordinates(cell, &dimensions);
        let [before, after] = sides
            .each_ref()
            .map(|side| side.as_ref().map_or(Admits::NOBODY, |side| side.admits(key, &dimensions, &chosen, at)));
        if before == after {
            continue;
        }
        // Both ranges begin at bucket 0, so one contains the other.
        let direction = if after.0 > before.0 { Direction::On } else { Direction::Off };
        let whole = dimensions.iter().zip(&chosen).any(|(dimension, class)| dimension.fixes_bucket(*class));
        let buckets = (before.0.min(after.0), before.0.max(after.0));
        let buckets = Some(buckets).filter(|buckets| !whole && *buckets != (0, BUCKETS));
        flips.push(((direction, buckets), chosen));
    }
    Ok(merge(flips, &dimensions))
}

/// The class of each dimension in a cell.
fn coordinates(mut cell: usize, dimensions: &[Dimension]) -> Vec<usize> {
    let class = |dimension: &Dimension| {
        let class = cell % dimension.classes.len();
        cell /= dimension.classes.len();
        class
    };
    dimensions.iter().map(class).collect()
}

/// The bucket below which a flag admits callers of a kind.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Admits(u32);

impl Admits {
    const NOBODY: Admits = Admits(0);
    const EVERYBODY: Admits = Admits(BUCKETS);
}

/// One definition, alone in a set: as it is, with a share of 100, and with a share of 0 percent.
struct Side<'d> {
    definition: &'d Definition,
    own: FlagSet,
    everybody: FlagSet,
    nobody: FlagSet,
    share: u32,
}

impl Document {
    fn side(&self, key: &str) -> Result<Option<Side<'_>>, NotExact> {
        let Some(definition) = self.flags().get(key) else { return Ok(None) };
        if self.has_twins(key) {
            return Err(NotExact::Broken);
        }
        for field in ["rules", "prerequisites", "schedule"] {
            if definition.field(field).is_some() {
                return Err(NotExact::Has(field));
            }
        }
        let read = |row: Value<'static>| {
            let set = FlagSet::from_json(&self.around(row)).map_err(|_| NotExact::Broken)?;
            if set.violations().is_empty() { Ok(set) } else { Err(NotExact::Broken) }
        };
        let share = match definition.field("rollout_percentage") {
            Some(percentage) => row::share(percentage).ok_or(NotExact::Broken)?,
            None => BUCKETS,
        };
        let with = |percentage| read(definition.with("rollout_percentage", Value::Integer(percentage)));
        let (own, everybody, nobody) = (read(definition.row().clone())?, with(100)?, with(0)?);
        Ok(Some(Side { definition, own, everybody, nobody, share }))
    }
}

impl Side<'_> {
    /// The buckets in which a kind of callers is on.
    fn admits(&self, key: &str, dimensions: &[Dimension], chosen: &[usize], at: Time) -> Admits {
        let mut context = Context::anonymous();
        let mut whole = false;
        for (dimension, class) in dimensions.iter().zip(chosen) {
            context = dimension.add_to(context, *class);
            whole |= dimension.fixes_bucket(*class);
        }
        let is_on = |set: &FlagSet| set.is_enabled(key, &context, at);
        if whole {
            return if is_on(&self.own) { Admits::EVERYBODY } else { Admits::NOBODY };
        }
        match (is_on(&self.nobody), is_on(&self.everybody)) {
            (true, _) => Admits::EVERYBODY,
            (false, true) => Admits(self.share),
            (false, false) => Admits::NOBODY,
        }
    }
}
