//! Definitions, inputs and answers that were valid once: each is bent in a few places, parsed, and run as far as it goes.
//!
//! Nothing may panic, and nothing may go on for ever: a decision is bounded, and so is what a run of few steps writes.

use std::collections::BTreeMap;

use asl::trial::{Progress, Setup, Trial};
use asl::{Command, Data, Env, Execution, Signal};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What takes the place of something.
fn hostile() -> impl Strategy<Value = Value> {
    let expression = prop_oneof![
        Just("{% $states.input.a[0] ~> $f %}".to_owned()),
        Just("{% ($f := function($x) { $f($x) }; $f(1)) %}".to_owned()),
        Just("{% $states.context.Execution.Id & 1 %}".to_owned()),
        Just("{% $match($states.input, /(a+)+$/) %}".to_owned()),
        Just("States.Format('{}', States.ArrayRange(0, 999, 1))".to_owned()),
        Just("States.JsonMerge($, $$, true)".to_owned()),
        Just("$..*..a[?(@.b > 1)][-1:0:2]".to_owned()),
        Just("$$.Map.Item.Value".to_owned()),
        "[$@{}%.a-c0-9\\[\\](),'?: ]{0,30}",
    ];
    let deep = (0usize..140).prop_map(|depth| (0..depth).fold(json!(1), |inner, _| json!([inner])));
    prop_oneof![
        Just(Value::Null),
        Just(json!(-1)),
        Just(json!(1e300)),
        Just(json!(u64::MAX)),
        Just(json!("x".repeat(300))),
        Just(json!({})),
        Just(json!({ "": { "a.$": "$.a" } })),
        expression.prop_map(Value::String),
        deep,
    ]
}

fn bases() -> Vec<Value> {
    let fails = json!([{ "ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1 }]);
    let task = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";
    vec![
        json!({ "StartAt": "A", "TimeoutSeconds": 60, "States": {
            "A": { "Type": "Task", "Resource": task, "TimeoutSeconds": 5, "InputPath": "$.a", "Retry": fails,
                   "Parameters": { "t.$": "$$.Task.Token" }, "ResultSelector": { "r.$": "$" }, "ResultPath": "$.r",
                   "Assign": { "v.$": "$" }, "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "B" }], "Next": "B" },
            "B": { "Type": "Choice", "Default": "C", "Choices": [
                { "And": [{ "Variable": "$.a", "IsPresent": true }, { "Not": { "Variable": "$.b", "StringMatches": "*" } }], "Next": "A" }] },
            "C": { "Type": "Wait", "SecondsPath": "$.n", "End": true } } }),
        json!({ "StartAt": "M", "States": {
            "M": { "Type": "Map", "ItemsPath": "$.a", "MaxConcurrency": 2, "ToleratedFailureCount": 1, "Next": "P",
                   "ItemSelector": { "i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value" },
                   "ItemProcessor": { "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } } },
            "P": { "Type": "Parallel", "End": true, "Branches": [
                { "StartAt": "X", "States": { "X": { "Type": "Fail", "ErrorPath": "$.e" } } },
                { "StartAt": "Y", "States": { "Y": { "Type": "Wait", "Seconds": 3, "End": true } } }],
                "Retry": fails } } }),
        json!({ "QueryLanguage": "JSONata", "StartAt": "J", "States": {
            "J": { "Type": "Pass", "Assign": { "x": "{% $states.input %}" }, "Output": { "a": "{% $x.a %}" }, "Next": "K" },
            "K": { "Type": "Map", "Items": "{% [1..5] %}", "End": true, "Output": "{% $sum($states.result) %}",
                   "ItemProcessor": { "StartAt": "L", "States": { "L": { "Type": "Task", "Resource": task,
                       "Arguments": "{% $states.input %}", "TimeoutSeconds": "{% 4 %}", "End": true } } } } } }),
    ]
}

/// Puts `new` in place of the value that comes `left` values after this one; whether there was one.
fn bend(value: &mut Value, left: &mut usize, new: &Value) -> bool {
    if *left == 0 {
        *value = new.clone();
        return true;
    }
    *left -= 1;
    match value {
        Value::Object(members) => members.values_mut().any(|it| bend(it, left, new)),
        Value::Array(elements) => elements.iter_mut().any(|it| bend(it, left, new)),
        _ => false,
    }
}

/// Starts it, answers what it asks for, and lets time pass: a few steps, each within its bound.
fn run(definition: &asl::Definition, input: &Value, answer: &Value) {
    let mut execution = Execution::new(crate::support::identity());
    let mut now = 0;
    let mut signals = vec![Signal::Start {
        input: Data::new(input.clone()),
    }];
    for step in 0..12 {
        let signal = signals.pop().unwrap_or(Signal::Clock);
        now = execution.next_due().unwrap_or(now).max(now);
        let env = Env {
            now,
            seed: [step; 32],
        };
        let Ok(decision) = asl::decide(definition, &mut execution, signal, &env) else {
            continue;
        };
        assert!(decision.entries.len() < 2_000, "a decision without a bound");
        for command in decision.commands {
            if let Command::RunTask(request) = command {
                signals.push(match step % 2 {
                    0 => Signal::TaskSucceeded {
                        task: request.task,
                        output: Data::new(answer.clone()),
                    },
                    _ => Signal::TaskFailed {
                        task: request.task,
                        error: answer.to_string(),
                        cause: String::new(),
                    },
                });
            }
        }
    }
}

fn try_alone(state: &Value, input: &Value, answer: &Value) {
    let Ok(trial) = Trial::of_state(&state.to_string()) else {
        return;
    };
    let setup = Setup {
        identity: crate::support::identity(),
        input: Data::new(input.clone()),
        variables: BTreeMap::new(),
        context: None,
        reader_data: None,
    };
    let env = Env {
        now: 0,
        seed: [0; 32],
    };
    let answer = Data::new(answer.clone());
    let _ = match trial.begin(setup, &env).unwrap() {
        Progress::Over(report) => *report,
        Progress::Task(running, _) | Progress::Branches(running) => {
            running.succeeded(&answer, &env).unwrap()
        }
        Progress::Wait(running, _) => running.waited(&env).unwrap(),
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn bent_definitions_are_refused_or_run(
        base in 0..3usize,
        bends in prop::collection::vec((1..60usize, hostile()), 0..3),
        input in hostile(),
        answer in hostile(),
    ) {
        let mut text = bases().swap_remove(base);
        for (place, new) in &bends {
            bend(&mut text, &mut place.clone(), new);
        }
        for state in text["States"].as_object().into_iter().flat_map(|states| states.values()) {
            try_alone(state, &input, &answer);
        }
        if let Some(definition) = asl::parse(&text.to_string()).definition {
            run(&definition, &json!({ "a": input, "n": 1 }), &answer);
        }
    }
}
