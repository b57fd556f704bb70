//! Definitions that are valid, and what is wrong with their data.

use serde_json::json;

use super::*;

/// Findings as `line pointer: message`.
fn findings(states: &str) -> Vec<String> {
    findings_in("JSONata", states)
}

fn findings_in(language: &str, states: &str) -> Vec<String> {
    let text =
        format!(r#"{{"QueryLanguage": "{language}", "StartAt": "A", "States": {{{states}}}}}"#);
    let parsed = parse(&text);
    let definition = parsed
        .definition
        .unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
    let shape = |schema| Shape::from_schema(&schema);
    let task = |state: &State| {
        if state.name() == "Park" {
            return Some(Contract {
                name: "parked".to_owned(),
                takes: None,
                gives: Shape::Alike,
                errors: None,
            });
        }
        (state.name() != "Unknown").then(|| Contract {
            name: "ask".to_owned(),
            takes: Some((
                "Payload".to_owned(),
                shape(json!({"type": "object", "required": ["id"],
                    "properties": {"id": {"type": "string"}, "count": {"type": "integer"}}})),
            )),
            gives: Shape::object([(
                "Payload".to_owned(),
                shape(json!({"type": "object", "properties": {"id": {"type": "string"}, "found": {"type": "boolean"}}})),
            )]),
            errors: Some(["Ask.Refused", "Lambda.*"].map(str::to_owned).into()),
        })
    };
    let input = shape(
        json!({"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}}),
    );
    let task: &dyn Fn(&State) -> Option<Contract> = &task;
    let found = check(&definition, &Contracts { input, task });
    for finding in &found {
        assert!(finding.help.as_ref().is_some_and(|help| !help.is_empty()));
        assert_eq!(
            (finding.code, finding.severity),
            (Code::DataFlow, Severity::Error)
        );
    }
    found
        .iter()
        .map(|it| format!("{} {}: {}", it.line, it.pointer, it.message))
        .collect()
}

/// A Task state that ends.
fn ask(payload: &str, rest: &str) -> String {
    format!(
        r#""A": {{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
 "Arguments": {{"FunctionName": "ask", "Payload": {payload}}}, {rest} "End": true}}"#
    )
}

#[test]
fn what_is_right_is_not_complained_of() {
    for states in [
        ask(r#""{% $states.input %}""#, ""),
        ask(
            r#"{"id": "{% $states.input.id & '-' & $string($states.input.n) %}", "count": 3, "more": null}"#,
            r#""Output": "{% $merge([$states.input, $states.result.Payload]) %}", "Retry": [{"ErrorEquals": ["Lambda.Any", "Ask.Refused"]}],"#,
        ),
        // Asked for first; computed; of the context; of a function's parameter; of itself.
        ask(
            r#""{% ($told := $match($states.input.id, /x/); {'id': $exists($states.input.other) ? $told[0].match : $states.context.Execution.Input.id}) %}""#,
            r#""Output": "{% $map([1, 2], function($it) { $it.anything + $states.context.State.RetryCount }) %}","#,
        ),
        ask(
            r#""{% $states.input %}""#,
            r#""Output": "{% ($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; {'n': $f(3), 'up': $states.input.id ~> $uppercase, 'of': [{'a': 1}][a = 1].a}) %}","#,
        ),
        ask(r#""{% $states.context.Execution.Input %}""#, r#""TimeoutSeconds": "{% $states.input.n %}","#),
        // What comes from a task without a contract may be anything.
        r#""A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f", "Payload": {"id": "x"}}, "Next": "Unknown"},
           "Unknown": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "g"},
             "Catch": [{"ErrorEquals": ["Any.Name"], "Next": "C"}], "Next": "B"},
           "B": {"Type": "Pass", "Output": "{% $states.input.what.ever %}", "End": true}, "C": {"Type": "Pass", "Output": "{% $states.input.Cause %}", "End": true}"#
            .to_owned(),
        // A loop that passes its own output on, and a variable that only it assigns.
        r#""A": {"Type": "Pass", "Assign": {"round": 1}, "Next": "B"},
           "B": {"Type": "Choice", "Choices": [{"Condition": "{% $round > 3 %}", "Next": "End"}], "Default": "C"},
           "C": {"Type": "Pass", "Assign": {"round": "{% $round + 1 %}"}, "Output": {"before": "{% $states.input %}", "id": "x"}, "Next": "B"},
           "End": {"Type": "Pass", "Output": "{% $states.input.before.before.id %}", "End": true}"#
            .to_owned(),
        // Where what is not known and what is known meet, in a state and in a member; and where a list may be empty.
        r#""A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Unknown"}], "Default": "B"},
           "Unknown": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues", "Arguments": {}, "Next": "C"},
           "B": {"Type": "Pass", "Output": {"Nothing": 1}, "Next": "C"},
           "C": {"Type": "Pass", "Output": "{% $states.input.QueueUrls %}", "End": true}"#
            .to_owned(),
        r#""A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Unknown"}], "Default": "B"},
           "Unknown": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues", "Arguments": {}, "Output": {"of": ["{% $states.result %}"]}, "Next": "C"},
           "B": {"Type": "Pass", "Output": {"of": [{"Nothing": 1}, 2]}, "Next": "C"},
           "C": {"Type": "Pass", "Output": "{% $states.input.of[0].QueueUrls %}", "End": true}"#
            .to_owned(),
        r#""A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Unknown"}], "Default": "B"},
           "Unknown": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues", "Arguments": {}, "Output": "{% $merge([$states.result]) %}", "Next": "C"},
           "B": {"Type": "Pass", "Output": {"QueueUrls": 1}, "Next": "C"},
           "C": {"Type": "Pass", "Output": "{% $states.input.QueueUrls.first %}", "End": true}"#
            .to_owned(),
    ] {
        assert_eq!(findings(&states), Vec::<String>::new(), "{states}");
    }
}

#[test]
fn what_is_never_there_is_told_with_its_place() {
    for (states, expected) in [
        (
            ask(
                r#""{% {'id': $sift($states.input, function($v, $k) { $k != 'n' }).idd} %}""#,
                "",
            ),
            "2 /States/A/Arguments/Payload: It reads (…).idd, which is never there",
        ),
        (
            ask(r#""{% {'id': $states.input.idd} %}""#, ""),
            "2 /States/A/Arguments/Payload: It reads $states.input.idd, which is never there",
        ),
        (
            ask(
                r#""{% $states.input %}""#,
                r#""Output": {"x": "{% $states.result.Payload.fund %}"},"#,
            ),
            "2 /States/A/Output/x: It reads $states.result.Payload.fund, which is never there",
        ),
        (
            ask(r#""{% $states.result %}""#, ""),
            "2 /States/A/Arguments/Payload: It reads $states.result, which is never there",
        ),
        (
            ask(r#""{% $states.input %}""#, r#""Output": "{% $conut %}","#),
            "2 /States/A/Output: It reads $conut, which no state before this one assigns",
        ),
        (
            ask(
                r#""{% $states.input %}""#,
                r#""Output": "{% $uper('x') %}","#,
            ),
            "2 /States/A/Output: It calls $uper, and there is no such function",
        ),
        (
            ask(r#""{% $states.input %}""#, r#""Output": "{% id %}","#),
            "2 /States/A/Output: It reads id of nothing",
        ),
        (
            ask(
                r#""{% $states.input %}""#,
                r#""Output": "{% $states.context.Execution.Arn %}","#,
            ),
            "2 /States/A/Output: It reads $states.context.Execution.Arn, which is never there",
        ),
    ] {
        assert_eq!(findings(&states), [expected], "{states}");
    }
}

#[test]
fn what_an_operator_answers_is_like_what_the_workflow_makes() {
    let states = |answers: &str| {
        format!(
            r#""A": {{"Type": "Pass", "Output": {{"id": 1}}, "Next": "B"}},
"B": {{"Type": "Choice", "Choices": [{{"Condition": "{{% $states.input.id = 1 %}}", "Next": "{answers}"}}], "Default": "C"}},
"{answers}": {{"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Arguments": {{}},
 "Output": {{"state": "{{% $exists($states.result.state) ? $states.result.state : $states.input %}}"}}, "Next": "D"}},
"D": {{"Type": "Pass", "Output": "{{% $states.input.state %}}", "Next": "C"}},
"C": {{"Type": "Pass", "Output": "{{% $states.input.idd %}}", "End": true}}"#
        )
    };
    assert_eq!(
        findings(&states("Park")),
        ["6 /States/C/Output: It reads $states.input.idd, which is never there"]
    );
    assert!(findings(&states("Unknown")).is_empty());
}

#[test]
fn arguments_that_a_task_refuses_are_told() {
    let wrong = |payload: &str| findings(&ask(payload, ""));
    assert_eq!(
        wrong(r#"{"count": 1}"#),
        ["2 /States/A/Arguments/Payload: Payload.id is missing"]
    );
    assert_eq!(
        wrong(r#"{"id": "{% $states.input.n %}", "count": "{% $states.input.id %}"}"#),
        [
            "2 /States/A/Arguments/Payload: Payload.count is text, not number",
            "2 /States/A/Arguments/Payload: Payload.id is number, not text"
        ]
    );
    let without = r#""A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "ask"}, "End": true}"#;
    assert_eq!(
        findings(without),
        ["1 /States/A/Arguments: Payload is missing"]
    );
    assert_eq!(
        wrong(r#""{% $states.input.id %}""#),
        ["2 /States/A/Arguments/Payload: Payload is text, not object"]
    );
}

#[test]
fn an_error_that_nothing_has_is_told() {
    let states = ask(
        r#""{% $states.input %}""#,
        r#""Retry": [{"ErrorEquals": ["Ask.Refused", "Ask.Unavailable"]}], "Catch": [{"ErrorEquals": ["Other"], "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "B"}],"#,
    ) + r#", "B": {"Type": "Pass", "Output": "{% $states.input.Eror %}", "End": true}"#;
    assert_eq!(
        findings(&states),
        [
            "2 /States/A/Catch[0]/ErrorEquals[0]: Nothing that this state does fails with Other",
            "2 /States/A/Retry[0]/ErrorEquals[1]: Nothing that this state does fails with Ask.Unavailable",
            "2 /States/B/Output: It reads $states.input.Eror, which is never there",
        ]
    );
}

#[test]
fn branches_give_what_they_end_with_and_fail_as_their_states_do() {
    let branch = |end: &str| {
        format!(
            r#"{{"StartAt": "{end}", "States": {{"{end}": {{"Type": "Pass", "Output": {{"{end}": 1}}, "End": true}}}}}}"#
        )
    };
    let states = format!(
        r#""A": {{"Type": "Parallel", "Branches": [{}, {}, {{"StartAt": "F", "States": {{"F": {{"Type": "Fail", "Error": "Its.Own"}}}}}}],
 "Catch": [{{"ErrorEquals": ["Its.Own", "Not.Its"], "Next": "B"}}],
 "Output": {{"right": "{{% $states.result[0].x %}}", "wrong": "{{% $states.result[1].x %}}"}}, "End": true}},
 "B": {{"Type": "Pass", "End": true}}"#,
        branch("x"),
        branch("y")
    );
    assert_eq!(
        findings(&states),
        [
            "2 /States/A/Catch[0]/ErrorEquals[1]: Nothing that this state does fails with Not.Its",
            "3 /States/A/Output/wrong: It reads $states.result[1].x, which is never there",
        ]
    );
}

#[test]
fn of_json_path_states_variables_and_errors_are_followed() {
    let states = r#""A": {"Type": "Pass", "Assign": {"id.$": "$.id"}, "Next": "B"},
"B": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
 "Parameters": {"FunctionName": "ask", "Payload": {"id.$": "$id", "n.$": "$count", "any.$": "$.thing"}},
 "Catch": [{"ErrorEquals": ["Ask.Refused", "Other"], "Next": "C"}], "Next": "C"},
"C": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.what & $id %}", "End": true}"#;
    assert_eq!(
        findings_in("JSONPath", states),
        [
            "2 /States/B: It reads $count, which no state before this one assigns",
            "4 /States/B/Catch[0]/ErrorEquals[1]: Nothing that this state does fails with Other",
        ]
    );
}
