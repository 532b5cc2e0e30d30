//! Counting who flips, among all people or some that chance chooses.

use esclusa::{Time, Value};
use esclusa_impact::{Census, Comparison, Options};

use super::Arguments;
use crate::desk::{Desk, Trouble};
use crate::people::{Kinds, People, Tally};

/// What was counted.
pub(super) struct Counted<'c> {
    pub(super) census: Census<'c>,
    /// What messages call the people.
    pub(super) name: String,
    pub(super) tally: Tally,
    pub(super) is_sample: bool,
}

/// Shows all people to a census.
///
/// # Errors
/// When they cannot be read.
pub(super) fn count<'c>(
    people: &People,
    comparison: &'c Comparison,
    natives: &[&[u8]],
    arguments: &Arguments,
    at: Time,
    desk: &mut Desk<'_>,
) -> Result<Counted<'c>, Trouble> {
    let options = Options { at, by: arguments.by.clone(), examples: arguments.examples };
    let mut census = Census::new(comparison, options);
    let kinds = Kinds::of(natives);
    let tally = match arguments.sample {
        None => people.read(&kinds, desk, &mut |person| census.count(person).map_err(|error| error.to_string()))?,
        Some(size) => {
            let mut sample = Sample::new(size as usize, arguments.seed);
            let tally = people.read(&kinds, desk, &mut |person| sample.offer(person))?;
            for person in &sample.chosen {
                census.count(person).map_err(|error| Trouble::new(error.to_string()))?;
            }
            tally
        }
    };
    let name = people.name();
    if tally.read == 0 {
        desk.say(format_args!("warning: {name} has no people"))?;
    } else if census.without_key() == census.people() {
        desk.say(format_args!("warning: none of the people of {name} has a `user`, so that no rollout lets them in"))?;
    }
    Ok(Counted { census, name, tally, is_sample: arguments.sample.is_some() })
}

/// `size` people, each chosen with the same chance: "algorithm R" (J. Vitter, "Random Sampling with a Reservoir", 1985).
struct Sample {
    size: usize,
    offered: u64,
    random: fastrand::Rng,
    chosen: Vec<Value<'static>>,
}

impl Sample {
    fn new(size: usize, seed: u64) -> Self {
        Sample { size, offered: 0, random: fastrand::Rng::with_seed(seed), chosen: Vec::new() }
    }

    fn offer(&mut self, person: &Value<'_>) -> Result<(), String> {
        esclusa::Context::from_value(person.clone()).map_err(|error| error.to_string())?;
        let place = self.random.u64(..=self.offered);
        self.offered += 1;
        if self.chosen.len() < self.size {
            self.chosen.push(person.clone().into_owned());
        } else if let Some(chosen) = usize::try_from(place).ok().and_then(|place| self.chosen.get_mut(place)) {
            *chosen = person.clone().into_owned();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_the_same_chance_and_a_seed_chooses_the_same_people() {
        let chosen = |seed| {
            let mut sample = Sample::new(10, seed);
            for person in 0..100_u32 {
                let context = Value::Object(vec![("n".into(), person.into())]);
                sample.offer(&context).unwrap();
            }
            sample.chosen.iter().map(|person| person.get("n").unwrap().as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(chosen(7), chosen(7));
        assert!(chosen(1) != chosen(2));
        let mut times = [0_u32; 100];
        for seed in 0..2_000 {
            for person in chosen(seed) {
                times[usize::try_from(person).unwrap()] += 1;
            }
        }
        // 200 times each, with a standard deviation of 13.4.
        assert!(times.iter().all(|times| (140..260).contains(times)), "{times:?}");
    }
}
