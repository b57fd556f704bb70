//! Errors in plain words: what the names of Step Functions mean, and what a Lambda's cause says inside its JSON.

use serde_json::Value;

/// What the error means, for somebody who does not know the States Language.
pub fn meaning(error: &str) -> Option<&'static str> {
    Some(match error {
        "States.Timeout" => "it took longer than its time-out allows",
        "States.HeartbeatTimeout" => "the worker was silent for longer than its heartbeat allows",
        "States.TaskFailed" => "the task failed",
        "States.Permissions" => "the state machine's role may not do this",
        "States.DataLimitExceeded" => "a payload was larger than 256 KiB",
        "States.Runtime" => "the state machine could not go on with its data",
        "States.QueryEvaluationError" => "an expression of the definition could not be evaluated",
        "States.NoChoiceMatched" => "no rule of a Choice state matched, and it has no Default",
        "States.BranchFailed" => "a parallel branch failed",
        "States.ExceedToleratedFailureThreshold" => {
            "more items failed than the Map state tolerates"
        }
        "Lambda.TooManyRequestsException" => "Lambda is throttling; try again later",
        "Lambda.Unknown" => "the function ended without an answer (time-out, memory, crash)",
        "Lambda.ResourceNotFoundException" => "the function or its alias does not exist",
        _ => return None,
    })
}

/// The message inside a Lambda's cause (`{"errorMessage":…,"errorType":…}`), or the cause as it is.
pub fn cause(cause: &str) -> String {
    match serde_json::from_str::<Value>(cause) {
        Ok(Value::Object(parts)) => match parts.get("errorMessage").and_then(Value::as_str) {
            Some(message) => message.to_owned(),
            None => cause.to_owned(),
        },
        _ => cause.to_owned(),
    }
}

/// Error, meaning and cause in one line.
pub fn sentence(error: &str, cause: &str) -> String {
    let mut text = error.to_owned();
    if let Some(meaning) = meaning(error) {
        text += &format!(" ({meaning})");
    }
    let cause = self::cause(cause);
    if !cause.is_empty() {
        text += &format!(": {cause}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_sentences() {
        for (error, cause, expected) in [
            ("Factory.Rejected", "", "Factory.Rejected"),
            (
                "Factory.Rejected",
                r#"{"errorType":"Factory.Rejected","errorMessage":"422 from the factory"}"#,
                "Factory.Rejected: 422 from the factory",
            ),
            (
                "States.Timeout",
                "",
                "States.Timeout (it took longer than its time-out allows)",
            ),
            ("E", "{\"a\":1}", "E: {\"a\":1}"),
        ] {
            assert_eq!(sentence(error, cause), expected);
        }
    }
}
