//! The plan as the file that `--plan FILE` reads, where the plan was given: no seed draws it again.

use super::layout::Page;
use highwater_sim::{
    fault::{Plan, PlanFile},
    run::RunReport,
};

pub(super) fn write(page: &mut Page, report: &RunReport) {
    if !report.plan_given {
        return;
    }
    let faults = report.plan.iter().map(|outcome| outcome.fault.clone()).collect();
    let file = PlanFile { plan: Plan { lines: report.lines, faults }, ..PlanFile::default() };
    let text = match file.write() {
        Ok(text) if text.is_empty() => return page.section("PLAN FILE", "an empty file will do"),
        Ok(text) => text,
        // A number beyond what TOML has came from no file.
        Err(error) => format!("# cannot be written: {error}"),
    };
    page.section("PLAN FILE", "for the command below");
    for line in text.lines().filter(|line| !line.is_empty()) {
        page.raw(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_sim::fault::{Bounds, FaultOutcome};

    #[test]
    fn what_is_written_is_the_plan_again() {
        for seed in 0..100 {
            let lines = (seed % 2 == 0).then_some(seed + 1);
            let plan = Plan { lines, ..Plan::draw(seed, &Bounds::default()) };
            let outcomes = plan.faults.iter().cloned().map(|fault| FaultOutcome { fault, firing: None });
            let report =
                RunReport { seed, plan_given: true, lines, plan: outcomes.collect(), ..RunReport::default() };
            let mut page = Page::default();
            write(&mut page, &report);
            let text = page.into_text();
            let (_head, file) = text.trim_start().split_once('\n').unwrap();
            assert_eq!(PlanFile::read(file).unwrap().plan, plan, "{file}");
            assert!(file.lines().all(|line| line.len() < 100), "{file}");
        }
    }
}
