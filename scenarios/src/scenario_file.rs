//! Scenarios from files: a pipeline of the catalogue with a workload, faults and bounds of one's own, without recompiling.
//!
//! The file is TOML; `docs/scenario-files.md` tells its fields. What is read was checked: every field is known and every value makes
//! sense, or the error names the field and where in the file it is. Left out: pipelines and models, which are code.

use crate::{bounded, catalogue};
use highwater_core::{GraphError, Interval, Options};
use highwater_sim::{
    TextError,
    fault::{Class, FaultKind},
    scenario::{Limits, Load, Scenario},
    source::Mode,
};
use serde::Deserialize;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use toml::Spanned;

/// A text has at most so many bytes: each scenario that draws lines from it has it in memory.
const CORPUS_BYTES_MAX: u64 = 256 << 20;

/// Why there is no scenario in a file.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioFileError {
    /// The file, or the text that it names, cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}, {error}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, and where.
        error: TextError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<Spanned<String>>,
    about: Option<String>,
    pipeline: Spanned<String>,
    source: Option<Spanned<String>>,
    workload: Option<Workload>,
    faults: Option<Faults>,
    engine: Option<Engine>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Workload {
    text: Option<Spanned<PathBuf>>,
    lines: Option<Spanned<[u64; 2]>>,
    pause_ms_max: Option<Spanned<u64>>,
    last_line_ms_max: Option<Spanned<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    kinds: Option<Vec<Spanned<String>>>,
    crashes_max: Option<Spanned<u64>>,
    others_max: Option<Spanned<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Engine {
    batch_interval_ms: Option<Spanned<u64>>,
    checkpoint_interval_ms: Option<Spanned<u64>>,
    block_bytes_max: Option<Spanned<u64>>,
    backlog_bytes_max: Option<Spanned<u64>>,
    segment_bytes_max: Option<Spanned<u64>>,
    checkpoints_retained: Option<Spanned<u64>>,
    missed_batches_max: Option<Spanned<u64>>,
}

/// Reads the scenario of a file. Its name is the file's, unless the file says another one.
///
/// # Errors
/// If the file cannot be read, is larger than 16 MiB, is no TOML, has a field that is not known, lacks one, or has a value that makes no sense.
pub fn read(path: &Path) -> Result<Scenario, ScenarioFileError> {
    let unreadable = |path: &Path, source| ScenarioFileError::Unreadable { path: path.to_owned(), source };
    let text = bounded::read(path, bounded::WRITTEN_BY_HAND_MAX).map_err(|error| unreadable(path, error))?;
    let wrong = |error| ScenarioFileError::Wrong { path: path.to_owned(), error };
    let written: Written = toml::from_str(&text).map_err(|error| wrong(TextError::of_toml(&text, &error)))?;
    let file = File { path, text: &text };
    let mut scenario = file.base(&written).map_err(wrong)?;
    if let Some(lines) = written.workload.as_ref().and_then(|workload| workload.text.as_ref()) {
        let from = path.parent().unwrap_or(Path::new("")).join(lines.get_ref());
        let content = bounded::read(&from, CORPUS_BYTES_MAX).map_err(|error| unreadable(&from, error))?;
        if content.trim().is_empty() {
            return Err(wrong(file.at(lines, "it has no line but empty ones")));
        }
        scenario.corpus = Arc::new(content.lines().map(str::to_owned).collect());
    }
    scenario.load = file.load(&written.workload.unwrap_or_default()).map_err(wrong)?;
    scenario.limits = file.limits(&written.faults.unwrap_or_default()).map_err(wrong)?;
    file.engine(&written.engine.unwrap_or_default(), &mut scenario.options).map_err(wrong)?;
    if let Some(about) = written.about {
        scenario.about = about;
    }
    scenario.file = Some(path.display().to_string());
    Ok(scenario)
}

/// The file that is read, for its errors.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn at<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> TextError {
        TextError::at(self.text, value.span().start, message)
    }

    /// The scenario of the catalogue that it is made from, under its own name.
    fn base(&self, written: &Written) -> Result<Scenario, TextError> {
        let mode = match written.source.as_ref().map(|source| (source, source.get_ref().as_str())) {
            None | Some((_, "resume")) => Mode::Resume,
            Some((_, "tcp")) => Mode::Tcp,
            Some((source, other)) => {
                let message = format!("there is no source `{other}`: give \"resume\" or \"tcp\"");
                return Err(self.at(source, message));
            }
        };
        let pipeline = written.pipeline.get_ref();
        let mut scenario = catalogue::of_pipeline(pipeline, mode).ok_or_else(|| {
            let names = catalogue::pipelines().collect::<Vec<_>>().join(", ");
            self.at(&written.pipeline, format!("there is no pipeline `{pipeline}`; there are: {names}"))
        })?;
        let (name, place) = match &written.name {
            Some(name) => (name.get_ref().clone(), name.span().start),
            None => (self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), 0),
        };
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let wrong = match () {
            () if name.is_empty() || !name.chars().all(is_plain) => {
                "must be of small letters, digits and dashes"
            }
            () if catalogue::find(&name).is_some() => "is in the catalogue, and must be another one",
            () => {
                scenario.name = name;
                return Ok(scenario);
            }
        };
        Err(TextError::at(self.text, place, format!("the name `{name}` {wrong}: set it with `name`")))
    }

    fn load(&self, workload: &Workload) -> Result<Load, TextError> {
        let mut load = Load::default();
        if let Some(lines) = &workload.lines {
            let [least, most] = *lines.get_ref();
            if !(1..=most).contains(&least) || most > 10_000 {
                return Err(self.at(lines, "give the least and the most lines, from 1 to 10000"));
            }
            load.lines = least..=most;
        }
        self.number(&workload.pause_ms_max, 1..=60_000, &mut load.pause_ms_max)?;
        self.number(&workload.last_line_ms_max, 1..=120_000, &mut load.last_line_ms_max)?;
        Ok(load)
    }

    fn limits(&self, faults: &Faults) -> Result<Limits, TextError> {
        let kind = |name: &Spanned<String>| {
            let kind: FaultKind =
                name.get_ref().parse().map_err(|error| self.at(name, format!("{error}")))?;
            match kind.class() {
                Class::Beyond => {
                    Err(self.at(name, format!("{kind} is beyond any engine: only --faults takes it")))
                }
                _ => Ok(kind),
            }
        };
        let kinds = faults.kinds.as_ref().map(|kinds| kinds.iter().map(kind).collect()).transpose()?;
        let bound = |bound: &Option<Spanned<u64>>| {
            let mut number = 0;
            self.number(bound, 0..=50, &mut number)?;
            Ok(bound.as_ref().map(|_| number))
        };
        Ok(Limits { kinds, crashes_max: bound(&faults.crashes_max)?, others_max: bound(&faults.others_max)? })
    }

    fn engine(&self, engine: &Engine, options: &mut Options) -> Result<(), TextError> {
        let Engine { batch_interval_ms, checkpoint_interval_ms, .. } = engine;
        let mut interval_ms = options.batch_interval.millis();
        self.number(batch_interval_ms, 50..=10_000, &mut interval_ms)?;
        let mut checkpoint_ms = options.snapshot_interval().millis().max(interval_ms);
        checkpoint_ms = checkpoint_ms.next_multiple_of(interval_ms);
        self.number(checkpoint_interval_ms, 50..=60_000, &mut checkpoint_ms)?;
        options.batch_interval = Interval::from_millis(interval_ms).unwrap_or(options.batch_interval);
        options.checkpoint_interval = Interval::from_millis(checkpoint_ms);
        let size = |written: &Option<Spanned<u64>>, least, option: &mut usize| {
            let mut number = *option as u64;
            self.number(written, least..=1 << 30, &mut number)?;
            *option = usize::try_from(number).unwrap_or(*option);
            Ok::<(), TextError>(())
        };
        size(&engine.block_bytes_max, 1, &mut options.block_bytes_max)?;
        size(&engine.backlog_bytes_max, 1024, &mut options.backlog_bytes_max)?;
        size(&engine.checkpoints_retained, 2, &mut options.checkpoints_retained)?;
        self.number(&engine.segment_bytes_max, 1024..=1 << 30, &mut options.segment_bytes_max)?;
        self.number(&engine.missed_batches_max, 1..=1_000, &mut options.missed_batches_max)?;
        options.check().map_err(|error| {
            let place = match &error {
                GraphError::Option { option: "checkpoint_interval", .. } => {
                    checkpoint_interval_ms.as_ref().or(batch_interval_ms.as_ref()).map(Spanned::span)
                }
                GraphError::Option { option: "block_bytes_max", .. } => {
                    engine.block_bytes_max.as_ref().map(Spanned::span)
                }
                _ => None,
            };
            TextError::at(self.text, place.map_or(0, |span| span.start), error.to_string())
        })
    }

    /// Takes a number that is given, if it is one of those that make sense.
    fn number(
        &self,
        written: &Option<Spanned<u64>>,
        sensible: std::ops::RangeInclusive<u64>,
        number: &mut u64,
    ) -> Result<(), TextError> {
        let Some(written) = written else { return Ok(()) };
        if !sensible.contains(written.get_ref()) {
            let (least, most) = sensible.into_inner();
            return Err(self.at(written, format!("{} must be from {least} to {most}", written.get_ref())));
        }
        *number = *written.get_ref();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
