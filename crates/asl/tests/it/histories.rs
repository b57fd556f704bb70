//! Whole runs of one line of states.

use asl::{Data, Refusal, Signal};
use serde_json::json;

use crate::support::Act::{Beat, Clock, Fail, Sleep, Stop, Submit, Succeed};
use crate::support::{Run, check, machine};

const INVOKE: &str = "arn:aws:states:::lambda:invoke";
const SEND: &str = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";

#[test]
fn pass_and_variables() {
    let text = machine(
        "A",
        &json!({
            "A": {"Type": "Pass", "Assign": {"n": "{% $states.input.n + 1 %}"}, "Next": "B"},
            "B": {"Type": "Pass", "Output": {"n": "{% $n %}", "was": "{% $states.input.n %}"}, "End": true}
        }),
    );
    let run = check(
        &text,
        r#"{ "n": 1 }"#,
        &[],
        r#"
        1<0 ExecutionStarted
        2<0 PassStateEntered A
        3<2 PassStateExited A
        4<3 PassStateEntered B
        5<4 PassStateExited B
        6<5 ExecutionSucceeded
        SUCCEEDED {"n":2,"was":1}"#,
    );
    let exited = &run.events()[2]["stateExitedEventDetails"];
    assert_eq!(
        exited["output"], r#"{ "n": 1 }"#,
        "an unchanged payload keeps its text"
    );
    assert_eq!(exited["assignedVariables"], json!({"n": "2"}));
    assert_eq!(exited["outputDetails"], json!({"truncated": false}));
}

