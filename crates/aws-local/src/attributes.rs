//! Message attributes: typed metadata that SQS and SNS messages carry, and the rules both services share.
//!
//! Knows neither service's errors: [`check`] says what is wrong, the services put it in their own words.
//! Source: Amazon SQS developer guide, "Amazon SQS message metadata".

use md5::{Digest, Md5};

pub use engine::{AttributeValue, MessageAttribute, MessageAttributes};

/// The value's bytes.
pub fn bytes_of(value: &AttributeValue) -> &[u8] {
    match value {
        AttributeValue::String(text) => text.as_bytes(),
        AttributeValue::Binary(bytes) => bytes,
    }
}

/// The bytes that attributes add to a message's size: names, types and values.
pub fn size(attributes: &MessageAttributes) -> usize {
    attributes
        .iter()
        .map(|(name, attribute)| {
            name.len() + attribute.data_type.len() + bytes_of(&attribute.value).len()
        })
        .sum()
}

/// MD5 of a text in lower-case hex, as `MD5OfMessageBody`.
pub fn md5_of_text(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// `MD5OfMessageAttributes`: of the sorted attributes name, type, a byte for the kind of value, value, each with its length.
/// `None` without attributes.
///
/// Source: Amazon SQS developer guide, "Calculating the MD5 message digest for message attributes".
pub fn md5_of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a MessageAttribute)>,
) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, attribute) in attributes {
        any = true;
        put(&mut digest, name.as_bytes());
        put(&mut digest, attribute.data_type.as_bytes());
        digest.update(match attribute.value {
            AttributeValue::String(_) => [1u8],
            AttributeValue::Binary(_) => [2u8],
        });
        put(&mut digest, bytes_of(&attribute.value));
    }
    any.then(|| hex(&digest.finalize()))
}

fn put(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with an attribute.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AttributeFault {
    /// The name has other characters, a wrong length or a reserved prefix.
    #[error("{0}")]
    Name(String),
    /// The type is missing or not one of the three.
    #[error("{0}")]
    Type(String),
    /// The value is missing, empty, of the wrong kind, or not a number.
    #[error("{0}")]
    Value(String),
}

/// Checks a name by the rules of both services.
pub fn check_name(name: &str) -> Result<(), AttributeFault> {
    let fault = |text: String| Err(AttributeFault::Name(text));
    if name.is_empty() || name.len() > 256 {
        return fault(
            "Length of message attribute name must be between 1 and 256 bytes.".to_owned(),
        );
    }
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        || name.starts_with('.')
        || name.ends_with('.')
        || name.contains("..")
    {
        return fault(format!(
            "Invalid message attribute name '{name}': it can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.), \
             must not start or end with a period, and must not have successive periods."
        ));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return fault(format!(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use: '{name}'."
        ));
    }
    Ok(())
}

/// Builds an attribute from the parts a request gives, or says what is wrong with them.
pub fn build(
    name: &str,
    data_type: Option<String>,
    text: Option<String>,
    binary: Option<Vec<u8>>,
) -> Result<MessageAttribute, AttributeFault> {
    check_name(name)?;
    let Some(data_type) = data_type.filter(|data_type| !data_type.is_empty()) else {
        return Err(AttributeFault::Type(format!(
            "The message attribute '{name}' must contain non-empty message attribute type."
        )));
    };
    let kind = data_type.split('.').next().unwrap_or_default();
    if !matches!(kind, "String" | "Number" | "Binary") || data_type.len() > 256 {
        return Err(AttributeFault::Type(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
        )));
    }
    let value = match kind {
        "Binary" => binary
            .filter(|bytes| !bytes.is_empty())
            .map(AttributeValue::Binary),
        _ => text
            .filter(|text| !text.is_empty())
            .map(AttributeValue::String),
    };
    let Some(value) = value else {
        return Err(AttributeFault::Value(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{data_type}'."
        )));
    };
    if let AttributeValue::String(text) = &value {
        if let Some(character) = first_forbidden(text) {
            return Err(AttributeFault::Value(format!(
                "Invalid binary character '#x{:X}' was found in the message attribute '{name}' value, the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                u32::from(character)
            )));
        }
        if kind == "Number" && !is_number(text) {
            return Err(AttributeFault::Value(format!(
                "Can't cast the value of message (user) attribute '{name}' to a number."
            )));
        }
    }
    Ok(MessageAttribute { data_type, value })
}

