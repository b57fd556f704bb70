//! The token in every form: only our own pages have it, so a form of another site is not sent by mistake or malice.
//!
//! It is bound to the login session, and to this process: a page from before a restart has to be loaded again.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::login;

/// What tokens are made with.
pub(crate) struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    pub(crate) fn new() -> Secret {
        Secret(rand::rng().random())
    }

    /// The token for whoever sent these headers.
    pub(crate) fn token(&self, headers: &HeaderMap) -> String {
        let session = login::session(headers).unwrap_or_default();
        // A key of 32 bytes is always accepted.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(session.as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Whether a form has the token of whoever sent it.
    pub(crate) fn is_token(&self, headers: &HeaderMap, given: &str) -> bool {
        let token = self.token(headers);
        !token.is_empty() && bool::from(token.as_bytes().ct_eq(given.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn a_token_is_good_for_its_session_and_its_process_only() {
        let with = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
            headers
        };
        let (secret, nobody) = (Secret::new(), HeaderMap::new());
        let (me, you) = (with("restock_console=me"), with("restock_console=you"));
        let token = secret.token(&me);
        assert!(secret.is_token(&me, &token));
        assert!(!secret.is_token(&you, &token));
        assert!(!secret.is_token(&nobody, &token));
        assert!(!secret.is_token(&me, ""));
        assert!(secret.is_token(&nobody, &secret.token(&nobody)));
        assert!(!Secret::new().is_token(&me, &token));
    }
}
