//! The coverage matrix as a heat map: a row for each step of the disk, a column for each fault that strikes one.

use crate::sweep::{SweepSummary, step_name};
use highwater_sim::fault::{FaultKind, Step};
use maud::{Markup, html};

/// So that a text in the warmest cell can still be read.
const WARMEST: f64 = 0.6;

pub(super) fn map(summary: &SweepSummary) -> Markup {
    let coverage = &summary.coverage;
    let (kinds, steps) = (coverage.kinds(), coverage.steps());
    let cells = steps.iter().flat_map(|step| kinds.iter().map(|kind| coverage.hits(step, *kind)));
    let most = cells.max().unwrap_or(0);
    let holes = coverage.holes().len();
    html! {
        p { (coverage.hittable().count() - holes) " of " (coverage.hittable().count()) " cells that can be hit were hit." }
        div.scrolls { table.heat {
            thead { tr { th {} @for kind in &kinds { th scope="col" { (kind) } } } }
            tbody {
                @for step in &steps {
                    tr {
                        th scope="row" { (step_name(step)) }
                        @for kind in &kinds { (cell(step, *kind, coverage.hits(step, *kind), most)) }
                    }
                }
                tr {
                    th scope="row" { "elsewhere" }
                    @for kind in &kinds { td { (coverage.hits_elsewhere(*kind)) } }
                }
            }
        } }
    }
}

fn cell(step: &Step, kind: FaultKind, hits: u64, most: u64) -> Markup {
    if !kind.strikes(*step) {
        return html! { td.never { "." } };
    }
    if hits == 0 {
        return html! { td.hole { "NONE" } };
    }
    let warmth = 0.08 + (WARMEST - 0.08) * (hits as f64).ln_1p() / (most as f64).ln_1p();
    html! { td.hits style=(format!("--warmth: {warmth:.2}")) { (hits) } }
}
