//! Distributed Map from outside: datasets from S3, results to S3, and the actions on Map Runs.

use aws_local::s3::{Entry, ListRequest, Properties};
use aws_sdk_sfn::types::{ExecutionStatus, MapRunStatus};
use serde_json::{Value, json};

use crate::support::Fixture;

const BUCKET: &str = "donuts";

/// A Distributed Map with these fields, whose children run these states.
fn each(states: &Value, fields: &Value) -> String {
    let start = states.as_object().unwrap().keys().next().unwrap();
    let mut map = json!({"Type": "Map", "End": true, "Label": "Each", "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": start, "States": states}});
    for (name, value) in fields.as_object().unwrap() {
        map[name] = value.clone();
    }
    json!({"QueryLanguage": "JSONata", "StartAt": "Each", "States": {"Each": map}}).to_string()
}

fn pass() -> Value {
    json!({"One": {"Type": "Pass", "End": true}})
}

/// Fails for what is called `bad`.
fn picky() -> Value {
    json!({
        "Look": {"Type": "Choice", "Default": "Fine", "Choices": [{"Condition": "{% $states.input = 'bad' %}", "Next": "No"}]},
        "Fine": {"Type": "Pass", "End": true},
        "No": {"Type": "Fail", "Error": "Bad", "Cause": "it is"},
    })
}

impl Fixture {
    async fn put(&self, key: &str, content: &'static str) {
        let s3 = self.s3();
        s3.create_bucket(BUCKET).await.unwrap();
        let put = s3.put(BUCKET, key, content.into(), Properties::default());
        put.await.unwrap();
    }

    /// The JSON that an object holds.
    async fn json(&self, key: &str) -> Value {
        let (_, content) = self.s3().get(BUCKET, key).await.unwrap();
        serde_json::from_slice(&content).unwrap()
    }

    /// Runs a machine; how it ends, with its output or error.
    async fn run(&mut self, name: &str, definition: &str, input: &Value) -> (String, Value) {
        let machine = self.machine(name, definition).await;
        let execution = self.execution(&machine, &input.to_string()).await;
        let status = self.end_of(&execution).await;
        let request = self.client.describe_execution().execution_arn(&execution);
        let described = request.send().await.unwrap();
        let end = if status == ExecutionStatus::Succeeded {
            serde_json::from_str(&described.output.unwrap()).unwrap()
        } else {
            json!({"Error": described.error, "Cause": described.cause})
        };
        (execution, end)
    }
}

fn reader(resource: &str, arguments: Value, config: Value) -> Value {
    json!({"ItemReader": {"Resource": format!("arn:aws:states:::s3:{resource}"), "Arguments": arguments, "ReaderConfig": config}})
}

#[tokio::test]
async fn items_come_from_objects_and_lists() {
    let mut f = Fixture::start().await;
    f.put("rows.csv", "name|count\nring|2\nfilled|3\n").await;
    f.put("logs/1.jsonl", "{\"n\":1}\n{\"n\":2}\n").await;
    f.put("logs/2.jsonl", "{\"n\":3}\n").await;
    f.put("nested.json", r#"{"all":{"items":[5,6,7]}}"#).await;
    let at = |key: &str| json!({"Bucket": BUCKET, "Key": key});
    let csv = json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "PIPE"});
    let (_, rows) = f
        .run(
            "csv",
            &each(&pass(), &reader("getObject", at("rows.csv"), csv)),
            &json!({}),
        )
        .await;
    assert_eq!(
        rows,
        json!([{"name": "ring", "count": "2"}, {"name": "filled", "count": "3"}])
    );
    let pointed = json!({"InputType": "JSON", "ItemsPointer": "/all/items", "MaxItems": "{% $states.input.most %}"});
    let (_, items) = f
        .run(
            "json",
            &each(&pass(), &reader("getObject", at("nested.json"), pointed)),
            &json!({"most": 2}),
        )
        .await;
    assert_eq!(items, json!([5, 6]));
    let listed = reader(
        "listObjectsV2",
        json!({"Bucket": BUCKET, "Prefix": "logs/"}),
        json!({}),
    );
    let mut named = listed.clone();
    named["ItemSelector"] = json!({"key": "{% $states.context.Map.Item.Value.Key %}", "from": "{% $states.context.Map.Item.Source %}"});
    let (_, items) = f.run("list", &each(&pass(), &named), &json!({})).await;
    assert_eq!(
        items,
        json!([{"key": "logs/1.jsonl", "from": "S3://donuts"}, {"key": "logs/2.jsonl", "from": "S3://donuts"}])
    );
    let mut loaded = listed;
    loaded["ItemReader"]["ReaderConfig"] =
        json!({"InputType": "JSONL", "Transformation": "LOAD_AND_FLATTEN"});
    loaded["ItemBatcher"] = json!({"MaxItemsPerBatch": 2});
    let (_, batches) = f.run("load", &each(&pass(), &loaded), &json!({})).await;
    assert_eq!(
        batches,
        json!([{"Items": [{"n": 1}, {"n": 2}]}, {"Items": [{"n": 3}]}])
    );
    let missing = reader("getObject", at("none"), json!({"InputType": "JSON"}));
    let (_, end) = f.run("missing", &each(&pass(), &missing), &json!({})).await;
    assert_eq!(end["Error"], "States.ItemReaderFailed");
    assert!(
        end["Cause"].as_str().unwrap().contains("NoSuchKey"),
        "{end}"
    );
}

