//! Mail addresses as callers write them: `a@example.com` or `"A. B." <a@example.com>`.

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// No `@`, or nothing on one side of it.
    #[error("Missing final '@domain'")]
    NoDomain,
    /// It could break out of its header, or is no address at all.
    #[error("Local address contains control or whitespace")]
    Characters,
    /// AWS allows 320 bytes.
    #[error("Address length must not exceed 320 characters")]
    TooLong,
}

/// Splits the display name (may be empty) from the address.
pub fn parts(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address.trim()),
        None => ("", text),
    }
}

/// Checks one address, with or without a display name.
pub fn check(text: &str) -> Result<(), BadAddress> {
    if text.len() > 320 {
        return Err(BadAddress::TooLong);
    }
    let (name, address) = parts(text);
    if name.contains(char::is_control)
        || address.contains(|c: char| c.is_control() || c.is_whitespace())
    {
        return Err(BadAddress::Characters);
    }
    match address.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() => Ok(()),
        _ => Err(BadAddress::NoDomain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split_and_checked() {
        let cases = [
            ("a@example.com", ("", "a@example.com"), Ok(())),
            ("A B <a@example.com>", ("A B", "a@example.com"), Ok(())),
            (
                "\"도너츠\" <a@example.com>",
                ("도너츠", "a@example.com"),
                Ok(()),
            ),
            (
                "example.com",
                ("", "example.com"),
                Err(BadAddress::NoDomain),
            ),
            (
                "@example.com",
                ("", "@example.com"),
                Err(BadAddress::NoDomain),
            ),
            ("", ("", ""), Err(BadAddress::NoDomain)),
            (
                "a b@example.com",
                ("", "a b@example.com"),
                Err(BadAddress::Characters),
            ),
            (
                "a@example.com\r\nBcc: b@example.com",
                ("", "a@example.com\r\nBcc: b@example.com"),
                Err(BadAddress::Characters),
            ),
        ];
        for (text, expected, verdict) in cases {
            assert_eq!(parts(text), expected);
            assert_eq!(check(text), verdict, "{text:?}");
        }
    }
}
