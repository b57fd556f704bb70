//! SQS through the Rust SDK.

use aws_sdk_sqs::{
    primitives::Blob,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
        SendMessageBatchRequestEntry,
    },
};

use crate::support::{Wire, code};

fn attribute(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(value)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_message_keeps_its_body_and_attributes_over_a_restart() {
    let wire = Wire::start().await;
    let url = wire.queue("orders").await;
    let binary = MessageAttributeValue::builder()
        .data_type("Binary.x")
        .binary_value(Blob::new([0u8, 255]))
        .build()
        .unwrap();
    let sent = wire
        .sqs()
        .await
        .send_message()
        .queue_url(&url)
        .message_body("도너츠 \"<&>\"")
        .message_attributes("who", attribute("String", "나"))
        .message_attributes("count", attribute("Number.int", "7"))
        .message_attributes("bytes", binary.clone())
        .send()
        .await
        .unwrap();

    let wire = wire.restart().await;
    let sqs = wire.sqs().await;
    // The old URL has the old port: only its path counts.
    let receive = sqs
        .receive_message()
        .queue_url(&url)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All");
    let messages = receive.send().await.unwrap().messages.unwrap();
    let [message] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(message.body(), Some("도너츠 \"<&>\""));
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(
        message.md5_of_message_attributes(),
        sent.md5_of_message_attributes()
    );
    let attributes = message.message_attributes().unwrap();
    assert_eq!(attributes["bytes"], binary);
    assert_eq!(attributes["count"], attribute("Number.int", "7"));
    let system = message.attributes().unwrap();
    assert_eq!(
        system[&MessageSystemAttributeName::ApproximateReceiveCount],
        "1"
    );
    assert_eq!(system[&MessageSystemAttributeName::SentTimestamp].len(), 13);
}

#[tokio::test]
async fn receivers_get_only_what_they_ask_for() {
    let wire = Wire::start().await;
    let (url, sqs) = (wire.queue("q").await, wire.sqs().await);
    sqs.send_message()
        .queue_url(&url)
        .message_body("x")
        .message_attributes("shop.sku", attribute("String", "a"))
        .message_attributes("shop.count", attribute("Number", "1"))
        .message_attributes("other", attribute("String", "b"))
        .send()
        .await
        .unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &[]),
        (&["other"], &["other"]),
        (&["shop.*"], &["shop.count", "shop.sku"]),
        (&[".*"], &["other", "shop.count", "shop.sku"]),
        (&["missing"], &[]),
    ];
    for (wanted, expected) in cases {
        let wanted = Some(wanted.iter().map(|name| (*name).to_owned()).collect());
        let received = sqs
            .receive_message()
            .queue_url(&url)
            .visibility_timeout(0)
            .set_message_attribute_names(wanted)
            .send()
            .await
            .unwrap();
        let message = &received.messages()[0];
        let mut names: Vec<&str> = message
            .message_attributes()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, *expected);
        assert!(message.attributes().is_none());
    }
}

#[tokio::test]
async fn batches_answer_for_each_entry() {
    let wire = Wire::start().await;
    let (url, sqs) = (wire.queue("q").await, wire.sqs().await);
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(body)
            .build()
            .unwrap()
    };
    let sent = sqs
        .send_message_batch()
        .queue_url(&url)
        .entries(entry("good", "1"))
        .entries(entry("bad", "\u{1}"))
        .entries(entry("fine", "2"))
        .send()
        .await
        .unwrap();
    let ids: Vec<&str> = sent.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(ids, ["good", "fine"]);
    assert_eq!(
        (sent.failed()[0].id(), sent.failed()[0].code()),
        ("bad", "InvalidMessageContents")
    );

    let received = sqs
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .send()
        .await
        .unwrap();
    let handles: Vec<&str> = received
        .messages()
        .iter()
        .map(|message| message.receipt_handle().unwrap())
        .collect();
    assert_eq!(handles.len(), 2);
    let change = |id: &str, handle: &str| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(id)
            .receipt_handle(handle)
            .visibility_timeout(60)
            .build()
            .unwrap()
    };
    let changed = sqs
        .change_message_visibility_batch()
        .queue_url(&url)
        .entries(change("a", handles[0]))
        .entries(change("b", "nonsense"))
        .send()
        .await
        .unwrap();
    assert_eq!(changed.successful().len(), 1);
    assert_eq!(changed.failed()[0].code(), "ReceiptHandleIsInvalid");

    let delete = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder()
            .id(id)
            .receipt_handle(handle)
            .build()
            .unwrap()
    };
    let deleted = sqs
        .delete_message_batch()
        .queue_url(&url)
        .entries(delete("a", handles[0]))
        .entries(delete("b", handles[1]))
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.successful().len(), 2);
    let counts = sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
        .send()
        .await
        .unwrap();
    let counts = counts.attributes().unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!(
        counts[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible],
        "0"
    );
}

#[tokio::test]
async fn a_long_poll_ends_with_the_message() {
    let wire = Wire::start().await;
    let (url, sqs) = (wire.queue("q").await, wire.sqs().await);
    let waiting = tokio::spawn(
        sqs.receive_message()
            .queue_url(&url)
            .wait_time_seconds(20)
            .send(),
    );
    sqs.send_message()
        .queue_url(&url)
        .message_body("now")
        .send()
        .await
        .unwrap();
    let received = waiting.await.unwrap().unwrap();
    assert_eq!(received.messages()[0].body(), Some("now"));
}

