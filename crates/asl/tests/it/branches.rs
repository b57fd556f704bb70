//! Parallel and Map: branches, iterations, what one's failure does to the others, and redrive.

use asl::{Data, Refusal, Signal};
use serde_json::json;

use crate::support::Act::{Clock, Fail, Redrive, Submit, Succeed, TimeOut};
use crate::support::{Run, check, machine};

const INVOKE: &str = "arn:aws:states:::lambda:invoke";
const SEND: &str = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";

fn both() -> String {
    machine(
        "Both",
        &json!({
            "Both": {"Type": "Parallel", "Assign": {"seen": "{% $states.result %}"},
                "Branches": [
                    {"StartAt": "Stop", "States": {"Stop": {"Type": "Task", "Resource": SEND, "Arguments": {"QueueUrl": "q", "MessageBody": "{% $outer %}"}, "End": true}}},
                    {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": INVOKE, "Arguments": {"FunctionName": "f"}, "Next": "Rest"},
                                                 "Rest": {"Type": "Wait", "Seconds": 5, "End": true}}}
                ],
                "Catch": [{"ErrorEquals": ["Known"], "Next": "Handled"}],
                "Next": "Done"},
            "Done": {"Type": "Succeed", "Output": "{% $seen %}"},
            "Handled": {"Type": "Succeed"}
        }),
    )
    .replace("\"StartAt\":\"Both\"", "\"StartAt\":\"Set\"")
    .replacen("\"States\":{", "\"States\":{\"Set\":{\"Type\":\"Pass\",\"Assign\":{\"outer\":\"o\"},\"Next\":\"Both\"},", 1)
}

#[test]
fn branches_run_at_once_and_are_joined() {
    check(
        &both(),
        "{}",
        &[
            Submit("Stop"),
            Succeed("Ask", "2"),
            Succeed("Stop", "1"),
            Clock,
        ],
        "
        1<0 ExecutionStarted
        2<0 PassStateEntered Set
        3<2 PassStateExited Set
        4<3 ParallelStateEntered Both
        5<4 ParallelStateStarted
        6<5 TaskStateEntered Stop
        7<6 TaskScheduled
        8<7 TaskStarted
        9<5 TaskStateEntered Ask
        10<9 TaskScheduled
        11<10 TaskStarted
        12<8 TaskSubmitted
        13<11 TaskSucceeded
        14<13 TaskStateExited Ask
        15<14 WaitStateEntered Rest
        16<12 TaskSucceeded
        17<16 TaskStateExited Stop
        18<15 WaitStateExited Rest
        19<18 ParallelStateSucceeded
        20<18 ParallelStateExited Both
        21<20 SucceedStateEntered Done
        22<21 SucceedStateExited Done
        23<22 ExecutionSucceeded
        SUCCEEDED [1,2]",
    );
}

