//! Lengths of time on the command line: `1s`, `200ms`, `1m 30s`.

use highwater_core::Interval;
use jiff::SignedDuration;

/// Reads an interval of whole milliseconds.
pub(super) fn parse(text: &str) -> Result<Interval, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| "a length of time is written 1s, 200ms or 1m 30s".to_owned())?;
    if duration.subsec_nanos() % 1_000_000 != 0 {
        return Err("it must be a whole number of milliseconds".to_owned());
    }
    u64::try_from(duration.as_millis())
        .ok()
        .and_then(Interval::from_millis)
        .ok_or_else(|| "it must be at least 1ms and at most a year".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_to_the_millisecond() {
        for (text, millis) in
            [("1s", 1000), ("200ms", 200), ("1m 30s", 90_000), ("1.5s", 1500), ("2h", 7_200_000)]
        {
            assert_eq!(parse(text).map(Interval::millis), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        for text in [
            "",
            "1",
            "s",
            "0s",
            "-1s",
            "1us",
            "100ns",
            "1.0005s",
            "9999999h",
            "99999999999999999999s",
            "1 s x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
