//! The exploration under way: it begins some points at once, looks at some of their images at once, tells them apart in order, and lives through
//! the new ones.

use super::{
    Calm, Counts, Depth, Exploration, ExploreOptions, Failure, images,
    points::{Point, Root, first_batch_done},
    spread::Spread,
};
use crate::{
    disk::AtRisk,
    fault::{Fault, Kept, Plan},
    judge::Verdict,
    parallel,
    run::{Evidence, Found, RunOptions, judged, simulate, simulate_until},
    scenario::Scenario,
    source::Script,
    world::Life,
};
use std::{collections::BTreeSet, iter, ops::ControlFlow};

/// Of so many points it is found out at once what is at risk.
const POINTS_AT_ONCE: usize = 16;
/// So many images are looked at before the new ones among them are lived through.
const IMAGES_AT_ONCE: usize = 64;
/// Of so many runs that broke an invariant the plans are kept; the others are counted.
const FAILURES_KEPT: usize = 20;

pub(super) struct Explorer<'a> {
    scenario: &'a Scenario,
    script: Script,
    options: &'a ExploreOptions,
    run_options: RunOptions,
    reference: Evidence,
    /// What lives were found to find.
    seen: BTreeSet<u64>,
    runs: u64,
    /// What was explored so far.
    pub told: Exploration,
}

/// An image of a point, as the next life finds it.
#[derive(Clone)]
struct Image {
    faults: Vec<Fault>,
    /// `None` if no next life finds it, which a run has to tell about.
    key: Option<u64>,
}

/// A point, with what is known of it before any image is chosen.
struct Begun {
    /// What a crash of the process leaves, and a power loss of which nothing survives.
    plain: [Image; 2],
    at_risk: AtRisk,
    /// Whether the images within the bound are all that there are.
    complete: bool,
}

/// What is left to do at a point.
enum Left {
    /// To tell an image apart that was looked at.
    Known(Image),
    /// To look at the image of these faults.
    Unknown(Vec<Fault>),
    /// To count the point.
    Point { bounded: bool },
}

/// A run that was judged.
struct Lived {
    verdicts: Vec<Verdict>,
    missed: bool,
    root: Option<Root>,
}

impl<'a> Explorer<'a> {
    /// Lives through the run without a crash, which is where the crashes come.
    pub fn new(scenario: &'a Scenario, options: &'a ExploreOptions) -> Result<(Self, Root), String> {
        let mut script = scenario.workload(options.seed);
        if let Some(lines) = options.lines {
            script.cut(lines);
        }
        let calm = Plan { lines: options.lines, faults: Vec::new() };
        let run_options = RunOptions {
            plan: Some(calm.clone()),
            sabotage: options.sabotage.clone(),
            record_steps: true,
            ..RunOptions::seeded(options.seed)
        };
        let simulated = simulate(scenario, &script, &calm, &run_options);
        let run = judged(scenario, &script, &run_options, calm, simulated.clone(), None);
        let broken = broken(&run.report.verdicts);
        let reference = match simulated {
            Ok((reference, _)) if broken.is_empty() => reference,
            _ => return Err(format!("the run without a crash goes wrong already: {}", broken.join("; "))),
        };
        let root = Root::new(Vec::new(), Life::FIRST, &reference, reference.ended_at);
        let told = Exploration {
            scenario: scenario.argument().to_owned(),
            seed: options.seed,
            sabotage: options.sabotage.iter().map(|sabotage| sabotage.to_string()).collect(),
            images_max: options.images_max,
            calm: Calm::of(&reference),
            depths: Vec::new(),
            cut_short: false,
            violations: 0,
            failures: Vec::new(),
        };
        let explorer =
            Self { scenario, script, options, run_options, reference, seen: BTreeSet::new(), runs: 0, told };
        Ok((explorer, root))
    }

