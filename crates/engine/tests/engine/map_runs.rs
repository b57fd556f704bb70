//! Map Runs: children as executions, limits, thresholds, stops, redrives, and what a crash in the middle leaves.

use asl::{MapRunStatus, Status};
use engine::{ExecutionSummary, ListOf, MapRunDescription, MapRunError, Page, TaskOutcome};
use serde_json::{Value, json};

use crate::fixture::{Fixture, call, passes};

/// A Distributed Map over `$.items` whose children run this.
fn each(processor: &Value, fields: &Value) -> Value {
    let mut map = json!({"Type": "Map", "ItemsPath": "$.items", "End": true, "Label": "Each", "ItemProcessor": processor});
    map["ItemProcessor"]["ProcessorConfig"] =
        json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    // The processor is in the language of the machine.
    map["ItemProcessor"]
        .as_object_mut()
        .unwrap()
        .shift_remove("QueryLanguage");
    for state in map["ItemProcessor"]["States"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        state["QueryLanguage"] = "JSONata".into();
    }
    for (name, value) in fields.as_object().unwrap() {
        map[name] = value.clone();
    }
    json!({"StartAt": "Each", "States": {"Each": map}})
}

fn all() -> Page {
    Page {
        max: 100_000,
        token: None,
    }
}

/// The one Map Run of an execution.
async fn run_of(f: &Fixture, execution: &str) -> MapRunDescription {
    let executions = f.engine.executions();
    let runs = executions.list_map_runs(execution, all()).await.unwrap();
    assert_eq!(runs.items.len(), 1, "{runs:?}");
    executions
        .describe_map_run(&runs.items[0].arn)
        .await
        .unwrap()
}

async fn children(f: &Fixture, run: &str) -> Vec<ExecutionSummary> {
    let of = ListOf::MapRun {
        arn: run.to_owned(),
        redriven: None,
        pending_redrive: false,
    };
    let listed = f.engine.executions().list(of, None, all()).await.unwrap();
    listed.items
}

#[tokio::test]
async fn children_are_executions_and_their_outputs_the_result() {
    let mut f = Fixture::started();
    let machine = f.machine("m", each(&call(), &json!({}))).await;
    let arn = f
        .begin(&machine, "e", json!({"items": [1, 2, 3]}))
        .await
        .arn;
    let calls = [
        f.tasks.next().await,
        f.tasks.next().await,
        f.tasks.next().await,
    ];
    let run = run_of(&f, &arn).await;
    assert_eq!(
        (run.status, run.executions.running, run.items.total),
        (MapRunStatus::Running, 3, 3)
    );
    // The last one first: the result keeps the order of the items.
    for call in calls.into_iter().rev() {
        let item = call.run.request.parameters.value()["Payload"].clone();
        assert!(call.run.execution_arn.contains(":execution:m/Each:"));
        call.succeed(json!({ "got": item }));
    }
    let end = f.end_of(&arn).await;
    assert_eq!(
        end.output.unwrap().text(),
        r#"[{"got":1},{"got":2},{"got":3}]"#
    );
    let run = run_of(&f, &arn).await;
    assert_eq!(
        (run.status, run.executions.succeeded, run.items.succeeded),
        (MapRunStatus::Succeeded, 3, 3)
    );
    let children = children(&f, &run.summary.arn).await;
    assert_eq!(children.len(), 3);
    for child in &children {
        assert_eq!(child.state_machine_arn, run.summary.state_machine_arn);
        assert!(child.state_machine_arn.ends_with(":stateMachine:m/Each"));
        assert_eq!(child.map_run.as_ref(), Some(&run.summary.arn));
        let described = f.engine.executions().describe(&child.arn).await.unwrap();
        assert_eq!(described.summary, *child);
        assert_eq!(f.engine.executions().origin(&child.arn).await.unwrap(), arn);
    }
    assert_eq!(
        f.history(&arn).await[2..6],
        [
            "MapStateStarted",
            "MapRunStarted",
            "MapRunSucceeded",
            "MapStateSucceeded"
        ]
    );
}

