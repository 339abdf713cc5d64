//! Sweeping a mutant until a judge objects.
//!
//! The seeds are swept a chunk at a time, small ones first, each of all scenarios, so that a mutant that breaks often costs little and
//! the seed that is told is the first one, whichever scenario it is of.
//!
//! A run that goes in circles over the seams or from turn to turn is ended by the world, and a judge tells it. What is left is a computation
//! without an end: a chunk that takes longer than [`PATIENCE`] is run again seed by seed, and the first run that takes so long alone
//! is a hang, which is a kill too. A slow mutant is none.

use super::baseline::Kill;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a sweep may take without an end. A chunk takes a few seconds.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The first chunk's seeds, of which each further one has twice as many, up to the most.
const CHUNK_MIN: u64 = 20;
const CHUNK_MAX: u64 = 240;
/// A mutant that eats memory must not take the machine with it.
const MEMORY_BYTES_MAX: u64 = 8 << 30;

/// A built command that is swept, whatever mutant is in it.
#[derive(Clone, Debug)]
pub struct Hunt {
    command: PathBuf,
    out: PathBuf,
    jobs: usize,
    scenarios: Vec<String>,
}

/// What is read of a sweep's summary.
#[derive(Deserialize)]
struct Summary {
    scenarios: BTreeMap<String, Runs>,
}

#[derive(Deserialize)]
struct Runs {
    failures: BTreeMap<u64, Failure>,
}

#[derive(Deserialize)]
struct Failure {
    broken: Vec<String>,
}

/// How a sweep ended.
enum Ended {
    Summary(Summary),
    OutOfTime,
    Aborted,
}

impl Hunt {
    /// Sweeps a seed of the engine as it is, to see that this works. `jobs` runs are made at once; their output goes to `out`.
    ///
    /// # Errors
    /// What keeps the sweep from running; the first thing that is broken, if anything is.
    pub fn open(command: PathBuf, out: PathBuf, jobs: usize) -> io::Result<Self> {
        let mut hunt = Self { command, out, jobs, scenarios: Vec::new() };
        let Ended::Summary(summary) = hunt.sweep(0..1, None)? else {
            return Err(io::Error::other("a sweep of one seed does not end"));
        };
        if let Some(Kill { scenario, invariant, .. }) = first(&summary) {
            return Err(io::Error::other(format!("the engine as it is breaks {invariant} in {scenario}")));
        }
        hunt.scenarios = summary.scenarios.into_keys().collect();
        Ok(hunt)
    }

    /// Sweeps `seeds` until something breaks; `None` if nothing does.
    ///
    /// # Errors
    /// What keeps the sweep from running or its summary from being read.
    pub fn run(&self, seeds: Range<u64>) -> io::Result<Option<Kill>> {
        let (mut from, mut length) = (seeds.start, CHUNK_MIN);
        while from < seeds.end {
            let chunk = from..(from + length).min(seeds.end);
            (from, length) = (chunk.end, (2 * length).min(CHUNK_MAX));
            let kill = match self.sweep(chunk.clone(), None)? {
                Ended::Summary(summary) => first(&summary),
                Ended::OutOfTime | Ended::Aborted => self.one_by_one(chunk)?,
            };
            if kill.is_some() {
                return Ok(kill);
            }
        }
        Ok(None)
    }

    fn one_by_one(&self, seeds: Range<u64>) -> io::Result<Option<Kill>> {
        for seed in seeds {
            for scenario in &self.scenarios {
                let kill = |invariant: &str| Kill {
                    scenario: scenario.clone(),
                    seed,
                    invariant: invariant.to_owned(),
                };
                let kill = match self.sweep(seed..seed + 1, Some(scenario))? {
                    Ended::Summary(summary) => first(&summary),
                    Ended::OutOfTime => Some(kill("hang")),
                    Ended::Aborted => Some(kill("abort")),
                };
                if kill.is_some() {
                    return Ok(kill);
                }
            }
        }
        Ok(None)
    }

