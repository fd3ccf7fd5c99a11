//! When to send: no more requests a minute than allowed, later where a server asks for time, and at
//! growing intervals when it fails.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// No wait of our own is longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// No server is waited for longer.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// How often a wait looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);

/// Hands out the moments at which requests may be sent.
#[derive(Debug)]
pub(crate) struct Pacer {
    interval: Duration,
    next: Mutex<Instant>,
}

impl Pacer {
    pub(crate) fn new(requests_per_minute: Option<u32>) -> Self {
        let minute = Duration::from_mins(1);
        Self {
            interval: requests_per_minute.map_or(Duration::ZERO, |n| minute / n.max(1)),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits for the next moment; false if it is to stop before.
    pub(crate) fn wait(&self, stop: &AtomicBool) -> bool {
        let moment = {
            let mut next = self
                .next
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let moment = Instant::now().max(*next);
            *next = moment + self.interval;
            moment
        };
        sleep(moment.saturating_duration_since(Instant::now()), stop)
    }

    /// Nobody sends for so long.
    pub(crate) fn postpone(&self, wait: Duration) {
        let mut next = self
            .next
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *next = (*next).max(Instant::now() + wait);
    }
}

/// Sleeps; false if it is to stop before the end.
pub(crate) fn sleep(duration: Duration, stop: &AtomicBool) -> bool {
    let end = Instant::now() + duration;
    while !stop.load(Ordering::Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
    false
}

/// The wait after the `failures`-th failure (from 1) of request number `request`: `first` doubled each
/// time, of which a part between one half and the whole is left by the seed.
pub(crate) fn backoff(first: Duration, failures: u32, seed: u64, request: u64) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX));
    let random = mix(mix(mix(seed) ^ request) ^ u64::from(failures));
    let share = 0.5 + 0.5 * (random >> 40) as f64 / (1_u64 << 24) as f64;
    doubled.min(LONGEST_BACKOFF).mul_f64(share)
}

/// `SplitMix64`: neighbouring numbers become numbers that have nothing in common.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The wait that a `Retry-After` asks for, in seconds or as a date, up to ten minutes.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A date that has passed asks for no wait.
        Err(_) => (httpdate::parse_http_date(value).ok()?)
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    static GO: AtomicBool = AtomicBool::new(false);

    #[test]
    fn requests_are_spread_evenly() {
        let pacer = Pacer::new(Some(1_200));
        let begin = Instant::now();
        for _ in 0..4 {
            assert!(pacer.wait(&GO));
        }
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(150), "{took:?}");
        let pacer = Pacer::new(None);
        let begin = Instant::now();
        (0..1_000).for_each(|_| assert!(pacer.wait(&GO)));
        assert!(begin.elapsed() < Duration::from_millis(100));
    }

    #[test]
    fn all_wait_while_the_server_asks_for_time() {
        let pacer = Pacer::new(None);
        pacer.postpone(Duration::from_millis(60));
        let begin = Instant::now();
        assert!(pacer.wait(&GO));
        assert!(begin.elapsed() >= Duration::from_millis(60));
    }

    #[test]
    fn a_wait_ends_when_it_is_to_stop() {
        let begin = Instant::now();
        assert!(!sleep(Duration::from_mins(1), &AtomicBool::new(true)));
        let pacer = Pacer::new(None);
        pacer.postpone(Duration::from_mins(1));
        assert!(!pacer.wait(&AtomicBool::new(true)));
        assert!(begin.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn waits_double_and_differ_by_request_and_not_by_run() {
        let first = Duration::from_millis(100);
        for failures in 1..70 {
            let whole = first
                .saturating_mul(1 << (failures - 1).min(20))
                .min(LONGEST_BACKOFF);
            let waits: Vec<Duration> = (0..50).map(|n| backoff(first, failures, 7, n)).collect();
            assert!(
                waits.iter().all(|&wait| wait >= whole / 2 && wait <= whole),
                "{failures}"
            );
            assert!(waits.iter().max() > waits.iter().min());
            assert_eq!(
                waits,
                (0..50)
                    .map(|n| backoff(first, failures, 7, n))
                    .collect::<Vec<_>>()
            );
            assert_ne!(waits[0], backoff(first, failures, 8, 0));
        }
    }

    #[test]
    fn a_server_may_say_how_long_in_seconds_or_until_when() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_747);
        for (value, seconds) in [
            ("0", Some(0)),
            (" 12 ", Some(12)),
            ("86400", Some(600)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(600)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(value, now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
