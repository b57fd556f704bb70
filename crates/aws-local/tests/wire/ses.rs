//! SES through the Rust SDK, and the outbox it fills.

use aws_sdk_sesv2::{
    primitives::Blob,
    types::{Body, Content, Destination, EmailContent, Message, MessageTag, RawMessage, Template},
};

use crate::support::{Wire, code};

fn content(text: &str) -> Content {
    Content::builder()
        .data(text)
        .charset("UTF-8")
        .build()
        .unwrap()
}

fn simple(subject: &str, text: &str) -> EmailContent {
    let body = Body::builder()
        .text(content(text))
        .html(content("<b>hi</b>"))
        .build();
    EmailContent::builder()
        .simple(
            Message::builder()
                .subject(content(subject))
                .body(body)
                .build(),
        )
        .build()
}

fn to(address: &str) -> Destination {
    Destination::builder().to_addresses(address).build()
}

#[tokio::test]
async fn mail_is_kept_as_a_file_and_listed_newest_first() {
    let wire = Wire::start().await;
    let ses = wire.ses().await;
    let mut ids = Vec::new();
    for (address, subject) in [
        ("a@example.com", "도너츠 광고 중지"),
        ("b@example.com", "second"),
        ("a@example.com", "third"),
    ] {
        let sent = ses
            .send_email()
            .from_email_address("Shop <shop@example.com>")
            .destination(to(address))
            .content(simple(subject, "안녕하세요"))
            .email_tags(
                MessageTag::builder()
                    .name("reorder")
                    .value("r-1")
                    .build()
                    .unwrap(),
            )
            .send()
            .await
            .unwrap();
        ids.push(sent.message_id.unwrap());
    }
    let wire = wire.restart().await;
    let all = wire.local("/_restock/mail?limit=2").await;
    let listed: Vec<&str> = all["mail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| mail["id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, [&ids[2], &ids[1]]);
    let rest = wire
        .local(&format!(
            "/_restock/mail?limit=2&next={}",
            all["next"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (&rest["mail"][0]["id"], &rest["next"]),
        (&ids[0].as_str().into(), &serde_json::Value::Null)
    );

    let mine = wire.local("/_restock/mail?to=a@example.com").await;
    assert_eq!(mine["mail"].as_array().unwrap().len(), 2);
    let mail = &mine["mail"][1];
    assert_eq!(
        (&mail["subject"], &mail["text"]),
        (&"도너츠 광고 중지".into(), &"안녕하세요".into())
    );
    assert_eq!(mail["tags"][0]["value"], "r-1");
    let file = wire
        .directory
        .path()
        .join("mail")
        .join(mail["file"].as_str().unwrap());
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.contains("<shop@example.com>") && text.contains("multipart/alternative"),
        "{text}"
    );
}

#[tokio::test]
async fn raw_mail_is_kept_as_it_is() {
    let wire = Wire::start().await;
    let raw =
        "From: a@example.com\r\nTo: b@example.com, c@example.com\r\nSubject: hi\r\n\r\nbody\r\n";
    let content = EmailContent::builder()
        .raw(RawMessage::builder().data(Blob::new(raw)).build().unwrap())
        .build();
    wire.ses()
        .await
        .send_email()
        .content(content)
        .send()
        .await
        .unwrap();
    let mail = wire.local("/_restock/mail?to=c@example.com").await["mail"][0].clone();
    assert_eq!(
        (&mail["from"], &mail["subject"]),
        (&"a@example.com".into(), &"hi".into())
    );
    let file = wire
        .directory
        .path()
        .join("mail")
        .join(mail["file"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(file).unwrap(), raw);
}

#[tokio::test]
async fn bad_mail_is_refused_and_leaves_nothing() {
    let wire = Wire::start().await;
    let ses = wire.ses().await;
    let send = || {
        ses.send_email()
            .from_email_address("a@example.com")
            .destination(to("b@example.com"))
    };
    let template = EmailContent::builder()
        .template(Template::builder().template_name("t").build())
        .build();
    let many = (0..51)
        .fold(Destination::builder(), |all, n| {
            all.to_addresses(format!("{n}@example.com"))
        })
        .build();
    let cases = [
        send()
            .content(simple("s", "t"))
            .from_email_address("nobody"),
        send()
            .content(simple("s", "t"))
            .destination(to("b@example.com\r\nX: y")),
        send()
            .content(simple("s", "t"))
            .destination(Destination::builder().build()),
        send().content(simple("s", "t")).destination(many),
        send().content(simple("s\r\nBcc: x@example.com", "t")),
        send().content(EmailContent::builder().build()),
        send().content(template),
        send().content(simple("s", "t")).email_tags(
            MessageTag::builder()
                .name("a b")
                .value("v")
                .build()
                .unwrap(),
        ),
        ses.send_email()
            .destination(to("b@example.com"))
            .content(simple("s", "t")),
    ];
    for case in cases {
        let error = case.send().await.unwrap_err();
        assert_eq!(code(&error), "BadRequestException");
    }
    assert_eq!(
        wire.local("/_restock/mail").await["mail"],
        serde_json::json!([])
    );
    assert_eq!(
        std::fs::read_dir(wire.directory.path().join("mail"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn identities_are_verified_at_once() {
    let wire = Wire::start().await;
    let ses = wire.ses().await;
    let made = ses
        .create_email_identity()
        .email_identity("shop@example.com")
        .send()
        .await
        .unwrap();
    assert!(made.verified_for_sending_status());
    let again = ses
        .create_email_identity()
        .email_identity("shop@example.com")
        .send()
        .await
        .unwrap_err();
    assert!(again.into_service_error().is_already_exists_exception());
    assert!(
        ses.get_email_identity()
            .email_identity("shop@example.com")
            .send()
            .await
            .unwrap()
            .verified_for_sending_status()
    );
    let listed = ses.list_email_identities().send().await.unwrap();
    assert_eq!(
        listed.email_identities()[0].identity_name(),
        Some("shop@example.com")
    );
    ses.delete_email_identity()
        .email_identity("shop@example.com")
        .send()
        .await
        .unwrap();
    let gone = ses
        .get_email_identity()
        .email_identity("shop@example.com")
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_not_found_exception());
}
