//! A saved run that was judged again: whether it is the same run, and which verdicts are others now.
//!
//! A report holds what makes its run again: scenario, seed, plan, options. So it is lived through once more, and the judges of today judge
//! that. Whether it *is* the saved run, the hashes tell: of everything at the seams. If they differ, the engine or the world behaves
//! otherwise, and the verdicts are of another run with the same faults; that is said first.

use crate::text::layout::Page;
use highwater_sim::{
    judge::{Invariant, Verdict},
    run::RunReport,
};
use serde::Serialize;

/// A saved run that was judged again.
#[derive(Clone, Debug, Serialize)]
pub struct Recheck {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Whether what happened at the seams is what happened then.
    pub same_run: bool,
    /// The hash that was saved.
    pub hash_saved: String,
    /// The hash of the run now.
    pub hash_now: String,
    /// Every invariant that was judged then or now.
    pub verdicts: Vec<Rejudged>,
}

/// An invariant, then and now.
#[derive(Clone, Debug, Serialize)]
pub struct Rejudged {
    /// The invariant.
    pub invariant: Invariant,
    /// What was objected then; `None` if nobody judged it.
    pub then: Option<Vec<String>>,
    /// What is objected now; `None` if nobody judges it.
    pub now: Option<Vec<String>>,
}

impl Rejudged {
    /// Whether it holds now if it held then, and the other way round.
    pub fn is_other(&self) -> bool {
        self.then.as_ref().map(Vec::is_empty) != self.now.as_ref().map(Vec::is_empty)
    }
}

impl Recheck {
    /// Holds the two against each other.
    pub fn of(saved: &RunReport, again: &RunReport) -> Self {
        let objected = |report: &RunReport, invariant| {
            let judged = report.verdicts.iter().find(|verdict: &&Verdict| verdict.invariant == invariant);
            judged.map(|verdict| verdict.violations.clone())
        };
        let verdicts = Invariant::all().map(|invariant| Rejudged {
            invariant,
            then: objected(saved, invariant),
            now: objected(again, invariant),
        });
        Self {
            scenario: saved.scenario.clone(),
            seed: saved.seed,
            same_run: saved.hash == again.hash,
            hash_saved: saved.hash.clone(),
            hash_now: again.hash.clone(),
            verdicts: verdicts.filter(|it| it.then.is_some() || it.now.is_some()).collect(),
        }
    }

    /// In words.
    pub fn render(&self) -> String {
        let mut page = Page::default();
        page.line("saved  ", &format!("{}, seed {}", self.scenario, self.seed));
        page.line(
            "again  ",
            &match self.same_run {
                true => format!("the same run: everything at the seams is as it was ({})", self.hash_now),
                false => format!(
                    "ANOTHER run: {} then, {} now; the engine or the world behaves otherwise, so what follows is of the \
                     same faults and not of what was saved",
                    self.hash_saved, self.hash_now
                ),
            },
        );
        let others = self.verdicts.iter().filter(|it| it.is_other()).count();
        page.section("VERDICTS", &format!("{others} of {} are others than then", self.verdicts.len()));
        for rejudged in &self.verdicts {
            let word = |objections: &Option<Vec<String>>| match objections.as_deref() {
                None => "not judged",
                Some([]) => "held",
                Some(_) => "BROKEN",
            };
            let change = match rejudged.is_other() {
                true => format!("{} then, {} now", word(&rejudged.then), word(&rejudged.now)),
                false => word(&rejudged.now).to_owned(),
            };
            page.line(
                &format!("  {:<4} {:<20}  ", rejudged.invariant.to_string(), rejudged.invariant.name()),
                &change,
            );
            for objection in rejudged.now.iter().flatten() {
                page.line("         - ", objection);
            }
        }
        page.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(hash: &str, violations: &[&str]) -> RunReport {
        let violations = violations.iter().map(|text| (*text).to_owned()).collect();
        RunReport {
            scenario: "word-count".into(),
            hash: hash.into(),
            verdicts: vec![Verdict { invariant: Invariant::I1, seen: String::new(), violations }],
            ..RunReport::default()
        }
    }

    #[test]
    fn a_judge_that_changed_its_mind_stands_out() {
        let text = Recheck::of(&report("a", &[]), &report("a", &["line 9 is lost"])).render();
        assert!(text.contains("the same run"), "{text}");
        assert!(text.contains("1 of 1 are others than then"), "{text}");
        assert!(text.contains("held then, BROKEN now\n         - line 9 is lost\n"), "{text}");
        let same = Recheck::of(&report("a", &["x"]), &report("a", &["y"])).render();
        assert!(same.contains("0 of 1 are others") && same.contains("  BROKEN\n         - y\n"), "{same}");
    }

    #[test]
    fn another_run_is_said_to_be_another() {
        let text = Recheck::of(&report("a", &[]), &report("b", &[])).render();
        assert!(text.contains("ANOTHER run: a then, b now"), "{text}");
    }

    #[test]
    fn a_judge_that_is_new_has_nothing_to_be_held_against() {
        let mut saved = report("a", &[]);
        saved.verdicts.clear();
        let text = Recheck::of(&saved, &report("a", &[])).render();
        assert!(text.contains("not judged then, held now"), "{text}");
    }
}
