//! Times of clicks: numbers since 1970, whose size says in which unit, or dates with optional time of day and offset.
//! Without an offset they are UTC. The times of a log are kept in one unit, the coarsest in which none is cut off.

use crate::error::quoted;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::path::Path;

/// 31 December 9999 in microseconds: later times are rejected.
const LATEST: i64 = 253_402_300_799_999_999;
/// The year 2100 in nanoseconds: later numbers are rejected.
const LATEST_NANOS: f64 = 4.102_444_8e18;
/// Numbers below are no times of this century in any unit: days, counters, or times that are not known.
const SMALL: f64 = 1e8;

/// A unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Seconds, and numbers that are no times of this century.
    #[default]
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
}

impl Unit {
    /// How many of it are a second.
    fn per_second(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Millis => 1000,
            Self::Micros => 1_000_000,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
        }
    }
}

/// How a time was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Small,
    Seconds,
    Millis,
    Micros,
    Nanos,
    Date,
}

const WRITTEN: [(Written, &str); 5] = [
    (Written::Small, "numbers below 100,000,000"),
    (Written::Seconds, "seconds"),
    (Written::Millis, "milliseconds"),
    (Written::Micros, "microseconds"),
    (Written::Nanos, "nanoseconds"),
];

/// A time that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    value: i64,
    unit: Unit,
    written: Written,
}

impl Time {
    /// A moment in microseconds, in the coarsest unit that holds it.
    fn micros(micros: i64, written: Written, at_least: Unit) -> Self {
        let unit = [Unit::Seconds, Unit::Millis, Unit::Micros]
            .into_iter()
            .find(|&unit| unit >= at_least && micros % (1_000_000 / unit.per_second()) == 0)
            .unwrap_or(Unit::Micros);
        Self {
            value: micros.div_euclid(1_000_000 / unit.per_second()),
            unit,
            written,
        }
    }

    fn whole(value: i64, unit: Unit, written: Written) -> Self {
        Self {
            value,
            unit,
            written,
        }
    }
}

/// Reads a time.
pub(super) fn parse(text: &str) -> Result<Time, String> {
    let text = text.trim();
    let time = if let Ok(whole) = text.parse::<i64>() {
        of_whole(whole)
    } else if let Ok(number) = text.parse::<f64>() {
        of_number(number)
    } else if let Some(instant) = date(text) {
        Some(Time::micros(
            instant.as_microsecond(),
            Written::Date,
            Unit::Seconds,
        ))
    } else {
        return Err(format!(
            "timestamp {} is neither a number nor a date like 2024-05-31T12:00:00Z",
            quoted(text)
        ));
    };
    let scale = |time: &Time| LATEST / (1_000_000 / time.unit.per_second());
    time.filter(|time| (0..=scale(time)).contains(&time.value))
        .ok_or_else(|| format!("timestamp {} is out of range", quoted(text)))
}

/// The unit of a number by its size.
fn written(number: f64) -> Written {
    match number.abs() {
        n if n < SMALL => Written::Small,
        n if n < 1e11 => Written::Seconds,
        n if n < 1e14 => Written::Millis,
        n if n < 1e17 => Written::Micros,
        _ => Written::Nanos,
    }
}

fn of_whole(whole: i64) -> Option<Time> {
    let written = written(whole as f64);
    Some(match written {
        Written::Nanos if whole as f64 > LATEST_NANOS => return None,
        Written::Nanos => Time::micros(whole.div_euclid(1000), written, Unit::Micros),
        Written::Micros => Time::whole(whole, Unit::Micros, written),
        Written::Millis => Time::whole(whole, Unit::Millis, written),
        _ => Time::whole(whole, Unit::Seconds, written),
    })
}

fn of_number(number: f64) -> Option<Time> {
    if !number.is_finite() || number.abs() > LATEST_NANOS {
        return None;
    }
    if number.fract() == 0.0 {
        return of_whole(number as i64);
    }
    let written = written(number);
    let (scale, unit) = match written {
        Written::Small | Written::Seconds => (1e6, Unit::Seconds),
        Written::Millis => (1e3, Unit::Millis),
        _ => (1.0, Unit::Micros),
    };
    // A double has hardly more than the microseconds of today's seconds.
    Some(Time::micros((number * scale).round() as i64, written, unit))
}

/// A date as it is written by programs: ISO 8601 with a `T` or a space, and with or without a space before the offset.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Some(zoned.timestamp());
    }
    let (local, offset) = text.rsplit_once(' ')?;
    let local = local.trim_end();
    match offset {
        "UTC" | "GMT" | "Z" => date(local),
        _ if offset.starts_with(['+', '-']) => format!("{local}{offset}").parse().ok(),
        _ => None,
    }
}

/// Whether a text is a time of this century.
pub(super) fn is_moment(text: &str) -> bool {
    parse(text).is_ok_and(|time| time.written != Written::Small)
}