#[tokio::test]
async fn a_killed_run_goes_on_with_what_is_left() {
    let mut f = Fixture::started();
    let machine = f
        .machine("m", each(&call(), &json!({"MaxConcurrency": 2})))
        .await;
    let arn = f
        .begin(&machine, "e", json!({"items": [1, 2, 3]}))
        .await
        .arn;
    let first = f.tasks.next().await;
    let second = f.tasks.next().await;
    let finished = first.run.effect();
    first.succeed(json!("one"));
    // The third begins when the first is known to have ended.
    let third = f.tasks.next().await;
    let mut f = f.crash();
    let mut again = Vec::new();
    for _ in 0..2 {
        let call = f.tasks.next().await;
        again.push(call.run.effect());
        call.succeed(json!("again"));
    }
    again.sort();
    let mut expected = vec![second.run.effect(), third.run.effect()];
    expected.sort();
    assert_eq!(again, expected, "and not {finished}");
    let end = f.end_of(&arn).await;
    let output = end.output.unwrap();
    let mut outputs: Vec<&str> = output
        .value()
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    outputs.sort_unstable();
    assert_eq!(outputs, ["again", "again", "one"]);
    let run = run_of(&f, &arn).await;
    assert_eq!(children(&f, &run.summary.arn).await.len(), 3);
}

#[tokio::test]
async fn too_many_failures_end_the_run_and_a_redrive_goes_on() {
    let mut f = Fixture::started();
    let fields = json!({"ToleratedFailureCount": 1});
    let machine = f.machine("m", each(&call(), &fields)).await;
    let arn = f
        .begin(&machine, "e", json!({"items": [1, 2, 3, 4]}))
        .await
        .arn;
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(f.tasks.next().await);
    }
    let broken = || TaskOutcome::Failed {
        error: "Broken".to_owned(),
        cause: String::new(),
    };
    calls.remove(0).succeed(json!("fine"));
    calls.remove(0).answer(broken());
    calls.remove(0).answer(broken());
    let end = f.end_of(&arn).await;
    assert_eq!(
        end.error.as_deref(),
        Some("States.ExceedToleratedFailureThreshold")
    );
    let run = run_of(&f, &arn).await;
    let counts = run.executions;
    assert_eq!(
        (run.status, counts.succeeded, counts.failed, counts.aborted),
        (MapRunStatus::Failed, 1, 2, 1)
    );

    f.engine.executions().redrive(&arn).await.unwrap();
    for _ in 0..3 {
        f.tasks.next().await.succeed(json!("late"));
    }
    let end = f.end_of(&arn).await;
    let output = end.output.unwrap();
    let late = output.value().as_array().unwrap();
    assert_eq!(late.iter().filter(|it| **it == "late").count(), 3);
    let run = run_of(&f, &arn).await;
    assert_eq!(
        (run.status, run.redrives, run.executions.succeeded),
        (MapRunStatus::Succeeded, 1, 4)
    );
    let history = f.history(&arn).await;
    assert!(
        history.contains(&"MapRunRedriven".to_owned()),
        "{history:?}"
    );
}

#[tokio::test]
async fn a_redrive_starts_express_children_anew() {
    let mut f = Fixture::started();
    let mut two = call();
    two["States"]["Call"]["Next"] = "Again".into();
    two["States"]["Call"]
        .as_object_mut()
        .unwrap()
        .shift_remove("End");
    two["States"]["Again"] = call()["States"]["Call"].clone();
    let mut definition = each(&two, &json!({"ToleratedFailureCount": 0}));
    definition["States"]["Each"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] =
        "EXPRESS".into();
    let machine = f.machine("m", definition).await;
    let arn = f.begin(&machine, "e", json!({"items": [1]})).await.arn;
    f.tasks.next().await.succeed(json!("first"));
    let broken = || TaskOutcome::Failed {
        error: "Broken".to_owned(),
        cause: String::new(),
    };
    f.tasks.next().await.answer(broken());
    f.end_of(&arn).await;

    // It begins at its first state, twice: the second time after a kill in the middle.
    f.engine.executions().redrive(&arn).await.unwrap();
    let again = f.tasks.next().await;
    assert_eq!(again.run.request.state, "Call");
    let mut f = f.reopen();
    f.start();
    let again = f.tasks.next().await;
    assert_eq!(again.run.request.state, "Call");
    again.succeed(json!("second"));
    f.tasks.next().await.succeed(json!("done"));
    let output = f.end_of(&arn).await.output.unwrap();
    assert_eq!(output.value(), &json!(["done"]));
    let run = run_of(&f, &arn).await;
    let counts = run.executions;
    assert_eq!((counts.total, counts.succeeded, counts.failed), (1, 1, 0));
    let children = children(&f, &run.summary.arn).await;
    assert_eq!(children.len(), 2, "the failed one is still listed");
    assert!(
        children
            .iter()
            .all(|child| child.express && child.redrives == 0)
    );
    assert_ne!(children[0].arn, children[1].arn);
}

