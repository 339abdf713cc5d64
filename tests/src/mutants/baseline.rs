//! What became of each mutant the last time, in `tests/mutants/baseline.toml`.
//!
//! Seeds rot: a change of the engine or of the drawing of faults moves the seed that kills. So a kill by a later seed is told and is no
//! failure; a kill that is lost is one, and so is a patch that no longer applies or builds.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, fs, ops::Range, path::Path};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// A judge objected.
    Killed(Kill),
    /// No judge objected to any seed.
    Survived,
    /// Its patch does not apply.
    Stale,
    /// It does not build.
    DoesNotBuild,
    /// It was never run.
    Untried,
}

/// The first objection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// In which scenario.
    pub scenario: String,
    /// At which seed.
    pub seed: u64,
    /// What was broken: `I1, I4`; `panic`; `hang` if a computation never ended, `abort` if the process died.
    pub invariant: String,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed(kill) => {
                write!(f, "killed by {} at seed {} of {}", kill.invariant, kill.seed, kill.scenario)
            }
            Self::Survived => f.write_str("survived"),
            Self::Stale => f.write_str("stale"),
            Self::DoesNotBuild => f.write_str("does not build"),
            Self::Untried => f.write_str("untried"),
        }
    }
}

/// The fates of all mutants, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline(pub BTreeMap<String, Fate>);

/// What a fate is beside the one of the baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing to tell.
    Same,
    /// To be told.
    Told(&'static str),
    /// A failure.
    Worse(&'static str),
}

impl Baseline {
    /// Reads it.
    ///
    /// # Errors
    /// Why it cannot be read, with the file's name.
    pub fn read(path: &Path) -> Result<Self, String> {
        let told = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| told(&error))?;
        toml::from_str(&text).map_err(|error| told(&error))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Why it cannot be written, with the file's name.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let told = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let text = toml::to_string(self).map_err(|error| told(&error))?;
        fs::write(path, text).map_err(|error| told(&error))
    }

    /// What a mutant's fate after a sweep of `seeds` is beside the one known.
    pub fn compare(&self, name: &str, fate: &Fate, seeds: &Range<u64>) -> Change {
        match (self.0.get(name), fate) {
            (_, Fate::Stale) => Change::Worse("its patch does not apply any more"),
            (_, Fate::DoesNotBuild) => Change::Worse("it does not build any more"),
            (None | Some(Fate::Untried), _) => Change::Told("new"),
            (Some(Fate::Killed(before)), Fate::Survived) if !seeds.contains(&before.seed) => {
                Change::Told("the seed that killed it was not run")
            }
            (Some(Fate::Killed(_)), Fate::Survived) => Change::Worse("it was killed, and now survives"),
            (Some(Fate::Killed(before)), Fate::Killed(now)) if now.seed > before.seed => {
                Change::Told("killed later")
            }
            (Some(Fate::Killed(before)), Fate::Killed(now)) if now.seed < before.seed => {
                Change::Told("killed sooner")
            }
            (Some(Fate::Killed(before)), Fate::Killed(now)) if now.invariant != before.invariant => {
                Change::Told("killed by another judge")
            }
            (Some(Fate::Survived), Fate::Killed(_)) => Change::Told("it survived before"),
            _ => Change::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn killed(seed: u64) -> Fate {
        Fate::Killed(Kill { scenario: "word-count".into(), seed, invariant: "I1, I4".into() })
    }

    #[test]
    fn a_baseline_survives_its_file() {
        let fates = [killed(7), Fate::Survived, Fate::Stale, Fate::DoesNotBuild, Fate::Untried];
        let baseline = Baseline((0..).map(|n: u32| format!("mutant-{n}")).zip(fates).collect());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("baseline.toml");
        baseline.write(&path).unwrap();
        assert_eq!(Baseline::read(&path).unwrap(), baseline);
    }

    #[test]
    fn a_lost_kill_is_a_failure_and_a_later_one_is_told() {
        let known = [("killed", killed(7)), ("survived", Fate::Survived), ("untried", Fate::Untried)];
        let baseline = Baseline(known.map(|(name, fate)| (name.to_owned(), fate)).into());
        let compare = |name, fate| baseline.compare(name, &fate, &(0..100));
        assert_eq!(compare("killed", killed(7)), Change::Same);
        assert_eq!(compare("killed", killed(8)), Change::Told("killed later"));
        let by_another =
            Fate::Killed(Kill { scenario: "word-count".into(), seed: 7, invariant: "I11".into() });
        assert_eq!(compare("killed", by_another), Change::Told("killed by another judge"));
        assert!(matches!(compare("killed", Fate::Survived), Change::Worse(_)));
        assert!(matches!(baseline.compare("killed", &Fate::Survived, &(0..7)), Change::Told(_)));
        assert!(matches!(compare("survived", Fate::Stale), Change::Worse(_)));
        assert!(matches!(compare("survived", Fate::DoesNotBuild), Change::Worse(_)));
        assert_eq!(compare("survived", Fate::Survived), Change::Same);
        assert_eq!(compare("untried", Fate::Survived), Change::Told("new"));
        assert_eq!(compare("unknown", killed(1)), Change::Told("new"));
    }
}
