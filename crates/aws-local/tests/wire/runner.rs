//! Tasks of executions: the parameters they take, the answers and errors they give, as recorded from AWS.

use asl::{Data, Resource, TaskRequest};
use engine::{TaskOutcome, TaskRun};
use serde_json::{Value, json};

use crate::support::Wire;

pub(crate) async fn run(wire: &Wire, task: u64, resource: &str, parameters: Value) -> TaskOutcome {
    let run = task_run(task, resource, parameters);
    wire.server.runner().run(run).await
}

pub(crate) fn task_run(task: u64, resource: &str, parameters: Value) -> TaskRun {
    let request = TaskRequest {
        task: serde_json::from_value(json!(task)).unwrap(),
        state: "Send".into(),
        resource: Resource::from_arn(resource).unwrap(),
        parameters: Data::new(parameters),
        token: None,
        timeout: None,
        heartbeat: None,
        credentials: None,
    };
    TaskRun {
        execution_arn: "arn:aws:states:us-east-1:000000000000:execution:m:e".into(),
        state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
        request,
        cancelled: Default::default(),
        submission: Default::default(),
    }
}

async fn bodies(wire: &Wire, url: &str) -> Vec<String> {
    let received = wire
        .sqs()
        .await
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .send()
        .await
        .unwrap();
    received
        .messages()
        .iter()
        .map(|message| message.body().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_message_is_sent_once_however_often_the_task_runs() {
    let wire = Wire::start().await;
    let url = wire.queue("q").await;
    let parameters = json!({"QueueUrl": url, "MessageBody": {"a": 1, "token": "t"},
        "MessageAttributes": {"k": {"DataType": "String", "StringValue": "v"}}});
    for _ in 0..2 {
        let outcome = run(
            &wire,
            3,
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            parameters.clone(),
        )
        .await;
        let TaskOutcome::Submitted(answer) = outcome else {
            panic!("{outcome:?}")
        };
        let answer = answer.value();
        let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "MD5OfMessageBody",
                "MD5OfMessageAttributes",
                "MessageId",
                "SdkHttpMetadata",
                "SdkResponseMetadata"
            ]
        );
        assert_eq!(answer["SdkHttpMetadata"]["HttpStatusCode"], 200);
        assert_eq!(
            answer["SdkHttpMetadata"]["AllHttpHeaders"]["Content-Type"],
            json!(["application/x-amz-json-1.0"])
        );
        assert_eq!(
            answer["SdkResponseMetadata"]["RequestId"],
            answer["SdkHttpMetadata"]["HttpHeaders"]["x-amzn-RequestId"]
        );
    }
    assert_eq!(bodies(&wire, &url).await, [r#"{"a":1,"token":"t"}"#]);

    let plain = json!({"QueueUrl": url, "MessageBody": "text"});
    let outcome = run(&wire, 9, "arn:aws:states:::sqs:sendMessage", plain).await;
    let TaskOutcome::Succeeded(answer) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        answer.value()["SdkHttpMetadata"]["HttpHeaders"]["Content-Length"],
        "106"
    );
    assert_eq!(bodies(&wire, &url).await, ["text"]);
}

#[tokio::test]
async fn a_publication_reaches_each_queue_once() {
    let wire = Wire::start().await;
    let (one, two) = (wire.queue("one").await, wire.queue("two").await);
    let sns = wire.sns().await;
    let topic = sns
        .create_topic()
        .name("t")
        .send()
        .await
        .unwrap()
        .topic_arn
        .unwrap();
    for queue in ["one", "two"] {
        let endpoint = format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
        let subscribe = sns
            .subscribe()
            .topic_arn(&topic)
            .protocol("sqs")
            .endpoint(endpoint)
            .attributes("RawMessageDelivery", "true");
        subscribe.send().await.unwrap();
    }
    let parameters = json!({"TopicArn": topic, "Message": {"a": [1]}, "Subject": "s"});
    for _ in 0..2 {
        let outcome = run(&wire, 3, "arn:aws:states:::sns:publish", parameters.clone()).await;
        let TaskOutcome::Succeeded(answer) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(
            answer.value()["SdkHttpMetadata"]["HttpHeaders"]["Content-Length"],
            "294"
        );
    }
    for url in [one, two] {
        assert_eq!(bodies(&wire, &url).await, [r#"{"a":[1]}"#]);
    }
}

#[tokio::test]
async fn refused_calls_fail_with_the_names_of_step_functions() {
    let wire = Wire::start().await;
    let url = wire.queue("q").await;
    let (sqs, sns) = (
        "arn:aws:states:::sqs:sendMessage",
        "arn:aws:states:::sns:publish",
    );
    let none = "arn:aws:sns:us-east-1:000000000000:none";
    let cases = [
        (
            sqs,
            json!({"QueueUrl": "http://h/000000000000/none", "MessageBody": "x"}),
            "SQS.QueueDoesNotExistException",
            "The specified queue does not exist. (Service: AmazonSQS; Status Code: 400; Error Code: AWS.SimpleQueueService.NonExistentQueue; Request ID: ",
        ),
        (
            sqs,
            json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 901}),
            "SQS.AmazonSQSException",
            "Error Code: InvalidParameterValue",
        ),
        (
            sqs,
            json!({"MessageBody": "x"}),
            "States.Runtime",
            "The field 'QueueUrl' is required but was missing",
        ),
        (
            sqs,
            json!({"QueueUrl": [], "MessageBody": "x"}),
            "States.Runtime",
            "could not be used to start the Task",
        ),
        (
            sns,
            json!({"TopicArn": none, "Message": "x"}),
            "SNS.NotFoundException",
            "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: ",
        ),
        (
            sns,
            json!({"TopicArn": none, "Message": ""}),
            "SNS.InvalidParameterException",
            "Invalid parameter: Empty message",
        ),
        (
            sns,
            json!({"TopicArn": none, "Message": "x", "MessageAttributes": {"k": {"DataType": "Number", "StringValue": "x"}}}),
            "SNS.InvalidParameterValueException",
            "Error Code: ParameterValueInvalid",
        ),
        (
            sns,
            json!({"Message": "x"}),
            "States.Runtime",
            "The field 'TopicArn' is required but was missing",
        ),
        (
            "arn:aws:states:::glue:startJobRun",
            json!({}),
            "States.TaskFailed",
            "The service glue cannot be called",
        ),
    ];
    for (task, (resource, parameters, expected_error, expected_cause)) in (1u64..).zip(cases) {
        let outcome = run(&wire, task, resource, parameters.clone()).await;
        let TaskOutcome::Failed { error, cause } = outcome else {
            panic!("{parameters}: {outcome:?}")
        };
        assert_eq!(error, expected_error, "{parameters}");
        assert!(cause.contains(expected_cause), "{parameters}: {cause}");
    }
}
