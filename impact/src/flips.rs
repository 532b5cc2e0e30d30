//! Numbers of people, by how their answer differs.

use crate::comparison::Direction;

/// How many people flip, by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flips {
    /// Off before, on after.
    pub on: u64,
    /// On before, off after.
    pub off: u64,
    /// On with another variant.
    pub variant: u64,
    /// Another value of the same variant, or of the same off.
    pub value: u64,
}

impl Flips {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.on + self.off + self.variant + self.value
    }

    pub(crate) fn add(&mut self, direction: Direction) {
        let count = match direction {
            Direction::On => &mut self.on,
            Direction::Off => &mut self.off,
            Direction::Variant => &mut self.variant,
            Direction::Value => &mut self.value,
        };
        *count += 1;
    }
}