/// The unit of texts that are times, and the first and last of them; `None` if none is a time.
pub(super) fn span(texts: &[&str]) -> Option<String> {
    let times: Vec<Time> = texts.iter().filter_map(|text| parse(text).ok()).collect();
    let micros = |time: &Time| {
        time.value
            .saturating_mul(1_000_000 / time.unit.per_second())
    };
    let (first, last) = (
        times.iter().map(micros).min()?,
        times.iter().map(micros).max()?,
    );
    let mut names: Vec<&str> = Vec::new();
    for time in &times {
        let name = WRITTEN.iter().find(|(way, _)| *way == time.written);
        let name = name.map_or("dates", |(_, name)| name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names == ["numbers below 100,000,000"] {
        return Some(format!("{} (no times since 1973)", names[0]));
    }
    let date = |micros| {
        Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |t| t.to_string())
    };
    Some(format!(
        "{}, from {} to {}",
        names.join(" and "),
        date(first),
        date(last)
    ))
}

/// The unit of a log's times, and how they were written.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The unit.
    pub unit: Unit,
    /// Of each way to write a time, how many were met, and where first.
    met: [(usize, String); WRITTEN.len()],
}

impl Clock {
    /// Notes on how files were read, with the clock's own.
    pub(super) fn after(&self, notes: &[String]) -> Vec<String> {
        notes.iter().cloned().chain(self.note()).collect()
    }

    /// Takes a time, in the clock's unit. If the unit becomes finer, calls `rescale` with the factor for earlier times.
    pub(super) fn take(
        &mut self,
        time: Time,
        at: (&Path, usize),
        rescale: impl FnOnce(i64),
    ) -> i64 {
        if let Some(way) = WRITTEN.iter().position(|(way, _)| *way == time.written) {
            let (count, first) = &mut self.met[way];
            if *count == 0 {
                *first = format!("{}:{}", at.0.display(), at.1);
            }
            *count += 1;
        }
        if time.unit > self.unit {
            rescale(time.unit.per_second() / self.unit.per_second());
            self.unit = time.unit;
        }
        time.value * (self.unit.per_second() / time.unit.per_second())
    }

    /// What is to be said of the times: units that were mixed.
    pub(super) fn note(&self) -> Option<String> {
        let met: Vec<String> = (self.met.iter().zip(WRITTEN))
            .filter(|((count, _), _)| *count > 0)
            .map(|((count, first), (_, name))| format!("{name} ({count}, the first at {first})"))
            .collect();
        (met.len() > 1).then(|| {
            format!(
                "times are written as {}: all are kept as {}",
                met.join(" and as "),
                self.unit.name()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> (Vec<i64>, Clock) {
        let mut clock = Clock::default();
        let mut times: Vec<i64> = Vec::new();
        for (line, text) in texts.iter().enumerate() {
            let time = parse(text).expect(text);
            let rescale = |factor| times.iter_mut().for_each(|time| *time *= factor);
            let time = clock.take(time, (Path::new("a.csv"), line + 1), rescale);
            times.push(time);
        }
        (times, clock)
    }

    fn one(text: &str) -> i64 {
        read(&[text]).0[0]
    }

    #[test]
    fn numbers_and_dates_are_times() {
        assert_eq!(one("881250949"), 881_250_949);
        assert_eq!(one(" 881250949.0 "), 881_250_949);
        assert_eq!(one("1970-01-02T00:00:00Z"), 86_400);
        assert_eq!(one("1970-01-02 00:00:01"), 86_401);
        assert_eq!(one("1970-01-02"), 86_400);
        assert_eq!(one("1.5e9"), 1_500_000_000);
        assert_eq!(one("1700000000000"), 1_700_000_000_000);
        assert_eq!(one("1700000000000000999"), 1_700_000_000_000_000);
    }

    #[test]
    fn dates_may_be_written_as_shops_and_databases_write_them() {
        for text in [
            "2024-11-02 18:20:41 +0100",
            "2024-11-02 18:20:41+01:00",
            "2024-11-02T17:20:41Z",
            "2024-11-02 17:20:41 UTC",
            "2024-11-02 17:20:41.000000 UTC",
            "Sat, 02 Nov 2024 17:20:41 +0000",
        ] {
            assert_eq!(one(text), 1_730_568_041, "{text}");
        }
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
            "02/11/2024",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_order_within_a_second_is_kept() {
        let (times, clock) = read(&["2024-05-03T10:14:09Z", "2024-05-03T10:14:09.868Z"]);
        assert_eq!((times[1] - times[0], clock.unit), (868, Unit::Millis));
        let (times, clock) = read(&["1700000000.25", "1700000000.5", "1700000001"]);
        assert_eq!((times[2] - times[0], clock.unit), (750, Unit::Millis));
        assert_eq!(times[1] - times[0], 250);
        let (times, _) = read(&["2024-05-03T10:14:09.000001Z", "2024-05-03T10:14:09.000002Z"]);
        assert_eq!(times[1] - times[0], 1);
        assert!(clock.note().is_none());
    }

    #[test]
    fn units_that_are_mixed_become_one_and_are_named() {
        let texts = [
            "1514764800",
            "1420070400000",
            "1514764800000000",
            "2018-01-01",
            "0",
        ];
        let (times, clock) = read(&texts);
        let micros = 1_514_764_800_000_000;
        assert_eq!(times, [micros, 1_420_070_400_000_000, micros, micros, 0]);
        let note = clock.note().expect("a mixture");
        for part in [
            "seconds (1, the first at a.csv:1)",
            "milliseconds (1, the first at a.csv:2)",
            "numbers below 100,000,000 (1, the first at a.csv:5)",
            "kept as microseconds",
        ] {
            assert!(note.contains(part), "{part} not in {note}");
        }
    }
}
