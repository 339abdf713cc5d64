//! Reports as JSON, for programs and for another day: what a file says of itself, and reading it again.
//!
//! Every document begins with its schema and that schema's version, and goes on with the fields of the report; `docs/report-schema.md` names
//! them. What holds: what is read is what was written, field by field, so that every other face of a report can be made from its
//! file. A document of another schema or another version is refused, since a field that means something else is worse than none.

mod sensible;

use crate::sweep::SweepSummary;
use highwater_sim::run::RunReport;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A report that can stand in a file of its own.
pub trait Document: Serialize + DeserializeOwned {
    /// What its files call themselves.
    const SCHEMA: &'static str;
    /// Grows when a field goes or changes its meaning; a field that is new and may be absent changes nothing.
    const VERSION: u32;

    /// Whether what it says can be: a file may have been changed by hand, and a number that points nowhere must not be followed.
    ///
    /// # Errors
    /// What cannot be.
    fn checked(self) -> Result<Self, String>;
}

impl Document for RunReport {
    const SCHEMA: &'static str = "highwater.run";
    const VERSION: u32 = 1;

    fn checked(self) -> Result<Self, String> {
        sensible::run(&self).map(|()| self)
    }
}

impl Document for SweepSummary {
    const SCHEMA: &'static str = "highwater.sweep";
    const VERSION: u32 = 1;

    fn checked(self) -> Result<Self, String> {
        sensible::sweep(&self).map(|()| self)
    }
}

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is no JSON, or has no schema, or lacks a field of its schema.
    #[error("it is no report: {0}; `--format json` writes one")]
    Malformed(#[from] serde_json::Error),
    /// It says what cannot be.
    #[error("it says what cannot be: {0}")]
    Senseless(String),
    /// It is something else.
    #[error("it is a `{found}`, and a `{wanted}` is needed")]
    OtherSchema {
        /// What it calls itself.
        found: String,
        /// What was to be read.
        wanted: &'static str,
    },
    /// It is of another version.
    #[error(
        "it has version {found} of `{schema}`, and this highwater reads version {known}: use the highwater that wrote it"
    )]
    OtherVersion {
        /// The schema.
        schema: &'static str,
        /// The version that it has.
        found: u32,
        /// The version that is known.
        known: u32,
    },
}

/// A document as it is written: what it is, then what it says.
#[derive(Serialize)]
struct Written<'a, D> {
    schema: &'static str,
    version: u32,
    #[serde(flatten)]
    document: &'a D,
}

/// What every document of every version begins with.
#[derive(Deserialize)]
struct Head {
    schema: String,
    version: u32,
}

/// A report as one line of JSON, without a line feed.
pub fn render_json<D: Document>(document: &D) -> String {
    let written = Written { schema: D::SCHEMA, version: D::VERSION, document };
    serde_json::to_string(&written)
        .expect("a report is strings, numbers, lists, and maps whose keys are strings")
}

/// Reads what [`render_json`] wrote.
///
/// # Errors
/// If it is no JSON, another schema or another version, lacks a field, or says what cannot be.
///
/// ```
/// use highwater_reports::json::{read_json, render_json};
/// use highwater_sim::run::RunReport;
///
/// let report = RunReport { scenario: "word-count".into(), seed: u64::MAX, ..RunReport::default() };
/// assert_eq!(read_json::<RunReport>(&render_json(&report))?, report);
/// let newer = render_json(&report).replace("\"version\":1", "\"version\":9");
/// let refused = read_json::<RunReport>(&newer).unwrap_err().to_string();
/// assert!(refused.starts_with("it has version 9 of `highwater.run`"), "{refused}");
/// # Ok::<(), highwater_reports::json::DocumentError>(())
/// ```
pub fn read_json<D: Document>(text: &str) -> Result<D, DocumentError> {
    let head: Head = serde_json::from_str(text)?;
    if head.schema != D::SCHEMA {
        return Err(DocumentError::OtherSchema { found: head.schema, wanted: D::SCHEMA });
    }
    if head.version != D::VERSION {
        return Err(DocumentError::OtherVersion {
            schema: D::SCHEMA,
            found: head.version,
            known: D::VERSION,
        });
    }
    let document: D = serde_json::from_str(text)?;
    document.checked().map_err(DocumentError::Senseless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_another_kind_is_refused_by_its_name() {
        let sweep = render_json(&SweepSummary::default());
        let error = read_json::<RunReport>(&sweep).unwrap_err().to_string();
        assert_eq!(error, "it is a `highwater.sweep`, and a `highwater.run` is needed");
    }

    #[test]
    fn what_is_no_report_says_what_makes_one() {
        for text in ["", "{}", "[1]", "{\"schema\":\"highwater.run\",\"version\":1}"] {
            let error = read_json::<RunReport>(text).unwrap_err().to_string();
            assert!(error.starts_with("it is no report: ") && error.ends_with("writes one"), "{error}");
        }
    }
}
