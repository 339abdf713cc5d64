//! Reports as pages: one file each, which asks no network for anything and can be mailed, archived, attached to a pull request.
//!
//! - [`render_run`] is the page of a run: swim lanes over virtual time, the faults with what they hit and caused, the ledger, the
//!   verdicts, every event. It shows more of a run with [`detail`](highwater_sim::run::RunOptions).
//! - [`render_sweep`] is the page of a sweep: failures first, then what was covered, what recovery cost, and the runs worth a look.
//! - `shell` is what every page has around it; `embed` puts data into it that no record can break out of.
//!
//! What holds: a page is a function of the report alone. All but the chart is there without its script. What a source sent is
//! text, never markup: maud escapes what is written here, and the script writes text nodes only.

mod embed;
mod run;
mod shell;
mod sweep;

pub use run::render as render_run;
pub use sweep::render as render_sweep;
