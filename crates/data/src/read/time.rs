//! Times of clicks: whole numbers in the unit of the log (fractions are cut off), or dates with optional time
//! of day and offset, which become seconds. Without an offset they are UTC.

use crate::error::quoted;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// 31 December 9999 in microseconds: later times are rejected, in any unit.
const LATEST: i64 = 253_402_300_799_999_999;

/// Reads a time.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let time = if let Ok(whole) = text.parse::<i64>() {
        whole
    } else if let Ok(number) = text.parse::<f64>() {
        if !number.is_finite() || number.abs() > LATEST as f64 {
            return Err(format!("timestamp {} is no time", quoted(text)));
        }
        number.floor() as i64
    } else if let Ok(instant) = text.parse::<Timestamp>() {
        instant.as_second()
    } else if let Ok(Ok(instant)) = text
        .parse::<DateTime>()
        .map(|local| local.to_zoned(TimeZone::UTC))
    {
        instant.timestamp().as_second()
    } else {
        return Err(format!(
            "timestamp {} is neither a number nor like 2024-05-31T12:00:00Z",
            quoted(text)
        ));
    };
    if (0..=LATEST).contains(&time) {
        Ok(time)
    } else {
        Err(format!("timestamp {} is out of range", quoted(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_and_dates_are_times() {
        assert_eq!(parse("881250949"), Ok(881_250_949));
        assert_eq!(parse(" 881250949.75 "), Ok(881_250_949));
        assert_eq!(parse("1970-01-02T00:00:00Z"), Ok(86_400));
        assert_eq!(parse("1970-01-02 00:00:01"), Ok(86_401));
        assert_eq!(parse("1970-01-02"), Ok(86_400));
        assert_eq!(parse("1.5e9"), Ok(1_500_000_000));
    }

    #[test]
    fn negative_and_absurd_times_are_not() {
        for text in [
            "-1",
            "-0.5",
            "1969-12-31",
            "1e30",
            "NaN",
            "inf",
            "9223372036854775807",
            "99999999999999999999",
            "yesterday",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
