//! SNS through the Rust SDK.

use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry, Tag};
use aws_sdk_sqs::types::Message;
use serde_json::Value;

use crate::support::{Wire, code};

fn attribute(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(value)
        .build()
        .unwrap()
}

fn arn_of(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}")
}

async fn topic(wire: &Wire, name: &str) -> String {
    wire.sns()
        .await
        .create_topic()
        .name(name)
        .send()
        .await
        .unwrap()
        .topic_arn
        .unwrap()
}

/// Makes a queue and subscribes it.
async fn subscribe(wire: &Wire, topic: &str, queue: &str, attributes: &[(&str, &str)]) -> String {
    wire.queue(queue).await;
    let mut request = wire
        .sns()
        .await
        .subscribe()
        .topic_arn(topic)
        .protocol("sqs")
        .endpoint(arn_of(queue));
    for (name, value) in attributes {
        request = request.attributes(*name, *value);
    }
    request.send().await.unwrap().subscription_arn.unwrap()
}

async fn receive(wire: &Wire, queue: &str) -> Vec<Message> {
    let url = format!("http://somewhere/000000000000/{queue}");
    let request = wire
        .sqs()
        .await
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .message_attribute_names("All");
    request.send().await.unwrap().messages.unwrap_or_default()
}

#[tokio::test]
async fn a_shortage_reaches_the_queue_in_an_envelope() {
    let wire = Wire::start().await;
    let topic = topic(&wire, "stock_empty").await;
    let subscription = subscribe(&wire, &topic, "stock_queue", &[]).await;
    let published = wire
        .sns()
        .await
        .publish()
        .topic_arn(&topic)
        .subject("도너츠 재고 부족")
        .message("재고가 부족합니다.\n제품을 생산해주세요!")
        .message_attributes(
            "MessageAttributeProductId",
            attribute("String", "CP-502101"),
        )
        .message_attributes("MessageAttributeProductCnt", attribute("String", "12"))
        .send()
        .await
        .unwrap();
    // Durable: it is there after a restart.
    let wire = wire.restart().await;
    let messages = receive(&wire, "stock_queue").await;
    assert_eq!(messages.len(), 1);
    assert!(messages[0].message_attributes().is_none());
    let envelope: Value = serde_json::from_str(messages[0].body().unwrap()).unwrap();
    assert_eq!(envelope["Type"], "Notification");
    assert_eq!(envelope["MessageId"], published.message_id().unwrap());
    assert_eq!(envelope["TopicArn"], topic);
    assert_eq!(envelope["Subject"], "도너츠 재고 부족");
    assert_eq!(
        envelope["Message"],
        "재고가 부족합니다.\n제품을 생산해주세요!"
    );
    assert_eq!(
        envelope["MessageAttributes"]["MessageAttributeProductId"]["Value"],
        "CP-502101"
    );
    assert_eq!(
        envelope["MessageAttributes"]["MessageAttributeProductCnt"]["Type"],
        "String"
    );
    let link = envelope["UnsubscribeURL"].as_str().unwrap();
    assert!(link.ends_with(&subscription), "{link}");

    // The link in the notification works, on today's port.
    let path = format!("/?{}", link.split_once("/?").unwrap().1);
    assert_eq!(wire.raw("GET", &path, &[], "").await.status, 200);
    let left = wire.sns().await.list_subscriptions().send().await.unwrap();
    assert!(left.subscriptions().is_empty());
}

#[tokio::test]
async fn raw_delivery_moves_attributes_to_the_queue() {
    let wire = Wire::start().await;
    let topic = topic(&wire, "t").await;
    subscribe(&wire, &topic, "q", &[("RawMessageDelivery", "true")]).await;
    let sns = wire.sns().await;
    sns.publish()
        .topic_arn(&topic)
        .message("plain")
        .message_attributes("n", attribute("Number", "5"))
        .send()
        .await
        .unwrap();
    let messages = receive(&wire, "q").await;
    assert_eq!(messages[0].body(), Some("plain"));
    let attributes = messages[0].message_attributes().unwrap();
    assert_eq!(
        (attributes["n"].data_type(), attributes["n"].string_value()),
        ("Number", Some("5"))
    );
}

