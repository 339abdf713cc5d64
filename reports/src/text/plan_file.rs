//! The plan as the file that `--plan FILE` reads, where the plan was given: no seed draws it again.

use super::layout::Page;
use highwater_sim::run::RunReport;
use toml::{Table, ser::Error};

pub(super) fn write(page: &mut Page, report: &RunReport) {
    if !report.plan_given {
        return;
    }
    if report.plan.is_empty() {
        return page.section("PLAN FILE", "an empty file will do");
    }
    page.section("PLAN FILE", "for the command below");
    for outcome in &report.plan {
        // A number beyond what TOML has came from no file.
        let fields = |error: Error| Table::from_iter([("unwritable".to_owned(), error.to_string().into())]);
        let fault = Table::try_from(&outcome.fault).unwrap_or_else(fields);
        page.raw("[[faults]]");
        for (name, value) in fault {
            page.raw(&format!("{name} = {value}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_sim::{
        fault::{Bounds, FaultOutcome, Plan},
        run::{LedgerSummary, Totals},
    };

    #[test]
    fn what_is_written_is_the_plan_again() {
        for seed in 0..100 {
            let plan = Plan::draw(seed, &Bounds::default());
            let outcomes = plan.faults.iter().cloned().map(|fault| FaultOutcome { fault, firing: None });
            let report = RunReport {
                scenario: String::new(),
                seed,
                plan_given: true,
                lines: None,
                faults: Vec::new(),
                sabotage: Vec::new(),
                plan: outcomes.collect(),
                timeline: Vec::new(),
                ledger: LedgerSummary::default(),
                totals: Totals::default(),
                verdicts: Vec::new(),
                coverage: Default::default(),
                took: Default::default(),
                hash: String::new(),
            };
            let mut page = Page::default();
            write(&mut page, &report);
            let text = page.into_text();
            let (_head, file) = text.trim_start().split_once('\n').unwrap();
            assert_eq!(toml::from_str::<Plan>(file).unwrap(), plan, "{file}");
            assert!(file.lines().all(|line| line.len() < 100), "{file}");
        }
    }
}
