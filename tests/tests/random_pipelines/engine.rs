//! A case in the engine: its pipeline on a simulated machine, over all its lives.

use super::{
    case::{Case, Death, End},
    operator::{
        Combination, Operator, Span, Update, Way, expand, gathered, joined, keeps, key_of, map, number_of,
    },
    program::Program,
    reference::Record,
};
use highwater_core::{
    DStream, Data, Error, Interval, Options, Rdd, State, StateSpec, StreamingContext, env::Env, event::Event,
};
use highwater_sim::{
    fault::PowerLoss,
    simulation::{WorldOptions, run_simulation},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

const INTERVAL_MS: u64 = 1000;

/// What was emitted: by node, by the batch's number.
#[derive(Default)]
pub struct Run {
    emitted: Vec<BTreeMap<u64, Vec<Record>>>,
    zero_ms: u64,
    /// The first batch that was emitted again and was another one.
    differs: Option<String>,
}

impl Run {
    pub fn of(&self, node: usize) -> &BTreeMap<u64, Vec<Record>> {
        &self.emitted[node]
    }
}

type Shared = Arc<Mutex<Run>>;

#[derive(Clone)]
enum Built {
    Numbers(DStream<i64>),
    Pairs(DStream<(u8, i64)>),
}

impl Built {
    fn numbers(&self) -> DStream<i64> {
        match self {
            Built::Numbers(stream) => stream.clone(),
            Built::Pairs(_) => unreachable!("the program chooses streams of the right kind"),
        }
    }

    fn pairs(&self) -> DStream<(u8, i64)> {
        match self {
            Built::Pairs(stream) => stream.clone(),
            Built::Numbers(_) => unreachable!("the program chooses streams of the right kind"),
        }
    }
}

fn observe<T: Data>(
    stream: DStream<T>,
    node: usize,
    run: &Shared,
    record: impl Fn(T) -> Record + Send + Sync + 'static,
) {
    let run = run.clone();
    stream.for_each_batch(move |batch| {
        let mut run = run.lock().unwrap();
        let number = (batch.time().0 - run.zero_ms) / INTERVAL_MS;
        let records: Vec<Record> = batch.records.into_iter().map(&record).collect();
        let before = run.emitted[node].insert(number, records.clone());
        if before.as_ref().is_some_and(|before| *before != records) {
            let differs = format!("node {node}, batch {number}: first {before:?}, then {records:?}");
            run.differs.get_or_insert(differs);
        }
    });
}

fn build(context: &StreamingContext, case: &Case, program: &Program, run: &Shared) {
    let mut built: Vec<Built> = Vec::new();
    for (index, node) in program.nodes.iter().enumerate() {
        let parents: Vec<Built> = node.parents.iter().map(|parent| built[*parent].clone()).collect();
        let stream = match node.operator {
            Operator::Source(source) => {
                let queue = case.inputs[source].clone();
                Built::Numbers(context.queue_stream_partitioned(queue, case.partitions))
            }
            operator => stream(context, operator, &parents),
        };
        if node.observed {
            match stream.clone() {
                Built::Numbers(stream) => observe(stream, index, run, |x| (None, x)),
                Built::Pairs(stream) => observe(stream, index, run, |(key, x)| (Some(key), x)),
            }
        }
        built.push(stream);
    }
}

fn batches(count: u64) -> Interval {
    Interval::from_millis(count * INTERVAL_MS).expect("it is positive")
}

fn of(span: Span) -> (Interval, Interval) {
    (batches(span.window), batches(span.slide))
}

fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

fn take_off(a: i64, b: i64) -> i64 {
    a.wrapping_sub(b)
}

fn stream(context: &StreamingContext, operator: Operator, parents: &[Built]) -> Built {
    use Operator as O;
    let parent = || parents[0].numbers();
    let numbers = match operator {
        O::Map(n) => parent().map(move |x| map(x, n)),
        O::Filter(modulus) => parent().filter(move |x| keeps(*x, modulus)),
        O::FlatMap => parent().flat_map(expand),
        O::MapPartitions => {
            parent().map_partitions(|records| records.into_iter().map(|x| map(x, 1)).collect::<Vec<_>>())
        }
        O::Glom => parent().glom().flat_map(|records| records),
        O::Repartition(count) => parent().repartition(count),
        O::Union => parent().union(parents[1].numbers()),
        O::UnionOfThree => context.union(parents.iter().map(Built::numbers)),
        O::Count => parent().count().map(|count| count as i64),
        O::Reduce(combination) => parent().reduce(move |a, b| combination.of(a, b)),
        O::Distinct => parent().transform(Rdd::distinct),
        O::Subtract => parent().transform_with(parents[1].numbers(), Rdd::subtract),
        O::Intersection => parent().transform_with(parents[1].numbers(), Rdd::intersection),
        O::Window(span) => parent().window(of(span).0, of(span).1),
        O::CountByWindow(span) => parent().count_by_window(of(span).0, of(span).1).map(|count| count as i64),
        O::ReduceByWindow(span, Way::Plain(combination)) => {
            parent().reduce_by_window(move |a, b| combination.of(a, b), of(span).0, of(span).1)
        }
        O::ReduceByWindow(span, Way::Inverse | Way::Filtered) => {
            parent().reduce_by_window_inverse(add, take_off, of(span).0, of(span).1)
        }
        O::Values => parents[0].pairs().map(|(key, x)| number_of(key, x)),
        _ => return Built::Pairs(pairs(operator, parents)),
    };
    Built::Numbers(numbers)
}

fn pairs(operator: Operator, parents: &[Built]) -> DStream<(u8, i64)> {
    use Operator as O;
    let (parent, other) = (|| parents[0].pairs(), || parents[1].pairs());
    match operator {
        O::KeyBy(modulus) => parents[0].numbers().map(move |x| (key_of(x, modulus), x)),
        O::CountByValue => parents[0].numbers().count_by_value().map(|(x, n)| (key_of(x, 7), n as i64)),
        O::CountByValueAndWindow(span) => {
            let counts = parents[0].numbers().count_by_value_and_window(of(span).0, of(span).1);
            counts.map(|(x, n)| (key_of(x, 7), n as i64))
        }
        O::MapValues => parent().map_values(|x| map(x, 2)),
        O::FlatMapValues => parent().flat_map_values(expand),
        O::ReduceByKey(combination) => parent().reduce_by_key(move |a, b| combination.of(a, b)),
        O::GroupByKey => parent().group_by_key().map_values(|values| gathered(&values)),
        O::CombineByKey => {
            parent().combine_by_key(|x| gathered(&[x]), |sum, x| add(sum, gathered(&[x])), add)
        }
        O::Join => parent().join(other()).map_values(|(a, b)| joined(Some(a), Some(b))),
        O::LeftOuterJoin => parent().left_outer_join(other()).map_values(|(a, b)| joined(Some(a), b)),
        O::RightOuterJoin => parent().right_outer_join(other()).map_values(|(a, b)| joined(a, Some(b))),
        O::FullOuterJoin => parent().full_outer_join(other()).map_values(|(a, b)| joined(a, b)),
        O::Cogroup => {
            let number = |(a, b): (Vec<i64>, Vec<i64>)| joined(Some(gathered(&a)), Some(gathered(&b)));
            parent().cogroup(other()).map_values(number)
        }
        O::PairsWindow(span) => parent().window(of(span).0, of(span).1),
        O::ReduceByKeyAndWindow(span, way) => reduce_by_key_and_window(parent(), of(span), way),
        O::GroupByKeyAndWindow(span) => {
            let groups = parent().group_by_key_and_window(of(span).0, of(span).1);
            groups.map_values(|values| gathered(&values))
        }
        O::UpdateStateByKey(update) => update_state_by_key(parent(), update),
        O::MapWithState { limit, idle, snapshots } => map_with_state(parent(), limit, idle, snapshots),
        operator => unreachable!("{operator:?} gives numbers"),
    }
}

fn reduce_by_key_and_window(
    parent: DStream<(u8, i64)>,
    (window, slide): (Interval, Interval),
    way: Way,
) -> DStream<(u8, i64)> {
    match way {
        Way::Plain(combination) => {
            parent.reduce_by_key_and_window(move |a, b| Combination::of(combination, a, b), window, slide)
        }
        Way::Inverse => parent.reduce_by_key_and_window_inverse(add, take_off, window, slide),
        Way::Filtered => {
            parent.reduce_by_key_and_window_inverse_filter(add, take_off, window, slide, |_, x| *x != 0)
        }
    }
}

fn update_state_by_key(parent: DStream<(u8, i64)>, update: Update) -> DStream<(u8, i64)> {
    parent.update_state_by_key(move |values, state| update.of(&values, state))
}

fn map_with_state(
    parent: DStream<(u8, i64)>,
    limit: i64,
    idle: Option<u64>,
    snapshots: bool,
) -> DStream<(u8, i64)> {
    let spec = StateSpec::mapping(move |key: &u8, value: Option<i64>, state: &mut State<i64>| {
        if value.is_none() {
            assert!(state.is_timing_out(), "only then there is no value");
            return (*key, -*state.get());
        }
        let count = state.get_option().copied().unwrap_or(0) + 1;
        if count < limit {
            state.update(count);
            return (*key, count);
        }
        state.remove();
        (*key, 1000 + count)
    });
    let spec = match idle {
        Some(idle) => spec.timeout(batches(idle)),
        None => spec,
    };
    let streams = parent.map_with_state(spec);
    if snapshots { streams.state_snapshots() } else { streams.mapped() }
}

/// One life, until it is told to end, or killed.
async fn live(
    env: Env,
    case: Arc<Case>,
    program: Arc<Program>,
    run: Shared,
    cut: Arc<Notify>,
) -> Result<(), Error> {
    let mut context = StreamingContext::get_or_create(env, "/checkpoint", |env| {
        let mut options = Options::with_batch_interval(batches(1));
        options.checkpoint_interval = Some(batches(case.checkpoint_every));
        options.segment_bytes_max = 4096;
        let context = StreamingContext::new(env, options)?;
        let told = run.clone();
        context.add_listener(move |event: &Event| {
            if let Event::StartedFresh { zero_time, .. } = event {
                told.lock().unwrap().zero_ms = zero_time.0;
            }
        });
        build(&context, &case, &program, &run);
        Ok(context)
    })
    .await?;
    context.start().await?;
    tokio::select! {
        biased;
        () = cut.notified() => context.stop(false).await,
        ended = context.await_termination() => ended,
    }
}

/// What the engine makes of a case up to a batch.
pub fn run(case: &Case, program: &Program, last: u64) -> Result<Run, String> {
    let run = Shared::default();
    run.lock().unwrap().emitted = vec![BTreeMap::new(); program.nodes.len()];
    let (case, program, shared) = (Arc::new(case.clone()), Arc::new(program.clone()), run.clone());
    let lived = run_simulation(WorldOptions::seeded(1), |world| async move {
        let driver = world.add_node("driver");
        let start = |cut: &Arc<Notify>| {
            let (case, program, run, cut) = (case.clone(), program.clone(), shared.clone(), cut.clone());
            driver.start(move |env| live(env, case, program, run, cut))
        };
        for Death { after_ms, end, pause_ms } in &case.deaths {
            let cut = Arc::new(Notify::new());
            let life = start(&cut);
            world.sleep(Duration::from_millis(*after_ms)).await;
            if life.is_finished() {
                return Err(format!("a life ended by itself: {:?}", life.await));
            }
            match end {
                End::Crash => driver.kill(),
                End::PowerLoss(image) => driver.lose_power(PowerLoss::image(*image)),
                End::CutOff => {
                    cut.notify_one();
                    life.await.map_err(|_| "it was killed")?.map_err(|error| error.to_string())?;
                }
            }
            world.sleep(Duration::from_millis(*pause_ms)).await;
        }
        let life = start(&Arc::new(Notify::new()));
        // A first start tells the zero time.
        world.sleep(Duration::from_millis(200)).await;
        let until_ms = shared.lock().unwrap().zero_ms + last * INTERVAL_MS + 500;
        world.sleep(Duration::from_millis(until_ms.saturating_sub(world.wall().0).max(500))).await;
        if life.is_finished() {
            return Err(format!("the last life ended by itself: {:?}", life.await));
        }
        driver.kill();
        Ok(())
    });
    lived.map_err(|panicked| panicked.to_string())??;
    let mut run = std::mem::take(&mut *run.lock().unwrap());
    if let Some(differs) = run.differs {
        return Err(format!("a batch was emitted again and is another one: {differs}"));
    }
    run.emitted.iter_mut().for_each(|batches| batches.retain(|number, _| *number <= last));
    Ok(run)
}