fn retrying() -> String {
    machine(
        "A",
        &json!({
            "A": {"Type": "Task", "Resource": INVOKE, "TimeoutSeconds": 60,
                  "Arguments": {"FunctionName": "f", "Payload": "{% $states.context.State.RetryCount %}"},
                  "Retry": [{"ErrorEquals": ["Factory.Unavailable"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 3, "JitterStrategy": "NONE"}],
                  "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "B"}],
                  "End": true},
            "B": {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "gave up"}
        }),
    )
}

#[test]
fn retry_waits_longer_each_time_then_the_error_is_caught() {
    let down = Fail("A", "Factory.Unavailable");
    let acts = [
        down.clone(),
        Sleep(1_999),
        Sleep(1),
        down.clone(),
        Sleep(5_999),
        Sleep(1),
        down,
    ];
    let run = check(
        &retrying(),
        "{}",
        &acts,
        "
        1<0 ExecutionStarted
        2<0 TaskStateEntered A
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskFailed Factory.Unavailable
        6<5 TaskScheduled
        7<6 TaskStarted
        8<7 TaskFailed Factory.Unavailable
        9<8 TaskScheduled
        10<9 TaskStarted
        11<10 TaskFailed Factory.Unavailable
        12<11 TaskStateExited A
        13<12 FailStateEntered B
        14<13 ExecutionFailed Factory.Unavailable
        FAILED Factory.Unavailable gave up",
    );
    let parameters = run.events()[8]["taskScheduledEventDetails"]["parameters"].clone();
    assert_eq!(parameters, r#"{"FunctionName":"f","Payload":2}"#);
}

#[test]
fn a_task_times_out() {
    let expected = "
        1<0 ExecutionStarted
        2<0 TaskStateEntered A
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskTimedOut States.Timeout
        6<5 TaskStateExited A
        7<6 FailStateEntered B
        8<7 ExecutionFailed States.Timeout
        FAILED States.Timeout gave up";
    check(&retrying(), "{}", &[Sleep(59_999), Sleep(1)], expected);
}

#[test]
fn a_callback_may_come_before_the_response_to_its_request() {
    let text = machine(
        "A",
        &json!({
            "A": {"Type": "Task", "Resource": SEND, "HeartbeatSeconds": 10, "TimeoutSeconds": 100,
                  "Arguments": {"QueueUrl": "q", "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
                  "Output": "{% $states.result.n %}", "End": true}
        }),
    );
    let run = check(
        &text,
        "{}",
        &[
            Submit("A"),
            Submit("A"),
            Sleep(9_999),
            Beat("A"),
            Sleep(9_999),
            Succeed("A", r#"{"n":7}"#),
        ],
        "
        1<0 ExecutionStarted
        2<0 TaskStateEntered A
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitted
        6<5 TaskSucceeded
        7<6 TaskStateExited A
        8<7 ExecutionSucceeded
        SUCCEEDED 7",
    );
    assert_eq!(
        run.events()[2]["taskScheduledEventDetails"]["resource"],
        "sendMessage.waitForTaskToken"
    );

    let mut early = Run::new(&text);
    early
        .signal(Signal::Start {
            input: Data::empty(),
        })
        .unwrap();
    let request = early.open[0].clone();
    let token = asl::TaskToken::decode(request.token.as_ref().unwrap()).unwrap();
    assert!(
        request
            .parameters
            .text()
            .contains(request.token.as_ref().unwrap())
    );
    assert_eq!((token.execution, token.task), (42, request.task));
    assert!(early.execution.awaits(token.task, token.nonce));
    assert!(!early.execution.awaits(token.task, token.nonce ^ 1));
    early.act(&Succeed("A", r#"{"n":1}"#)).unwrap();
    let entries = early.journal.len();
    let late = Signal::TaskSubmitted {
        task: request.task,
        output: Data::empty(),
    };
    early.signal(late).unwrap();
    assert_eq!(
        early.journal.len(),
        entries,
        "a late response leaves no trace"
    );
    let again = Signal::TaskSucceeded {
        task: request.task,
        output: Data::empty(),
    };
    assert_eq!(early.signal(again), Err(Refusal::TaskClosed(request.task)));

    let silent = "
        1<0 ExecutionStarted
        2<0 TaskStateEntered A
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskTimedOut States.Timeout
        6<5 ExecutionFailed States.Timeout
        FAILED States.Timeout -";
    check(
        &text,
        "{}",
        &[Sleep(9_000), Beat("A"), Sleep(9_999), Sleep(1)],
        silent,
    );
}

#[test]
fn an_expression_that_gives_nothing_can_be_caught() {
    let text = machine(
        "A",
        &json!({
            "A": {"Type": "Task", "Resource": INVOKE, "Arguments": {"x": ["{% $states.input.nothing %}"]},
                  "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Output": "{% $states.errorOutput.Cause %}", "Next": "B"}], "End": true},
            "B": {"Type": "Succeed"}
        }),
    );
    check(
        &text,
        "{}",
        &[],
        "
        1<0 ExecutionStarted
        2<0 TaskStateEntered A
        3<0 EvaluationFailed States.QueryEvaluationError
        4<3 TaskStateExited A
        5<4 SucceedStateEntered B
        6<5 SucceedStateExited B
        7<6 ExecutionSucceeded
        SUCCEEDED \"An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '$states.input.nothing' specified for the field 'Arguments/x[0]' returned nothing (undefined).\"",
    );
}

#[test]
fn a_machine_has_its_own_timeout_and_can_be_stopped() {
    let text = r#"{"TimeoutSeconds":3,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":10,"End":true}}}"#;
    let timed_out = "
        1<0 ExecutionStarted
        2<0 WaitStateEntered A
        3<2 ExecutionTimedOut States.Timeout
        TIMED_OUT States.Timeout -";
    check(text, "{}", &[Clock], timed_out);
    let stopped = "
        1<0 ExecutionStarted
        2<0 WaitStateEntered A
        3<0 ExecutionAborted Stopped
        ABORTED Stopped -";
    let mut run = check(text, "{}", &[Stop], stopped);
    assert_eq!(run.signal(Signal::Clock), Err(Refusal::NotRunning));
}

#[test]
fn no_rule_applies() {
    let text = r#"{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":5,"Next":"B"}]},"B":{"Type":"Succeed"}}}"#;
    let failed = "
        1<0 ExecutionStarted
        2<0 ChoiceStateEntered A
        3<2 ExecutionFailed States.NoChoiceMatched
        FAILED States.NoChoiceMatched An error occurred while executing the state 'A' (entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.";
    check(text, r#"{"n":5}"#, &[], failed);
}

#[test]
fn an_endless_loop_is_decided_in_bounded_steps_and_ends() {
    let text = machine(
        "A",
        &json!({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}),
    );
    let Run {
        definition,
        mut execution,
        ..
    } = Run::new(&text);
    let env = asl::Env {
        now: 0,
        seed: [0; 32],
    };
    let mut signal = Signal::Start {
        input: Data::empty(),
    };
    loop {
        let decision = asl::decide(&definition, &mut execution, signal, &env).unwrap();
        assert!(decision.entries.len() < 300);
        if !decision.more {
            break;
        }
        assert_eq!(
            execution.next_due(),
            Some(0),
            "recovery goes on where the bound stopped"
        );
        signal = Signal::Clock;
    }
    let cause = "The execution reached the maximum number of history events (25000).";
    assert_eq!(execution.cause(), Some(cause));
}

#[test]
fn only_one_worker_gets_an_activitys_task() {
    let text = machine(
        "A",
        &json!({"A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:000000000000:activity:pack", "End": true}}),
    );
    let mut run = Run::new(&text);
    run.signal(Signal::Start {
        input: Data::empty(),
    })
    .unwrap();
    let task = run.open[0].task;
    assert_eq!(run.execution.tasks().count(), 1);
    run.signal(Signal::TaskStarted {
        task,
        worker: Some("w1".into()),
    })
    .unwrap();
    assert_eq!(
        run.execution.tasks().count(),
        0,
        "it is not offered again after a crash"
    );
    let second = Signal::TaskStarted {
        task,
        worker: Some("w2".into()),
    };
    assert_eq!(run.signal(second), Err(Refusal::TaskClosed(task)));
    run.act(&Succeed("A", "1")).unwrap();
    assert_eq!(run.execution.output().map(Data::text), Some("1"));
}
