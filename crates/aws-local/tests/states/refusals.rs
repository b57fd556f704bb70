//! Bad calls: AWS's name and words for each.

use serde_json::{Value, json};

use crate::support::{Fixture, PASS, ROLE, WAIT};

const HERE: &str = "arn:aws:states:us-east-1:000000000000";

/// The namespaces in which AWS names its errors.
const NAMESPACES: [&str; 3] = [
    "com.amazonaws.swf.service.v2.model",
    "com.amazon.coral.validate",
    "com.amazon.coral.service",
];

async fn check(fixture: &Fixture, action: &str, body: Value, code: &str, message: &str) {
    let body = body.to_string();
    let (status, answer) = fixture.raw(action, &body).await;
    let name = answer["__type"].as_str().unwrap_or_default();
    let (namespace, shape) = name.split_once('#').unwrap_or_default();
    assert_eq!(
        (
            status,
            shape,
            answer["message"].as_str().unwrap_or_default()
        ),
        (400, code, message),
        "{action} {body}"
    );
    assert!(NAMESPACES.contains(&namespace), "{name}");
}

#[tokio::test]
async fn members_are_checked_before_anything_else() {
    let fixture = Fixture::start().await;
    let machine = json!(format!("{HERE}:stateMachine:m"));
    let long = "n".repeat(81);
    let cases = [
        (
            "CreateStateMachine",
            json!({}),
            "3 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; \
             Value null at 'definition' failed to satisfy constraint: Member must not be null; \
             Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
                .to_owned(),
        ),
        (
            "CreateStateMachine",
            json!({"name": long, "definition": PASS, "roleArn": ROLE}),
            format!(
                "1 validation error detected: Value '{long}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80"
            ),
        ),
        (
            "CreateStateMachine",
            json!({"name": "m", "definition": PASS, "roleArn": ROLE, "type": "FAST"}),
            "1 validation error detected: Value 'FAST' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]".to_owned(),
        ),
        (
            "StartExecution",
            json!({"stateMachineArn": machine, "input": format!("\"{}\"", "x".repeat(262_143))}),
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144".to_owned(),
        ),
        (
            "ListExecutions",
            json!({"stateMachineArn": machine, "maxResults": 1001}),
            "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000".to_owned(),
        ),
        (
            "ListStateMachines",
            json!({"maxResults": -1, "nextToken": ""}),
            "2 validation errors detected: Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 0; \
             Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1"
                .to_owned(),
        ),
        (
            "SendTaskSuccess",
            json!({"taskToken": "", "output": "1"}),
            "1 validation error detected: Value '' at 'taskToken' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned(),
        ),
        (
            "TagResource",
            json!({"resourceArn": machine, "tags": [{"key": "a", "value": "b"}, {"key": "", "value": ""}]}),
            "1 validation error detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned(),
        ),
        (
            "CreateStateMachineAlias",
            json!({"name": "12", "routingConfiguration": [{"stateMachineVersionArn": format!("{HERE}:stateMachine:m:1"), "weight": 101}]}),
            "2 validation errors detected: Value '12' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: \
             ^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$; \
             Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy constraint: Member must have value less than or equal to 100"
                .to_owned(),
        ),
    ];
    for (action, body, message) in cases {
        check(&fixture, action, body, "ValidationException", &message).await;
    }
}

