//! The operators that random pipelines are made of, and the functions that a pipeline's author would write for them.
//!
//! All streams are of numbers, or of pairs of a small key and a number, so that any operator fits behind many. What a function makes
//! of several records does not depend on their order, which behind a shuffle is the engine's own.

use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Numbers,
    Pairs,
}

#[derive(Clone, Copy, Debug)]
pub enum Combination {
    Sum,
    Max,
}

impl Combination {
    pub fn of(self, a: i64, b: i64) -> i64 {
        match self {
            Combination::Sum => a.wrapping_add(b),
            Combination::Max => a.max(b),
        }
    }
}

/// A window's length and slide, in slides of its parent.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub window: u64,
    pub slide: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum Way {
    Plain(Combination),
    /// Sums, with an inverse.
    Inverse,
    /// The same, without those that are zero.
    Filtered,
}

#[derive(Clone, Copy, Debug)]
pub enum Update {
    Sum,
    /// Forgets a key without values.
    ForgetIdle,
    /// Forgets a key whose sum is above a bound.
    ForgetLarge,
    CountCalls,
}

impl Update {
    pub fn of(self, values: &[i64], state: Option<i64>) -> Option<i64> {
        let sum = values.iter().fold(state.unwrap_or(0), |sum, value| sum.wrapping_add(*value));
        match self {
            Update::Sum => Some(sum),
            Update::ForgetIdle => (!values.is_empty()).then_some(sum),
            Update::ForgetLarge => (sum <= 12).then_some(sum),
            Update::CountCalls => Some(state.unwrap_or(0) + 1),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Operator {
    Source(usize),
    // Numbers to numbers.
    Map(i64),
    Filter(i64),
    FlatMap,
    MapPartitions,
    Glom,
    Repartition(usize),
    Union,
    UnionOfThree,
    Count,
    Reduce(Combination),
    Distinct,
    Subtract,
    Intersection,
    Window(Span),
    CountByWindow(Span),
    ReduceByWindow(Span, Way),
    // Numbers to pairs.
    KeyBy(i64),
    CountByValue,
    CountByValueAndWindow(Span),
    // Pairs to pairs.
    MapValues,
    FlatMapValues,
    ReduceByKey(Combination),
    GroupByKey,
    CombineByKey,
    Join,
    LeftOuterJoin,
    RightOuterJoin,
    FullOuterJoin,
    Cogroup,
    PairsWindow(Span),
    ReduceByKeyAndWindow(Span, Way),
    GroupByKeyAndWindow(Span),
    UpdateStateByKey(Update),
    /// Counts each key's records; forgets it at `limit`, or after so many intervals without one. Maps, or snapshots.
    MapWithState {
        limit: i64,
        idle: Option<u64>,
        snapshots: bool,
    },
    // Pairs to numbers.
    Values,
}

impl Operator {
    /// What it reads and what it gives.
    pub fn kinds(&self) -> (Kind, Kind) {
        use Kind::{Numbers, Pairs};
        use Operator as O;
        match self {
            O::KeyBy(_) | O::CountByValue | O::CountByValueAndWindow(_) => (Numbers, Pairs),
            O::Values => (Pairs, Numbers),
            O::MapValues
            | O::FlatMapValues
            | O::ReduceByKey(_)
            | O::GroupByKey
            | O::CombineByKey
            | O::Join
            | O::LeftOuterJoin
            | O::RightOuterJoin
            | O::FullOuterJoin
            | O::Cogroup
            | O::PairsWindow(_)
            | O::ReduceByKeyAndWindow(..)
            | O::GroupByKeyAndWindow(_)
            | O::UpdateStateByKey(_)
            | O::MapWithState { .. } => (Pairs, Pairs),
            _ => (Numbers, Numbers),
        }
    }

    pub fn parents(&self) -> usize {
        use Operator as O;
        match self {
            O::Source(_) => 0,
            O::UnionOfThree => 3,
            O::Union
            | O::Subtract
            | O::Intersection
            | O::Join
            | O::LeftOuterJoin
            | O::RightOuterJoin
            | O::FullOuterJoin
            | O::Cogroup => 2,
            _ => 1,
        }
    }

    pub fn span(&mut self) -> Option<&mut Span> {
        use Operator as O;
        match self {
            O::Window(span)
            | O::CountByWindow(span)
            | O::ReduceByWindow(span, _)
            | O::CountByValueAndWindow(span)
            | O::PairsWindow(span)
            | O::ReduceByKeyAndWindow(span, _)
            | O::GroupByKeyAndWindow(span) => Some(span),
            _ => None,
        }
    }

    /// Its name without its parameters.
    pub fn name(&self) -> String {
        format!("{self:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()
    }
}

pub fn operators() -> impl Strategy<Value = Operator> {
    use Operator as O;
    let combination = || prop_oneof![Just(Combination::Sum), Just(Combination::Max)];
    let span = || (1..=4_u64, 1..=3_u64).prop_map(|(window, slide)| Span { window, slide });
    let way = || prop_oneof![combination().prop_map(Way::Plain), Just(Way::Inverse), Just(Way::Filtered)];
    let update = prop_oneof![
        Just(Update::Sum),
        Just(Update::ForgetIdle),
        Just(Update::ForgetLarge),
        Just(Update::CountCalls)
    ];
    let tracking = (2..6_i64, proptest::option::of(1..5_u64), any::<bool>())
        .prop_map(|(limit, idle, snapshots)| O::MapWithState { limit, idle, snapshots });
    let numbers = prop_oneof![
        (-3..4_i64).prop_map(O::Map),
        (2..5_i64).prop_map(O::Filter),
        Just(O::FlatMap),
        Just(O::MapPartitions),
        Just(O::Glom),
        (1..5_usize).prop_map(O::Repartition),
        Just(O::Union),
        Just(O::UnionOfThree),
        Just(O::Count),
        combination().prop_map(O::Reduce),
        Just(O::Distinct),
        Just(O::Subtract),
        Just(O::Intersection),
        span().prop_map(O::Window),
        span().prop_map(O::CountByWindow),
        (span(), way()).prop_map(|(span, way)| O::ReduceByWindow(span, way)),
        Just(O::CountByValue),
        span().prop_map(O::CountByValueAndWindow),
    ];
    let pairs = prop_oneof![
        1 => Just(O::MapValues),
        1 => Just(O::FlatMapValues),
        1 => combination().prop_map(O::ReduceByKey),
        1 => Just(O::GroupByKey),
        1 => Just(O::CombineByKey),
        1 => Just(O::Join),
        1 => Just(O::LeftOuterJoin),
        1 => Just(O::RightOuterJoin),
        1 => Just(O::FullOuterJoin),
        1 => Just(O::Cogroup),
        1 => span().prop_map(O::PairsWindow),
        3 => (span(), way()).prop_map(|(span, way)| O::ReduceByKeyAndWindow(span, way)),
        1 => span().prop_map(O::GroupByKeyAndWindow),
        2 => update.prop_map(O::UpdateStateByKey),
        3 => tracking,
        1 => Just(O::Values),
    ];
    prop_oneof![6 => numbers, 2 => (1..6_i64).prop_map(O::KeyBy), 5 => pairs]
}

pub fn map(x: i64, n: i64) -> i64 {
    x.wrapping_mul(3).wrapping_add(n)
}

pub fn keeps(x: i64, modulus: i64) -> bool {
    x.rem_euclid(modulus) != 0
}

pub fn expand(x: i64) -> Vec<i64> {
    (0..x.rem_euclid(3)).map(|i| x.wrapping_add(i)).collect()
}

pub fn key_of(x: i64, modulus: i64) -> u8 {
    u8::try_from(x.rem_euclid(modulus)).expect("the modulus is small")
}

pub fn number_of(key: u8, value: i64) -> i64 {
    value.wrapping_mul(10).wrapping_add(key.into())
}

/// One number of several, whatever their order.
pub fn gathered(values: &[i64]) -> i64 {
    values.iter().fold(1000 * values.len() as i64, |sum, value| sum.wrapping_add(*value))
}

/// One number of two.
pub fn joined(a: Option<i64>, b: Option<i64>) -> i64 {
    a.unwrap_or(-7).wrapping_mul(31).wrapping_add(b.unwrap_or(-5))
}
