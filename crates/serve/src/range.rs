//! `Range` requests: a part of a file.

/// What a `Range` header requests of a file of a given length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Not understood, or several ranges: the answer is the whole file.
    Whole,
    /// At least one byte: the first, and their number.
    Bytes { first: u64, count: u64 },
    /// Bytes beyond the end of the file.
    Beyond,
}

impl Part {
    /// Parses a header.
    pub(crate) fn parse(header: &str, length: u64) -> Self {
        Self::try_parse(header, length).unwrap_or(Self::Whole)
    }

    fn try_parse(header: &str, length: u64) -> Option<Self> {
        let (unit, spec) = header.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = spec.trim().split_once('-')?;
        let part = match (first.trim(), last.trim()) {
            ("", "") => return None,
            ("", last) => match number(last)?.min(length) {
                0 => Self::Beyond,
                count => Self::Bytes {
                    first: length - count,
                    count,
                },
            },
            (first, last) => {
                let first = number(first)?;
                let end = match last {
                    "" => length,
                    last => Some(number(last)?)
                        .filter(|last| first <= *last)?
                        .saturating_add(1),
                };
                match end.min(length).saturating_sub(first) {
                    0 => Self::Beyond,
                    count => Self::Bytes { first, count },
                }
            }
        };
        Some(part)
    }
}

/// Digits as a number, saturating: such a position lies beyond the end of every file.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::Part::{self, Beyond, Whole};

    fn bytes(first: u64, count: u64) -> Part {
        Part::Bytes { first, count }
    }

    #[test]
    fn reads_one_part() {
        for (header, part) in [
            ("bytes=0-0", bytes(0, 1)),
            ("bytes=2-5", bytes(2, 4)),
            ("bytes=4-", bytes(4, 6)),
            ("bytes=4-99", bytes(4, 6)),
            ("bytes=9-9", bytes(9, 1)),
            ("bytes=-3", bytes(7, 3)),
            ("bytes=-99", bytes(0, 10)),
            ("BYTES = 1-2 ", bytes(1, 2)),
            ("bytes=0-99999999999999999999999", bytes(0, 10)),
        ] {
            assert_eq!(Part::parse(header, 10), part, "{header}");
        }
    }

    #[test]
    fn knows_parts_that_the_file_does_not_have() {
        for header in [
            "bytes=10-",
            "bytes=10-12",
            "bytes=-0",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(Part::parse(header, 10), Beyond, "{header}");
        }
        assert_eq!(Part::parse("bytes=0-", 0), Beyond);
        assert_eq!(Part::parse("bytes=-1", 0), Beyond);
    }

    #[test]
    fn answers_everything_else_with_the_whole() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=1-2,4-5",
            "bytes=0x1-2",
            "bytes=--1",
            "bytes=+1-2",
            "items=0-1",
            "bytes=1",
            "bytes=1-2-3",
        ] {
            assert_eq!(Part::parse(header, 10), Whole, "{header}");
        }
    }

    #[test]
    fn never_reaches_outside_the_file() {
        let ends = ["", "0", "1", "7", "8", "9", "18446744073709551615", "x"];
        for (first, last) in ends.iter().flat_map(|first| ends.map(|last| (first, last))) {
            for length in [0, 1, 8] {
                if let Part::Bytes { first, count } =
                    Part::parse(&format!("bytes={first}-{last}"), length)
                {
                    assert!(
                        count > 0 && first + count <= length,
                        "{first}+{count} of {length}"
                    );
                }
            }
        }
    }
}
