//! The plans that are simpler than a given one, as proptest walks through them.
//!
//! It goes through all ways to make a plan simpler, round after round, until a round finds nothing: then none of its faults can be left out,
//! none of its numbers is greater than it must be by halving, and the input is as short as halving makes it. What is tried depends on what failed
//! and on nothing else, so the same failure shrinks to the same plan.

use super::search::{Last, Search};
use crate::fault::{Bounds, Plan};
use proptest::{
    prelude::Rng as _,
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::TestRunner,
};
use std::vec;

/// Draws plans for proptest, as a seed draws them for a sweep.
#[derive(Clone, Debug)]
pub struct Plans {
    /// What may be drawn.
    pub bounds: Bounds,
    /// How many lines a workload has at most: from there on the input is cut.
    pub lines: u64,
}

impl Strategy for Plans {
    type Tree = PlanTree;
    type Value = Plan;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(PlanTree::new(Plan::draw(runner.rng().next_u64(), &self.bounds), self.lines))
    }
}

/// A plan that fails, and the simpler ones.
#[derive(Clone, Debug)]
pub struct PlanTree {
    /// The simplest that is known to fail.
    simplest: Plan,
    /// What is tried now.
    tried: Plan,
    lines: u64,
    /// What is left of this round, from the one under way on.
    searches: vec::IntoIter<Search>,
    search: Option<Search>,
    /// Whether this round has made anything simpler.
    simpler: bool,
}

impl PlanTree {
    /// The tree of a plan, for a workload of so many lines.
    pub fn new(plan: Plan, lines: u64) -> Self {
        let mut tree = Self {
            simplest: plan.clone(),
            tried: plan,
            lines,
            searches: Vec::new().into_iter(),
            search: None,
            simpler: true,
        };
        tree.begin_round();
        tree
    }

    /// The simplest plan that is known to fail.
    pub fn simplest(&self) -> &Plan {
        &self.simplest
    }

    fn begin_round(&mut self) {
        self.searches = Search::all(&self.simplest, self.lines).to_vec().into_iter();
        self.search = self.searches.next();
        self.simpler = false;
    }

    fn advance(&mut self, mut last: Last) -> bool {
        loop {
            while let Some(search) = &mut self.search {
                if let Some(plan) = search.next(&self.simplest, last) {
                    if plan == self.simplest {
                        last = Last::Taken;
                        continue;
                    }
                    self.tried = plan;
                    return true;
                }
                self.search = self.searches.next();
                last = Last::None;
            }
            if !self.simpler {
                self.tried = self.simplest.clone();
                return false;
            }
            self.begin_round();
        }
    }
}

impl ValueTree for PlanTree {
    type Value = Plan;

    fn current(&self) -> Plan {
        self.tried.clone()
    }

    /// What is current fails: goes on to a simpler one.
    fn simplify(&mut self) -> bool {
        // The first time it is the plan itself.
        if self.tried == self.simplest {
            return self.advance(Last::None);
        }
        self.simplest = self.tried.clone();
        self.simpler = true;
        self.advance(Last::Taken)
    }

    /// What is current passes: goes on to another one that is simpler than what fails.
    fn complicate(&mut self) -> bool {
        self.tried != self.simplest && self.advance(Last::Left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Crash, Fault, FaultKind, Moment, PowerLoss, Reset, Stall, Trigger};
    use crate::world::Life;
    use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng};

    /// Shrinks a plan under which something fails, and says how often it was asked.
    fn shrunk(plan: Plan, lines: u64, fails: impl Fn(&Plan) -> bool) -> (Plan, u64) {
        assert!(fails(&plan));
        let mut tree = PlanTree::new(plan, lines);
        let mut asked = 0;
        let mut more = tree.simplify();
        while more {
            asked += 1;
            more = if fails(&tree.current()) { tree.simplify() } else { tree.complicate() };
        }
        assert_eq!(tree.current(), *tree.simplest());
        assert!(fails(tree.simplest()));
        (tree.simplest, asked)
    }

    fn reset(connection: u32, after_bytes: u64) -> Fault {
        Fault::Reset(Reset { connection, after_bytes })
    }

    fn crash(number: u64, moment: Moment, image_seed: Option<u64>) -> Fault {
        Fault::Crash(Crash {
            restart_after_ms: 700,
            trigger: Trigger::DiskOperation { life: Life(1), number, moment },
            power_loss: image_seed.map(PowerLoss::image),
        })
    }

    #[test]
    fn what_fails_always_fails_without_faults_on_one_line() {
        let (plan, _) = shrunk(Plan::of(vec![reset(1, 9), reset(2, 8)]), 100, |_| true);
        assert_eq!(plan, Plan { lines: Some(1), faults: Vec::new() });
    }

