//! `restock workflows check` and `cost`, as people and scripts run them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Exit code and stdout of `restock workflows …`.
fn workflows(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_restock"))
        .arg("workflows")
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), stdout)
}

const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workflows");

/// The repository's workflows with one change in the reorder workflow.
fn changed(from: &str, to: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in ["stack.json", "reorder/reorder.asl.json", "vip/vip.asl.json"] {
        let text = fs::read_to_string(Path::new(OURS).join(file)).unwrap();
        let text = match file.starts_with("reorder") {
            true => text.replacen(from, to, 1),
            false => text,
        };
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[test]
fn a_mistake_is_told_with_file_line_place_and_remedy() {
    let mistake = "'attempt_id': $states.input.atempt_id";
    let dir = changed("'attempt_id': $states.input.attempt_id", mistake);
    let folder = dir.path().to_str().unwrap();
    let text = fs::read_to_string(dir.path().join("reorder/reorder.asl.json")).unwrap();
    let line = 1 + text.lines().position(|it| it.contains(mistake)).unwrap();

    let (code, told) = workflows(&["check", "--workflows", folder]);
    assert_eq!(code, Some(1), "{told}");
    let place = format!("reorder/reorder.asl.json:{line}: DATA_FLOW: ");
    assert!(told.starts_with(&place), "{told}");
    for part in [
        "$states.input.atempt_id",
        "/AwaitCallback/Arguments/Payload",
        "attempt_id, factory_order_id",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }

    let (code, told) = workflows(&["check", "--json", "--workflows", folder]);
    assert_eq!(code, Some(1));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told[0]["valid"], false);
    assert_eq!(told[0]["diagnostics"][0]["line"], line);
    assert_eq!(
        told[1],
        json!({"state_machine": "vip", "file": "vip/vip.asl.json", "valid": true, "diagnostics": []})
    );
}

#[test]
fn a_syntax_error_is_told_once() {
    let dir = changed("\"CheckStock\": {", "\"CheckStock\": {,");
    let (code, told) = workflows(&["check", "--workflows", dir.path().to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert_eq!(
        told.matches("INVALID_JSON_DESCRIPTION").count(),
        1,
        "{told}"
    );
}

#[test]
fn what_is_right_has_nothing_on_stdout() {
    assert_eq!(
        workflows(&["check", "--workflows", OURS]),
        (Some(0), String::new())
    );
}

#[test]
fn each_way_has_its_price() {
    let args = [
        "cost",
        "reorder",
        "--price",
        "0.03",
        "--json",
        "--workflows",
        OURS,
    ];
    let (code, told) = workflows(&args);
    assert_eq!(code, Some(0));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["usd_per_thousand_transitions"], 0.03);
    let paths = told["paths"].as_array().unwrap();
    let happy = paths
        .iter()
        .find(|it| it["path"] == "reorder/happy")
        .unwrap();
    // Nine states and the start.
    assert_eq!(
        (&happy["transitions"], &happy["usd_per_million"]),
        (&json!(10), &json!(300.0))
    );
    assert!(
        paths
            .iter()
            .all(|it| it["path"].as_str().unwrap().starts_with("reorder/"))
    );

    let (code, table) = workflows(&["cost", "--workflows", OURS]);
    assert_eq!(code, Some(0));
    assert!(
        table.contains("vip/happy") && table.contains("250.00"),
        "{table}"
    );
    assert_eq!(
        workflows(&["cost", "nothing", "--workflows", OURS]).0,
        Some(1)
    );
    assert_eq!(workflows(&["cost", "--price", "much"]).0, Some(2));
}
