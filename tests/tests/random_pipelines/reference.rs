//! The interpreter: each batch of each stream is computed from all the input that ever came, with plain vectors. It keeps nothing
//! but what it has computed already, knows nothing of the engine, and follows the definitions.

use super::{
    operator::{
        INITIAL, Kind, Operator, Span, Update, Way, expand, gathered, joined, keeps, key_of, map, number_of,
    },
    program::{Node, Program},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// A record; numbers have no key.
pub type Record = (Option<u8>, i64);

pub struct Reference<'a> {
    program: &'a Program,
    input: Box<dyn Fn(usize, u64) -> Vec<Record> + 'a>,
    computed: RefCell<BTreeMap<(usize, u64), Vec<Record>>>,
}

fn values(records: &[Record]) -> Vec<i64> {
    records.iter().map(|record| record.1).collect()
}

fn numbers(values: impl IntoIterator<Item = i64>) -> Vec<Record> {
    values.into_iter().map(|value| (None, value)).collect()
}

fn by_key(records: &[Record]) -> BTreeMap<u8, Vec<i64>> {
    let mut groups: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
    for (key, value) in records {
        groups.entry(key.expect("pairs have keys")).or_default().push(*value);
    }
    groups
}

fn pairs(groups: BTreeMap<u8, Vec<i64>>, f: impl Fn(&[i64]) -> i64) -> Vec<Record> {
    groups.into_iter().map(|(key, values)| (Some(key), f(&values))).collect()
}

fn sum(values: &[i64]) -> i64 {
    values.iter().fold(0, |sum, value| sum.wrapping_add(*value))
}

fn counts(records: &[Record]) -> Vec<Record> {
    let values: BTreeSet<i64> = records.iter().map(|record| record.1).collect();
    let count = |value: i64| records.iter().filter(|record| record.1 == value).count() as i64;
    values.into_iter().map(|value| (Some(key_of(value, 7)), count(value))).collect()
}

impl<'a> Reference<'a> {
    /// The interpreter of a pipeline, with what each source gives in each batch.
    pub fn new(program: &'a Program, input: impl Fn(usize, u64) -> Vec<Record> + 'a) -> Self {
        Self { program, input: Box::new(input), computed: RefCell::default() }
    }

    /// The records of a stream in a batch in which it has one.
    pub fn batch(&self, node: usize, number: u64) -> Vec<Record> {
        if let Some(records) = self.computed.borrow().get(&(node, number)) {
            return records.clone();
        }
        let records = self.compute(&self.program.nodes[node], number);
        self.computed.borrow_mut().insert((node, number), records.clone());
        records
    }

    /// The batches that a stream has from one number to another.
    fn batches(&self, node: usize, from: u64, to: u64) -> impl Iterator<Item = (u64, Vec<Record>)> {
        let slide = self.program.nodes[node].slide;
        (from.max(1)..=to)
            .filter(move |number| number.is_multiple_of(slide))
            .map(move |number| (number, self.batch(node, number)))
    }

    fn window(&self, node: usize, span: Span, number: u64) -> Vec<Record> {
        let from = (number + 1).saturating_sub(span.window);
        self.batches(node, from, number).flat_map(|(_, records)| records).collect()
    }

    /// The groups of a window. Where windows overlap and are computed by an inverse, a key that was ever in one stays.
    fn groups(&self, node: usize, span: Span, way: Way, number: u64) -> BTreeMap<u8, Vec<i64>> {
        let mut groups = by_key(&self.window(node, span, number));
        if matches!(way, Way::Inverse) && span.slide <= span.window {
            for (_, records) in self.batches(node, 1, number) {
                by_key(&records).into_keys().for_each(|key| _ = groups.entry(key).or_default());
            }
        }
        groups
    }

    fn reduced(&self, node: usize, span: Span, way: Way, number: u64) -> Vec<Record> {
        let groups = self.groups(node, span, way, number);
        match way {
            Way::Plain(combination) => pairs(groups, |values| {
                values.iter().copied().reduce(|a, b| combination.of(a, b)).expect("a group has a value")
            }),
            Way::Inverse => pairs(groups, sum),
            Way::Filtered => {
                let mut records = pairs(groups, sum);
                records.retain(|record| record.1 != 0);
                records
            }
        }
    }

