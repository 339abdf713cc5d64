//! The faces of a report, as commands print them and as files of a directory: `SCENARIO-SEED.{txt,json,html}` for a run;
//! `index.html`, `summary.{txt,json}` and `junit.xml` for a sweep.
//!
//! Of a sweep only few runs have files: those that failed, and those worth a look. They are lived through again for it, with all that
//! a page shows: in the sweep itself nobody gathers that.
//!
//! A file that cannot be written keeps no other from being written: the first such failure is told at the end.

use super::{
    Failure, colour,
    files::{self, Unwritten},
};
use clap::ValueEnum;
use highwater_reports::{html, json::render_json, junit, sweep::SweepSummary, text};
use highwater_sim::{
    run::{RunOptions, RunReport},
    scenario::Scenario,
    sweep::sweep,
};
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

/// How many failed runs of a scenario have files; the others have their commands.
const FAILURES_MAX: usize = 20;

/// What a report looks like.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(super) enum Face {
    /// For terminals and snapshots
    Text,
    /// For programs, and for `highwater report`
    Json,
    /// One page that needs nothing else
    Html,
    /// For CI systems
    Junit,
}

impl Face {
    /// A run with this face.
    pub(super) fn of_run(self, report: &RunReport) -> String {
        match self {
            Self::Text => text::render(report),
            Self::Json => render_json(report) + "\n",
            Self::Html => html::render_run(report),
            Self::Junit => junit::render_run(report),
        }
    }

    /// Prints a document with this face.
    pub(super) fn print(self, document: &str) -> Result<(), Failure> {
        let printed = match self {
            Self::Text => colour::print(document),
            Self::Json | Self::Html | Self::Junit => std::io::stdout().write_all(document.as_bytes()),
        };
        printed.map_err(Failure::unprinted)
    }

    /// A sweep with this face; of the pages of its runs these were written beside it.
    pub(super) fn of_sweep(self, summary: &SweepSummary, pages: &Pages) -> String {
        match self {
            Self::Text => {
                let mut text = highwater_reports::sweep::render_table(summary);
                summary.cut_short.iter().for_each(|cut| text.push_str(&format!("\n{cut}\n")));
                summary.shards.incomplete().for_each(|part| text.push_str(&format!("\na part: {part}\n")));
                text
            }
            Self::Json => render_json(summary) + "\n",
            Self::Html => html::render_sweep(summary, &|scenario, seed| pages.link(scenario, seed)),
            Self::Junit => junit::render_sweep(summary),
        }
    }
}

/// The runs whose pages were written.
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeSet<String>);

impl Pages {
    fn link(&self, scenario: &str, seed: u64) -> Option<String> {
        let name = run_name(scenario, seed);
        self.0.contains(&name).then(|| format!("{name}.html"))
    }

    /// Lives through the runs of a sweep that are worth it again, and writes them.
    pub(super) fn write(
        scenarios: &[Scenario],
        summary: &SweepSummary,
        options: &RunOptions,
        jobs: usize,
        out: &Path,
        unwritten: &mut Unwritten,
    ) -> Self {
        let options = RunOptions { detail: true, ..options.clone() };
        let mut pages = Self::default();
        for scenario in scenarios {
            let seeds: Vec<u64> = worth_files(summary, &scenario.name).into_iter().collect();
            sweep(scenario, &seeds, jobs, &options, |run| {
                if unwritten.note(write_run(out, &run.report)).is_some() {
                    pages.0.insert(run_name(&scenario.name, run.report.seed));
                }
                ControlFlow::Continue(())
            });
        }
        pages
    }

    /// Copies the files of the runs of `merged` that a shard has beside its summary.
    pub(super) fn copy(
        &mut self,
        merged: &SweepSummary,
        shard: &SweepSummary,
        from: &Path,
        out: &Path,
        unwritten: &mut Unwritten,
    ) {
        for (scenario, ran) in &shard.scenarios {
            let ran: BTreeSet<u64> = ran.ran.seeds().collect();
            for seed in worth_files(merged, scenario).intersection(&ran) {
                let name = run_name(scenario, *seed);
                for ending in ["txt", "json", "html"] {
                    let file = format!("{name}.{ending}");
                    let Ok(text) = fs::read_to_string(from.join(&file)) else { continue };
                    let written = unwritten.note(files::write(&out.join(file), &text));
                    if ending == "html" && written.is_some() {
                        self.0.insert(name.clone());
                    }
                }
            }
        }
    }
}

/// The seeds of a scenario whose runs have files.
fn worth_files(summary: &SweepSummary, scenario: &str) -> BTreeSet<u64> {
    let Some(scenario) = summary.scenarios.get(scenario) else { return BTreeSet::new() };
    let failed = scenario.failures.keys().copied().take(FAILURES_MAX);
    failed.chain(scenario.slowest.iter().chain(scenario.eventful.iter()).map(|ranked| ranked.seed)).collect()
}

fn run_name(scenario: &str, seed: u64) -> String {
    format!("{scenario}-{seed}")
}

/// Writes a run's text alone, at once: what a sweep that is broken off has found is there.
pub(super) fn write_story(out: &Path, report: &RunReport) -> Result<(), Failure> {
    let name = format!("{}.txt", run_name(&report.scenario, report.seed));
    files::write(&out.join(name), &text::render(report))
}

/// Writes a run with every face that a person or `highwater report` reads.
pub(super) fn write_run(out: &Path, report: &RunReport) -> Result<(), Failure> {
    let name = run_name(&report.scenario, report.seed);
    for (face, ending) in [(Face::Text, "txt"), (Face::Json, "json"), (Face::Html, "html")] {
        files::write(&out.join(format!("{name}.{ending}")), &face.of_run(report))?;
    }
    Ok(())
}

/// The files of a sweep.
const OF_A_SWEEP: [(Face, &str); 4] = [
    (Face::Text, "summary.txt"),
    (Face::Json, "summary.json"),
    (Face::Junit, "junit.xml"),
    (Face::Html, "index.html"),
];

/// Makes the directory of a sweep, and looks whether its files may be written there.
///
/// # Errors
/// If not: better before the sweep than after it.
pub(super) fn make_directory(out: &Path) -> Result<(), Failure> {
    files::make_directory(out)?;
    OF_A_SWEEP.iter().try_for_each(|(_, name)| files::check(&out.join(name)))
}

/// Writes a sweep with every face. The page of the index is what is returned, if it was written.
pub(super) fn write_sweep(
    out: &Path,
    summary: &SweepSummary,
    pages: &Pages,
    unwritten: &mut Unwritten,
) -> Option<PathBuf> {
    let written = OF_A_SWEEP.map(|(face, name)| {
        let path = out.join(name);
        let written = unwritten.note(files::write(&path, &face.of_sweep(summary, pages)));
        written.map(|()| path)
    });
    let [.., index] = written;
    index
}
