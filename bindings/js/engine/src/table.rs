//! A table that assigns numbers to its entries, and reuses the numbers of removed ones.

#[derive(Debug)]
pub(crate) struct Table<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Its number, or `None` if all numbers are used.
    pub(crate) fn add(&mut self, one: T) -> Option<u32> {
        if let Some(number) = self.free.pop() {
            *self.places.get_mut(number as usize)? = Some(one);
            return Some(number);
        }
        let number = u32::try_from(self.places.len()).ok()?;
        self.places.push(Some(one));
        Some(number)
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.places.get(number as usize)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.places.get_mut(number as usize)?.as_mut()
    }

    /// Removes an entry; an unknown number is not an error.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let one = self.places.get_mut(number as usize)?.take();
        if one.is_some() {
            self.free.push(number);
        }
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_again_only_after_it_is_free() {
        let mut table = Table::default();
        let (a, b) = (table.add('a').unwrap(), table.add('b').unwrap());
        assert_eq!((table.get(a), table.get(b)), (Some(&'a'), Some(&'b')));
        assert_eq!(table.remove(a), Some('a'));
        assert_eq!((table.remove(a), table.get(a)), (None, None), "freeing twice frees once");
        assert_eq!((table.add('c'), table.add('d')), (Some(a), Some(2)));
        assert_eq!(table.remove(99), None);
    }
}
