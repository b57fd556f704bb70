//! The demo shows all it promises, on a small surge.

use std::process::Command;

use serde_json::Value;

#[test]
fn the_demo_shows_everything_with_its_evidence() {
    let output = Command::new(env!("CARGO_BIN_EXE_restock"))
        .args(["demo", "--json", "--checkouts", "150", "--clients", "10"])
        // Of whoever runs it; the demo's installation has its own.
        .env("RESTOCK_VIP_THRESHOLD", "1000000")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert!(output.status.success() && report["ok"] == true, "{said}");
    let capabilities = report["capabilities"].as_array().unwrap();
    assert_eq!(capabilities.len(), 11);
    for one in capabilities {
        let evidence = one["evidence"].as_object().unwrap();
        assert!(one["shown"] == true && !evidence.is_empty(), "{one}");
    }
    let broken: Vec<_> = report["invariants"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["holds"] != true)
        .collect();
    assert!(broken.is_empty(), "{broken:?}");
}
