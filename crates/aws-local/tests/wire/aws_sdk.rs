//! `aws-sdk:` tasks: parameters, results and errors of the services that are here, and of those that are elsewhere.

use std::sync::{Arc, Mutex};

use aws_local::runner::aws_sdk::Endpoints;
use axum::extract::Request;
use engine::TaskOutcome;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use crate::runner::{run, task_run};
use crate::support::Wire;

async fn call(wire: &Wire, resource: &str, parameters: Value) -> Result<Value, (String, String)> {
    let resource = format!("arn:aws:states:::aws-sdk:{resource}");
    match run(wire, 1, &resource, parameters).await {
        TaskOutcome::Succeeded(answer) | TaskOutcome::Submitted(answer) => {
            Ok(answer.value().clone())
        }
        TaskOutcome::Failed { error, cause } => Err((error, cause)),
        other => panic!("{resource}: {other:?}"),
    }
}

async fn refused(wire: &Wire, resource: &str, parameters: Value, error: &str, cause: &str) {
    let (found, said) = call(wire, resource, parameters).await.unwrap_err();
    assert_eq!(found, error, "{resource}: {said}");
    assert!(said.contains(cause), "{resource}: {said}");
}

#[tokio::test]
async fn sns_takes_lists_and_maps() {
    let wire = Wire::start().await;
    let url = wire.queue("q").await;
    let made = call(
        &wire,
        "sns:createTopic",
        json!({"Name": "t", "Tags": [{"Key": "k", "Value": "v"}]}),
    );
    let topic = made.await.unwrap()["TopicArn"].clone();
    let tags = call(
        &wire,
        "sns:listTagsForResource",
        json!({"ResourceArn": topic}),
    );
    assert_eq!(
        tags.await.unwrap(),
        json!({"Tags": [{"Key": "k", "Value": "v"}]})
    );
    let subscribe = json!({"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:000000000000:q",
        "Attributes": {"FilterPolicy": {"size": ["big"]}}});
    call(&wire, "sns:subscribe", subscribe).await.unwrap();
    for size in ["small", "big"] {
        let message = json!({"TopicArn": topic, "Message": {"size": size},
            "MessageAttributes": {"size": {"DataType": "String", "StringValue": size}}});
        let sent = call(&wire, "sns:publish", message).await.unwrap();
        assert_eq!(sent["MessageId"].as_str().unwrap().len(), 36);
    }
    let received = call(&wire, "sqs:receiveMessage", json!({"QueueUrl": url})).await;
    let messages = received.unwrap()["Messages"].clone();
    let notice: Value = serde_json::from_str(messages[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(notice["Message"], r#"{"size":"big"}"#);
    let link = notice["UnsubscribeURL"].as_str().unwrap();
    assert!(link.starts_with(&wire.url()), "{link}");
    let empty = json!({"Name": "t", "Tags": []});
    assert_eq!(
        call(&wire, "sns:createTopic", empty).await.unwrap(),
        json!({"TopicArn": topic})
    );
    let listed = call(&wire, "sns:listTopics", json!({})).await.unwrap();
    assert_eq!(listed, json!({"Topics": [{"TopicArn": topic}]}));

    let none = "arn:aws:sns:us-east-1:000000000000:none";
    let missing = json!({"TopicArn": none, "Message": "x"});
    let cause = "Topic does not exist (Service: Sns, Status Code: 404, Request ID: ";
    refused(
        &wire,
        "sns:publish",
        missing,
        "Sns.NotFoundException",
        cause,
    )
    .await;
    let empty = json!({"TopicArn": topic, "Message": ""});
    let error = "Sns.InvalidParameterException";
    refused(&wire, "sns:publish", empty, error, "(SDK Attempt Count: 1)").await;
    let unknown = json!({"TopicArn": topic, "Massage": ""});
    let cause = "The field 'Massage' is not supported by Step Functions";
    refused(&wire, "sns:publish", unknown, "States.Runtime", cause).await;
}

#[tokio::test]
async fn objects_are_put_and_listed_as_recorded() {
    let wire = Wire::start().await;
    let made = call(&wire, "s3:createBucket", json!({"Bucket": "donuts"})).await;
    assert_eq!(made.unwrap(), json!({"Location": "/donuts"}));
    for (key, body, etag, crc32) in [
        (
            "dict",
            json!({"Dict": "Value"}),
            "49e31cee5aec8faf3345893addb14346",
            "hnEfWw==",
        ),
        (
            "list",
            json!(["List", "Data"]),
            "6b23860357f6e63a0272b7f1143a663a",
            "1F2MPA==",
        ),
        (
            "text",
            json!("text data"),
            "2b5df3712557f503a9977a8ea893b2c9",
            "KUmHvQ==",
        ),
        (
            "dir/no ü",
            json!(false),
            "68934a3e9455fa72420237eb05902327",
            "K81oMA==",
        ),
    ] {
        let put =
            json!({"Bucket": "donuts", "Key": key, "Body": body, "Metadata": {"baker": "Ada"}});
        assert_eq!(
            call(&wire, "s3:putObject", put).await.unwrap(),
            json!({"ETag": format!("\"{etag}\""), "ChecksumCRC32": crc32, "ChecksumType": "FULL_OBJECT", "ServerSideEncryption": "AES256"})
        );
        let got = call(
            &wire,
            "s3:getObject",
            json!({"Bucket": "donuts", "Key": key}),
        )
        .await
        .unwrap();
        assert_eq!(
            (&got["Body"], &got["ETag"], &got["Metadata"]),
            (
                &json!(body.to_string()),
                &json!(format!("\"{etag}\"")),
                &json!({"baker": "Ada"})
            )
        );
        assert!(
            got["LastModified"].as_str().unwrap().ends_with('Z'),
            "{got}"
        );
        assert_eq!(got["ContentLength"], body.to_string().len());
    }
    let part = call(
        &wire,
        "s3:getObject",
        json!({"Bucket": "donuts", "Key": "text", "Range": "bytes=1-4"}),
    )
    .await;
    assert_eq!(part.unwrap()["Body"], "text");

    let list = json!({"Bucket": "donuts", "Delimiter": "/", "MaxKeys": 3});
    let listed = call(&wire, "s3:listObjectsV2", list).await.unwrap();
    assert_eq!(
        (
            &listed["KeyCount"],
            &listed["IsTruncated"],
            &listed["Contents"][0]["Key"],
            &listed["Contents"][0]["Size"]
        ),
        (&json!(3), &json!(true), &json!("dict"), &json!(16))
    );
    assert_eq!(listed["CommonPrefixes"], json!([{"Prefix": "dir/"}]));
    let next = json!({"Bucket": "donuts", "Delimiter": "/", "ContinuationToken": listed["NextContinuationToken"]});
    let listed = call(&wire, "s3:listObjectsV2", next).await.unwrap();
    assert_eq!(listed["Contents"][0]["Key"], "text");
    let head = call(
        &wire,
        "s3:headObject",
        json!({"Bucket": "donuts", "Key": "text"}),
    )
    .await
    .unwrap();
    assert_eq!(head["ContentLength"], 11);
    let buckets = call(&wire, "s3:listBuckets", json!({})).await.unwrap();
    assert_eq!(buckets["Buckets"][0]["Name"], "donuts");

    let missing = json!({"Bucket": "donuts", "Key": "none"});
    let cause = "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: ";
    refused(
        &wire,
        "s3:getObject",
        missing.clone(),
        "S3.NoSuchKeyException",
        cause,
    )
    .await;
    refused(
        &wire,
        "s3:getObject",
        missing.clone(),
        "S3.NoSuchKeyException",
        ", Extended Request ID: ",
    )
    .await;
    refused(
        &wire,
        "s3:headObject",
        missing,
        "S3.NoSuchKeyException",
        "Status Code: 404",
    )
    .await;
    let elsewhere = json!({"Bucket": "none", "Key": "k"});
    refused(
        &wire,
        "s3:getObject",
        elsewhere,
        "S3.NoSuchBucketException",
        "does not exist",
    )
    .await;
    let range = json!({"Bucket": "donuts", "Key": "text", "Range": "bytes=99-"});
    refused(
        &wire,
        "s3:getObject",
        range,
        "S3.S3Exception",
        "Status Code: 416",
    )
    .await;
    let nameless = json!({"Bucket": "donuts"});
    refused(
        &wire,
        "s3:getObject",
        nameless,
        "States.Runtime",
        "The field 'Key' is required",
    )
    .await;
}

#[tokio::test]
async fn mail_is_sent() {
    let wire = Wire::start().await;
    let mail = |content: Value| json!({"FromEmailAddress": "shop@example.com", "Destination": {"ToAddresses": ["a@example.com"]}, "Content": content});
    let simple =
        json!({"Simple": {"Subject": {"Data": "도너츠"}, "Body": {"Text": {"Data": "hi"}}}});
    let sent = call(&wire, "sesv2:sendEmail", mail(simple)).await.unwrap();
    assert!(sent["MessageId"].is_string());
    let kept = wire.local("/_restock/mail?to=a@example.com").await;
    assert!(kept.to_string().contains("도너츠"), "{kept}");
    let template = mail(json!({"Template": {"TemplateName": "t"}}));
    let error = "SesV2.BadRequestException";
    refused(
        &wire,
        "sesv2:sendEmail",
        template,
        error,
        "Service: SesV2, Status Code: 400",
    )
    .await;
    let made = call(
        &wire,
        "sesv2:createEmailIdentity",
        json!({"EmailIdentity": "a@example.com"}),
    )
    .await;
    assert_eq!(made.unwrap()["IdentityType"], "EMAIL_ADDRESS");
    let found = call(
        &wire,
        "sesv2:getEmailIdentity",
        json!({"EmailIdentity": "a@example.com"}),
    )
    .await;
    assert_eq!(found.unwrap()["VerifiedForSendingStatus"], true);
}

#[tokio::test]
async fn an_endpoint_goes_before_what_is_here_and_gets_the_caller_s_signature() {
    let other = Wire::start().await;
    let url = other.url();
    let wire = Wire::start_calling(
        Endpoints::read(|name| match name {
            "AWS_ENDPOINT_URL_S3" | "AWS_ENDPOINT_URL_SNS" | "AWS_ENDPOINT_URL_SQS" => {
                Some(url.clone())
            }
            _ => None,
        })
        .unwrap(),
    )
    .await;
    call(&wire, "s3:createBucket", json!({"Bucket": "donuts"}))
        .await
        .unwrap();
    let put = json!({"Bucket": "donuts", "Key": "k", "Body": {}});
    call(&wire, "s3:putObject", put).await.unwrap();
    let missing = json!({"Bucket": "donuts", "Key": "none"});
    refused(
        &wire,
        "s3:getObject",
        missing,
        "S3.NoSuchKeyException",
        "Extended Request ID",
    )
    .await;
    let made = call(&wire, "sqs:createQueue", json!({"QueueName": "q"}))
        .await
        .unwrap();
    assert!(
        made["QueueUrl"].as_str().unwrap().starts_with(&other.url()),
        "{made}"
    );
    let topic = call(&wire, "sns:createTopic", json!({"Name": "t"}))
        .await
        .unwrap();
    let here = call(&wire, "lambda:listFunctions", json!({}))
        .await
        .unwrap();
    assert_eq!(here["Functions"], json!([]));
    assert!(other.server.s3().get("donuts", "k").await.is_ok());
    assert!(wire.server.s3().get("donuts", "k").await.is_err());
    let known = call(&other, "sns:listTopics", json!({})).await.unwrap();
    assert_eq!(known["Topics"][0], topic);
}

#[tokio::test]
async fn requests_carry_the_credentials_of_the_environment() {
    let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sink = Arc::clone(&seen);
    let service = axum::Router::new().fallback(async move |request: Request| {
        let text = |name: &str| {
            let value = request.headers().get(name);
            value.map_or("", |it| it.to_str().unwrap()).to_owned()
        };
        sink.lock()
            .unwrap()
            .push((text("authorization"), text("x-amz-security-token")));
        axum::Json(json!({"Item": {"k": {"S": "v"}}}))
    });
    let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let endpoints = Endpoints::read(|name| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(format!("http://{address}")),
        "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("secret".to_owned()),
        "AWS_SESSION_TOKEN" => Some("token".to_owned()),
        _ => None,
    });
    let wire = Wire::start_calling(endpoints.unwrap()).await;
    let got = call(&wire, "dynamodb:getItem", json!({"TableName": "t"})).await;
    assert_eq!(got.unwrap(), json!({"Item": {"k": {"S": "v"}}}));
    let (authorization, token) = seen.lock().unwrap()[0].clone();
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        "{authorization}"
    );
    assert!(authorization.contains("/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="), "{authorization}");
    assert_eq!(token, "token");

    serving.abort();
    let _ = serving.await;
    let error = "DynamoDb.SdkClientException";
    refused(
        &wire,
        "dynamodb:getItem",
        json!({}),
        error,
        "could not be called",
    )
    .await;
}

#[tokio::test]
async fn a_call_whose_answer_nobody_wants_any_more_is_dropped() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let endpoints =
        Endpoints::read(|name| (name == "AWS_ENDPOINT_URL_DYNAMODB").then(|| url.clone()));
    let wire = Wire::start_calling(endpoints.unwrap()).await;
    let task = task_run(
        1,
        "arn:aws:states:::aws-sdk:dynamodb:getItem",
        json!({"TableName": "t"}),
    );
    let cancelled = task.cancelled.clone();
    let running = tokio::spawn(wire.server.runner().run(task));
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 4];
    connection.read_exact(&mut request).await.unwrap();
    assert_eq!(request, b"POST");
    cancelled.cancel();
    running.await.unwrap();
    // To its end, which only the caller can make.
    connection.read_to_end(&mut request).await.unwrap();
}

