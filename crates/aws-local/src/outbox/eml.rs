//! A mail as RFC 5322 text.

use std::io;

use jiff::Timestamp;
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, raw::Raw},
};

use super::{NewMail, address};

/// Writes a mail. `Bcc` is left out: recipients must not see it.
pub(super) fn write(mail: &NewMail, id: &str, at: Timestamp) -> io::Result<Vec<u8>> {
    let mut message = MessageBuilder::new()
        .message_id(format!("{id}@email.amazonses.com"))
        .date(at.as_second())
        .from(one(&mail.from))
        .subject(mail.subject.as_str());
    let lists: [(&'static str, &[String]); 3] = [
        ("To", &mail.to),
        ("Cc", &mail.cc),
        ("Reply-To", &mail.reply_to),
    ];
    for (header, addresses) in lists {
        if !addresses.is_empty() {
            message = message.header(
                header,
                Address::new_list(addresses.iter().map(|text| one(text)).collect()),
            );
        }
    }
    for (name, value) in &mail.headers {
        message = message.header(name.as_str(), Raw::new(value.as_str()));
    }
    if let Some(text) = &mail.text {
        message = message.text_body(text.as_str());
    }
    if let Some(html) = &mail.html {
        message = message.html_body(html.as_str());
    }
    for attachment in &mail.attachments {
        let (content_type, content) = (
            attachment.content_type.as_str(),
            attachment.content.as_slice(),
        );
        message = match &attachment.content_id {
            Some(id) => message.inline(content_type, id.as_str(), content),
            None => message.attachment(content_type, attachment.file_name.as_str(), content),
        };
    }
    message.write_to_vec()
}

fn one(text: &str) -> Address<'_> {
    match address::parts(text) {
        ("", address) => Address::from(address),
        named => Address::from(named),
    }
}

/// The value of a header of a raw message, its lines joined; encoded words stay encoded.
pub fn header_of(raw: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let mut value: Option<String> = None;
    for line in text.lines().take_while(|line| !line.is_empty()) {
        let continues = line.starts_with([' ', '\t']);
        match &mut value {
            Some(value) if continues => {
                value.push(' ');
                value.push_str(line.trim());
            }
            Some(_) => break,
            None => {
                value = line
                    .split_once(':')
                    .filter(|(header, _)| !continues && header.trim().eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.trim().to_owned());
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_has_both_bodies_and_no_hidden_recipients() {
        let mail = NewMail {
            from: "도너츠 <shop@example.com>".into(),
            to: vec!["a@example.com".into(), "B <b@example.com>".into()],
            bcc: vec!["secret@example.com".into()],
            subject: "도너츠 재고 부족".into(),
            text: Some("hello".into()),
            html: Some("<p>hello</p>".into()),
            headers: vec![("X-Order".into(), "7".into())],
            ..NewMail::default()
        };
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let bytes = write(&mail, "id-1", at).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        for expected in [
            "<id-1@email.amazonses.com>",
            "<shop@example.com>",
            "<a@example.com>",
            "<b@example.com>",
            "X-Order: 7",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "<p>hello</p>",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        assert!(!text.contains("secret@"));
        assert!(text.is_ascii(), "headers and bodies are encoded: {text}");
        assert!(
            header_of(text.as_bytes(), "date").is_some_and(|date| date.contains("15 Jan 2027"))
        );
    }

    #[test]
    fn headers_of_raw_messages_are_found() {
        let raw =
            b"From: a@example.com\r\nSubject: one\r\n two\r\nTo: b@example.com\r\n\r\nTo: body\r\n";
        let cases = [
            ("subject", Some("one two")),
            ("To", Some("b@example.com")),
            ("Cc", None),
        ];
        for (name, expected) in cases {
            assert_eq!(header_of(raw, name).as_deref(), expected);
        }
    }
}
