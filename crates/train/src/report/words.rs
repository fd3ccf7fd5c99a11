//! Figures as text.

/// A figure between 0 and 1 with four digits, without the leading zero.
pub fn share(value: f64) -> String {
    let text = format!("{value:.4}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

/// Seconds as text.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..=9 => format!("{seconds:.1} s"),
        10..=119 => format!("{whole} s"),
        120..=7199 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_two_units_at_most() {
        let said = [0.34, 9.6, 75.2, 130.0, 7325.0].map(duration);
        assert_eq!(said, ["0.3 s", "10 s", "75 s", "2 min 10 s", "2 h 2 min"]);
    }
}
