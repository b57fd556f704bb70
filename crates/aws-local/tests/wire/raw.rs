//! Requests that no SDK would send, and the exact form of what AWS answers to them.

mod sqs;

use crate::support::{Answer, Wire};

async fn json(wire: &Wire, target: &str, body: &str) -> Answer {
    let headers = [
        ("x-amz-target", target),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    wire.raw("POST", "/", &headers, body).await
}

async fn form(wire: &Wire, body: &str) -> Answer {
    wire.raw(
        "POST",
        "/",
        &[(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )],
        body,
    )
    .await
}

#[tokio::test]
async fn sns_refuses_with_its_codes_in_xml() {
    let wire = Wire::start().await;
    let topic = "arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At";
    let made = form(&wire, "Action=CreateTopic&Name=t").await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert!(made.body.starts_with(
        "<CreateTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><CreateTopicResult><TopicArn>arn:aws:sns:us-east-1:000000000000:t</TopicArn>"
    ));
    assert_eq!(made.header("content-type"), "text/xml");
    let attribute = |data_type: &str, value: &str| {
        format!(
            "&MessageAttributes.entry.1.Name=k&MessageAttributes.entry.1.Value.DataType={data_type}&MessageAttributes.entry.1.Value.StringValue={value}"
        )
    };
    let publish = |rest: &str| format!("Action=Publish&TopicArn={topic}{rest}");
    let subscribe = |rest: &str| format!("Action=Subscribe&TopicArn={topic}{rest}");
    let queue = "&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:000000000000:q";
    let set = |name: &str, value: &str| {
        format!("{queue}&Attributes.entry.1.key={name}&Attributes.entry.1.value={value}")
    };
    // body, status, code, part of the message
    let cases: Vec<(String, u16, &str, &str)> = vec![
        ("Action=Explode".into(), 400, "InvalidAction", "Explode"),
        ("Action=CreateTopic".into(), 400, "InvalidParameter", "Name"),
        ("Action=CreateTopic&Name=a%20b".into(), 400, "InvalidParameter", "Topic Name"),
        ("Action=CreateTopic&Name=a.fifo".into(), 400, "InvalidParameter", "FIFO"),
        ("Action=CreateTopic&Name=a&Attributes.entry.1.key=Colour&Attributes.entry.1.value=red".into(), 400, "InvalidParameter", "AttributeName"),
        ("Action=Publish&Message=x".into(), 400, "InvalidParameter", "TopicArn or TargetArn"),
        ("Action=Publish&Message=x&TopicArn=t".into(), 400, "InvalidParameter", "at least 6 elements, not 1"),
        ("Action=Publish&Message=x&TopicArn=arn:aws:sns:us-east-1:000000000000:none".into(), 404, "NotFound", "Topic does not exist"),
        ("Action=Publish&Message=x&PhoneNumber=1".into(), 400, "InvalidParameter", "SMS"),
        (publish(""), 400, "InvalidParameter", "Empty message"),
        (publish("&Message="), 400, "InvalidParameter", "Empty message"),
        (publish(&format!("&Message={}", "x".repeat(262_145))), 400, "InvalidParameter", "Message too long"),
        (publish("&Message=x&Subject="), 400, "InvalidParameter", "Subject"),
        (publish("&Message=x&Subject=a%0Ab"), 400, "InvalidParameter", "Subject"),
        (publish(&format!("&Message=x&Subject={}", "s".repeat(101))), 400, "InvalidParameter", "Subject"),
        (publish("&Message=x&MessageStructure=xml"), 400, "InvalidParameter", "MessageStructure"),
        (publish("&Message=x&MessageStructure=json"), 400, "InvalidParameter", "failed to parse"),
        (publish("&Message=%7B%7D&MessageStructure=json"), 400, "InvalidParameter", "No default entry"),
        (publish(&format!("&Message=x{}", attribute("String", ""))), 400, "ParameterValueInvalid", "non-empty"),
        (publish(&format!("&Message=x{}", attribute("Text", "x"))), 400, "ParameterValueInvalid", "type"),
        (publish(&format!("&Message=x{}", attribute("Number", "x"))), 400, "ParameterValueInvalid", "number"),
        (format!("Action=PublishBatch&TopicArn={topic}"), 400, "EmptyBatchRequest", ""),
        (subscribe("&Protocol=sqs"), 400, "InvalidParameter", "Endpoint"),
        (subscribe("&Protocol=pigeon&Endpoint=x"), 400, "InvalidParameter", "does not support this protocol string: pigeon"),
        (subscribe("&Protocol=lambda&Endpoint=x"), 400, "InvalidParameter", "not supported by this endpoint"),
        (subscribe("&Protocol=sqs&Endpoint=http://q"), 400, "InvalidParameter", "SQS endpoint ARN"),
        (subscribe("&Protocol=email&Endpoint=nobody"), 400, "InvalidParameter", "Email address"),
        (subscribe(&set("RawMessageDelivery", "maybe")), 400, "InvalidParameter", "RawMessageDelivery"),
        (subscribe(&set("FilterPolicy", "%7B")), 400, "InvalidParameter", "FilterPolicy: failed to parse JSON"),
        (subscribe(&set("FilterPolicyScope", "Body")), 400, "InvalidParameter", "FilterPolicyScope"),
        (subscribe(&set("RedrivePolicy", "%7B%7D")), 400, "InvalidParameter", "RedrivePolicy"),
        (subscribe(&set("Colour", "red")), 400, "InvalidParameter", "AttributeName"),
        ("Action=GetTopicAttributes&TopicArn=arn:aws:sns:us-east-1:000000000000:none".into(), 404, "NotFound", "Topic"),
        ("Action=GetSubscriptionAttributes&SubscriptionArn=arn:aws:sns:us-east-1:000000000000:t:none".into(), 404, "NotFound", "Subscription"),
        ("Action=ListTagsForResource&ResourceArn=arn:aws:sns:us-east-1:000000000000:none".into(), 404, "ResourceNotFound", ""),
    ];
    for (body, status, code, message) in cases {
        let answer = form(&wire, &body).await;
        let shown = &body[..body.len().min(160)];
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        assert!(
            answer.body.starts_with("<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>"),
            "{shown}: {}",
            answer.body
        );
        assert!(
            answer.body.contains(&format!("<Code>{code}</Code>")),
            "{shown}: {}",
            answer.body
        );
        assert!(answer.body.contains(message), "{shown}: {}", answer.body);
        assert!(
            answer.body.contains(&format!(
                "<RequestId>{}</RequestId>",
                answer.header("x-amzn-requestid")
            )),
            "{shown}"
        );
    }
    let listed = form(&wire, "Action=ListSubscriptions").await;
    assert!(
        listed.body.contains("<Subscriptions/>"),
        "no subscription was made: {}",
        listed.body
    );
}

#[tokio::test]
async fn requests_for_nobody_are_refused_in_the_callers_format() {
    let wire = Wire::start().await;
    let sqs = [
        ("content-type", "application/x-www-form-urlencoded"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=k/20260101/r/sqs/aws4_request, SignedHeaders=host, Signature=0",
        ),
    ];
    let json_type = [("content-type", "application/json")];
    type Case<'a> = (
        &'a str,
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a str,
        u16,
        &'a str,
    );
    let cases: [Case; 10] = [
        (
            "POST",
            "/",
            &[("x-amz-target", "Nobody.Act")],
            "{}",
            400,
            "UnknownOperationException",
        ),
        (
            "POST",
            "/",
            &[("x-amz-target", "AmazonSQS")],
            "{}",
            400,
            "UnknownOperationException",
        ),
        (
            "POST",
            "/",
            &sqs,
            "Action=ListQueues&Version=2012-11-05",
            400,
            "<Code>InvalidAction</Code>",
        ),
        ("POST", "/", &[], "", 404, "UnknownOperationException"),
        ("GET", "/nowhere", &[], "", 404, "UnknownOperationException"),
        (
            "POST",
            "/v2/email/nothing",
            &json_type,
            "{}",
            404,
            "not supported",
        ),
        (
            "POST",
            "/v2/email/outbound-emails",
            &json_type,
            "{",
            400,
            "EOF",
        ),
        (
            "GET",
            "/?Action=ListTopics",
            &[],
            "",
            404,
            "UnknownOperationException",
        ),
        (
            "GET",
            "/_restock/health",
            &[("origin", "http://evil.example")],
            "",
            403,
            "AccessDenied",
        ),
        ("GET", "/_restock/mail?limit=x", &[], "", 400, "limit"),
    ];
    for (method, path, headers, body, status, part) in cases {
        let answer = wire.raw(method, path, headers, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!(
            answer.body.contains(part),
            "{method} {path}: {}",
            answer.body
        );
    }
    let refused = wire
        .raw("POST", "/v2/email/outbound-emails", &json_type, "{")
        .await;
    assert_eq!(refused.header("x-amzn-errortype"), "SerializationException");
    let large = "x".repeat(8 * 1024 * 1024 + 1);
    assert_eq!(
        json(&wire, "AmazonSQS.SendMessage", &large).await.status,
        413
    );
    assert_eq!(form(&wire, &large).await.status, 413);
    assert_eq!(wire.local("/_restock/health").await["status"], "ok");
}

#[tokio::test]
async fn a_full_database_is_told_as_such_and_recovers() {
    let settings = engine::Settings {
        max_database_bytes: Some(512 * 1024),
        ..engine::Settings::default()
    };
    let wire = Wire::start_with(settings).await;
    let url = wire.queue("q").await;
    let q = format!(r#""QueueUrl":"{url}""#);
    let message = format!(r#"{{{q},"MessageBody":"{}"}}"#, "x".repeat(100_000));
    let definition = r#"{\"StartAt\":\"P\",\"States\":{\"P\":{\"Type\":\"Pass\",\"End\":true}}}"#;
    let role = "arn:aws:iam::000000000000:role/r";
    let machine = format!(r#"{{"name":"m","roleArn":"{role}","definition":"{definition}"}}"#);
    let made = json(&wire, "AWSStepFunctions.CreateStateMachine", &machine).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    let text = "x".repeat(100_000);
    let start =
        format!(r#"{{"stateMachineArn":"{arn}","name":"e","input":"{{\"text\":\"{text}\"}}"}}"#);
    const START: &str = "AWSStepFunctions.StartExecution";
    let mut sent = 0;
    let full = loop {
        let answer = json(&wire, "AmazonSQS.SendMessage", &message).await;
        if answer.status != 200 {
            break answer;
        }
        sent += 1;
        assert!(sent < 20, "the database never becomes full");
    };
    assert_eq!(full.status, 503, "{}", full.body);
    assert_eq!(
        full.header("x-amzn-query-error"),
        "ServiceUnavailable;Receiver"
    );
    assert!(
        full.body.contains("ServiceUnavailableException") && !full.body.contains("engine"),
        "{}",
        full.body
    );
    let refused = json(&wire, START, &start).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.body.contains("ServiceUnavailableException"));

    let purged = json(&wire, "AmazonSQS.PurgeQueue", &format!("{{{q}}}")).await;
    assert_eq!(purged.status, 200, "{}", purged.body);
    let again = json(&wire, "AmazonSQS.SendMessage", &message).await;
    assert_eq!(again.status, 200, "{}", again.body);
    let purged = json(&wire, "AmazonSQS.PurgeQueue", &format!("{{{q}}}")).await;
    assert_eq!(purged.status, 200, "{}", purged.body);
    let again = json(&wire, START, &start.replace(&text, "y")).await;
    assert_eq!(again.status, 200, "{}", again.body);
}
