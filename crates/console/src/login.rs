//! Who may look: everybody on loopback without a token, else whoever knows it. A login is a random session id in a
//! cookie that scripts and other sites never see; guesses are slowed down.

mod attempts;
mod page;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use rand::RngExt;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(crate) use page::router;

use attempts::Attempts;

/// Shortest token, in characters.
pub(crate) const SHORTEST: usize = 16;
/// How long a login lasts.
const LASTS: Duration = Duration::from_secs(12 * 3_600);
/// Most logins at the same time; the oldest goes first.
const SESSIONS: usize = 1_000;
const COOKIE: &str = "restock_console";

type Hash = [u8; 32];

/// The token and who has shown it.
#[derive(Debug)]
pub(crate) struct Login {
    /// Hash of the token, so that comparing takes as long for any guess.
    token: Option<Hash>,
    /// Hashes of session ids, and when they end.
    sessions: Mutex<HashMap<Hash, Instant>>,
    attempts: Mutex<Attempts>,
}

impl Login {
    pub(crate) fn new(token: Option<&str>) -> Login {
        Login {
            token: token.map(hash),
            sessions: Mutex::default(),
            attempts: Mutex::default(),
        }
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.token.is_some()
    }

    /// Whether this request may see pages.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        if !self.is_needed() {
            return true;
        }
        let Some(session) = session(headers) else {
            return false;
        };
        let ends = locked(&self.sessions).get(&hash(session)).copied();
        ends.is_some_and(|ends| Instant::now() < ends)
    }

    fn is_token(&self, guess: &str) -> bool {
        self.token
            .is_some_and(|token| bool::from(token.ct_eq(&hash(guess))))
    }

    /// A new session's id.
    fn begin(&self) -> String {
        let random: [u8; 32] = rand::rng().random();
        let id: String = random.iter().map(|b| format!("{b:02x}")).collect();
        let now = Instant::now();
        let mut sessions = locked(&self.sessions);
        sessions.retain(|_, ends| now < *ends);
        if sessions.len() >= SESSIONS
            && let Some(oldest) = sessions
                .iter()
                .min_by_key(|(_, ends)| **ends)
                .map(|(id, _)| *id)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&id), now + LASTS);
        id
    }

    fn end(&self, headers: &HeaderMap) {
        if let Some(session) = session(headers) {
            locked(&self.sessions).remove(&hash(session));
        }
    }
}

/// The session id that the browser shows.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, id)| id)
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// A poisoned lock holds maps that are whole after every step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers
    }

    #[test]
    fn only_who_showed_the_token_is_admitted() {
        let login = Login::new(Some("correct-horse-battery"));
        assert!(login.is_token("correct-horse-battery"));
        assert!(!login.is_token("correct-horse-batter"));
        assert!(!login.is_token(""));
        let id = login.begin();
        let shown = with(&format!("other=1; {COOKIE}={id}"));
        assert!(login.admits(&shown));
        assert!(!login.admits(&HeaderMap::new()));
        assert!(!login.admits(&with(&format!("{COOKIE}={}", "0".repeat(64)))));
        login.end(&shown);
        assert!(!login.admits(&shown));
    }

    #[test]
    fn without_a_token_everybody_is() {
        assert!(Login::new(None).admits(&HeaderMap::new()));
        assert!(
            !Login::new(None).is_token(""),
            "there is nothing to log in to"
        );
    }

    #[test]
    fn sessions_are_bounded() {
        let login = Login::new(Some("correct-horse-battery"));
        for _ in 0..SESSIONS + 5 {
            login.begin();
        }
        assert_eq!(locked(&login.sessions).len(), SESSIONS);
    }
}