#[tokio::test]
async fn stopping_the_parent_stops_the_children_of_its_children() {
    let mut f = Fixture::started();
    let mut inner = each(&call(), &json!({"ItemsPath": "$"}));
    inner["States"]["Each"]["Label"] = "Inner".into();
    let mut outer = each(&inner, &json!({}));
    // Nested states are JSONPath here.
    outer["States"]["Each"]["ItemProcessor"]["States"]["Each"]
        .as_object_mut()
        .unwrap()
        .shift_remove("QueryLanguage");
    let machine = f.machine("m", outer).await;
    let arn = f
        .begin(&machine, "e", json!({"items": [[1], [2]]}))
        .await
        .arn;
    let first = f.tasks.next().await;
    let second = f.tasks.next().await;
    f.engine.executions().stop(&arn, None, None).await.unwrap();
    first.run.cancelled.cancelled().await;
    second.run.cancelled.cancelled().await;
    let run = run_of(&f, &arn).await;
    assert_eq!(run.status, MapRunStatus::Aborted);
    for child in children(&f, &run.summary.arn).await {
        assert_eq!(child.status, Status::Aborted);
        let inner = run_of(&f, &child.arn).await;
        assert_eq!(inner.status, MapRunStatus::Aborted);
    }
}

#[tokio::test]
async fn a_running_run_takes_new_limits() {
    let mut f = Fixture::started();
    let machine = f
        .machine("m", each(&call(), &json!({"MaxConcurrency": 1})))
        .await;
    let arn = f.begin(&machine, "e", json!({"items": [1, 2]})).await.arn;
    let first = f.tasks.next().await;
    let run = run_of(&f, &arn).await;
    assert_eq!(run.executions.pending, 1);
    let executions = f.engine.executions();
    executions
        .update_map_run(&run.summary.arn, |limits| limits.max_concurrency = 2)
        .await
        .unwrap();
    // Only the new limit lets the second begin while the first runs.
    f.tasks.next().await.succeed(json!(2));
    first.succeed(json!(1));
    f.end_of(&arn).await;
    let late = f
        .engine
        .executions()
        .update_map_run(&run.summary.arn, |_| ())
        .await;
    assert!(matches!(late, Err(MapRunError::NotRunning { .. })));
}

#[tokio::test]
async fn an_empty_list_succeeds_and_a_dataset_needs_somebody_to_read_it() {
    let f = Fixture::started();
    let machine = f.machine("m", each(&passes(), &json!({}))).await;
    let arn = f.begin(&machine, "e", json!({"items": []})).await.arn;
    assert_eq!(f.end_of(&arn).await.output.unwrap().text(), "[]");
    let mut dataset = each(
        &passes(),
        &json!({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key": "k"}}}),
    );
    dataset["States"]["Each"]
        .as_object_mut()
        .unwrap()
        .shift_remove("ItemsPath");
    let machine = f.machine("d", dataset).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let end = f.end_of(&arn).await;
    assert_eq!(end.error.as_deref(), Some("States.ItemReaderFailed"));
}

#[tokio::test]
async fn ten_thousand_items() {
    let f = Fixture::started();
    let machine = f.machine("m", each(&passes(), &json!({}))).await;
    let items: Vec<u32> = (0..10_000).collect();
    let began = std::time::Instant::now();
    let arn = f.begin(&machine, "e", json!({ "items": items })).await.arn;
    let end = f.end_of(&arn).await;
    println!("10,000 children in {:?}", began.elapsed());
    let output = end.output.unwrap();
    assert_eq!(output.value()[9999], json!({"got": 9999}));
    assert_eq!(f.history(&arn).await.len(), 8);
    let run = run_of(&f, &arn).await;
    assert_eq!(run.items.succeeded, 10_000);
}
