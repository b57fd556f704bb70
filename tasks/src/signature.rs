//! Signatures of callback URLs: the factory proves that it was asked by bringing our own signature back.
//!
//! The factory gets a URL per attempt and no task token. The signature is HMAC-SHA256 over the attempt's
//! id, in hexadecimal; it is compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use sha2::Sha256;

use crate::config::Secret;

/// What keeps these signatures apart from any other use of the same key.
const PURPOSE: &[u8] = b"restock factory callback v1:";

/// The signature of one attempt's callback URL, in lower-case hexadecimal.
pub fn sign(key: &Secret, attempt_id: &str) -> String {
    let bytes = mac(key, attempt_id).finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `signature` is the one that [`sign`] made for this attempt. Takes the same time for every
/// wrong signature of the right length.
pub fn verify(key: &Secret, attempt_id: &str, signature: &str) -> bool {
    decode(signature).is_some_and(|bytes| mac(key, attempt_id).verify_slice(&bytes).is_ok())
}

/// Where the factory delivers for one attempt: `{base}/factory/callbacks/{attempt}?sig=…`.
pub fn callback_url(base: &Url, key: &Secret, attempt_id: &str) -> String {
    let base = base.as_str().trim_end_matches('/');
    let sig = sign(key, attempt_id);
    format!("{base}/factory/callbacks/{attempt_id}?sig={sig}")
}

fn mac(key: &Secret, attempt_id: &str) -> Hmac<Sha256> {
    // HMAC takes a key of any length. The text of the key is used as it stands, as `config` checked it.
    let mut mac = match Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC accepts keys of every length"),
    };
    mac.update(PURPOSE);
    mac.update(attempt_id.as_bytes());
    mac
}

fn decode(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signature_of_this_attempt_and_key_verifies() {
        let key = Secret::new("ab".repeat(32));
        let good = sign(&key, "a-1");
        assert!(verify(&key, "a-1", &good));

        let mut flipped = good.clone().into_bytes();
        flipped[0] = if flipped[0] == b'0' { b'1' } else { b'0' };
        let flipped = String::from_utf8(flipped).unwrap();
        for (attempt, signature) in [
            ("a-2", good.as_str()),
            ("a-1", flipped.as_str()),
            ("a-1", ""),
            ("a-1", &good[..62]),
            ("a-1", "+1".repeat(32).as_str()),
            ("a-1", "é".repeat(32).as_str()),
            ("a-1", &sign(&Secret::new("cd".repeat(32)), "a-1")),
        ] {
            assert!(!verify(&key, attempt, signature), "{attempt} {signature}");
        }
    }

    #[test]
    fn the_url_is_built_under_the_base() {
        let key = Secret::new("ab".repeat(32));
        let sig = sign(&key, "a-1");
        for base in ["http://127.0.0.1:3000", "http://127.0.0.1:3000/"] {
            let url = callback_url(&Url::parse(base).unwrap(), &key, "a-1");
            assert_eq!(
                url,
                format!("http://127.0.0.1:3000/factory/callbacks/a-1?sig={sig}")
            );
        }
    }
}