    fn compute(&self, node: &Node, number: u64) -> Vec<Record> {
        use Operator as O;
        let parent = |index: usize| self.batch(node.parents[index], number);
        let windowed = |span| self.window(node.parents[0], span, number);
        match node.operator {
            O::Source(source) => (self.input)(source, number),
            O::Map(n) => parent(0).into_iter().map(|(key, x)| (key, map(x, n))).collect(),
            O::Filter(modulus) => parent(0).into_iter().filter(|(_, x)| keeps(*x, modulus)).collect(),
            O::FlatMap => numbers(values(&parent(0)).into_iter().flat_map(expand)),
            O::MapPartitions => numbers(values(&parent(0)).into_iter().map(|x| map(x, 1))),
            O::Glom | O::Repartition(_) | O::Cache => parent(0),
            O::Union => [parent(0), parent(1)].concat(),
            O::UnionOfThree => [parent(0), parent(1), parent(2)].concat(),
            O::Count => numbers([parent(0).len() as i64]),
            O::Reduce(combination) => {
                numbers(values(&parent(0)).into_iter().reduce(|a, b| combination.of(a, b)))
            }
            O::Distinct => parent(0).into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            O::Subtract => {
                let other = parent(1);
                parent(0).into_iter().filter(|record| !other.contains(record)).collect()
            }
            O::Intersection => {
                let (one, other): (BTreeSet<_>, BTreeSet<_>) =
                    (parent(0).into_iter().collect(), parent(1).into_iter().collect());
                one.intersection(&other).copied().collect()
            }
            O::Remember(span) | O::Window(span) | O::PairsWindow(span) => windowed(span),
            O::CountByWindow(span) => self.of_all_numbers(node, span, Way::Inverse, number, |_| 1),
            O::ReduceByWindow(span, way) => self.of_all_numbers(node, span, way, number, |x| x),
            O::KeyBy(modulus) => parent(0).into_iter().map(|(_, x)| (Some(key_of(x, modulus)), x)).collect(),
            O::CountByValue => counts(&parent(0)),
            O::CountByValueAndWindow(span) => counts(&windowed(span)),
            O::Values => numbers(parent(0).into_iter().map(|(key, x)| number_of(key.expect("a pair"), x))),
            _ => self.compute_pairs(node, number),
        }
    }

    /// A window of numbers is one of pairs with one key, without it.
    fn of_all_numbers(
        &self,
        node: &Node,
        span: Span,
        way: Way,
        number: u64,
        value: impl Fn(i64) -> i64,
    ) -> Vec<Record> {
        let parent = node.parents[0];
        let window = values(&self.window(parent, span, number));
        let inverse = !matches!(way, Way::Plain(_)) && span.slide <= span.window;
        let begun = inverse && self.batches(parent, 1, number).any(|(_, records)| !records.is_empty());
        let combination = match way {
            Way::Plain(combination) => combination,
            Way::Inverse | Way::Filtered => super::operator::Combination::Sum,
        };
        let reduced = window.into_iter().map(value).reduce(|a, b| combination.of(a, b));
        numbers(reduced.or(begun.then_some(0)))
    }

