//! A fault by its fields, whatever its kind: which of them may be left out, which are numbers, and the fault with one of them changed.
//!
//! A fault is seen as its file shows it, so a new kind can be made simpler from the start. A fault that no file can hold is
//! left as it is.

use crate::fault::{Crash, Fault, Moment, Trigger, limits};
use serde::Deserialize;
use toml::{Table, Value};

/// The images of a power loss that a person can picture.
const PLAIN_IMAGES: i64 = 4;
const IMAGE: &str = "image_seed";

/// A number of a fault.
#[derive(Clone, Debug)]
pub(super) struct Number {
    /// The names that lead to it.
    path: Vec<String>,
    value: i64,
}

impl Number {
    /// How far it is from zero, and how near it may come.
    pub(super) fn magnitude(&self) -> (u64, u64) {
        let limits = self.path.last().map_or(0..=i64::MAX, |name| limits(name));
        let nearest = if self.value < 0 { *limits.end() } else { *limits.start() };
        // On the other side of zero there is nothing simpler.
        let nearest = if (nearest < 0) == (self.value < 0) { nearest.unsigned_abs() } else { 0 };
        (self.value.unsigned_abs(), nearest)
    }

    /// The fault with a number so far from zero in this place, on the same side.
    pub(super) fn set(&self, fault: &Fault, magnitude: u64) -> Option<Fault> {
        let number = i64::try_from(magnitude).ok()?;
        let mut table = table(fault)?;
        let (inner, name) = place(&mut table, &self.path)?;
        inner.insert(name.to_owned(), Value::Integer(if self.value < 0 { -number } else { number }));
        read(table)
    }
}

/// The numbers of a fault, but those that stand for nothing: an image's seed is no quantity.
pub(super) fn numbers(fault: &Fault) -> Vec<Number> {
    let mut numbers = Vec::new();
    if let Some(table) = table(fault) {
        walk(&table, &mut Vec::new(), &mut |path, value| {
            if let Value::Integer(value) = value
                && path.last().is_some_and(|name| name != IMAGE)
            {
                numbers.push(Number { path: path.to_vec(), value: *value });
            }
        });
    }
    numbers
}

/// A fault whose numbers of these names are one less where they come after those of the fault that is `gone`.
pub(super) fn brought_forward(fault: &Fault, gone: &Fault, names: &[&str]) -> Fault {
    let named = |number: &Number| number.path.last().is_some_and(|name| names.contains(&name.as_str()));
    let since = numbers(gone).into_iter().find(named).map_or(1, |number| number.value);
    let later = numbers(fault).into_iter().filter(|number| named(number) && number.value > since);
    later.fold(fault.clone(), |fault, number| {
        number.set(&fault, number.value.unsigned_abs() - 1).unwrap_or(fault)
    })
}

/// Faults that are plainer than this one, the plainest first: a crash for a loop of them, one without a field that it need not have (so
/// that a power loss is a crash, and what comes inside an operation comes before it), one with a plain image.
pub(super) fn plainer(fault: &Fault) -> Vec<Fault> {
    let mut plainer: Vec<Fault> = Vec::new();
    if let Fault::CrashLoop(of) = fault {
        let trigger = Trigger::DiskOperation { life: of.life, number: of.operation, moment: Moment::Before };
        let crash =
            Crash { restart_after_ms: of.restart_after_ms, trigger, power_loss: of.power_loss.clone() };
        plainer.push(Fault::Crash(crash));
    }
    let Some(table) = table(fault) else { return plainer };
    let mut paths = Vec::new();
    let mut images = Vec::new();
    walk(&table, &mut Vec::new(), &mut |path, value| {
        paths.push(path.to_vec());
        if let (Some(name), Value::Integer(value)) = (path.last(), value)
            && name == IMAGE
        {
            let number = Number { path: path.to_vec(), value: *value };
            images.extend(
                (0..PLAIN_IMAGES.min(*value)).filter_map(|image| number.set(fault, image.unsigned_abs())),
            );
        }
    });
    let without = |path: &Vec<String>| {
        let mut table = table.clone();
        let (inner, name) = place(&mut table, path)?;
        inner.remove(name);
        // A field that was at its default comes back.
        read(table).filter(|read| read != fault)
    };
    plainer.extend(paths.iter().filter_map(without));
    plainer.extend(images);
    plainer
}

/// Every field at every depth, the outer before the inner.
fn walk(table: &Table, path: &mut Vec<String>, each: &mut dyn FnMut(&[String], &Value)) {
    for (name, value) in table {
        path.push(name.clone());
        each(path, value);
        if let Value::Table(inner) = value {
            walk(inner, path, each);
        }
        path.pop();
    }
}

