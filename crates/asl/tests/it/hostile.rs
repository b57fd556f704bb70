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

/// Expressions that nest, or go on, so often.
fn nesting(times: usize) -> Vec<String> {
    let around = [("(", ")"), ("[", "]"), ("{'a':", "}")];
    let around =
        around.map(|(open, close)| format!("{}1{}", open.repeat(times), close.repeat(times)));
    let links = [
        "+1", "&1", " and 1", ".a", "[0]", "()", "~>$f", "^(a)", "?1:1", "?:1", ":=1", "{1:1}",
        "@$i", ".**", "[]", ".%",
    ];
    let chains = links.map(|link| format!("a{}", link.repeat(times)));
    around.into_iter().chain(chains).collect()
}

#[test]
fn deep_expressions_are_refused_and_long_ones_are_not_deep() {
    let of = |expression: &str| {
        machine(
            "A",
            &json!({"A": {"Type": "Pass", "Output": format!("{{% {expression} %}}"), "End": true}}),
        )
    };
    for expression in nesting(100_000) {
        assert!(
            !errors(&of(&expression)).is_empty(),
            "{}",
            &expression[..20]
        );
    }
    // As deep as is let through: checked and run.
    let mut ran = 0;
    for expression in nesting(900).into_iter().chain(nesting(450)) {
        let Some(definition) = asl::parse(&of(&expression)).definition else {
            continue;
        };
        let input = asl::data_flow::Shape::Unknown;
        let contracts = asl::data_flow::Contracts {
            input,
            task: &|_| None,
        };
        asl::data_flow::check(&definition, &contracts);
        let mut execution = Execution::new(crate::support::identity());
        let env = asl::Env {
            now: 0,
            seed: [0; 32],
        };
        let input = Data::empty();
        asl::decide(&definition, &mut execution, Signal::Start { input }, &env).unwrap();
        assert!(execution.output().is_some() || execution.error().is_some());
        ran += 1;
    }
    assert!(ran > 10, "{ran}");
    let path = |path: &str| {
        let states = json!({"A": {"Type": "Pass", "Parameters": {"x.$": path}, "End": true}});
        let text = json!({"StartAt": "A", "States": states});
        asl::parse(&text.to_string()).definition.map(|definition| {
            let mut execution = Execution::new(crate::support::identity());
            let env = asl::Env {
                now: 0,
                seed: [0; 32],
            };
            let input = Data::parse(r#"{"a": [0, 1, 2]}"#).unwrap();
            asl::decide(&definition, &mut execution, Signal::Start { input }, &env).unwrap();
            execution
                .output()
                .map(|it| it.text().to_owned())
                .unwrap_or_default()
        })
    };
    for nested in [
        format!("$.a[?({}@)]", "!".repeat(100_000)),
        format!("$.a[?({}@{})]", "(".repeat(100_000), ")".repeat(100_000)),
        format!("$.a{}", "[?(@.a".repeat(100_000)),
        "States.Array(".repeat(50_000),
    ] {
        assert_eq!(path(&nested), None);
    }
    for long in [
        format!("$.a[?(@==1{})]", "||@==1".repeat(50_000)),
        format!("$.a[?(@==1{})]", "&&@==1".repeat(50_000)),
    ] {
        assert_eq!(path(&long).as_deref(), Some(r#"{"x":[1]}"#));
    }
    assert!(path(&format!("$.a{}", "..a".repeat(100_000))).is_some());
    assert!(path(&format!("$.a{}", "[0]".repeat(100_000))).is_some());
}

/// A Pass state with this expression, after it ran.
fn passed(expression: &str) -> Run {
    let text = machine(
        "A",
        &json!({"A": {"Type": "Pass", "Output": format!("{{% {expression} %}}"), "End": true}}),
    );
    let mut run = Run::new(&text);
    run.signal(Signal::Start {
        input: Data::empty(),
    })
    .unwrap();
    run
}

/// The error a Pass state with this expression ends with.
fn failure(expression: &str) -> Option<String> {
    passed(expression).execution.error().map(str::to_owned)
}

/// What it says of it.
fn cause(expression: &str) -> Option<String> {
    passed(expression).execution.cause().map(str::to_owned)
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
        "$reduce([1..40], function($a, $x) { $a & $a }, 'x')",
        "$reduce([1..40], function($a, $x) { {'a': $a, 'b': $a} }, {})",
        "$reduce([1..40], function($a, $x) { [[$a], [$a]] }, [1])",
        "$string($reduce([1..40], function($a, $x) { {'a': $a, 'b': $a} }, {}))",
        "$reduce([1..40], function($a, $x) { {'a': $a, 'b': $a} }, {}) ~> $string",
        "'' & $reduce([1..40], function($a, $x) { {'a': $a, 'b': $a} }, {})",
        "$hash($reduce([1..40], function($a, $x) { {'a': $a, 'b': $a} }, {}), 'MD5')",
        "($f := function() { $reduce([1..40], function($a, $x) { {'a': $a, 'b': $a} }, {}) }; $f() = $f())",
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

/// Does something with a value as deep as a loop makes one.
fn deep(expression: &str) -> String {
    // Many levels at once, so that it does not come near the time that an expression may take.
    let levels = format!("{}$a{}", "{'a':".repeat(100), "}".repeat(100));
    let made = format!("$reduce([1..1000], function($a, $x) {{ {levels} }}, 1)");
    format!("($deep := {made}; {})", expression.replace("DEEP", "$deep"))
}

#[test]
fn values_as_deep_as_loops_make_them_fail_their_state() {
    for expression in [
        "DEEP",
        "[DEEP]",
        "DEEP.a.a.a",
        "$string(DEEP)",
        "'' & DEEP",
        "DEEP = DEEP",
        "DEEP != {'a': DEEP}",
        "DEEP in [DEEP]",
        "[DEEP, DEEP][$ = DEEP]",
        "DEEP ~> |a|{'b': 1}|",
        "DEEP ~> $string",
        "DEEP{'a': $}",
        "$distinct([DEEP, DEEP])",
        "$merge([DEEP, {'b': DEEP}])",
        "$hash(DEEP, 'MD5')",
        "$join([DEEP], ',')",
        "$replace(DEEP, 'a', 'b')",
        "$zip([DEEP], [DEEP])",
        "$partition([DEEP, DEEP], 1)",
        "$each(DEEP, function($v) { $v })",
        "$filter([DEEP, DEEP], function($v, $i, $all) { $v = $all })",
    ] {
        let cause = cause(&deep(expression)).unwrap_or_default();
        assert!(
            cause.contains("too large") || cause.contains("nests far deeper"),
            "{expression}: {cause}"
        );
    }
    // Dropped without having been followed down.
    for (expression, expected) in [
        ("DEEP ? 1 : 2", "1"),
        ("$count([DEEP, DEEP])", "2"),
        ("$keys(DEEP)", "\"a\""),
    ] {
        assert_eq!(output(&deep(expression)), expected, "{expression}");
    }
}

#[test]
fn filters_that_compare_everything_with_everything_find_nothing() {
    let run = |path: &str, input: serde_json::Value| {
        let state = json!({"Type": "Pass", "Parameters": {"x.$": path}, "End": true});
        let text = json!({ "StartAt": "A", "States": { "A": state } }).to_string();
        let mut run = Run::new(&text);
        let input = Data::new(input);
        run.signal(Signal::Start { input }).unwrap();
        run.execution.error().map(str::to_owned)
    };
    let numbers = |from: i32, count: i32| (from..from + count).collect::<Vec<_>>();
    let input = |of: i32, text: usize| json!({"a": numbers(0, of), "b": numbers(of, 2 * of), "t": "x".repeat(text), "l": [numbers(0, of)], "m": [numbers(0, of)]});
    for filter in [
        "@ in $.b",
        "@ nin $.b",
        "$.b contains @",
        "$.a anyof $.b",
        "$.a noneof $.b",
        "$.a subsetof $.a",
        "$.t contains 'y'",
        "$.t size 3",
        "$.t empty true",
        "$.t =~ /y/",
        "$.l == $.m",
        "$.l != $.m",
    ] {
        let path = format!("$.a[?({filter})]");
        assert_eq!(
            run(&path, input(20_000, 100_000)).as_deref(),
            Some("States.Runtime"),
            "{filter}"
        );
        assert_eq!(run(&path, input(100, 1_000)), None, "{filter}");
    }
    // A list of a thousand in a list of a thousand is work that somebody may want.
    assert_eq!(run("$.a[?(@ in $.b)]", input(1_000, 1)), None);
}

/// What a Pass state with this expression ends with.
fn output(expression: &str) -> String {
    let run = passed(expression);
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
