//! Inputs that were made to hurt: nothing panics, hangs or grows without bound.

use asl::{Data, Execution, Signal};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Run, errors, machine};

#[test]
fn deep_and_huge_definitions_are_refused() {
    let deep = |n: usize| {
        let state = r#"{"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":"#;
        format!(
            r#"{{"StartAt":"A","States":{{"A":{}{}{}}}}}"#,
            state.repeat(n),
            r#"{"Type":"Succeed"}"#,
            "}}]}".repeat(n)
        )
    };
    assert!(errors(&deep(10)).is_empty());
    assert_eq!(errors(&deep(10_000)).len(), 1);
    assert_eq!(
        errors(&format!(r#"{{"Comment":"{}"}}"#, "x".repeat(1 << 20))).len(),
        1
    );
    for nested in [
        "(".repeat(100_000),
        "[".repeat(100_000),
        "-".repeat(100_000),
        "$f(".repeat(50_000),
        "not ".repeat(50_000),
    ] {
        let text = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "Output": format!("{{% {nested} %}}"), "End": true}}});
        assert_eq!(errors(&text.to_string()).len(), 1);
    }
}

/// The error a Pass state with this expression ends with.
fn failure(expression: &str) -> Option<String> {
    let text = machine(
        "A",
        &json!({"A": {"Type": "Pass", "Output": format!("{{% {expression} %}}"), "End": true}}),
    );
    let mut run = Run::new(&text);
    run.signal(Signal::Start {
        input: Data::empty(),
    })
    .unwrap();
    run.execution.error().map(str::to_owned)
}

#[test]
fn runaway_expressions_fail_their_state() {
    for expression in [
        "($f := function($x) { $f($x + 1) + 1 }; $f(0))",
        "($f := function($x) { $f($x + 1) }; $f(0))",
        "[1..100000000]",
        "$eval('1')",
        "$range(1, 100000, 1)",
        "$range(1, 10, 0)",
        "$partition([1], 0)",
        "$parse('{')",
        // What is small in memory and endless when written out.
        "$reduce([1..40], function($a) { $a & $a }, 'x')",
        "$reduce([1..40], function($a) { {'a': $a, 'b': $a} }, {})",
        "$reduce([1..40], function($a) { [[$a], [$a]] }, [1])",
        "$string($reduce([1..40], function($a) { {'a': $a, 'b': $a} }, {}))",
        "$reduce([1..40], function($a) { {'a': $a, 'b': $a} }, {}) ~> $string",
        "'' & $reduce([1..40], function($a) { {'a': $a, 'b': $a} }, {})",
        "$hash($reduce([1..40], function($a) { {'a': $a, 'b': $a} }, {}), 'MD5')",
        "($f := function() { $reduce([1..40], function($a) { {'a': $a, 'b': $a} }, {}) }; $f() = $f())",
        // What is made by one function, in one go.
        "$join([1..10000].'a', $pad('', 100000))",
        "[1..10000].'a' ~> $join($pad('', 100000))",
        "$replace($pad('', -10000, 'a'), /a/, $pad('', 100000))",
        "$pad('', -10000, 'a') ~> $replace(/a/, $pad('', 100000))",
        // A panic of the evaluator.
        "$formatNumber(1, '0.' & $pad('0', 100000, '0'))",
        "$pad('x', 1e9)",
        "$pad('x', -1e15)",
        "$pad('x', 1/0)",
        "$pad(1, 2)",
        "$pad('x', 'y')",
        "$pad('x', 2, 3)",
        "1/0",
    ] {
        assert_eq!(
            failure(expression).as_deref(),
            Some("States.QueryEvaluationError"),
            "{expression}"
        );
    }
    assert_eq!(
        failure("$pad('', 300000)").as_deref(),
        Some("States.DataLimitExceeded")
    );
}

#[test]
fn data_named_thousands_of_times_are_not_copied_as_often() {
    let input = Data::new(json!({ "a": "x".repeat(200_000) }));
    let run = |parameters: serde_json::Value| {
        let state = json!({ "Type": "Pass", "Parameters": parameters, "End": true });
        let text = json!({ "StartAt": "A", "States": { "A": state } }).to_string();
        let mut run = Run::new(&text);
        let input = input.clone();
        run.signal(Signal::Start { input }).unwrap();
        run.execution.error().map(str::to_owned)
    };
    let members: serde_json::Map<_, _> = (0..50_000)
        .map(|i| (format!("{i}.$"), json!("$.a")))
        .collect();
    assert_eq!(
        run(members.into()).as_deref(),
        Some("States.DataLimitExceeded")
    );
    let arguments = vec!["$"; 50_000].join(",");
    for function in ["States.Array", "States.Format"] {
        let call = json!({ "x.$": format!("{function}({arguments})") });
        assert_eq!(run(call).as_deref(), Some("States.IntrinsicFailure"));
    }
}

/// What a Pass state with this expression ends with.
fn output(expression: &str) -> String {
    let text = machine(
        "A",
        &json!({"A": {"Type": "Pass", "Output": format!("{{% {expression} %}}"), "End": true}}),
    );
    let mut run = Run::new(&text);
    run.signal(Signal::Start {
        input: Data::empty(),
    })
    .unwrap();
    let output = run.execution.output().map(|data| data.text().to_owned());
    output.unwrap_or_default()
}

#[test]
fn padding_is_that_of_jsonata() {
    for (expression, expected) in [
        ("$pad('foo', 5)", "foo  "),
        ("$pad('foo', -5)", "  foo"),
        ("$pad('foo', -5, '#')", "##foo"),
        ("$pad('foo', 5, '#+')", "foo#+"),
        ("$pad('foo', 6, '#+')", "foo#+#"),
        ("$pad('foo', 2)", "foo"),
        ("$pad('foo', 4, '')", "foo "),
        ("$pad('', -3, '⍺')", "⍺⍺⍺"),
        (
            "$map(['a', 'b'], function($v) { $pad($v, 2, '.') }) ~> $join('')",
            "a.b.",
        ),
        ("'x' ~> $pad(3, '-')", "x--"),
    ] {
        assert_eq!(
            output(expression),
            json!(expected).to_string(),
            "{expression}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in ".{0,200}") {
        asl::parse(&text);
    }

    #[test]
    fn any_expression_is_answered(expression in "[$@.a-c0-9\\[\\](){}'\"|&?:=+*, -]{0,40}") {
        let states = json!({"A": {"Type": "Pass", "Output": format!("{{%{expression}%}}"), "End": true}});
        if let Some(definition) = asl::parse(&machine("A", &states)).definition {
            let mut execution = Execution::new(crate::support::identity());
            let env = asl::Env { now: 0, seed: [0; 32] };
            let input = Data::parse(r#"{"a": [1, {"b": "c"}]}"#).unwrap();
            asl::decide(&definition, &mut execution, Signal::Start { input }, &env).unwrap();
        }
    }

    #[test]
    fn any_path_is_answered(path in "[$@.a-c0-9\\[\\]()?'*:,<=!&|-]{0,40}") {
        let text = json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"x.$": format!("${path}")}, "End": true}}});
        if let Some(definition) = asl::parse(&text.to_string()).definition {
            let mut execution = Execution::new(crate::support::identity());
            let env = asl::Env { now: 0, seed: [0; 32] };
            let input = Data::parse(r#"{"a": [1, {"b": "c"}]}"#).unwrap();
            asl::decide(&definition, &mut execution, Signal::Start { input }, &env).unwrap();
        }
    }
}