#[tokio::test]
async fn filters_choose_the_queues() {
    let wire = Wire::start().await;
    let topic = topic(&wire, "order_placed").await;
    let vip = r#"{"vip_quantity":[{"numeric":[">=",100]}]}"#;
    let filtered = subscribe(&wire, &topic, "vip", &[("FilterPolicy", vip)]).await;
    let by_body = [
        ("FilterPolicy", r#"{"order":{"kind":["bulk"]}}"#),
        ("FilterPolicyScope", "MessageBody"),
    ];
    subscribe(&wire, &topic, "bulk", &by_body).await;
    subscribe(&wire, &topic, "all", &[]).await;
    let sns = wire.sns().await;
    let publish = async |quantity: MessageAttributeValue, body: &str| {
        sns.publish()
            .topic_arn(&topic)
            .message(body)
            .message_attributes("vip_quantity", quantity)
            .send()
            .await
            .unwrap();
    };
    publish(attribute("Number", "100"), "{}").await;
    publish(attribute("Number", "99"), r#"{"order":{"kind":"bulk"}}"#).await;
    publish(attribute("String", "100"), "no json").await;
    for (queue, expected) in [("vip", 1), ("bulk", 1), ("all", 3)] {
        assert_eq!(receive(&wire, queue).await.len(), expected, "{queue}");
    }

    let refused = sns
        .set_subscription_attributes()
        .subscription_arn(&filtered)
        .attribute_name("FilterPolicy")
        .attribute_value(r#"{"k":[{"numeric":["=","x"]}]}"#)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "InvalidParameter");
    let kept = sns
        .get_subscription_attributes()
        .subscription_arn(&filtered)
        .send()
        .await
        .unwrap();
    let kept = kept.attributes().unwrap();
    assert_eq!(
        (
            kept["FilterPolicy"].as_str(),
            kept["FilterPolicyScope"].as_str()
        ),
        (vip, "MessageAttributes")
    );
}

#[tokio::test]
async fn what_a_queue_does_not_take_goes_to_the_dead_letter_queue() {
    let wire = Wire::start().await;
    let topic = topic(&wire, "t").await;
    wire.queue("dead").await;
    let policy = format!(r#"{{"deadLetterTargetArn":"{}"}}"#, arn_of("dead"));
    subscribe(
        &wire,
        &topic,
        "gone",
        &[("RedrivePolicy", &policy), ("RawMessageDelivery", "true")],
    )
    .await;
    subscribe(&wire, &topic, "gone_too", &[]).await;
    subscribe(&wire, &topic, "there", &[]).await;
    let (sqs, sns) = (wire.sqs().await, wire.sns().await);
    for queue in ["gone", "gone_too"] {
        sqs.delete_queue()
            .queue_url(format!("{}/000000000000/{queue}", wire.url()))
            .send()
            .await
            .unwrap();
    }
    sns.publish()
        .topic_arn(&topic)
        .message("hello")
        .send()
        .await
        .unwrap();
    assert_eq!(receive(&wire, "dead").await[0].body(), Some("hello"));
    assert_eq!(receive(&wire, "there").await.len(), 1);
}

#[tokio::test]
async fn a_batch_answers_for_each_entry() {
    let wire = Wire::start().await;
    let topic = topic(&wire, "t").await;
    subscribe(&wire, &topic, "q", &[("RawMessageDelivery", "true")]).await;
    let entry = |id: &str, text: &str| {
        PublishBatchRequestEntry::builder()
            .id(id)
            .message(text)
            .build()
            .unwrap()
    };
    let published = wire
        .sns()
        .await
        .publish_batch()
        .topic_arn(&topic)
        .publish_batch_request_entries(entry("a", "1"))
        .publish_batch_request_entries(entry("b", ""))
        .publish_batch_request_entries(entry("c", "3"))
        .send()
        .await
        .unwrap();
    let ids: Vec<_> = published
        .successful()
        .iter()
        .map(|entry| entry.id().unwrap())
        .collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(
        (published.failed()[0].id(), published.failed()[0].code()),
        ("b", "InvalidParameter")
    );
    assert_eq!(receive(&wire, "q").await.len(), 2);
}

#[tokio::test]
async fn a_text_per_protocol_and_mail_subscriptions() {
    let wire = Wire::start().await;
    let topic = topic(&wire, "ops_alerts").await;
    subscribe(&wire, &topic, "q", &[("RawMessageDelivery", "true")]).await;
    let sns = wire.sns().await;
    sns.subscribe()
        .topic_arn(&topic)
        .protocol("email")
        .endpoint("ops@example.com")
        .send()
        .await
        .unwrap();
    sns.publish()
        .topic_arn(&topic)
        .subject("경보")
        .message_structure("json")
        .message(r#"{"default":"for all","sqs":"for queues"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(receive(&wire, "q").await[0].body(), Some("for queues"));
    let mail = wire.local("/_restock/mail?to=OPS@example.com").await;
    assert_eq!(
        (&mail["mail"][0]["subject"], &mail["mail"][0]["text"]),
        (&"경보".into(), &"for all".into())
    );
    assert_eq!(
        mail["mail"][0]["from"],
        "AWS Notifications <no-reply@sns.local>"
    );
}

#[tokio::test]
async fn topics_and_subscriptions_are_kept_once() {
    let wire = Wire::start().await;
    let sns = wire.sns().await;
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let create = async |display: &str| {
        sns.create_topic()
            .name("t")
            .attributes("DisplayName", display)
            .tags(tag.clone())
            .send()
            .await
    };
    let arn = create("one").await.unwrap().topic_arn.unwrap();
    assert_eq!(arn, "arn:aws:sns:us-east-1:000000000000:t");
    assert_eq!(
        create("one").await.unwrap().topic_arn.as_deref(),
        Some(arn.as_str())
    );
    assert_eq!(code(&create("two").await.unwrap_err()), "InvalidParameter");

    let first = subscribe(&wire, &arn, "q", &[("RawMessageDelivery", "true")]).await;
    assert_eq!(
        subscribe(&wire, &arn, "q", &[("RawMessageDelivery", "true")]).await,
        first
    );
    let other = sns
        .subscribe()
        .topic_arn(&arn)
        .protocol("sqs")
        .endpoint(arn_of("q"))
        .attributes("RawMessageDelivery", "false");
    let refused = other.send().await.unwrap_err();
    assert!(
        refused
            .into_service_error()
            .to_string()
            .contains("already exists with different attributes")
    );

    let attributes = sns
        .get_topic_attributes()
        .topic_arn(&arn)
        .send()
        .await
        .unwrap()
        .attributes
        .unwrap();
    assert_eq!(
        (
            attributes["DisplayName"].as_str(),
            attributes["SubscriptionsConfirmed"].as_str()
        ),
        ("one", "1")
    );
    let tags = sns
        .list_tags_for_resource()
        .resource_arn(&arn)
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tags(), [tag]);

    let wire = wire.restart().await;
    let sns = wire.sns().await;
    let listed = sns
        .list_subscriptions_by_topic()
        .topic_arn(&arn)
        .send()
        .await
        .unwrap();
    assert_eq!(
        listed.subscriptions()[0].subscription_arn(),
        Some(first.as_str())
    );
    sns.delete_topic().topic_arn(&arn).send().await.unwrap();
    assert!(sns.list_topics().send().await.unwrap().topics().is_empty());
    assert!(
        sns.list_subscriptions()
            .send()
            .await
            .unwrap()
            .subscriptions()
            .is_empty()
    );
    let gone = sns
        .publish()
        .topic_arn(&arn)
        .message("x")
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_not_found_exception());
}
