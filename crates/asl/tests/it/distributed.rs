//! Distributed Map: what the state asks for, what its Map Run does to the history, and what is refused.

use asl::{Data, Env, MapItem, Signal, Source};
use serde_json::{Value, json};

use crate::support::Act::{EndMapRun, Fail, FailMapRun, Redrive, Stop};
use crate::support::{Run, check, errors, machine};

fn processor() -> Value {
    json!({"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
           "StartAt": "One", "States": {"One": {"Type": "Pass", "End": true}}})
}

/// A JSONPath machine of one Distributed Map with these fields more.
fn map(fields: &Value) -> String {
    let mut map = json!({"Type": "Map", "End": true, "ItemProcessor": processor()});
    for (name, value) in fields.as_object().unwrap() {
        map[name] = value.clone();
    }
    json!({"StartAt": "Each", "States": {"Each": map}}).to_string()
}

fn started(text: &str, input: &str) -> Run {
    let mut run = Run::new(text);
    let input = Data::parse(input).unwrap();
    run.signal(Signal::Start { input }).unwrap();
    run
}

#[test]
fn a_map_run_ends_its_state() {
    let run = check(
        &map(&json!({"Label": "Each"})),
        "[1,2]",
        &[EndMapRun("[10,20]")],
        "
        1<0 ExecutionStarted
        2<0 MapStateEntered Each
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunSucceeded
        6<5 MapStateSucceeded
        7<4 MapStateExited Each
        8<7 ExecutionSucceeded
        SUCCEEDED [10,20]",
    );
    let arn = run.events()[3]["mapRunStartedEventDetails"]["mapRunArn"].clone();
    let arn = arn.as_str().unwrap();
    let place = "arn:aws:states:us-east-1:000000000000:mapRun:m/Each:";
    assert!(
        arn.starts_with(place) && arn.len() == place.len() + 36,
        "{arn}"
    );
}

#[test]
fn a_failed_map_run_is_redriven_and_keeps_its_arn() {
    let run = check(
        &map(&json!({})),
        "[1]",
        &[
            FailMapRun("States.ExceedToleratedFailureThreshold"),
            Redrive,
            EndMapRun("[1]"),
        ],
        "
        1<0 ExecutionStarted
        2<0 MapStateEntered Each
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunFailed States.ExceedToleratedFailureThreshold
        6<5 MapStateFailed
        7<6 ExecutionFailed States.ExceedToleratedFailureThreshold
        8<7 ExecutionRedriven
        9<8 MapRunRedriven
        10<9 MapRunSucceeded
        11<10 MapStateSucceeded
        12<9 MapStateExited Each
        13<12 ExecutionSucceeded
        SUCCEEDED [1]",
    );
    let events = run.events();
    assert_eq!(
        events[8]["mapRunRedrivenEventDetails"],
        json!({"mapRunArn": events[3]["mapRunStartedEventDetails"]["mapRunArn"], "redriveCount": 1})
    );
}

#[test]
fn a_dataset_that_could_not_be_read_begins_a_new_run_when_redriven() {
    let reader = json!({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key.$": "$.key"}}});
    let run = check(
        &map(&reader),
        r#"{"key":"k"}"#,
        &[FailMapRun("States.ItemReaderFailed"), Redrive],
        "
        1<0 ExecutionStarted
        2<0 MapStateEntered Each
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunFailed States.ItemReaderFailed
        6<5 MapStateFailed
        7<6 ExecutionFailed States.ItemReaderFailed
        8<7 ExecutionRedriven
        9<8 MapStateStarted
        10<9 MapRunStarted
        RUNNING",
    );
    let Source::Dataset(dataset) = &run.map_runs[0].source else {
        panic!("{:?}", run.map_runs);
    };
    assert_eq!(dataset.arguments.text(), r#"{"Bucket":"b","Key":"k"}"#);
}

#[test]
fn a_stopped_execution_wants_no_map_run_and_a_redrive_goes_on_with_it() {
    let run = check(
        &map(&json!({})),
        "[1]",
        &[Stop, Redrive],
        "
        1<0 ExecutionStarted
        2<0 MapStateEntered Each
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 ExecutionAborted Stopped
        6<5 ExecutionRedriven
        7<6 MapRunRedriven
        RUNNING",
    );
    assert_eq!(run.map_runs.len(), 1);
}

#[test]
fn a_sibling_that_fails_aborts_the_map_run() {
    let call = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f"}, "End": true});
    let text = machine(
        "Both",
        &json!({"Both": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "Each", "States": {"Each": {"Type": "Map", "Items": [1], "End": true, "ItemProcessor": processor()}}},
            {"StartAt": "Call", "States": {"Call": call}}]}}),
    );
    let run = check(
        &text,
        "{}",
        &[Fail("Call", "Broken")],
        "
        1<0 ExecutionStarted
        2<0 ParallelStateEntered Both
        3<2 ParallelStateStarted
        4<3 MapStateEntered Each
        5<4 MapStateStarted
        6<5 MapRunStarted
        7<3 TaskStateEntered Call
        8<7 TaskScheduled
        9<8 TaskStarted
        10<9 TaskFailed Broken
        11<10 TaskStateAborted
        12<10 MapRunAborted
        13<10 MapStateAborted
        14<10 ParallelStateFailed
        15<14 ExecutionFailed Broken
        FAILED Broken because",
    );
    assert!(run.map_runs.is_empty());
}

