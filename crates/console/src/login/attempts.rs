//! Slows down whoever guesses: a few wrong tokens a minute from one address, and not many from all together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Wrong tokens that one address may try in a [`WINDOW`].
const EACH: u32 = 5;
/// Wrong tokens of all addresses together.
const ALL: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);

/// Wrong tokens of the current window.
#[derive(Debug)]
pub(super) struct Attempts {
    began: Instant,
    all: u32,
    of: HashMap<IpAddr, u32>,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts {
            began: Instant::now(),
            all: 0,
            of: HashMap::new(),
        }
    }
}

impl Attempts {
    /// How long `address` has to wait before its next guess is looked at.
    pub(super) fn wait(&mut self, address: IpAddr, now: Instant) -> Option<Duration> {
        if now.duration_since(self.began) >= WINDOW {
            *self = Attempts {
                began: now,
                ..Attempts::default()
            };
        }
        let tried = self.of.get(&address).copied().unwrap_or(0);
        (tried >= EACH || self.all >= ALL).then(|| WINDOW - now.duration_since(self.began))
    }

    /// Counts a guess, before it is looked at; the map holds at most [`ALL`] addresses.
    pub(super) fn count(&mut self, address: IpAddr) {
        self.all += 1;
        *self.of.entry(address).or_default() += 1;
    }

    /// Takes the count back: the guess was right.
    pub(super) fn forget(&mut self, address: IpAddr) {
        self.all = self.all.saturating_sub(1);
        self.of.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_are_counted_by_address_and_together() {
        let now = Instant::now();
        let address = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut attempts = Attempts::default();
        for _ in 0..EACH {
            assert_eq!(attempts.wait(address(1), now), None);
            attempts.count(address(1));
        }
        assert!(attempts.wait(address(1), now).is_some());
        assert_eq!(attempts.wait(address(2), now), None);
        for n in 2..=56 {
            attempts.count(address(n));
        }
        assert!(
            attempts.wait(address(200), now).is_some(),
            "all together are too many"
        );
        assert_eq!(
            attempts.wait(address(1), now + WINDOW + WINDOW),
            None,
            "a new window"
        );
    }
}
