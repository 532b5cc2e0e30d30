//! Merges many small kinds of callers into few readable regions.

use std::collections::{BTreeMap, BTreeSet};

use crate::comparison::Direction;
use crate::dimension::Dimension;
use crate::region::{Callers, Region};

/// How callers flip: the direction, and the buckets.
type Way = (Direction, Option<(u32, u32)>);

/// A kind of callers that flips: how, and the class of each dimension.
pub(crate) type Cell = (Way, Vec<usize>);

/// The classes of each dimension.
type Product = Vec<BTreeSet<usize>>;

/// Regions that cover exactly the cells. For one dimension after the other, cells that differ only in it become one, if
/// a region can express that.
pub(crate) fn merge(cells: Vec<Cell>, dimensions: &[Dimension]) -> Vec<Region> {
    let mut alike: BTreeMap<Way, Vec<Product>> = BTreeMap::new();
    for (way, cell) in cells {
        let product = cell.into_iter().map(|class| BTreeSet::from([class])).collect();
        alike.entry(way).or_default().push(product);
    }
    let mut regions = Vec::new();
    for ((direction, buckets), mut products) in alike {
        for (at, dimension) in dimensions.iter().enumerate() {
            products = merged(products, at, dimension);
        }
        for product in products {
            let said = dimensions.iter().zip(&product);
            let said = said.flat_map(|(dimension, classes)| dimension.say(classes).unwrap_or_default());
            // A caller in a bucket has a unit.
            let unsaid = Callers::OthersThan(Vec::new());
            let callers = said.filter(|constraint| buckets.is_none() || constraint.callers != unsaid).collect();
            regions.push(Region { direction, callers, buckets });
        }
    }
    regions
}

/// Joins products that differ only in one dimension.
fn merged(products: Vec<Product>, at: usize, dimension: &Dimension) -> Vec<Product> {
    let mut groups: BTreeMap<Product, Vec<BTreeSet<usize>>> = BTreeMap::new();
    for mut product in products {
        let own = product.get_mut(at).map(std::mem::take).unwrap_or_default();
        groups.entry(product).or_default().push(own);
    }
    let mut joined = Vec::new();
    for (product, parts) in groups {
        for part in joins(parts, dimension) {
            let mut product = product.clone();
            if let Some(own) = product.get_mut(at) {
                *own = part;
            }
            joined.push(product);
        }
    }
    joined
}

/// All of them as one if a region can express that, else as few as merging pairs gives.
fn joins(parts: Vec<BTreeSet<usize>>, dimension: &Dimension) -> Vec<BTreeSet<usize>> {
    let all: BTreeSet<usize> = parts.iter().flatten().copied().collect();
    if dimension.say(&all).is_some() {
        return vec![all];
    }
    let mut joined: Vec<BTreeSet<usize>> = Vec::new();
    for part in parts {
        let union = |other: &BTreeSet<usize>| other.union(&part).copied().collect::<BTreeSet<_>>();
        match joined.iter().position(|other| dimension.say(&union(other)).is_some()) {
            Some(at) => {
                if let Some(other) = joined.get_mut(at) {
                    *other = union(other);
                }
            }
            None => joined.push(part),
        }
    }
    joined
}
