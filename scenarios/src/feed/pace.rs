//! How fast lines leave.

use highwater_core::env::Monotonic;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// After a hold-up (a client that reads slowly, a machine that slept) no more than this is caught up with at once.
const BURST: Duration = Duration::from_secs(1);

/// Lines per second: more than none, at most a billion. Written `1000/s`, or `1000`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

/// What is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate: lines per second are written `1000/s` or `0.5/s`, above 0 and at most 1e9")]
pub struct RateError(String);

impl Rate {
    /// So many lines per second.
    ///
    /// # Errors
    /// If that is not above 0 and at most a billion.
    pub fn per_second(lines: f64) -> Result<Self, RateError> {
        if lines > 0.0 && lines <= 1e9 { Ok(Self(lines)) } else { Err(RateError(lines.to_string())) }
    }

    /// The time that so many lines take.
    fn time_of(self, lines: u64) -> Duration {
        Duration::try_from_secs_f64(lines as f64 / self.0).unwrap_or(Duration::MAX)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let wrong = |_| RateError(text.to_owned());
        let lines: f64 =
            text.strip_suffix("/s").unwrap_or(text).parse().map_err(|_| RateError(text.to_owned()))?;
        Self::per_second(lines).map_err(wrong)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// When the next lines of a connection are due.
pub(super) struct Pace {
    rate: Option<Rate>,
    due: Monotonic,
}

impl Pace {
    /// The first line is due at once.
    pub(super) fn new(rate: Option<Rate>, now: Monotonic) -> Self {
        Self { rate, due: now }
    }

    /// How many lines may leave now.
    pub(super) fn allowed(&mut self, now: Monotonic) -> u64 {
        let Some(rate) = self.rate else { return u64::MAX };
        if now < self.due {
            return 0;
        }
        let burst_start = Monotonic(now.0.saturating_sub(BURST.as_nanos() as u64));
        self.due = self.due.max(burst_start);
        (now.since(self.due).as_secs_f64() * rate.0) as u64 + 1
    }

    /// So many lines have left.
    pub(super) fn spend(&mut self, lines: u64) {
        if let Some(rate) = self.rate {
            self.due = self.due.after(rate.time_of(lines));
        }
    }

    /// When the next line may leave.
    pub(super) fn due(&self) -> Monotonic {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Monotonic {
        Monotonic::default().after(Duration::from_millis(millis))
    }

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        for text in ["1000/s", "0.5/s", "1000000000/s"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("20".parse::<Rate>(), Rate::per_second(20.0));
        for text in ["", "/s", "0/s", "-1/s", "1e10/s", "NaN", "inf/s", "1000/m", "fast"] {
            let error = text.parse::<Rate>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}` is no rate")), "{error}");
        }
    }

    #[test]
    fn lines_leave_evenly() {
        let mut pace = Pace::new(Some(Rate::per_second(100.0).unwrap()), at(0));
        let mut sent = 0;
        for millis in 0..10_000 {
            let allowed = pace.allowed(at(millis));
            pace.spend(allowed);
            sent += allowed;
            let expected = millis / 10 + 1;
            assert!(sent.abs_diff(expected) <= 1, "{sent} after {millis} ms");
        }
    }

    #[test]
    fn a_long_hold_up_is_not_caught_up_with() {
        let mut pace = Pace::new(Some(Rate::per_second(100.0).unwrap()), at(0));
        assert_eq!(pace.allowed(at(60_000)), 101);
    }

    #[test]
    fn without_a_rate_all_may_leave() {
        assert_eq!(Pace::new(None, at(0)).allowed(at(0)), u64::MAX);
    }

    #[test]
    fn the_slowest_rate_is_waited_for_without_overflow() {
        let mut pace = Pace::new(Some(Rate::per_second(f64::MIN_POSITIVE).unwrap()), at(0));
        pace.spend(1);
        assert_eq!(pace.allowed(at(1_000_000)), 0);
        assert_eq!(pace.due(), Monotonic(u64::MAX));
    }
}