    #[test]
    fn two_faults_that_need_each_other_are_found_among_many() {
        let faults: Vec<Fault> = (1..=30).map(|n| reset(n, 100 * u64::from(n))).collect();
        let needs = |connection| move |fault: &Fault| matches!(fault, Fault::Reset(reset) if reset.connection == connection);
        let fails = |plan: &Plan| plan.faults.iter().any(needs(4)) && plan.faults.iter().any(needs(29));
        let (plan, asked) = shrunk(Plan::of(faults), 1, fails);
        assert_eq!(plan.faults, [reset(4, 0), reset(29, 0)]);
        assert!(asked < 200, "asked {asked} times");
    }

    #[test]
    fn a_fault_that_only_made_a_life_is_left_out_and_the_lives_are_counted_anew() {
        let crash = |life| {
            let trigger = Trigger::Start { life: Life(life) };
            Fault::Crash(Crash { restart_after_ms: 1, trigger, power_loss: None })
        };
        // The last crash does it, whenever the lives before it end; one that is not reached does nothing.
        let fails = |plan: &Plan| {
            let reached = plan.faults.iter().zip(1..).all(|(fault, life)| *fault == crash(life));
            reached && plan.faults.len() >= 2
        };
        let (plan, _) = shrunk(Plan::of((1..=5).map(crash).collect()), 1, fails);
        assert_eq!(plan.faults, [crash(1), crash(2)]);
    }

    #[test]
    fn a_number_stops_where_it_matters() {
        let fails = |plan: &Plan| {
            plan.lines.is_none_or(|lines| lines >= 12)
                && plan
                    .faults
                    .iter()
                    .any(|fault| matches!(fault, Fault::Reset(reset) if reset.after_bytes >= 37))
        };
        let (plan, _) = shrunk(Plan::of(vec![reset(5, 4_000)]), 100, fails);
        assert_eq!(plan, Plan { lines: Some(12), faults: vec![reset(1, 37)] });
    }

    #[test]
    fn a_plan_that_is_as_simple_as_can_be_stays_as_it_is() {
        let plan = Plan { lines: Some(1), faults: vec![reset(1, 0)] };
        assert_eq!(shrunk(plan.clone(), 50, |plan| !plan.faults.is_empty()), (plan, 1));
        assert_eq!(shrunk(Plan::calm(), 1, |_| true), (Plan::calm(), 0));
    }

    #[test]
    fn a_power_loss_keeps_what_matters_of_it() {
        let original = Plan::of(vec![crash(90, Moment::Inside, Some(12_345))]);
        let simplest = |fails: fn(&Crash) -> bool| {
            let of = |fault: &Fault| matches!(fault, Fault::Crash(crash) if fails(crash));
            shrunk(original.clone(), 1, |plan| plan.faults.iter().any(of)).0.faults[0].to_string()
        };
        assert_eq!(simplest(|_| true), "crash before disk operation 1 of life 1, restart after 1 ms");
        let loses = |crash: &Crash| crash.power_loss.is_some();
        assert_eq!(
            simplest(loses),
            "power loss before disk operation 1 of life 1, image 0, restart after 1 ms"
        );
        let keeps = |crash: &Crash| {
            crash.power_loss.as_ref().is_some_and(|image| ![0, 1, 3].contains(&image.image_seed))
        };
        assert!(simplest(keeps).contains("image 2"));
        let torn = |crash: &Crash| crash.trigger.moment() == Moment::Inside;
        assert!(simplest(torn).starts_with("crash inside"));
    }

    #[test]
    fn the_same_failure_shrinks_to_the_same_plan() {
        let fails =
            |plan: &Plan| plan.faults.iter().filter(|fault| fault.kind() == FaultKind::Crash).count() >= 2;
        let seed = (0..).find(|seed| fails(&Plan::draw(*seed, &Bounds::default()))).expect("some seed");
        let once = || shrunk(Plan::draw(seed, &Bounds::default()), 200, fails);
        assert_eq!(once(), once());
        assert_eq!(once().0.faults.len(), 2);
    }

    #[test]
    fn it_shrinks_under_the_runner_of_proptest_too() {
        let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]));
        let plans = Plans { bounds: Bounds::default(), lines: 100 };
        let stalls = |fault: &Fault| matches!(fault, Fault::Stall(Stall { for_ms, .. }) if *for_ms >= 50);
        let failure = runner
            .run(&plans, |plan| {
                proptest::prop_assert!(!plan.faults.iter().any(stalls));
                Ok(())
            })
            .expect_err("some seed stalls for so long");
        let TestError::Fail(_, plan) = failure else { panic!("{failure}") };
        let stall = Fault::Stall(Stall { connection: 1, after_bytes: 0, for_ms: 50 });
        assert_eq!(plan, Plan { lines: Some(1), faults: vec![stall] });
    }
}