#[tokio::test]
async fn messages_move_to_the_dead_letter_queue() {
    let wire = Wire::start().await;
    let sqs = wire.sqs().await;
    let dead = wire.queue("dead").await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":"1"}"#;
    let made = sqs
        .create_queue()
        .queue_name("source")
        .attributes(QueueAttributeName::RedrivePolicy, policy)
        .send()
        .await;
    let url = made.unwrap().queue_url.unwrap();
    sqs.send_message()
        .queue_url(&url)
        .message_body("poison")
        .send()
        .await
        .unwrap();
    for expected in [1, 0] {
        let received = sqs
            .receive_message()
            .queue_url(&url)
            .visibility_timeout(0)
            .send()
            .await
            .unwrap();
        assert_eq!(received.messages().len(), expected);
    }
    let received = sqs
        .receive_message()
        .queue_url(&dead)
        .message_system_attribute_names(MessageSystemAttributeName::DeadLetterQueueSourceArn)
        .send()
        .await
        .unwrap();
    let source = &received.messages()[0].attributes().unwrap()
        [&MessageSystemAttributeName::DeadLetterQueueSourceArn];
    assert_eq!(source, "arn:aws:sqs:us-east-1:000000000000:source");
    let sources = sqs
        .list_dead_letter_source_queues()
        .queue_url(&dead)
        .send()
        .await
        .unwrap();
    assert_eq!(sources.queue_urls(), [url]);
}

#[tokio::test]
async fn queues_are_made_once_found_listed_and_removed() {
    let wire = Wire::start().await;
    let sqs = wire.sqs().await;
    let create = |timeout: &str| {
        sqs.create_queue()
            .queue_name("q1")
            .attributes(QueueAttributeName::VisibilityTimeout, timeout)
            .tags("k", "v")
            .send()
    };
    let first = create("60").await.unwrap();
    let url = first.queue_url().unwrap();
    assert_eq!(url, format!("{}/000000000000/q1", wire.url()));
    assert_eq!(create("60").await.unwrap().queue_url(), Some(url));
    assert_eq!(code(&create("61").await.unwrap_err()), "QueueAlreadyExists");
    for name in ["q2", "q3", "other"] {
        wire.queue(name).await;
    }
    let page = sqs
        .list_queues()
        .queue_name_prefix("q")
        .max_results(2)
        .send()
        .await
        .unwrap();
    assert_eq!(page.queue_urls().len(), 2);
    let rest = sqs
        .list_queues()
        .queue_name_prefix("q")
        .max_results(2)
        .set_next_token(page.next_token)
        .send()
        .await
        .unwrap();
    assert_eq!((rest.queue_urls().len(), rest.next_token()), (1, None));

    sqs.tag_queue()
        .queue_url(url)
        .tags("a", "b")
        .send()
        .await
        .unwrap();
    sqs.untag_queue()
        .queue_url(url)
        .tag_keys("k")
        .send()
        .await
        .unwrap();
    let tags = sqs
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(
        tags.into_iter().collect::<Vec<_>>(),
        [("a".to_owned(), "b".to_owned())]
    );

    let set = sqs
        .set_queue_attributes()
        .queue_url(url)
        .attributes(QueueAttributeName::DelaySeconds, "9");
    set.send().await.unwrap();
    let all = sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let all = all.attributes().unwrap();
    assert_eq!(all[&QueueAttributeName::DelaySeconds], "9");
    assert_eq!(all[&QueueAttributeName::VisibilityTimeout], "60");
    assert_eq!(
        all[&QueueAttributeName::QueueArn],
        "arn:aws:sqs:us-east-1:000000000000:q1"
    );

    sqs.delete_queue().queue_url(url).send().await.unwrap();
    let gone = sqs
        .get_queue_url()
        .queue_name("q1")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&gone), "AWS.SimpleQueueService.NonExistentQueue");
    assert!(gone.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn purging_leaves_nothing() {
    let wire = Wire::start().await;
    let (url, sqs) = (wire.queue("q").await, wire.sqs().await);
    sqs.send_message()
        .queue_url(&url)
        .message_body("x")
        .send()
        .await
        .unwrap();
    sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert!(
        sqs.receive_message()
            .queue_url(&url)
            .send()
            .await
            .unwrap()
            .messages
            .is_none()
    );
}

#[tokio::test]
async fn nothing_makes_a_client_wait_or_guess() {
    let wire = Wire::start().await;
    let (url, sqs) = (wire.queue("q").await, wire.sqs().await);
    for (body, group) in [("1", "a"), ("2", "a"), ("3", "b")] {
        let send = sqs.send_message().queue_url(&url).message_body(body);
        send.message_group_id(group).send().await.unwrap();
    }
    let counted = sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages);
    let counts = counted.send().await.unwrap().attributes.unwrap();
    assert_eq!(
        counts[&QueueAttributeName::ApproximateNumberOfMessages],
        "3"
    );
    // The group is kept and shown; a group with more messages is not held back.
    let received = sqs
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
        .send()
        .await
        .unwrap();
    let seen: Vec<(&str, &str)> = received
        .messages()
        .iter()
        .map(|message| {
            let attributes = message.attributes.as_ref().unwrap();
            let group = &attributes[&MessageSystemAttributeName::MessageGroupId];
            (message.body().unwrap(), group.as_str())
        })
        .collect();
    assert_eq!(seen, [("1", "a"), ("2", "a"), ("3", "b")]);

    for _ in 0..2 {
        sqs.purge_queue().queue_url(&url).send().await.unwrap();
    }
    sqs.delete_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(wire.queue("q").await, url);
}
