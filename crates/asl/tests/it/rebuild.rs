//! Whatever happens, the journal rebuilds the execution; [`Run::signal`] asserts it after every decision.

use asl::{Data, Signal, Status};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Act, Run};

/// Small machines that use everything: names are made unique by the caller's prefix.
fn state(prefix: String, depth: u32) -> BoxedStrategy<Value> {
    let task = prop_oneof![
        Just(
            json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"a": "{% $states.input %}"}, "TimeoutSeconds": 9})
        ),
        Just(
            json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "HeartbeatSeconds": 3, "Arguments": {"t": "{% $states.context.Task.Token %}"},
            "Retry": [{"ErrorEquals": ["States.Timeout"], "JitterStrategy": "FULL", "MaxAttempts": 1}]})
        ),
        Just(
            json!({"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2}]})
        ),
    ];
    let plain = prop_oneof![
        task,
        Just(json!({"Type": "Pass", "Output": ["{% $states.input %}", 1]})),
        Just(json!({"Type": "Wait", "Seconds": 4})),
    ];
    if depth == 0 {
        return plain.boxed();
    }
    let branches = prop::collection::vec(scope(format!("{prefix}p"), depth - 1), 1..3);
    let fork = branches.prop_map(|branches| json!({"Type": "Parallel", "Branches": branches, "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]}));
    let each = (scope(format!("{prefix}m"), depth - 1), 0..3u32, 0..2u32).prop_map(|(processor, limit, tolerated)| {
        json!({"Type": "Map", "Items": [1, 2, 3], "MaxConcurrency": limit, "ToleratedFailureCount": tolerated, "ItemProcessor": processor})
    });
    prop_oneof![plain, fork, each].boxed()
}

/// One to three states in a row, the last caught by a Succeed.
fn scope(prefix: String, depth: u32) -> BoxedStrategy<Value> {
    let inner = prefix.clone();
    (1..4usize, any::<bool>())
        .prop_flat_map(move |(length, caught)| {
            let states: Vec<_> = (0..length)
                .map(|i| state(format!("{inner}{i}"), depth))
                .collect();
            (states, Just(caught))
        })
        .prop_map(move |(states, caught)| {
            let mut all = serde_json::Map::new();
            let count = states.len();
            for (i, mut state) in states.into_iter().enumerate() {
                if i + 1 == count {
                    state["End"] = true.into()
                } else {
                    state["Next"] = format!("{prefix}{}", i + 1).into()
                }
                let recovers = !matches!(state["Type"].as_str(), Some("Pass" | "Wait"));
                if caught && recovers {
                    state["Catch"] =
                        json!([{"ErrorEquals": ["States.ALL"], "Next": format!("{prefix}end")}]);
                    all.insert(format!("{prefix}end"), json!({"Type": "Succeed"}));
                }
                all.insert(format!("{prefix}{i}"), state);
            }
            json!({"StartAt": format!("{prefix}0"), "States": all})
        })
        .boxed()
}

fn act(run: &mut Run, choice: u8) {
    let first = run
        .open
        .get(usize::from(choice / 8) % run.open.len().max(1))
        .cloned();
    match (choice % 8, first) {
        (0 | 1, Some(task)) => {
            run.open.retain(|open| open.task != task.task);
            run.signal(Signal::TaskSucceeded {
                task: task.task,
                output: Data::new(json!({"ok": true})),
            })
            .unwrap();
        }
        (2 | 3, Some(task)) => {
            run.open.retain(|open| open.task != task.task);
            let error = if choice % 8 == 2 { "E" } else { "F" };
            run.signal(Signal::TaskFailed {
                task: task.task,
                error: error.into(),
                cause: String::new(),
            })
            .unwrap();
        }
        (4, Some(task)) => run
            .signal(Signal::TaskSubmitted {
                task: task.task,
                output: Data::empty(),
            })
            .unwrap(),
        (5, Some(task)) => run.signal(Signal::Heartbeat { task: task.task }).unwrap(),
        _ if run.execution.next_due().is_some() => run.act(&Act::Clock).unwrap(),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_rebuilds_the_execution(machine in scope("s".into(), 2), choices in prop::collection::vec(any::<u8>(), 1..60)) {
        let mut machine = machine;
        machine["QueryLanguage"] = "JSONata".into();
        machine["TimeoutSeconds"] = 100.into();
        let mut run = Run::new(&machine.to_string());
        run.signal(Signal::Start { input: Data::new(json!({"in": [1, 2]})) }).unwrap();
        for choice in choices {
            if run.execution.status() == Status::Running {
                act(&mut run, choice);
            } else if run.act(&Act::Redrive).is_err() {
                prop_assert_eq!(run.execution.status(), Status::Succeeded);
                break;
            }
        }
        let ids: Vec<u64> = run.events().iter().map(|event| event["id"].as_u64().unwrap()).collect();
        prop_assert_eq!(ids, (1..=run.execution.last_event_id()).collect::<Vec<_>>());
        if run.execution.status() != Status::Running {
            prop_assert!(run.open.is_empty(), "an ended execution has cancelled what it asked for");
            prop_assert_eq!(run.execution.next_due(), None);
        }
    }
}