/// A decimal number; what Rust's parser takes beyond that (`inf`, `NaN`) is none.
fn is_number(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'))
        && text.parse::<f64>().is_ok()
}

/// The first character that XML 1.0 cannot hold; messages must not contain any.
pub fn first_forbidden(text: &str) -> Option<char> {
    text.chars().find(|c| {
        !matches!(c,
            '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_equal_those_of_the_sdks() {
        assert_eq!(md5_of_text(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_of_text("도너츠"), "ac544e618c274603fa0f640664f9dc35");
        let text = |value: &str| AttributeValue::String(value.to_owned());
        let attribute = |data_type: &str, value| MessageAttribute {
            data_type: data_type.to_owned(),
            value,
        };
        type Case<'a> = (&'a [(&'a str, MessageAttribute)], Option<&'a str>);
        let cases: &[Case] = &[
            (&[], None),
            (
                &[("a", attribute("String", text("b")))],
                Some("bef8bf215374a0a228d67533b1a488be"),
            ),
            (
                &[
                    ("n", attribute("Number.int", text("42"))),
                    (
                        "b",
                        attribute("Binary", AttributeValue::Binary(vec![0, 1, 255])),
                    ),
                    ("한", attribute("String", text("도너츠"))),
                ],
                Some("18229e736c5edb5ac34935ffe5ff8082"),
            ),
        ];
        for (attributes, expected) in cases {
            let attributes: MessageAttributes = attributes
                .iter()
                .map(|(name, attribute)| ((*name).to_owned(), attribute.clone()))
                .collect();
            assert_eq!(md5_of_attributes(&attributes).as_deref(), *expected);
        }
    }

    #[test]
    fn bad_attributes_are_told_apart() {
        type Case<'a> = (
            &'a str,
            Option<&'a str>,
            Option<&'a str>,
            Option<&'a [u8]>,
            Option<AttributeFault>,
        );
        let name = || Some(AttributeFault::Name(String::new()));
        let data_type = || Some(AttributeFault::Type(String::new()));
        let value = || Some(AttributeFault::Value(String::new()));
        let cases: &[Case] = &[
            ("ok_1.a-b", Some("String"), Some("x"), None, None),
            ("n", Some("Number.custom"), Some("-1.5e3"), None, None),
            ("b", Some("Binary.png"), None, Some(b"\0"), None),
            ("", Some("String"), Some("x"), None, name()),
            ("a b", Some("String"), Some("x"), None, name()),
            (".a", Some("String"), Some("x"), None, name()),
            ("a..b", Some("String"), Some("x"), None, name()),
            ("AWS.x", Some("String"), Some("x"), None, name()),
            ("amazon.x", Some("String"), Some("x"), None, name()),
            ("a", None, Some("x"), None, data_type()),
            ("a", Some("Text"), Some("x"), None, data_type()),
            ("a", Some("String"), Some(""), None, value()),
            ("a", Some("String"), None, Some(b"x"), value()),
            ("a", Some("Binary"), Some("x"), None, value()),
            ("a", Some("Number"), Some("many"), None, value()),
            ("a", Some("Number"), Some("NaN"), None, value()),
            ("a", Some("String"), Some("\u{1}"), None, value()),
        ];
        for (key, kind, text, binary, expected) in cases {
            let result = build(
                key,
                kind.map(str::to_owned),
                text.map(str::to_owned),
                binary.map(<[u8]>::to_vec),
            );
            let found = result.err().map(|fault| std::mem::discriminant(&fault));
            assert_eq!(
                found,
                expected.as_ref().map(std::mem::discriminant),
                "{key} {kind:?} {text:?}"
            );
        }
    }
}