    fn compute_pairs(&self, node: &Node, number: u64) -> Vec<Record> {
        use Operator as O;
        let parent = |index: usize| self.batch(node.parents[index], number);
        match node.operator {
            O::MapValues => parent(0).into_iter().map(|(key, x)| (key, map(x, 2))).collect(),
            O::FlatMapValues => {
                let expanded = |(key, x)| expand(x).into_iter().map(move |x| (key, x));
                parent(0).into_iter().flat_map(expanded).collect()
            }
            O::ReduceByKey(combination) => pairs(by_key(&parent(0)), |values| {
                values.iter().copied().reduce(|a, b| combination.of(a, b)).expect("a group has a value")
            }),
            O::GroupByKey | O::CombineByKey => pairs(by_key(&parent(0)), gathered),
            O::Join | O::LeftOuterJoin | O::RightOuterJoin | O::FullOuterJoin => {
                join(node.operator, &parent(0), &parent(1))
            }
            O::Cogroup => {
                let (one, other) = (by_key(&parent(0)), by_key(&parent(1)));
                let keys: BTreeSet<u8> = one.keys().chain(other.keys()).copied().collect();
                let of = |side: &BTreeMap<u8, Vec<i64>>, key: &u8| {
                    Some(gathered(side.get(key).map_or(&[][..], Vec::as_slice)))
                };
                keys.iter().map(|key| (Some(*key), joined(of(&one, key), of(&other, key)))).collect()
            }
            O::ReduceByKeyAndWindow(span, way) => self.reduced(node.parents[0], span, way, number),
            O::GroupByKeyAndWindow(span) => {
                pairs(by_key(&self.window(node.parents[0], span, number)), gathered)
            }
            O::UpdateStateByKey(update, initial) => self.updated(node.parents[0], update, initial, number),
            O::MapWithState { limit, idle, initial, snapshots } => {
                let (mapped, states) = self.tracked(node.parents[0], limit, idle, initial, number);
                if snapshots { states } else { mapped }
            }
            operator => unreachable!("{operator:?} gives {:?}", Kind::Numbers),
        }
    }

    fn updated(&self, parent: usize, update: Update, initial: bool, number: u64) -> Vec<Record> {
        let mut states: BTreeMap<u8, i64> = BTreeMap::new();
        if initial {
            states.extend(INITIAL);
        }
        for (_, records) in self.batches(parent, 1, number) {
            let groups = by_key(&records);
            let keys: BTreeSet<u8> = states.keys().chain(groups.keys()).copied().collect();
            for key in keys {
                let values = groups.get(&key).cloned().unwrap_or_default();
                if let Some(state) = update.of(&values, states.remove(&key)) {
                    states.insert(key, state);
                }
            }
        }
        states.into_iter().map(|(key, state)| (Some(key), state)).collect()
    }

    /// What a batch is mapped to, and the states after it.
    fn tracked(
        &self,
        parent: usize,
        limit: i64,
        idle: Option<u64>,
        initial: bool,
        number: u64,
    ) -> (Vec<Record>, Vec<Record>) {
        // How many records a key has had, and the batch of the last one.
        let mut states: BTreeMap<u8, (i64, u64)> = BTreeMap::new();
        if initial {
            // They are idle from the stream's first batch on.
            let first = self.program.nodes[parent].slide;
            states.extend(INITIAL.map(|(key, count)| (key, (count, first))));
        }
        let mut mapped = Vec::new();
        for (now, records) in self.batches(parent, 1, number) {
            mapped.clear();
            for (key, _) in records {
                let key = key.expect("a pair");
                let count = states.get(&key).map_or(0, |state| state.0) + 1;
                if count >= limit {
                    states.remove(&key);
                    mapped.push((Some(key), 1000 + count));
                } else {
                    states.insert(key, (count, now));
                    mapped.push((Some(key), count));
                }
            }
            states.retain(|key, (count, last)| {
                let stays = idle.is_none_or(|idle| *last + idle >= now);
                if !stays {
                    mapped.push((Some(*key), -*count));
                }
                stays
            });
        }
        (mapped, states.into_iter().map(|(key, (count, _))| (Some(key), count)).collect())
    }
}

fn join(operator: Operator, one: &[Record], other: &[Record]) -> Vec<Record> {
    let has = |side: &[Record], key: Option<u8>| side.iter().any(|record| record.0 == key);
    let mut records = Vec::new();
    for (key, a) in one {
        for (_, b) in other.iter().filter(|record| record.0 == *key) {
            records.push((*key, joined(Some(*a), Some(*b))));
        }
    }
    if matches!(operator, Operator::LeftOuterJoin | Operator::FullOuterJoin) {
        let alone = one.iter().filter(|record| !has(other, record.0));
        records.extend(alone.map(|(key, a)| (*key, joined(Some(*a), None))));
    }
    if matches!(operator, Operator::RightOuterJoin | Operator::FullOuterJoin) {
        let alone = other.iter().filter(|record| !has(one, record.0));
        records.extend(alone.map(|(key, b)| (*key, joined(None, Some(*b)))));
    }
    records
}