#[test]
fn a_failing_branch_ends_its_siblings() {
    let begin = "
        1<0 ExecutionStarted
        2<0 PassStateEntered Set
        3<2 PassStateExited Set
        4<3 ParallelStateEntered Both
        5<4 ParallelStateStarted
        6<5 TaskStateEntered Stop
        7<6 TaskScheduled
        8<7 TaskStarted
        9<5 TaskStateEntered Ask
        10<9 TaskScheduled
        11<10 TaskStarted";
    let unknown = format!(
        "{begin}
        12<11 TaskFailed Unknown
        13<12 TaskStateAborted
        14<12 TaskStateAborted
        15<12 ParallelStateFailed
        16<15 ExecutionFailed Unknown
        FAILED Unknown because"
    );
    let run = check(&both(), "{}", &[Fail("Ask", "Unknown")], &unknown);
    assert!(run.open.is_empty(), "the sibling's task was cancelled");
    let known = format!(
        "{begin}
        12<11 TaskFailed Known
        13<12 TaskStateAborted
        14<12 TaskStateAborted
        15<12 ParallelStateExited Both
        16<15 SucceedStateEntered Handled
        17<16 SucceedStateExited Handled
        18<17 ExecutionSucceeded
        SUCCEEDED {{\"Error\":\"Known\",\"Cause\":\"because\"}}"
    );
    check(&both(), "{}", &[Fail("Ask", "Known")], &known);
}

#[test]
fn a_map_starts_as_many_iterations_as_it_may() {
    let text = machine(
        "Each",
        &json!({
            "Each": {"Type": "Map", "Items": "{% $states.input %}", "MaxConcurrency": 2,
                "ItemSelector": {"i": "{% $states.context.Map.Item.Index %}", "v": "{% $states.context.Map.Item.Value %}"},
                "ItemProcessor": {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": INVOKE, "Arguments": "{% $states.input %}", "End": true}}},
                "ToleratedFailureCount": 1, "End": true}
        }),
    );
    let run = check(
        &text,
        "[10,20,30]",
        &[Succeed("Do", "1"), Fail("Do", "Odd"), Succeed("Do", "3")],
        "
        1<0 ExecutionStarted
        2<0 MapStateEntered Each
        3<2 MapStateStarted
        4<3 MapIterationStarted Each[0]
        5<3 MapIterationStarted Each[1]
        6<4 TaskStateEntered Do
        7<6 TaskScheduled
        8<7 TaskStarted
        9<5 TaskStateEntered Do
        10<9 TaskScheduled
        11<10 TaskStarted
        12<8 TaskSucceeded
        13<12 TaskStateExited Do
        14<13 MapIterationSucceeded Each[0]
        15<13 MapIterationStarted Each[2]
        16<15 TaskStateEntered Do
        17<16 TaskScheduled
        18<17 TaskStarted
        19<11 TaskFailed Odd
        20<19 MapIterationFailed Each[1]
        21<18 TaskSucceeded
        22<21 TaskStateExited Do
        23<22 MapIterationSucceeded Each[2]
        24<23 MapStateSucceeded
        25<23 MapStateExited Each
        26<25 ExecutionSucceeded
        SUCCEEDED [1,3]",
    );
    let parameters = run.events()[9]["taskScheduledEventDetails"]["parameters"].clone();
    assert_eq!(parameters, r#"{"i":1,"v":20}"#);
}

#[test]
fn a_redrive_keeps_what_was_finished() {
    let run = check(
        &both(),
        "{}",
        &[
            Succeed("Stop", "1"),
            Fail("Ask", "Unknown"),
            Redrive,
            Succeed("Ask", "2"),
            Clock,
        ],
        "
        1<0 ExecutionStarted
        2<0 PassStateEntered Set
        3<2 PassStateExited Set
        4<3 ParallelStateEntered Both
        5<4 ParallelStateStarted
        6<5 TaskStateEntered Stop
        7<6 TaskScheduled
        8<7 TaskStarted
        9<5 TaskStateEntered Ask
        10<9 TaskScheduled
        11<10 TaskStarted
        12<8 TaskSucceeded
        13<12 TaskStateExited Stop
        14<11 TaskFailed Unknown
        15<14 TaskStateAborted
        16<14 ParallelStateFailed
        17<16 ExecutionFailed Unknown
        18<17 ExecutionRedriven
        19<18 TaskScheduled
        20<19 TaskStarted
        21<20 TaskSucceeded
        22<21 TaskStateExited Ask
        23<22 WaitStateEntered Rest
        24<23 WaitStateExited Rest
        25<24 ParallelStateSucceeded
        26<24 ParallelStateExited Both
        27<26 SucceedStateEntered Done
        28<27 SucceedStateExited Done
        29<28 ExecutionSucceeded
        SUCCEEDED [1,2]",
    );
    assert_eq!(run.execution.redrive_count(), 1);
    let mut run = run;
    let refused = run.signal(Signal::Redrive);
    let reason = "Execution is SUCCEEDED and cannot be redriven".to_owned();
    assert_eq!(refused, Err(Refusal::NotRedrivable { reason }));
}

#[test]
fn a_redriven_token_is_a_new_one() {
    let mut run = Run::new(&both());
    run.signal(Signal::Start {
        input: Data::empty(),
    })
    .unwrap();
    let old = asl::TaskToken::decode(run.open[0].token.as_ref().unwrap()).unwrap();
    run.act(&Fail("Ask", "Unknown")).unwrap();
    run.act(&Redrive).unwrap();
    assert!(!run.execution.awaits(old.task, old.nonce));
    let waiting: Vec<&str> = run.open.iter().map(|task| task.state.as_str()).collect();
    assert_eq!(
        waiting,
        ["Stop", "Ask"],
        "the aborted sibling is asked again too"
    );
    let new = asl::TaskToken::decode(run.open[0].token.as_ref().unwrap()).unwrap();
    assert!(run.execution.awaits(new.task, new.nonce));
}

#[test]
fn a_sibling_that_times_out_at_the_same_moment_is_not_retried() {
    let task = |retry: serde_json::Value| json!({"Type": "Task", "Resource": INVOKE, "TimeoutSeconds": 5, "Retry": retry, "End": true});
    let text = machine(
        "P",
        &json!({"P": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "A", "States": {"A": task(json!([]))}},
            {"StartAt": "B", "States": {"B": task(json!([{"ErrorEquals": ["States.ALL"]}]))}}
        ]}}),
    );
    let run = check(
        &text,
        "{}",
        &[Clock],
        "
        1<0 ExecutionStarted
        2<0 ParallelStateEntered P
        3<2 ParallelStateStarted
        4<3 TaskStateEntered A
        5<4 TaskScheduled
        6<5 TaskStarted
        7<3 TaskStateEntered B
        8<7 TaskScheduled
        9<8 TaskStarted
        10<6 TaskTimedOut States.Timeout
        11<9 TaskTimedOut States.Timeout
        12<10 TaskStateAborted
        13<10 TaskStateAborted
        14<10 ParallelStateFailed
        15<14 ExecutionFailed States.Timeout
        FAILED States.Timeout -",
    );
    assert_eq!(run.execution.next_due(), None);
}

#[test]
fn tasks_that_are_reported_to_time_out_together_end_together() {
    let text = machine(
        "M",
        &json!({"M": {"Type": "Map", "End": true, "Items": [1, 2], "ItemProcessor": {"StartAt": "A", "States": {
            "A": {"Type": "Task", "Resource": INVOKE, "TimeoutSeconds": 5, "End": true}}}}}),
    );
    check(
        &text,
        "{}",
        &[TimeOut],
        "
        1<0 ExecutionStarted
        2<0 MapStateEntered M
        3<2 MapStateStarted
        4<3 MapIterationStarted M[0]
        5<3 MapIterationStarted M[1]
        6<4 TaskStateEntered A
        7<6 TaskScheduled
        8<7 TaskStarted
        9<5 TaskStateEntered A
        10<9 TaskScheduled
        11<10 TaskStarted
        12<8 TaskTimedOut States.Timeout
        13<11 TaskTimedOut States.Timeout
        14<12 MapIterationFailed M[0]
        15<12 TaskStateAborted
        16<12 MapIterationAborted M[1]
        17<12 TaskStateAborted
        18<12 MapStateFailed
        19<18 ExecutionFailed States.Timeout
        FAILED States.Timeout -",
    );
}
