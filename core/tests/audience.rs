//! Targets as bits: flags for more plans, regions and roles than have places, of every length, asked with contexts that
//! are kept while sets with other vocabularies are published, against a look into the lists themselves.
//!
//! The seed is printed; `ESCLUSA_SEED` sets another one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod generator;

use esclusa::{Context, FlagSet, Flags, Time};
use generator::Random;
use serde_json::{Value, json};

const SETS: usize = 60;
const FLAGS: usize = 30;
const CONTEXTS: usize = 60;

/// What a flag wants of plan, region and role; nothing in one of them is no wish.
type Wishes = [Vec<String>; 3];

/// One of a few texts or of many, some of them longer than what is compared at once.
fn text(random: &mut Random, many: bool) -> String {
    let number = random.below(if many { 60 } else { 5 });
    let word = ["p", "país-", "a plan of many words ", ""][number % 4];
    format!("{word}{number}")
}

fn texts(random: &mut Random, many: bool, most: usize) -> Vec<String> {
    let count = if random.chance(40) { 0 } else { random.between(1, most) };
    let mut texts: Vec<String> = (0..count).map(|_| text(random, many)).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn flags(random: &mut Random) -> Vec<Wishes> {
    let many = random.chance(50);
    let most = if random.chance(50) { 30 } else { 4 };
    (0..FLAGS).map(|_| [(); 3].map(|()| texts(random, many, most))).collect()
}

fn snapshot(flags: &[Wishes]) -> Vec<u8> {
    let row = |(number, [plans, regions, roles]): (usize, &Wishes)| {
        json!({
            "name": format!("f{number}"), "enabled": true,
            "target_plans": plans, "target_regions": regions, "target_roles": roles,
        })
    };
    serde_json::to_vec(&flags.iter().enumerate().map(row).collect::<Value>()).unwrap()
}

/// A caller: plan and region, if there are any, and any number of roles.
#[derive(Clone)]
struct Caller([Vec<String>; 3]);

impl Caller {
    fn new(random: &mut Random) -> Self {
        let several = random.below(4);
        let mut of = |count: usize| (0..count).map(|_| text(random, true)).collect::<Vec<_>>();
        Caller([of(several.min(1)), of(1), of(several)])
    }

    fn context(&self) -> Context<'static> {
        let Caller([plans, regions, roles]) = self.clone();
        let context = plans.into_iter().fold(Context::new("somebody"), Context::plan);
        regions.into_iter().fold(context, Context::region).roles(roles)
    }

    /// Gives the caller and its context another plan, another region, or one more role.
    fn change(&mut self, context: &mut Context<'static>, random: &mut Random) {
        let (field, text) = (random.below(3), text(random, true));
        if field < 2 {
            self.0[field].clear();
        }
        self.0[field].push(text.clone());
        *context = [Context::plan, Context::region, Context::role][field](std::mem::take(context), text);
    }

    fn fits(&self, flag: &Wishes) -> bool {
        flag.iter().zip(&self.0).all(|(wanted, has)| wanted.is_empty() || has.iter().any(|text| wanted.contains(text)))
    }
}

#[test]
fn targets_let_in_whom_their_lists_hold_and_nobody_else() {
    let seed = Random::seed();
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let handles = [Flags::new(), Flags::new()];
    let keys: Vec<_> = (0..FLAGS).map(|number| handles[0].key(format!("f{number}"))).collect();
    let mut callers: Vec<Caller> = (0..CONTEXTS).map(|_| Caller::new(&mut random)).collect();
    let mut contexts: Vec<Context<'_>> = callers.iter().map(Caller::context).collect();
    let mut answers = [0; 2];
    for _ in 0..SETS {
        // Both handles have a set of their own, and each context is asked of both in turns.
        let sets = [flags(&mut random), flags(&mut random)];
        for (handle, flags) in handles.iter().zip(&sets) {
            assert!(handle.publish(FlagSet::from_json_strict(&snapshot(flags)).unwrap()).is_published());
        }
        let unpublished = FlagSet::from_json(&snapshot(&sets[0])).unwrap();
        for (caller, context) in callers.iter_mut().zip(&mut contexts) {
            // With one role or none much is known of a context, and by and by each would have several.
            if random.chance(30) {
                *caller = Caller::new(&mut random);
                *context = caller.context();
            }
            for number in 0..FLAGS {
                if random.chance(2) {
                    // What the handle that is asked next knows of the context is so no more.
                    let _ = handles[0].is_enabled(&keys[number], context);
                    caller.change(context, &mut random);
                }
                for (handle, flags) in handles.iter().zip(&sets) {
                    let fits = caller.fits(&flags[number]);
                    let (set, key) = (handle.current(), &keys[number]);
                    let resolution = set.resolve(key.as_str(), context, Time::from_millis(0));
                    let explained = set.explain(key.as_str(), context, Time::from_millis(0));
                    let all = set.resolve_all(context, Time::from_millis(0)).nth(number).unwrap().1;
                    let on = [
                        handle.is_enabled(key, context),
                        handle.reader().is_enabled(key.as_str(), context),
                        resolution.is_enabled(),
                        all.is_enabled(),
                        handle.is_enabled(key, &context.clone().into_owned()),
                    ];
                    assert_eq!(on, [fits; 5], "{:?} for {:?}", flags[number], caller.0);
                    assert_eq!([resolution.reason(), all.reason()], [explained.resolution().reason(); 2]);
                    answers[usize::from(fits)] += 1;
                }
                let fits = caller.fits(&sets[0][number]);
                assert_eq!(unpublished.is_enabled(keys[number].as_str(), context, Time::from_millis(0)), fits);
            }
        }
    }
    println!("{answers:?} answers");
    assert!(answers.iter().all(|count| *count > 10_000), "{answers:?}");
}
