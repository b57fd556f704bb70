//! What a service would have answered to the request of a task that then waits: the output of its `TaskSubmitted` event.
//!
//! A mock says how such a task ends, not how it began. Ids and times are made up as the service makes them up.

use asl::{Data, Resource};
use engine::TaskRun;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::attributes::md5_of_text;
use crate::protocol::json::CONTENT_TYPE;
use crate::protocol::new_request_id;
use crate::runner::metadata::with_metadata;
use crate::runner::sns;
use crate::runner::states::{self, StartedChild};

/// The response to the request that a task makes.
pub(super) fn to_request(task: &TaskRun) -> Data {
    let request_id = new_request_id();
    let parameters = task.request.parameters.value();
    let (service, action) = match &task.request.resource {
        Resource::Integration {
            service, action, ..
        } => (&**service, &**action),
        _ => ("", ""),
    };
    let json = |answer: Value| {
        let length = answer.to_string().len();
        with_metadata(members(answer), &request_id, CONTENT_TYPE, length)
    };
    Data::new(match (service, action) {
        ("sqs", "sendMessage") => json(json!({
            "MD5OfMessageBody": md5_of_text(&text(&parameters["MessageBody"])),
            "MessageId": Uuid::new_v4(),
        })),
        ("sns", "publish") => {
            let message_id = Uuid::new_v4().to_string();
            let length = sns::length_of_answer(&message_id, &request_id);
            let answer = members(json!({ "MessageId": message_id }));
            with_metadata(answer, &request_id, "text/xml", length)
        }
        ("states", "startExecution") => {
            let child = StartedChild {
                arn: started(parameters),
                at: Timestamp::now().as_millisecond(),
            };
            return states::response(&child, &request_id);
        }
        _ => json(json!({})),
    })
}

/// The ARN of the execution that `StartExecution` would have started.
fn started(parameters: &Value) -> String {
    let machine = text(&parameters["StateMachineArn"]);
    let execution = machine.replace(":stateMachine:", ":execution:");
    match &parameters["Name"] {
        Value::String(name) => format!("{execution}:{name}"),
        _ => format!("{execution}:{}", Uuid::new_v4()),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
