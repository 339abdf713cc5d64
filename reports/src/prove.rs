//! The proof of the durable steps as a table: each step, who objected to its sabotage, and where.

use crate::{
    sweep::table::{finish, new_table},
    text::layout::count,
};
use comfy_table::CellAlignment;
use highwater_sim::{
    prove::{Proof, is_slack},
    sabotage::Sabotage,
};
use serde::Serialize;

/// What became of every step.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Proved {
    /// How many seeds of each scenario a step was given.
    pub seeds_max: u64,
    /// The scenarios.
    pub scenarios: Vec<String>,
    /// How many steps there are to prove.
    pub steps: usize,
    /// Whether somebody pressed Ctrl-C before all of them were: then those that were done are here.
    pub cut_short: bool,
    /// How each step fared.
    pub proofs: Vec<Proof>,
    /// Steps that follow one another in runs, and do not wait for each other: no steps of the engine.
    pub unordered: Vec<Sabotage>,
    /// Creations that met no name that was taken: if nobody objects to their sabotage either, nothing tells them from unconditional ones.
    pub unconditional: Vec<Sabotage>,
}

impl Proved {
    /// Whether a judge objected to the sabotage of each, but for waits that only come earlier than they must, and conditions that
    /// were never met.
    pub fn all_caught(&self) -> bool {
        self.tried().all(|proof| proof.caught.is_some())
    }

    fn tried(&self) -> impl Iterator<Item = &Proof> {
        self.proofs.iter().filter(|proof| !is_slack(proof, &self.proofs) && !self.is_idle(proof))
    }

    /// Whether it takes away a condition that was never met.
    fn is_idle(&self, proof: &Proof) -> bool {
        proof.caught.is_none() && self.unconditional.contains(&proof.step)
    }

    fn idle(&self) -> Vec<Sabotage> {
        self.proofs.iter().filter(|proof| self.is_idle(proof)).map(|proof| proof.step).collect()
    }

    fn slack(&self) -> Vec<Sabotage> {
        self.proofs.iter().filter(|proof| is_slack(proof, &self.proofs)).map(|proof| proof.step).collect()
    }
}

/// The text of a proof.
pub fn render(proved: &Proved) -> String {
    let mut table = new_table(["step sabotaged", "caught by", "scenario", "faults", "seed", "seeds\nneeded"]);
    for column in [1, 2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    for Proof { step, caught, seeds } in proved.tried() {
        let row = match caught {
            Some(caught) => {
                let broken: Vec<String> = caught.broken.iter().map(ToString::to_string).collect();
                let faults = match caught.faults.is_empty() {
                    true => "all".to_owned(),
                    false => caught.faults.join(","),
                };
                let (scenario, seed) = (caught.scenario.clone(), caught.seed.to_string());
                [broken.join(", "), scenario, faults, seed, seeds.to_string()]
            }
            None => ["NOBODY", ".", ".", ".", &format!("> {seeds}")].map(str::to_owned),
        };
        table.add_row([vec![step.to_string()], row.to_vec()].concat());
    }
    let mut text = finish(&table);
    text.push_str("\n\n");
    let slack = proved.slack();
    set_aside(
        &mut text,
        "slack: the sync is needed, but not yet at the second step; nobody objects if it is late",
        &slack,
    );
    set_aside(&mut text, "no ordering, the second does not wait for the first", &proved.unordered);
    set_aside(&mut text, "unconditional, the name was never taken", &proved.idle());
    text.push_str(&summary(proved));
    text
}

fn set_aside(text: &mut String, why: &str, steps: &[Sabotage]) {
    if !steps.is_empty() {
        let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
        text.push_str(&format!("set aside ({why}):\n  {}\n\n", names.join("\n  ")));
    }
}

fn summary(proved: &Proved) -> String {
    let mut needed: Vec<u64> =
        proved.tried().filter(|proof| proof.caught.is_some()).map(|proof| proof.seeds).collect();
    needed.sort_unstable();
    let mut text = String::new();
    if proved.cut_short {
        text.push_str(&format!(
            "cut short by Ctrl-C: {} of {}\n",
            proved.proofs.len(),
            count(proved.steps as u64, "step")
        ));
    }
    text.push_str(&format!("{} of {} caught", needed.len(), count(proved.tried().count() as u64, "step")));
    // The lower one of two, as everywhere in reports.
    let middle = needed.len().saturating_sub(1) / 2;
    if let (Some(median), Some(worst)) = (needed.get(middle), needed.last()) {
        text.push_str(&format!("; seeds of each scenario needed: median {median}, most {worst}"));
    }
    text.push('\n');
    let example = proved.proofs.iter().find_map(|proof| Some((proof.step, proof.caught.as_ref()?)));
    if let Some((step, caught)) = example {
        let faults = match caught.faults.is_empty() {
            true => String::new(),
            false => format!(" --faults {}", caught.faults.join(",")),
        };
        text.push_str(&format!(
            "a row again: highwater replay {} --seed {}{faults} --sabotage {step}\n",
            caught.scenario, caught.seed
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_sim::{judge::Invariant, prove::Caught};

    fn proof(step: &str, seeds: u64, caught: bool) -> Proof {
        let broken = vec![Invariant::I1, Invariant::I11];
        let caught = caught.then(|| Caught {
            scenario: "word-count".into(),
            seed: seeds - 1,
            faults: vec!["power-loss"],
            broken,
        });
        Proof { step: step.parse().expect("it is one"), caught, seeds }
    }

    #[test]
    fn a_step_that_nobody_caught_stands_out_and_counts() {
        let mut proved = Proved {
            proofs: vec![
                proof("overwrite:generation", 1, true),
                proof("overwrite:state", 50, false),
                proof("skip:sync:state", 3, true),
                proof("skip:sync:generation", 50, false),
            ],
            unconditional: ["overwrite:generation", "overwrite:state"]
                .map(|name| name.parse().expect("it is one"))
                .to_vec(),
            ..Proved::default()
        };
        let text = render(&proved);
        assert!(text.contains("skip:sync:state") && text.contains("I1, I11"), "{text}");
        let row = text.lines().find(|line| line.starts_with("skip:sync:generation")).expect("a row");
        assert!(row.contains("NOBODY") && row.ends_with("> 50"), "{text}");
        assert!(text.contains("name was never taken):\n  overwrite:state\n\n"), "{text}");
        assert!(
            text.contains("2 of 3 steps caught; seeds of each scenario needed: median 1, most 3"),
            "{text}"
        );
        assert!(
            text.ends_with(
                "highwater replay word-count --seed 0 --faults power-loss --sabotage overwrite:generation\n"
            ),
            "{text}"
        );
        assert!(!proved.all_caught() && !text.contains("cut short"), "{text}");
        (proved.steps, proved.cut_short) = (60, true);
        assert!(
            render(&proved).contains("\ncut short by Ctrl-C: 4 of 60 steps\n2 of 3 "),
            "{}",
            render(&proved)
        );
        proved.proofs.pop();
        assert!(proved.all_caught());
        proved.proofs.push(proof("late:sync:state:sync-dir:state", 50, false));
        assert!(proved.all_caught(), "the sync is needed, if not so early");
        let text = render(&proved);
        assert!(
            text.contains("2 of 2 steps caught") && text.contains("late:sync:state:sync-dir:state\n"),
            "{text}"
        );
    }
}
