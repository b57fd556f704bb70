//! What SQS refuses, with its shapes and codes.

use serde_json::Value;

use super::json;
use crate::support::Wire;

#[tokio::test]
async fn sqs_refuses_with_its_shapes_and_codes() {
    let wire = Wire::start().await;
    let url = wire.queue("q").await;
    let q = format!(r#""QueueUrl":"{url}""#);
    let send = |rest: &str| format!(r#"{{{q},"MessageBody":"x",{rest}}}"#);
    let many: Vec<String> = (0..11)
        .map(|n| format!(r#"{{"Id":"{n}","MessageBody":"x"}}"#))
        .collect();
    let attributes: Vec<String> = (0..11)
        .map(|n| format!(r#""a{n}":{{"DataType":"String","StringValue":"x"}}"#))
        .collect();
    let long = "x".repeat(1_048_577);
    let halves = format!(
        r#"{{"Id":"a","MessageBody":"{0}"}},{{"Id":"b","MessageBody":"{0}"}}"#,
        "x".repeat(600_000)
    );
    let coral = "com.amazon.coral.service#";
    let sqs = "com.amazonaws.sqs#";
    // action, body, __type, code in x-amzn-query-error
    let cases = [
        (
            "SendMessage",
            "{".into(),
            format!("{coral}SerializationException"),
            "",
        ),
        (
            "SendMessage",
            "[]".into(),
            format!("{coral}SerializationException"),
            "",
        ),
        (
            "SendMessage",
            r#"{"QueueUrl":7}"#.into(),
            format!("{coral}SerializationException"),
            "",
        ),
        (
            "Explode",
            "{}".into(),
            format!("{coral}UnknownOperationException"),
            "",
        ),
        (
            "StartMessageMoveTask",
            "{}".into(),
            format!("{sqs}UnsupportedOperation"),
            "AWS.SimpleQueueService.UnsupportedOperation",
        ),
        (
            "SendMessage",
            String::new(),
            format!("{coral}MissingRequiredParameterException"),
            "MissingParameter",
        ),
        (
            "SendMessage",
            format!("{{{q}}}"),
            format!("{coral}MissingRequiredParameterException"),
            "MissingParameter",
        ),
        (
            "SendMessage",
            format!(r#"{{{q},"MessageBody":""}}"#),
            format!("{coral}MissingRequiredParameterException"),
            "MissingParameter",
        ),
        (
            "SendMessage",
            r#"{"QueueUrl":"q","MessageBody":"x"}"#.into(),
            format!("{sqs}InvalidAddress"),
            "InvalidAddress",
        ),
        (
            "SendMessage",
            r#"{"QueueUrl":"http://h/000000000000/none","MessageBody":"x"}"#.into(),
            format!("{sqs}QueueDoesNotExist"),
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
        (
            "SendMessage",
            r#"{"QueueUrl":"http://h/111111111111/q","MessageBody":"x"}"#.into(),
            format!("{sqs}QueueDoesNotExist"),
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
        (
            "SendMessage",
            format!(r#"{{{q},"MessageBody":"\u0001"}}"#),
            format!("{sqs}InvalidMessageContents"),
            "InvalidMessageContents",
        ),
        (
            "SendMessage",
            format!(r#"{{{q},"MessageBody":"{long}"}}"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "SendMessage",
            send(r#""DelaySeconds":901"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "SendMessage",
            send(r#""DelaySeconds":-1"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "SendMessage",
            send(r#""MessageDeduplicationId":"d""#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "SendMessage",
            send(r#""MessageAttributes":{"a":{"DataType":"String","StringValue":""}}"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "SendMessage",
            send(&format!(
                r#""MessageAttributes":{{{}}}"#,
                attributes.join(",")
            )),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "ReceiveMessage",
            format!(r#"{{{q},"MaxNumberOfMessages":11}}"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "ReceiveMessage",
            format!(r#"{{{q},"MaxNumberOfMessages":0}}"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "ReceiveMessage",
            format!(r#"{{{q},"WaitTimeSeconds":21}}"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "ReceiveMessage",
            format!(r#"{{{q},"VisibilityTimeout":43201}}"#),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "ReceiveMessage",
            format!(r#"{{{q},"AttributeNames":["Colour"]}}"#),
            format!("{sqs}InvalidAttributeName"),
            "InvalidAttributeName",
        ),
        (
            "DeleteMessage",
            format!(r#"{{{q},"ReceiptHandle":"x"}}"#),
            format!("{sqs}ReceiptHandleIsInvalid"),
            "ReceiptHandleIsInvalid",
        ),
        (
            "SendMessageBatch",
            format!(r#"{{{q},"Entries":[]}}"#),
            format!("{sqs}EmptyBatchRequest"),
            "AWS.SimpleQueueService.EmptyBatchRequest",
        ),
        (
            "SendMessageBatch",
            format!(r#"{{{q},"Entries":[{}]}}"#, many.join(",")),
            format!("{sqs}TooManyEntriesInBatchRequest"),
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        (
            "SendMessageBatch",
            format!(r#"{{{q},"Entries":[{0},{0}]}}"#, many[0]),
            format!("{sqs}BatchEntryIdsNotDistinct"),
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        ),
        (
            "SendMessageBatch",
            format!(r#"{{{q},"Entries":[{{"Id":"a b","MessageBody":"x"}}]}}"#),
            format!("{sqs}InvalidBatchEntryId"),
            "AWS.SimpleQueueService.InvalidBatchEntryId",
        ),
        (
            "SendMessageBatch",
            format!(r#"{{{q},"Entries":[{halves}]}}"#),
            format!("{sqs}BatchRequestTooLong"),
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
        (
            "CreateQueue",
            r#"{"QueueName":"a b"}"#.into(),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "CreateQueue",
            r#"{"QueueName":"a.fifo"}"#.into(),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "CreateQueue",
            r#"{"QueueName":"a","Attributes":{"Colour":"red"}}"#.into(),
            format!("{sqs}InvalidAttributeName"),
            "InvalidAttributeName",
        ),
        (
            "CreateQueue",
            r#"{"QueueName":"a","Attributes":{"VisibilityTimeout":"x"}}"#.into(),
            format!("{sqs}InvalidAttributeValue"),
            "InvalidAttributeValue",
        ),
        (
            "CreateQueue",
            r#"{"QueueName":"a","Attributes":{"FifoQueue":"true"}}"#.into(),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
        (
            "ListQueues",
            r#"{"MaxResults":0}"#.into(),
            format!("{coral}InvalidParameterValueException"),
            "InvalidParameterValue",
        ),
    ];
    for (action, body, expected_type, expected_code) in cases {
        let answer = json(&wire, &format!("AmazonSQS.{action}"), &body).await;
        let shown = &body[..body.len().min(200)];
        assert_eq!(answer.status, 400, "{action} {shown}: {}", answer.body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            error["__type"], expected_type,
            "{action} {shown}: {}",
            answer.body
        );
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{action} {shown}"
        );
        let code = answer.header("x-amzn-query-error");
        let expected = if expected_code.is_empty() {
            String::new()
        } else {
            format!("{expected_code};Sender")
        };
        assert_eq!(code, expected, "{action} {shown}");
        assert_eq!(answer.header("content-type"), "application/x-amz-json-1.0");
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    }
    let received = json(&wire, "AmazonSQS.ReceiveMessage", &format!("{{{q}}}")).await;
    assert_eq!(
        (received.status, received.body.as_str()),
        (200, "{}"),
        "nothing was sent"
    );
}