#[tokio::test]
async fn functions_that_are_not_there() {
    let wire = Wire::start().await;
    for action in ["invoke", "getFunction"] {
        let resource = format!("lambda:{action}");
        let error = "Lambda.ResourceNotFoundException";
        let cause = "(Service: Lambda, Status Code: 404, Request ID: ";
        refused(
            &wire,
            &resource,
            json!({"FunctionName": "none"}),
            error,
            cause,
        )
        .await;
    }
}

/// The actions that are said to be here are: none is unknown to its service.
#[tokio::test]
async fn every_action_that_tasks_can_call_here_is_known() {
    let wire = Wire::start().await;
    for (service, other) in [
        ("lambda", "addPermission"),
        ("s3", "putBucketTagging"),
        ("sesv2", "getAccount"),
        ("sns", "optInPhoneNumber"),
        ("sqs", "addPermission"),
    ] {
        let (_, said) = call(&wire, &format!("{service}:{other}"), json!({}))
            .await
            .unwrap_err();
        let (_, here) = said.split_once(" this endpoint has ").unwrap();
        let here = here.split_once('.').unwrap().0;
        for action in here.split(", ") {
            let resource = format!("{service}:{}{}", action[..1].to_lowercase(), &action[1..]);
            let mut parameters = json!({});
            // What stands in the path has to be there.
            let cause = loop {
                let cause = match call(&wire, &resource, parameters.clone()).await {
                    Ok(_) => String::new(),
                    Err((_, cause)) => cause,
                };
                match cause
                    .split_once("The field '")
                    .and_then(|(_, it)| it.split_once("' is required"))
                {
                    Some((name, _)) => parameters[name] = json!("none"),
                    None => break cause,
                }
            };
            for unknown in [
                "not known to",
                "not supported",
                "not something",
                "is not valid for",
                "Set AWS_ENDPOINT",
            ] {
                assert!(!cause.contains(unknown), "{resource}: {cause}");
            }
        }
    }
}
