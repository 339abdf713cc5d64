//! The simulated world keeps the same contract: every case in a world of its own, under several seeds.

use highwater_sim::simulation::{WorldOptions, run_simulation};
use highwater_tests::contract::{World, cases};
use std::sync::Arc;

/// The seeds decide in which order tasks run and how long operations take.
const SEEDS: u64 = 8;

fn run(name: &'static str) {
    for seed in 0..SEEDS {
        let case = cases().into_iter().find(|case| case.name == name).expect("the case is in the list");
        let ran = run_simulation(WorldOptions::seeded(seed), |world| async move {
            let node = world.add_node("node");
            let task = node.start(|env| {
                let root = "/root".into();
                case.run(World { env, root, listen: Arc::new(|| "node:0".to_owned()) })
            });
            task.await.expect("nothing kills the node");
        });
        if let Err(panicked) = ran {
            panic!("seed {seed}: {panicked}");
        }
    }
}

macro_rules! test_each {
    ($($seam:ident { $($claim:ident)* })*) => {
        $(mod $seam {
            $(#[test]
            fn $claim() {
                super::run(concat!(stringify!($seam), "::", stringify!($claim)));
            })*
        })*
    };
}

highwater_tests::for_each_case!(test_each);