    fn sweep(&self, seeds: Range<u64>, scenario: Option<&str>) -> io::Result<Ended> {
        // What an earlier sweep has left would be there for ever.
        if self.out.exists() {
            fs::remove_dir_all(&self.out)?;
        }
        fs::create_dir_all(&self.out)?;
        let (stdout, stderr) = (self.out.join("sweep.json"), self.out.join("sweep.err"));
        let mut child = Command::new(&self.command)
            .arg("sweep")
            .args(scenario)
            .args(["--seeds", &format!("{}..{}", seeds.start, seeds.end)])
            .args(["--jobs", &self.jobs.to_string(), "--format", "json", "--out"])
            .arg(&self.out)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout)?)
            .stderr(File::create(&stderr)?)
            .spawn()?;
        limit_memory(&child);
        let Some(status) = wait(&mut child)? else { return Ok(Ended::OutOfTime) };
        match status.code() {
            Some(0 | 1) => {
                let text = fs::read_to_string(&stdout)?;
                Ok(Ended::Summary(serde_json::from_str(&text).map_err(|error| unreadable(&stderr, &error))?))
            }
            None | Some(101) => Ok(Ended::Aborted),
            Some(_) => Err(unreadable(&stderr, &status)),
        }
    }
}

fn unreadable(stderr: &Path, why: &dyn std::fmt::Display) -> io::Error {
    let said = fs::read_to_string(stderr).unwrap_or_default();
    io::Error::other(format!("the sweep gives no summary: {why}\n{said}"))
}

/// Waits for the end of a process, and makes one after [`PATIENCE`].
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
fn limit_memory(child: &Child) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let limit = Rlimit { current: Some(MEMORY_BYTES_MAX), maximum: Some(MEMORY_BYTES_MAX) };
    // It may have ended.
    let _ = prlimit(Pid::from_raw(child.id().cast_signed()), Resource::As, limit);
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_child: &Child) {}

/// The failure of the lowest seed.
fn first(summary: &Summary) -> Option<Kill> {
    let failures = summary.scenarios.iter().flat_map(|(scenario, runs)| {
        runs.failures.iter().map(move |(seed, failure)| (*seed, scenario, failure))
    });
    let (seed, scenario, failure) = failures.min_by_key(|(seed, scenario, _)| (*seed, *scenario))?;
    Some(Kill { scenario: scenario.clone(), seed, invariant: judges(&failure.broken) })
}

/// The judges that objected: of "I1 no loss" the first word; what panicked broke no invariant of the table.
fn judges(broken: &[String]) -> String {
    let judge = |broken: &String| match broken.split_whitespace().next() {
        None | Some("--") => "panic".to_owned(),
        Some(invariant) => invariant.to_owned(),
    };
    broken.iter().map(judge).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kill_is_the_lowest_seed_of_any_scenario() {
        let text = r#"{
            "scenarios": {
                "a": {"seeds": 9, "failures": {"12": {"broken": ["I1 no loss"], "replay": ""}, "4": {"broken": ["-- no panic"], "replay": ""}}},
                "b": {"seeds": 9, "failures": {"3": {"broken": ["I1 no loss", "I4 state once"], "replay": ""}}},
                "c": {"seeds": 9, "failures": {}}
            },
            "coverage": []
        }"#;
        let mut summary: Summary = serde_json::from_str(text).unwrap();
        let kill = |scenario: &str, seed, invariant: &str| {
            Some(Kill { scenario: scenario.into(), seed, invariant: invariant.into() })
        };
        assert_eq!(first(&summary), kill("b", 3, "I1, I4"));
        summary.scenarios.remove("b");
        assert_eq!(first(&summary), kill("a", 4, "panic"));
        summary.scenarios.remove("a");
        assert_eq!(first(&summary), None);
    }
}
