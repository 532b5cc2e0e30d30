//! A table that gives out numbers for what it holds, and uses the numbers of what is gone again.

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
    /// Its number, or `None` when there are as many as numbers.
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

    /// Takes it out; a number that stands for nothing is no error.
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