#[test]
fn thresholds_are_looked_at_after_the_state_has_started() {
    check(
        &map(&json!({"ItemsPath": "$.items", "ToleratedFailurePercentagePath": "$.share"})),
        r#"{"items":[1],"share":101}"#,
        &[],
        "
        1<0 ExecutionStarted
        2<0 MapStateEntered Each
        3<2 MapStateStarted
        4<3 ExecutionFailed States.Runtime
        FAILED States.Runtime An error occurred while executing the state 'Each' (entered at the event id #2). ToleratedFailurePercentage must be between 0 and 100.",
    );
}

#[test]
fn children_get_selected_and_grouped_items() {
    let inputs = |fields: Value, input: &str| -> Vec<Value> {
        let run = started(&map(&fields), input);
        let open = &run.map_runs[0];
        let items: Vec<MapItem> = open.source.state_items().unwrap();
        let env = Env {
            now: 0,
            seed: [0; 32],
        };
        let children =
            asl::map_run_children(&run.definition, &run.execution, open.id, &items, &env).unwrap();
        children
            .iter()
            .map(|child| child.input.value().clone())
            .collect()
    };
    assert_eq!(inputs(json!({}), "[1,2]"), [json!(1), json!(2)]);
    assert_eq!(
        inputs(json!({}), r#"{"a":1}"#),
        [json!({"Key": "a", "Value": 1})]
    );
    let selector = json!({"ItemsPath": "$.items", "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"all.$": "$.name"}},
        "ItemSelector": {"i.$": "$$.Map.Item.Index", "k.$": "$$.Map.Item.Key", "v.$": "$$.Map.Item.Value",
                         "from.$": "$$.Map.Item.Source", "of.$": "$.name"}});
    assert_eq!(
        inputs(selector, r#"{"name":"n","items":{"x":7,"y":8,"z":9}}"#),
        [
            json!({"BatchInput": {"all": "n"}, "Items": [
                {"i": 0, "k": "x", "v": 7, "from": "STATE_DATA", "of": "n"}, {"i": 1, "k": "y", "v": 8, "from": "STATE_DATA", "of": "n"}]}),
            json!({"BatchInput": {"all": "n"}, "Items": [{"i": 2, "k": "z", "v": 9, "from": "STATE_DATA", "of": "n"}]}),
        ]
    );
}

#[test]
fn what_a_distributed_map_cannot_have_is_refused() {
    let refused = |fields: Value, expected: &str| {
        let found = errors(&map(&fields));
        assert!(
            found.iter().any(|error| error.contains(expected)),
            "{found:#?}"
        );
    };
    let reader = |config: Value| json!({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config, "Parameters": {"Bucket": "b", "Key": "k"}}});
    refused(
        reader(json!({"InputType": "PARQUET"})),
        "PARQUET is not supported yet",
    );
    refused(
        reader(json!({"InputType": "CSV"})),
        "These fields are required: [CSVHeaderLocation]",
    );
    refused(
        reader(json!({"InputType": "CSV", "CSVHeaderLocation": "GIVEN"})),
        "These fields are required: [CSVHeaders]",
    );
    refused(reader(json!({})), "These fields are required: [InputType]");
    refused(
        json!({"ItemReader": {"Resource": "arn:aws:states:::dynamodb:scan"}}),
        "s3:getObject and s3:listObjectsV2 only",
    );
    refused(json!({"ItemBatcher": {}}), "MaxItemsPerBatch or");
    refused(json!({"ResultWriter": {}}), "These fields are required");
    refused(
        json!({"ResultWriter": {"WriterConfig": {"Transformation": "ALL"}}}),
        "NONE, COMPACT, FLATTEN",
    );
    refused(json!({"Label": "two words"}), "Label must have");
    let mut inline = json!({"StartAt": "A", "States": {"A": {"Type": "Map", "End": true, "Label": "l", "ItemProcessor": processor()}}});
    inline["States"]["A"]["ItemProcessor"]["ProcessorConfig"] = json!({"Mode": "INLINE"});
    assert!(errors(&inline.to_string())[0].contains("only supported by a Map in DISTRIBUTED mode"));
    let mut express = json!({"StartAt": "A", "States": {"A": {"Type": "Map", "End": true, "ItemProcessor": processor()}}});
    express["States"]["A"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "EXPRESS".into();
    express["States"]["A"]["ItemProcessor"]["States"]["One"] = json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true});
    assert!(errors(&express.to_string())[0].contains("Express state machine does not support"));
}
