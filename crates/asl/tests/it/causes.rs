//! Error and cause of states that fail on their data, word for word.

use asl::{Data, Signal};
use serde_json::{Value, json};

use crate::support::Run;

/// Runs one state; its error and what follows "An error occurred while executing the state … ." in its cause.
fn check(state: Value, input: Value, error: &str, cause: &str) {
    let mut state = state;
    if state["Type"] != "Fail" && state["Type"] != "Choice" {
        state["End"] = json!(true);
    }
    let text = json!({ "StartAt": "A", "States": { "A": state } }).to_string();
    let mut run = Run::new(&text);
    let input = Data::new(input);
    run.signal(Signal::Start { input }).unwrap();
    assert_eq!(run.execution.error(), Some(error), "{text}");
    let found = run.execution.cause().unwrap_or_default();
    let prefix = "An error occurred while executing the state 'A' (entered at the event id #2). ";
    assert_eq!(found.strip_prefix(prefix).unwrap_or(found), cause, "{text}");
}

#[test]
fn waits() {
    let seconds = |value: Value, cause: &str| {
        check(
            json!({ "Type": "Wait", "SecondsPath": "$.w" }),
            json!({ "w": value }),
            "States.Runtime",
            &format!("The SecondsPath parameter {cause}"),
        );
    };
    seconds(json!(-1), "references a negative value: $.w == -1");
    seconds(json!(1.5), "cannot be parsed as a long value: $.w == 1.5");
    seconds(json!("x"), "cannot be parsed as a long value: $.w == x");
    seconds(json!({}), "cannot be parsed as a long value: $.w == {}");
    check(
        json!({ "Type": "Wait", "SecondsPath": "$" }),
        json!(100_000_000),
        "States.Runtime",
        "The Seconds parameter must be between 0 and 99999999: 100000000",
    );
    check(
        json!({ "Type": "Wait", "Timestamp": "2999-01-01T00:00:00Z" }),
        json!({}),
        "States.Runtime",
        "The Timestamp parameter is more than 2147483647 seconds in the future",
    );
    let timestamp = |value: Value, cause: &str| {
        check(
            json!({ "Type": "Wait", "TimestampPath": "$.w.t" }),
            json!({ "w": value }),
            "States.Runtime",
            &format!("The TimestampPath parameter does not reference {cause}"),
        );
    };
    timestamp(json!({}), "an input value: $.w.t");
    let wanted = "a valid ISO-8601 extended offset date-time format string: $.w.t == ";
    timestamp(json!({ "t": 5 }), &format!("{wanted}5"));
    timestamp(
        json!({ "t": "2020-01-01T00:00:00+0100" }),
        &format!("{wanted}2020-01-01T00:00:00+0100"),
    );
}

#[test]
fn numbers_of_expressions() {
    let seconds = |value: Value, wanted: &str, is: &str| {
        check(
            json!({ "Type": "Wait", "QueryLanguage": "JSONata", "Seconds": "{% $states.input %}" }),
            value.clone(),
            "States.QueryEvaluationError",
            &format!(
                "The JSONata expression '$states.input' specified for the field 'Seconds' returned an unexpected result type. Expected '{wanted}', but was '{is}' for value: {value}"
            ),
        );
    };
    seconds(json!(1.5), "integer", "number");
    seconds(json!("1"), "number", "string");
}

#[test]
fn paths_that_find_nothing() {
    let input_path = |path: &str, reason: &str| {
        check(
            json!({ "Type": "Pass", "InputPath": path }),
            json!({ "a": { "b": [1] } }),
            "States.Runtime",
            &format!("Invalid path '{path}' : {reason}"),
        );
    };
    input_path("$.a.c", "No results for path: $['a']['c']");
    input_path("$.a.c.d", "Missing property in path $['a']['c']");
    input_path("$.a.b[1]", "No results for path: $['a']['b'][1]");
}

#[test]
fn null_has_no_paths() {
    let cause = "Unable to apply Path transformation to null or empty input.";
    for state in [
        json!({ "Type": "Pass", "InputPath": "$.a" }),
        json!({ "Type": "Pass", "Parameters": { "x.$": "$" } }),
        json!({ "Type": "Pass", "Parameters": { "x.$": "States.Format('{}', $.a)" } }),
    ] {
        check(state, Value::Null, "States.Runtime", cause);
    }
}

#[test]
fn result_paths_that_lead_nowhere() {
    let result_path = |path: &str, input: Value, cause: &str| {
        check(
            json!({ "Type": "Pass", "Result": 1, "ResultPath": path }),
            input,
            "States.ResultPathMatchFailure",
            cause,
        );
    };
    result_path(
        "$.a.b",
        json!({ "a": "x" }),
        r#"Unable to apply step "b" to input "x""#,
    );
    result_path(
        "$.a[3]",
        json!({ "a": [0] }),
        r#"Unable to apply step "3" to input [0]"#,
    );
    result_path(
        "$.a",
        json!([1]),
        r#"Unable to apply step "a" to input [1]"#,
    );
}

#[test]
fn a_map_over_no_list() {
    let processor = json!({ "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } });
    let map = |items_path: Option<&str>, path: &str| {
        let mut state = json!({ "Type": "Map", "ItemProcessor": processor });
        if let Some(path) = items_path {
            state["ItemsPath"] = json!(path);
        }
        let cause = format!("Reference path \"{path}\" must point to array.");
        check(state, json!({ "a": 1 }), "States.Runtime", &cause);
    };
    map(None, "$");
    map(Some("$"), "$");
    map(Some("$.a"), "$.a");
    map(Some("$$.Execution.Input"), "$.Execution.Input");
}