#[tokio::test]
async fn results_are_written_by_how_children_ended() {
    let mut f = Fixture::start().await;
    f.put("here", "").await;
    let fields = json!({"Items": ["good", "bad"], "ToleratedFailurePercentage": 50,
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": BUCKET, "Prefix": "out/"}}});
    let (execution, result) = f.run("m", &each(&picky(), &fields), &json!({})).await;
    let run = result["MapRunArn"].as_str().unwrap();
    let id = run.rsplit(':').next().unwrap();
    let key = format!("out/{id}/manifest.json");
    assert_eq!(
        result["ResultWriterDetails"],
        json!({"Bucket": BUCKET, "Key": key})
    );
    let manifest = f.json(&key).await;
    assert_eq!(
        (&manifest["DestinationBucket"], &manifest["MapRunArn"]),
        (&json!(BUCKET), &json!(run))
    );
    assert_eq!(manifest["ResultFiles"]["PENDING"], json!([]));
    for (group, status, input) in [
        ("SUCCEEDED", "SUCCEEDED", "good"),
        ("FAILED", "FAILED", "bad"),
    ] {
        let file = &manifest["ResultFiles"][group][0]["Key"];
        assert_eq!(*file, format!("out/{id}/{group}_0.json"));
        let found = f.json(file.as_str().unwrap()).await;
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["Status"], status);
        assert_eq!(found[0]["Input"], format!("\"{input}\""));
    }
    let described = f.client.describe_map_run().map_run_arn(run).send().await;
    let described = described.unwrap();
    let counts = described.execution_counts.unwrap();
    assert_eq!(
        (counts.succeeded, counts.failed, counts.results_written),
        (1, 1, 2)
    );
    assert_eq!(described.status, MapRunStatus::Succeeded);
    assert_eq!(described.execution_arn, execution);

    let mut nowhere = fields;
    nowhere["ResultWriter"]["Arguments"]["Bucket"] = json!("none");
    let (_, end) = f.run("n", &each(&picky(), &nowhere), &json!({})).await;
    assert_eq!(end["Error"], "States.ResultWriterFailed");
    let written = ListRequest {
        prefix: "out/".to_owned(),
        max: 10,
        ..ListRequest::default()
    };
    let listing = f.s3().list(BUCKET, &written).await.unwrap();
    let objects = listing.entries.iter();
    let objects = objects.filter(|entry| matches!(entry, Entry::Object(..)));
    assert_eq!(objects.count(), 3);
}

#[tokio::test]
async fn results_take_the_form_that_is_asked_for() {
    let mut f = Fixture::start().await;
    let writer =
        |config: Value| json!({"Items": [[1, 2], [3]], "ResultWriter": {"WriterConfig": config}});
    let flat = writer(json!({"Transformation": "FLATTEN", "OutputType": "JSON"}));
    let (_, result) = f.run("flat", &each(&pass(), &flat), &json!({})).await;
    assert_eq!(result, json!([1, 2, 3]));
    let whole = writer(json!({"Transformation": "NONE", "OutputType": "JSON"}));
    let (_, result) = f.run("whole", &each(&pass(), &whole), &json!({})).await;
    assert_eq!(
        (&result[1]["Input"], &result[1]["Output"]),
        (&json!("[3]"), &json!("[3]"))
    );
    let machine = result[0]["StateMachineArn"].as_str().unwrap();
    assert!(machine.ends_with(":stateMachine:whole/Each"), "{machine}");
}

#[tokio::test]
async fn map_runs_and_children_are_described_and_listed() {
    let mut f = Fixture::start().await;
    let fields = json!({"Items": "{% $states.input %}", "MaxConcurrency": 7});
    let machine = f.machine("m", &each(&picky(), &fields)).await;
    let execution = f.execution(&machine, r#"["good","bad","good"]"#).await;
    assert_eq!(f.end_of(&execution).await, ExecutionStatus::Failed);
    let runs = f.client.list_map_runs().execution_arn(&execution).send();
    let runs = runs.await.unwrap().map_runs;
    assert_eq!(runs.len(), 1);
    let run = &runs[0].map_run_arn;
    assert!(run.contains(":mapRun:m/Each:"));
    assert!(runs[0].state_machine_arn.ends_with(":stateMachine:m/Each"));
    let described = f.client.describe_map_run().map_run_arn(run).send().await;
    let described = described.unwrap();
    assert_eq!(
        (described.status, described.max_concurrency),
        (MapRunStatus::Failed, 7)
    );

    let failed = f.client.list_executions().map_run_arn(run);
    let failed = failed.status_filter(ExecutionStatus::Failed).send().await;
    let failed = failed.unwrap().executions;
    assert_eq!((failed.len(), failed[0].item_count), (1, Some(1)));
    let child = &failed[0].execution_arn;
    assert!(child.contains(":execution:m/Each:"));
    let shown = f.client.describe_execution().execution_arn(child).send();
    let shown = shown.await.unwrap();
    assert_eq!(shown.map_run_arn.as_ref(), Some(run));
    assert_eq!(
        shown.redrive_status.unwrap().as_str(),
        "REDRIVABLE_BY_MAP_RUN"
    );
    let request = f.client.describe_state_machine_for_execution();
    let of = request.execution_arn(child).send().await.unwrap();
    assert_eq!(
        (of.label.as_deref(), of.map_run_arn.as_ref()),
        (Some("Each"), Some(run))
    );
    let history = f.client.get_execution_history().execution_arn(child);
    let history = history.send().await.unwrap().events;
    assert_eq!(history.last().unwrap().r#type.as_str(), "ExecutionFailed");
    // The children's machine is no machine of its own.
    let machines = f.client.list_state_machines().send().await.unwrap();
    assert_eq!(machines.state_machines.len(), 1);
    let update = f
        .client
        .update_map_run()
        .map_run_arn(run)
        .max_concurrency(1);
    let error = update.send().await.unwrap_err().into_service_error();
    assert!(error.to_string().contains("not running"), "{error}");
}

#[tokio::test]
async fn express_children_are_described_and_have_no_history() {
    let mut f = Fixture::start().await;
    let definition = each(&picky(), &json!({"Items": ["bad"]})).replace("STANDARD", "EXPRESS");
    let machine = f.machine("m", &definition).await;
    let execution = f.execution(&machine, "{}").await;
    assert_eq!(f.end_of(&execution).await, ExecutionStatus::Failed);
    let runs = f.client.list_map_runs().execution_arn(&execution).send();
    let run = runs.await.unwrap().map_runs[0].map_run_arn.clone();
    let listed = f.client.list_executions().map_run_arn(&run).send().await;
    let child = listed.unwrap().executions[0].execution_arn.clone();
    let shown = f.client.describe_execution().execution_arn(&child).send();
    let shown = shown.await.unwrap();
    assert_eq!(shown.error.as_deref(), Some("Bad"));
    assert_eq!(
        shown.redrive_status.unwrap().as_str(),
        "REDRIVABLE_BY_MAP_RUN"
    );
    for action in [
        "GetExecutionHistory",
        "DescribeStateMachineForExecution",
        "StopExecution",
    ] {
        let (status, refused) = f
            .raw(action, &json!({ "executionArn": child }).to_string())
            .await;
        assert_eq!(status, 400, "{action}");
        let kind = refused["__type"].as_str().unwrap();
        assert!(kind.ends_with("InvalidArn"), "{action}: {refused}");
    }
}
