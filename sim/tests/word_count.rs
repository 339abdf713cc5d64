//! A first sweep, of a pipeline made here.
use highwater_core::Text;
use highwater_sim::{
    run::{RunOptions, run},
    scenario::{Scenario, simulated_options},
    source::Mode,
};
use std::{collections::BTreeMap, sync::Arc};

fn scenario(mode: Mode, state: bool) -> Scenario {
    let render = |counts: &BTreeMap<String, u64>| format!("{counts:?}\n");
    Scenario {
        name: "word-count".into(),
        about: String::new(),
        mode,
        build: Arc::new(move |lines, output| {
            let pairs = lines.flat_map(Text::into_words).map(|word| (word, 1u64));
            let counts = if state {
                pairs.update_state_by_key(|values, total| {
                    Some(total.unwrap_or(0) + values.iter().sum::<u64>())
                })
            } else {
                pairs.reduce_by_key(|a, b| a + b)
            };
            counts.write_text(output, move |batch| {
                render(&batch.records.iter().map(|(word, n)| (word.to_string(), *n)).collect())
            });
        }),
        model: Arc::new(move |batches| {
            let mut counts = BTreeMap::new();
            batches
                .iter()
                .map(|(_, lines)| {
                    if !state {
                        counts.clear();
                    }
                    for word in lines.iter().flat_map(|line| line.split_whitespace()) {
                        *counts.entry(word.to_string()).or_insert(0) += 1;
                    }
                    render(&counts)
                })
                .collect()
        }),
        outcome: Arc::new(|_| Vec::new()),
        options: simulated_options(),
        corpus: Arc::new((0..1000).map(|n| format!("line {n} of the corpus, word{}", n % 7)).collect()),
    }
}

#[test]
fn sweep() {
    let started = std::time::Instant::now();
    let mut totals = (0, 0, 0);
    let n: u64 = std::env::var("N").ok().map_or(20, |n| n.parse().unwrap());
    let from: u64 = std::env::var("FROM").ok().map_or(0, |n| n.parse().unwrap());
    for (mode, state) in [(Mode::Resume, false), (Mode::Tcp, false), (Mode::Resume, true), (Mode::Tcp, true)]
    {
        let scenario = scenario(mode, state);
        for seed in from..from + n {
            let run = run(&scenario, &RunOptions::seeded(seed));
            totals.0 += run.report.totals.crashes;
            totals.1 += run.report.totals.missed;
            totals.2 += run.report.totals.virtual_nanos;
            if !run.report.held() {
                println!("{mode:?} {state} seed {seed}");
                for outcome in &run.report.plan {
                    println!("   {outcome}");
                }
                for v in run.report.verdicts.iter().filter(|v| !v.violations.is_empty()) {
                    println!("   {} {:#?}", v.invariant, v.violations);
                }
                if std::env::var("T").is_ok() {
                    for t in &run.report.timeline {
                        println!("  {} L{} {:?}", t.at, t.life, t.happening);
                    }
                }
            }
        }
    }
    println!("{totals:?} {:?}", started.elapsed());
}

#[test]
fn sabotage() {
    use highwater_sim::sabotage::Sabotage;
    for sabotage in Sabotage::ALL {
        for (mode, state) in [(Mode::Resume, false), (Mode::Tcp, true)] {
            let scenario = scenario(mode, state);
            let n: u64 = std::env::var("N").ok().map_or(200, |n| n.parse().unwrap());
            let mut first = std::collections::BTreeMap::new();
            for seed in 0..n {
                let mut options = RunOptions::seeded(seed);
                options.sabotage.insert(sabotage);
                let run = run(&scenario, &options);
                for v in run.report.verdicts.iter().filter(|v| !v.violations.is_empty()) {
                    first.entry(v.invariant).or_insert((seed, 0, v.violations[0].clone())).1 += 1;
                }
            }
            println!("{sabotage} {mode:?} {state}");
            for (i, (seed, n, what)) in first {
                println!("    {i} seed {seed} x{n}: {what:.150}");
            }
        }
    }
}

#[test]
fn space() {
    for sab in [false, true] {
        for (mode, state) in [(Mode::Resume, false), (Mode::Tcp, true)] {
            let scenario = scenario(mode, state);
            let mut by = std::collections::BTreeMap::new();
            for seed in 0..400 {
                let mut o = RunOptions::seeded(seed);
                if sab {
                    o.sabotage.insert(highwater_sim::sabotage::Sabotage::RemoveDoesNothing);
                }
                let run = run(&scenario, &o);
                let seen = &run
                    .report
                    .verdicts
                    .iter()
                    .find(|v| v.invariant == highwater_sim::judge::Invariant::I9)
                    .unwrap()
                    .seen;
                let n: Vec<u64> = seen.split(' ').filter_map(|w| w.parse().ok()).collect();
                let e = by.entry(run.report.totals.lives).or_insert((0, 0, 0u64));
                e.0 = e.0.max(n[0]);
                e.1 = e.1.max(n[1]);
                e.2 = e.2.max(scenario.workload(seed).bytes() / 1024);
            }
            println!("{sab} {mode:?} {state} {by:?}");
        }
    }
}
