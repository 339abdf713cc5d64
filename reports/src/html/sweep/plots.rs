//! What recoveries cost: a histogram of each figure over all restarts, and a table by the fault that made them necessary.

use crate::sweep::{Distribution, Price, SweepSummary};
use maud::{Markup, html};

/// How many bars a histogram has at most; the last holds all that is beyond.
const BARS_MAX: u64 = 24;
// In units of the picture.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 110.0;
const BAR_WIDTH_MAX: f64 = 24.0;
const FOOT: f64 = 16.0;

pub(super) fn of(summary: &SweepSummary) -> Markup {
    let all = |figure: fn(&Price) -> &Distribution| {
        let mut sum = Distribution::default();
        summary.prices.0.values().for_each(|price| sum.merge(figure(price).clone()));
        sum
    };
    html! {
        div.plots {
            (plot("virtual ms from a restart to its first batch", &all(|price| &price.recovery_ms)))
            (plot("batches emitted again by a restart", &all(|price| &price.duplicates)))
            (plot("records computed again by a restart", &all(|price| &price.records_replayed)))
            (plot("virtual ms since the last checkpoint", &all(|price| &price.checkpoint_lag_ms)))
        }
        (table(summary))
    }
}

/// A bar: the values from the first up to before the second, and how often they came.
fn bars(values: &Distribution) -> Vec<(u64, u64, u64)> {
    let Some(beyond) = values.quantile(99) else { return Vec::new() };
    let width = (beyond / (BARS_MAX - 1)).max(1);
    let last = values.max().unwrap_or(0).min(width * (BARS_MAX - 1));
    let mut bars: Vec<_> = (0..=last / width).map(|n| (n * width, (n + 1) * width, 0)).collect();
    for (value, times) in values.iter() {
        let at = (value / width).min(bars.len() as u64 - 1) as usize;
        bars[at].2 += times;
        bars[at].1 = bars[at].1.max(value + 1);
    }
    bars
}

fn plot(title: &str, values: &Distribution) -> Markup {
    let bars = bars(values);
    let most = bars.iter().map(|(.., times)| *times).max().unwrap_or(1).max(1);
    let each = (WIDTH / bars.len().max(1) as f64).min(BAR_WIDTH_MAX);
    let words = match (values.median(), values.quantile(95), values.max()) {
        (Some(median), Some(most_of), Some(max)) => {
            format!("median {median}, 95 % up to {most_of}, at most {max}; {} restarts", values.count())
        }
        _ => "no restart".to_owned(),
    };
    html! {
        figure.plot {
            figcaption { (title) }
            @if !bars.is_empty() {
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label={ (title) ": " (words) } {
                    @for (n, (from, to, times)) in bars.iter().enumerate() {
                        @let tall = (HEIGHT - FOOT - 12.0) * *times as f64 / most as f64;
                        @if *times > 0 {
                            rect x=(format!("{:.1}", n as f64 * each + 0.5)) y=(format!("{:.1}", HEIGHT - FOOT - tall.max(1.0)))
                                width=(format!("{:.1}", (each - 1.0).max(1.0))) height=(format!("{:.1}", tall.max(1.0))) {
                                title { (range(*from, *to)) ": " (times) }
                            }
                        }
                    }
                    line x1="0" x2=(WIDTH) y1=(HEIGHT - FOOT) y2=(HEIGHT - FOOT) {}
                    text x="0" y=(HEIGHT - 4.0) { (bars[0].0) }
                    @if let Some((from, to, _)) = bars.last().filter(|_| bars.len() > 1) {
                        @let at = each * bars.len() as f64;
                        text x=(format!("{:.1}", at)) y=(HEIGHT - 4.0) text-anchor=(if at > 60.0 { "end" } else { "start" }) { (range(*from, *to)) }
                    }
                    text x="0" y="9" { "at most " (most) " restarts" }
                }
            }
            p.about { (words) }
        }
    }
}

fn range(from: u64, to: u64) -> String {
    if to == from + 1 { from.to_string() } else { format!("{from} .. {}", to - 1) }
}

fn table(summary: &SweepSummary) -> Markup {
    html! {
        div.scrolls { table {
            thead { tr {
                th { "fault (median / most)" } th.number { "planned" } th.number { "fired" } th.number { "restarts" }
                th.number { "batches again" } th.number { "records again" } th.number { "ms to the first batch" }
                th.number { "ms since the checkpoint" }
            } }
            tbody {
                @for (kind, price) in &summary.prices.0 {
                    tr {
                        th scope="row" { (kind) }
                        td.number { (price.planned) }
                        td.number { (price.fired) }
                        td.number { (price.duplicates.count()) }
                        @for values in [&price.duplicates, &price.records_replayed, &price.recovery_ms, &price.checkpoint_lag_ms] {
                            td.number {
                                @if let (Some(median), Some(max)) = (values.median(), values.max()) { (median) " / " (max) }
                            }
                        }
                    }
                }
            }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bar_and_the_last_holds_what_is_beyond() {
        let mut values = Distribution::default();
        (0..1000).for_each(|value| values.add(value));
        values.add(1_000_000);
        let bars = bars(&values);
        assert!(bars.len() as u64 <= BARS_MAX, "{bars:?}");
        assert_eq!(bars.iter().map(|(.., times)| times).sum::<u64>(), 1001);
        assert!(bars.windows(2).all(|pair| pair[0].1 == pair[1].0), "{bars:?}");
        assert_eq!(bars.last().map(|(_, to, _)| *to), Some(1_000_001));
    }

    #[test]
    fn few_values_have_a_bar_each_and_none_have_none() {
        let mut values = Distribution::default();
        assert_eq!(bars(&values), []);
        [0, 2, 2].into_iter().for_each(|value| values.add(value));
        assert_eq!(bars(&values), [(0, 1, 1), (1, 2, 0), (2, 3, 2)]);
    }
}