/// The table that the last of these names is in, and that name.
fn place<'a>(table: &'a mut Table, path: &'a [String]) -> Option<(&'a mut Table, &'a str)> {
    let (name, above) = path.split_last()?;
    let inner = above.iter().try_fold(table, |table, name| table.get_mut(name)?.as_table_mut())?;
    Some((inner, name))
}

fn table(fault: &Fault) -> Option<Table> {
    Table::try_from(fault).ok()
}

fn read(table: Table) -> Option<Fault> {
    Fault::deserialize(Value::Table(table)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::{Aim, Bounds, Drift, FaultKind, PowerLoss, Reset},
        rng::{Domain, stream},
        world::Life,
    };

    fn power_loss(moment: Moment, power_loss: Option<PowerLoss>) -> Fault {
        let trigger = Trigger::DiskOperation { life: Life(2), number: 40, moment };
        Fault::Crash(Crash { restart_after_ms: 9, trigger, power_loss })
    }

    #[test]
    fn a_power_loss_may_be_a_crash_at_a_plainer_moment_or_with_a_plainer_image() {
        let image = |image_seed| Some(PowerLoss::image(image_seed));
        let found = plainer(&power_loss(Moment::Inside, image(77)));
        let mut expected = vec![power_loss(Moment::Inside, None), power_loss(Moment::Before, image(77))];
        expected.extend((0..4).map(|seed| power_loss(Moment::Inside, image(seed))));
        assert_eq!(found, expected);
        assert_eq!(plainer(&power_loss(Moment::Before, None)), []);
        assert_eq!(plainer(&power_loss(Moment::Before, image(1))).len(), 2);
    }

    #[test]
    fn a_number_goes_towards_the_least_that_makes_sense() {
        let fault = power_loss(Moment::Before, Some(PowerLoss::image(9)));
        let found: Vec<_> = numbers(&fault).iter().map(Number::magnitude).collect();
        assert_eq!(found, [(9, 1), (2, 1), (40, 1)], "the restart, the life, the operation; no image");
        let drift = Fault::Drift(Drift { at_ms: 5, ppm: -700 });
        let found = numbers(&drift);
        assert_eq!(found.iter().map(Number::magnitude).collect::<Vec<_>>(), [(5, 0), (700, 0)]);
        assert_eq!(found[1].set(&drift, 3), Some(Fault::Drift(Drift { at_ms: 5, ppm: -3 })));
        let reset = Fault::Reset(Reset { connection: 3, after_bytes: 4 });
        assert_eq!(numbers(&reset).iter().map(Number::magnitude).collect::<Vec<_>>(), [(4, 0), (3, 1)]);
    }

    #[test]
    fn what_comes_after_a_fault_that_is_gone_is_counted_anew() {
        let crash = |life| {
            let trigger = Trigger::Start { life: Life(life) };
            Fault::Crash(Crash { restart_after_ms: 9, trigger, power_loss: None })
        };
        let reset = |connection| Fault::Reset(Reset { connection, after_bytes: 4 });
        assert_eq!(brought_forward(&crash(4), &crash(3), &["life"]), crash(3));
        assert_eq!(brought_forward(&crash(2), &crash(3), &["life"]), crash(2));
        assert_eq!(brought_forward(&reset(2), &crash(1), &["life", "connection"]), reset(1));
        assert_eq!(brought_forward(&reset(1), &crash(1), &["life", "connection"]), reset(1));
        assert_eq!(brought_forward(&reset(2), &crash(1), &["life"]), reset(2));
    }

    /// A kind that is added has nothing to do for it.
    #[test]
    fn every_kind_has_numbers_that_can_be_set_to_the_least_of_them() {
        let bounds = Bounds::default();
        let aim = Aim { bounds: &bounds, lives: 3, connections: 3 };
        let mut rng = stream(1, Domain::Plan);
        for kind in FaultKind::ALL.iter().copied().cycle().take(20 * FaultKind::ALL.len()) {
            let fault = Fault::draw(kind, &mut rng, &aim);
            assert!(!numbers(&fault).is_empty(), "{fault}");
            for number in numbers(&fault) {
                let (from, least) = number.magnitude();
                assert!(least <= from, "{number:?} of {fault}");
                let set = number.set(&fault, least).expect("it is a fault again");
                assert_eq!(number.set(&set, from), Some(fault.clone()), "{number:?}");
            }
            assert!(plainer(&fault).iter().all(|plainer| *plainer != fault), "{fault}");
        }
    }
}