    /// Crashes each root at each of its points. Gives the roots of the next depth, unless this is the last.
    pub fn explore(
        &mut self,
        depth: u32,
        roots: &[Root],
        last: bool,
        keep_going: &(impl Fn() -> bool + Sync),
        each: &mut impl FnMut(&Exploration),
    ) -> ControlFlow<(), Vec<Root>> {
        // The number of the first point of each root.
        let mut points_total = 0;
        let firsts: Vec<u64> = roots
            .iter()
            .map(|root| {
                let first = points_total;
                points_total += root.points();
                first
            })
            .collect();
        self.told.depths.push(Depth { depth, points_total, ..Depth::default() });
        let mut next_roots = Vec::new();
        let mut order = Spread::over(points_total);
        loop {
            let numbers: Vec<u64> = order.by_ref().take(POINTS_AT_ONCE).collect();
            if numbers.is_empty() {
                return ControlFlow::Continue(next_roots);
            }
            let points: Vec<Point<'_>> = numbers
                .iter()
                .map(|number| {
                    let root = firsts.partition_point(|first| first <= number) - 1;
                    roots[root].point(number - firsts[root])
                })
                .collect();
            let begun =
                parallel::map(self.options.jobs, &points, |point| keep_going().then(|| self.begin(point)));
            let Some(begun) = begun.into_iter().collect::<Option<Vec<Begun>>>() else {
                return ControlFlow::Break(());
            };
            let images_max = self.options.images_max;
            let mut left = points
                .iter()
                .zip(&begun)
                .flat_map(|(point, begun)| of_point(point, begun, images_max, keep_going));
            loop {
                if self.runs >= self.options.runs_max {
                    return ControlFlow::Break(());
                }
                let some: Vec<(&Point<'_>, Left)> = left.by_ref().take(IMAGES_AT_ONCE).collect();
                if some.is_empty() {
                    break;
                }
                self.explore_some(some, last, keep_going, &mut next_roots)?;
                each(&self.told);
            }
        }
    }

    /// Looks at images, tells them apart, and lives through the new ones.
    fn explore_some(
        &mut self,
        some: Vec<(&Point<'_>, Left)>,
        last: bool,
        keep_going: &(impl Fn() -> bool + Sync),
        next_roots: &mut Vec<Root>,
    ) -> ControlFlow<()> {
        let looked = parallel::map(self.options.jobs, &some, |(point, left)| match left {
            Left::Known(image) => Some(Some(image.clone())),
            Left::Unknown(faults) => keep_going().then(|| Some(self.image(point, faults.clone()).0)),
            Left::Point { .. } => Some(None),
        });
        let Some(looked) = looked.into_iter().collect::<Option<Vec<Option<Image>>>>() else {
            return ControlFlow::Break(());
        };
        let mut is_new = |image: &Image| image.key.is_none_or(|key| self.seen.insert(key));
        let told_apart: Vec<Option<(Image, bool)>> = looked
            .into_iter()
            .map(|image| {
                let image = image?;
                let new = is_new(&image);
                Some((image, new))
            })
            .collect();
        let with_points = some.iter().map(|(point, _)| *point).zip(&told_apart);
        let new: Vec<(&Point<'_>, &Image)> = with_points
            .filter_map(|(point, told_apart)| match told_apart {
                Some((image, true)) => Some((point, image)),
                _ => None,
            })
            .collect();
        let mut lived = parallel::map(self.options.jobs, &new, |(point, image)| {
            keep_going().then(|| self.live(&image.faults, point.root.life.next(), last))
        })
        .into_iter();
        let mut whole = true;
        for ((point, left), told_apart) in some.iter().zip(&told_apart) {
            let name = point.made.operation.to_string();
            match (told_apart, left) {
                (Some((_, false)), _) => {
                    self.count(&name, Counts { images: 1, deduplicated: 1, ..Counts::default() });
                }
                (Some((image, true)), _) => match lived.next().flatten() {
                    Some(lived) => next_roots.extend(self.tell(&name, image, lived)),
                    None => whole = false,
                },
                (None, Left::Point { bounded }) if whole => {
                    self.count(
                        &name,
                        Counts { points: 1, bounded: u64::from(*bounded), ..Counts::default() },
                    );
                }
                (None, _) => {}
            }
        }
        if whole { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Takes note of a run that was judged. The root of the next depth that it is, if it is one.
    fn tell(&mut self, operation: &str, image: &Image, lived: Lived) -> Option<Root> {
        self.runs += 1;
        let broken = broken(&lived.verdicts);
        let violations = u64::from(!broken.is_empty());
        let missed = u64::from(lived.missed);
        self.count(operation, Counts { images: 1, runs: 1, missed, violations, ..Counts::default() });
        self.told.violations += violations;
        if !broken.is_empty() && self.told.failures.len() < FAILURES_KEPT {
            self.told.failures.push(Failure { plan: self.plan(&image.faults), broken });
        }
        lived.root
    }

    fn count(&mut self, operation: &str, counts: Counts) {
        let depth = self.told.depths.last_mut().expect("a depth is under way");
        depth.counts.add(counts);
        depth.operations.entry(operation.to_owned()).or_default().add(counts);
    }

    fn plan(&self, faults: &[Fault]) -> Plan {
        Plan { lines: self.options.lines, faults: faults.to_vec() }
    }

    /// What faults leave for the life after the point, and all that it finds; that is `None` if there is no such life.
    fn image(&self, point: &Point<'_>, faults: Vec<Fault>) -> (Image, Option<Found>) {
        let (life, plan) = (point.root.life.next(), self.plan(&faults));
        // A panic is for the run to tell.
        let found =
            simulate_until(life, self.scenario, &self.script, &plan, &self.run_options).ok().flatten();
        (Image { key: found.as_ref().map(|found| found.key), faults }, found)
    }

    /// Looks at the plain images of a point, and at what is at risk there.
    fn begin(&self, point: &Point<'_>) -> Begun {
        let (crash, _) = self.image(point, point.crash());
        let (nothing, found) = self.image(point, point.power_loss(Kept::default()));
        let at_risk = found.and_then(|mut found| found.at_risk.pop()).unwrap_or_default();
        let complete = images::is_complete(&at_risk, self.options.images_max);
        Begun { plain: [crash, nothing], at_risk, complete }
    }

    /// Lives through a run; `life` is the one after its last crash.
    fn live(&self, faults: &[Fault], life: Life, last: bool) -> Lived {
        let plan = self.plan(faults);
        let run_options =
            RunOptions { plan: Some(plan.clone()), record_steps: !last, ..self.run_options.clone() };
        let simulated = simulate(self.scenario, &self.script, &plan, &run_options);
        let root = match &simulated {
            Ok((evidence, _)) if !last => {
                Some(Root::new(faults.to_vec(), life, evidence, first_batch_done(evidence, life)))
            }
            _ => None,
        };
        let reference = Some(&self.reference);
        let report = judged(self.scenario, &self.script, &run_options, plan, simulated, reference).report;
        let missed = report.plan.iter().any(|outcome| outcome.firing.is_none());
        Lived { root: root.filter(|_| report.held()), verdicts: report.verdicts, missed }
    }
}

/// What there is to do at a point, in order: its images, the plain ones first, then the point itself.
fn of_point<'a>(
    point: &'a Point<'a>,
    begun: &'a Begun,
    images_max: usize,
    keep_going: &'a impl Fn() -> bool,
) -> impl Iterator<Item = (&'a Point<'a>, Left)> {
    let plain = begun.plain.iter().cloned().map(Left::Known);
    // The first one is that nothing survives.
    let others = images::images(&begun.at_risk, images_max, keep_going).skip(1);
    let others = others.map(|kept| Left::Unknown(point.power_loss(kept)));
    // Whoever is stopped in between has not tried all of them.
    let end = iter::once_with(|| keep_going().then_some(Left::Point { bounded: !begun.complete })).flatten();
    plain.chain(others).chain(end).map(move |left| (point, left))
}

/// What the judges objected to, a line each.
fn broken(verdicts: &[Verdict]) -> Vec<String> {
    let lines = |verdict: &Verdict| {
        let (invariant, name) = (verdict.invariant, verdict.invariant.name());
        verdict.violations.iter().map(|broken| format!("{invariant} {name}: {broken}")).collect::<Vec<_>>()
    };
    verdicts.iter().flat_map(lines).collect()
}
