//! What is refused, with which words, and where.

use crate::support::errors;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(errors(text), expected);
}

#[test]
fn everything_is_reported_at_once() {
    check(
        r#"{"StartAt": "Nowhere",
 "Comment": 5,
 "States": {
  "A": {"Type": "Pass", "Next": "Gone"},
  "B": {"Type": "Task", "Resource": "x", "End": true, "Retyr": []},
  "C": {"Type": "Wait", "Seconds": 1, "Timestamp": "2020-01-01T00:00:00Z"}
 }}"#,
        &[
            "2:SCHEMA_VALIDATION_FAILED SCHEMA_VALIDATION_FAILED: Expected value of type String at /Comment",
            "4:MISSING_TRANSITION_TARGET MISSING_TRANSITION_TARGET: Missing 'Next' target: Gone at /States/A/Next",
            "5:SCHEMA_VALIDATION_FAILED SCHEMA_VALIDATION_FAILED: Field 'Retyr' is not supported at /States/B",
            "5:INVALID_RESOURCE INVALID_RESOURCE: Value is not a valid resource ARN at /States/B/Resource",
            "6:SCHEMA_VALIDATION_FAILED SCHEMA_VALIDATION_FAILED: These fields are required: [Next or End] at /States/C",
            "6:SCHEMA_VALIDATION_FAILED SCHEMA_VALIDATION_FAILED: State should specify exactly one of Seconds, SecondsPath, Timestamp or TimestampPath at /States/C",
            "1:MISSING_TRANSITION_TARGET MISSING_TRANSITION_TARGET: Missing 'StartAt' target: Nowhere at /StartAt",
        ],
    );
}

#[test]
fn variables_of_an_outer_scope_are_not_assigned_inside() {
    check(
        r#"{"QueryLanguage":"JSONata","StartAt":"P","States":{"P":{"Type":"Parallel","Assign":{"x":1},"End":true,"Branches":[
            {"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"x":2,"y":3},"End":true}}},
            {"StartAt":"B","States":{"B":{"Type":"Pass","Assign":{"y":2},"End":true}}}]}}}"#,
        &[
            "2:SCHEMA_VALIDATION_FAILED SCHEMA_VALIDATION_FAILED: Variable 'x' is assigned in an outer scope; choose another name at /States/P/Branches[0]/States/A/Assign/x",
        ],
    );
}

#[test]
fn expressions_are_parsed_when_the_definition_is() {
    let text = r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Output":{"a":["{% 1 + %}"]},"End":true}}}"#;
    let found = errors(text);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("at /States/A/Output/a[0]"), "{found:?}");
    let text =
        r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$.["},"End":true}}}"#;
    assert!(errors(text)[0].ends_with("The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic function call at /States/A/Parameters"));
}

#[test]
fn unreachable_states_and_fields_of_the_other_language() {
    check(
        r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$","End":true},"B":{"Type":"Succeed"}}}"#,
        &[
            "1:SCHEMA_VALIDATION_FAILED SCHEMA_VALIDATION_FAILED: Field 'InputPath' is not supported at /States/A",
            "1:MISSING_TRANSITION_TARGET MISSING_TRANSITION_TARGET: State \"B\" is not reachable. at /States/B",
        ],
    );
}

#[test]
fn what_cannot_run_yet_is_refused() {
    let text = r#"{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"PARQUET"}},"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}}}}"#;
    let found = errors(text);
    assert_eq!(
        found,
        [
            "1:UNSUPPORTED UNSUPPORTED: The input type PARQUET is not supported yet at /States/M/ItemReader/ReaderConfig/InputType"
        ]
    );
}