#[tokio::test]
async fn what_is_wrong_or_missing_is_named_as_aws_names_it() {
    let fixture = Fixture::start().await;
    let wait = fixture.machine("wait", WAIT).await;
    let running = fixture.execution(&wait, "{}").await;
    let (_, express) = fixture
        .raw(
            "CreateStateMachine",
            &json!({"name": "express", "definition": PASS, "roleArn": ROLE, "type": "EXPRESS", "publish": true}).to_string(),
        )
        .await;
    let express = express["stateMachineArn"].as_str().unwrap().to_owned();
    let none = format!("{HERE}:stateMachine:none");
    let does_not_exist = |arn: &str| format!("State Machine Does Not Exist: '{arn}'");
    let create = |changes: Value| {
        let mut body = json!({"name": "m", "definition": PASS, "roleArn": ROLE});
        body.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        body
    };
    let routes = |routes: &[(&str, i64)]| {
        let routes: Vec<_> = routes
            .iter()
            .map(|(arn, weight)| json!({"stateMachineVersionArn": arn, "weight": weight}))
            .collect();
        json!({"name": "live", "routingConfiguration": routes})
    };
    let (one, two) = (format!("{express}:1"), format!("{express}:2"));
    let cases = [
        ("CreateStateMachine", create(json!({"name": "a b"})), "InvalidName", "Invalid Name: 'a b'".to_owned()),
        ("CreateStateMachine", create(json!({"roleArn": "me"})), "InvalidArn", "Invalid Role Arn: 'me'".to_owned()),
        (
            "CreateStateMachine",
            create(json!({"definition": r#"{"StartAt":"A"}"#})),
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'".to_owned(),
        ),
        (
            "CreateStateMachine",
            create(json!({"loggingConfiguration": {"level": "ALL"}})),
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.".to_owned(),
        ),
        (
            "CreateStateMachine",
            create(json!({"versionDescription": "d"})),
            "ValidationException",
            "Version description can only be set when publish is true".to_owned(),
        ),
        (
            "UpdateStateMachine",
            json!({"stateMachineArn": wait}),
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified".to_owned(),
        ),
        (
            "UpdateStateMachine",
            json!({"stateMachineArn": format!("{wait}:1"), "definition": PASS}),
            "StateMachineDoesNotExist",
            does_not_exist(&format!("{wait}:1")),
        ),
        ("UpdateStateMachine", json!({"stateMachineArn": none, "definition": PASS}), "StateMachineDoesNotExist", does_not_exist(&none)),
        ("DescribeStateMachine", json!({"stateMachineArn": none}), "StateMachineDoesNotExist", does_not_exist(&none)),
        (
            "DescribeStateMachine",
            json!({"stateMachineArn": format!("{wait}:7")}),
            "StateMachineDoesNotExist",
            does_not_exist(&format!("{wait}:7")),
        ),
        (
            "DescribeStateMachine",
            json!({"stateMachineArn": wait.replace("us-east-1", "eu-west-1")}),
            "StateMachineDoesNotExist",
            does_not_exist(&wait.replace("us-east-1", "eu-west-1")),
        ),
        ("DescribeStateMachine", json!({"stateMachineArn": "m"}), "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: m'".to_owned()),
        (
            "DescribeStateMachine",
            json!({"stateMachineArn": running}),
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: execution'".to_owned(),
        ),
        (
            "DescribeExecution",
            json!({"executionArn": wait}),
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: stateMachine'".to_owned(),
        ),
        (
            "DescribeExecution",
            json!({"executionArn": format!("{HERE}:execution:wait:none")}),
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{HERE}:execution:wait:none'"),
        ),
        ("StartExecution", json!({"stateMachineArn": none}), "StateMachineDoesNotExist", does_not_exist(&none)),
        (
            "StartExecution",
            json!({"stateMachineArn": format!("{wait}:live")}),
            "StateMachineDoesNotExist",
            does_not_exist(&format!("{wait}:live")),
        ),
        ("StartExecution", json!({"stateMachineArn": wait, "name": "a:b"}), "InvalidName", "Invalid Name: 'a:b'".to_owned()),
        (
            "StartExecution",
            json!({"stateMachineArn": wait, "input": "{"}),
            "InvalidExecutionInput",
            "Invalid State Machine Execution Input: 'Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"; line: 1, column: 1])\n at [Source: (String)\"{\"; line: 1, column: 2]'".to_owned(),
        ),
        (
            "ListExecutions",
            json!({"stateMachineArn": express}),
            "StateMachineTypeNotSupported",
            "This operation is not supported by this type of state machine".to_owned(),
        ),
        (
            "ListExecutions",
            json!({"stateMachineArn": wait, "nextToken": "AAAA"}),
            "InvalidToken",
            "Invalid Token: 'Invalid token'".to_owned(),
        ),
        (
            "TagResource",
            json!({"resourceArn": one, "tags": []}),
            "ResourceNotFound",
            format!("Resource not found: '{one}'"),
        ),
        (
            "CreateStateMachineAlias",
            routes(&[(&express, 100)]),
            "ValidationException",
            format!("Routing configuration must contain state machine version ARNs. Received: [{express}]"),
        ),
        (
            "CreateStateMachineAlias",
            routes(&[(&one, 50), (&one, 50)]),
            "ValidationException",
            format!("Routing configuration must contain distinct state machine version ARNs. Received: [{one}, {one}]"),
        ),
        (
            "CreateStateMachineAlias",
            routes(&[(&one, 70), (&two, 29)]),
            "ValidationException",
            "Sum of routing configuration weights must equal 100. Received: [70, 29]".to_owned(),
        ),
        (
            "CreateStateMachineAlias",
            routes(&[(&two, 100)]),
            "ResourceNotFound",
            "Request references a resource that does not exist.".to_owned(),
        ),
        (
            "DescribeActivity",
            json!({"activityArn": format!("{HERE}:activity:none")}),
            "ActivityDoesNotExist",
            format!("Activity Does Not Exist: '{HERE}:activity:none'"),
        ),
        (
            "DescribeMapRun",
            json!({"mapRunArn": format!("{HERE}:mapRun:m/l:1")}),
            "ResourceNotFound",
            format!("Resource not found: '{HERE}:mapRun:m/l:1'"),
        ),
    ];
    for (action, body, code, message) in cases {
        check(&fixture, action, body, code, &message).await;
    }
}

#[tokio::test]
async fn a_body_of_another_shape_is_a_serialization_error() {
    let fixture = Fixture::start().await;
    for body in ["{", "[]", r#"{"maxResults":"ten"}"#] {
        let (status, answer) = fixture.raw("ListStateMachines", body).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(
            answer["__type"], "com.amazon.coral.service#SerializationException",
            "{body}"
        );
    }
}
