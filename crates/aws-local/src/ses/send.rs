//! SendEmail: `Simple` and `Raw` content. Templates live in the account on AWS; here they are refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{Ses, bad_request};
use crate::{
    outbox::{self, Attachment, NewMail, Tag, header_of},
    protocol::rest::RestError,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmailRequest {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Option<Destination>,
    #[serde(default)]
    reply_to_addresses: Option<Vec<String>>,
    content: Option<EmailContent>,
    #[serde(default)]
    email_tags: Option<Vec<MessageTag>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    #[serde(default)]
    to_addresses: Option<Vec<String>>,
    #[serde(default)]
    cc_addresses: Option<Vec<String>>,
    #[serde(default)]
    bcc_addresses: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EmailContent {
    simple: Option<Message>,
    raw: Option<RawMessage>,
    template: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    subject: Option<Content>,
    body: Option<Body>,
    #[serde(default)]
    headers: Option<Vec<MessageTag>>,
    #[serde(default)]
    attachments: Option<Vec<WireAttachment>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Content>,
    html: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    data: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMessage {
    /// Base64.
    data: String,
}

/// Tags and headers have the same shape.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MessageTag {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAttachment {
    file_name: String,
    /// Base64.
    raw_content: String,
    content_type: Option<String>,
    content_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmailResponse {
    message_id: String,
}

const MOST_RECIPIENTS: usize = 50;

impl Ses {
    pub(super) async fn send_email(
        &self,
        request: SendEmailRequest,
    ) -> Result<SendEmailResponse, RestError> {
        let mail = mail_of(request)?;
        let kept = self.outbox.send(mail).await.map_err(|error| match error {
            outbox::OutboxError::Storage(error) => RestError::storage(&error),
            file @ outbox::OutboxError::File { .. } => {
                tracing::error!(error = %file, "a mail was not sent");
                RestError::internal()
            }
        })?;
        tracing::info!(message_id = kept.id, to = ?kept.to, subject = kept.subject, "a mail is in the outbox");
        Ok(SendEmailResponse {
            message_id: kept.id,
        })
    }
}

fn mail_of(request: SendEmailRequest) -> Result<NewMail, RestError> {
    let content = request
        .content
        .ok_or_else(|| bad_request("Content is required."))?;
    let mut mail = match content {
        EmailContent {
            simple: Some(message),
            raw: None,
            template: None,
        } => simple(message)?,
        EmailContent {
            simple: None,
            raw: Some(raw),
            template: None,
        } => raw_message(&raw)?,
        EmailContent {
            simple: None,
            raw: None,
            template: Some(_),
        } => {
            return Err(bad_request(
                "Template content is not supported by this endpoint. Use Simple or Raw.",
            ));
        }
        _ => {
            return Err(bad_request(
                "Content must have exactly one of Simple, Raw and Template.",
            ));
        }
    };
    if let Some(from) = request.from_email_address {
        mail.from = from;
    }
    if mail.from.is_empty() {
        return Err(bad_request("FromEmailAddress is required."));
    }
    let given = request.destination.unwrap_or_default();
    let lists = [
        (&mut mail.to, given.to_addresses),
        (&mut mail.cc, given.cc_addresses),
        (&mut mail.bcc, given.bcc_addresses),
        (&mut mail.reply_to, request.reply_to_addresses),
    ];
    for (list, given) in lists {
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            *list = given;
        }
    }
    let recipients = mail.to.len() + mail.cc.len() + mail.bcc.len();
    if recipients == 0 {
        return Err(bad_request("No recipients are specified."));
    }
    if recipients > MOST_RECIPIENTS {
        return Err(bad_request(format!(
            "Recipient count exceeds {MOST_RECIPIENTS}."
        )));
    }
    let addresses = [&mail.to, &mail.cc, &mail.bcc, &mail.reply_to]
        .into_iter()
        .flatten();
    for address in addresses.chain([&mail.from]) {
        outbox::check_address(address).map_err(|error| bad_request(error.to_string()))?;
    }
    mail.tags = tags(request.email_tags.unwrap_or_default())?;
    Ok(mail)
}

fn simple(message: Message) -> Result<NewMail, RestError> {
    let subject = message
        .subject
        .and_then(|subject| subject.data)
        .ok_or_else(|| bad_request("Subject is required."))?;
    if subject.contains(['\r', '\n']) {
        return Err(bad_request("The subject must be one line."));
    }
    let body = message
        .body
        .ok_or_else(|| bad_request("Body is required."))?;
    let text = body.text.and_then(|text| text.data);
    let html = body.html.and_then(|html| html.data);
    if text.is_none() && html.is_none() {
        return Err(bad_request("Body must have Text or Html."));
    }
    let mut headers = Vec::new();
    for header in message.headers.unwrap_or_default() {
        let name_is_good = (1..=126).contains(&header.name.len())
            && header
                .name
                .bytes()
                .all(|b| (33..=126).contains(&b) && b != b':');
        let value_is_good = header.value.bytes().all(|b| (32..=126).contains(&b));
        if !name_is_good || !value_is_good || header.name.len() + header.value.len() > 996 {
            return Err(bad_request(format!(
                "The header {:?} has a bad name or value.",
                header.name
            )));
        }
        headers.push((header.name, header.value));
    }
    let attachments = message
        .attachments
        .unwrap_or_default()
        .into_iter()
        .map(|attachment| {
            Ok(Attachment {
                content: decode("RawContent", &attachment.raw_content)?,
                content_type: attachment
                    .content_type
                    .unwrap_or_else(|| "application/octet-stream".to_owned()),
                file_name: attachment.file_name,
                content_id: attachment.content_id,
            })
        })
        .collect::<Result<_, RestError>>()?;
    Ok(NewMail {
        subject,
        text,
        html,
        headers,
        attachments,
        ..NewMail::default()
    })
}

/// Sender and recipients are those of the message, unless the request names others.
fn raw_message(raw: &RawMessage) -> Result<NewMail, RestError> {
    let bytes = decode("Data", &raw.data)?;
    let list = |name: &str| -> Vec<String> {
        let header = header_of(&bytes, name).unwrap_or_default();
        header
            .split(',')
            .map(|address| address.trim().to_owned())
            .filter(|address| !address.is_empty())
            .collect()
    };
    let separated = bytes.windows(2).any(|pair| pair == b"\n\n")
        || bytes.windows(4).any(|four| four == b"\r\n\r\n");
    if !separated {
        return Err(bad_request(
            "The raw message must have headers and a body, separated by an empty line.",
        ));
    }
    Ok(NewMail {
        from: header_of(&bytes, "From").unwrap_or_default(),
        to: list("To"),
        cc: list("Cc"),
        subject: header_of(&bytes, "Subject").unwrap_or_default(),
        raw: Some(bytes),
        ..NewMail::default()
    })
}

fn tags(given: Vec<MessageTag>) -> Result<Vec<Tag>, RestError> {
    let good = |text: &str| {
        (1..=256).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    };
    given
        .into_iter()
        .map(|MessageTag { name, value }| {
            if good(&name) && good(&value) {
                Ok(Tag { name, value })
            } else {
                Err(bad_request(format!(
                    "The email tag {name:?} is invalid: names and values have 1 to 256 of A-Z, a-z, 0-9, _ and -."
                )))
            }
        })
        .collect()
}

fn decode(member: &str, text: &str) -> Result<Vec<u8>, RestError> {
    STANDARD
        .decode(text)
        .map_err(|_| bad_request(format!("{member} is not base64.")))
}
