//! The deployment against the rest of the repository: what an operator's commands call is allowed to operators, and every
//! alarm has a section in the runbook. Reads files as text; what Terraform makes of them is tested in `terraform/tests`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between `open` and the next `close`, each time.
fn between<'a>(text: &'a str, open: &str, close: char) -> Vec<&'a str> {
    let parts = text.split(open).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(close)?.0))
        .collect()
}

#[test]
fn every_alarm_has_its_section_in_the_runbook_and_every_section_its_alarm() {
    let alarms = read("terraform/alarms.tf");
    let lines = alarms
        .lines()
        .filter(|line| line.trim_start().starts_with("runbook "));
    let told: BTreeSet<&str> = lines
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .collect();
    let runbook = read("docs/runbook.md");
    let sections: BTreeSet<&str> = between(&runbook, "<a id=\"", '"').into_iter().collect();
    assert!(told.len() > 10, "{told:?}");
    assert_eq!(told, sections);
}

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The IAM action of an SDK method: `list_queues` of `sqs` is `sqs:ListQueues`. A batch is allowed as one of its parts.
fn action(service: &str, method: &str) -> String {
    let words = method.trim_end_matches("_batch").split('_');
    let name: String = words
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    format!("{service}:{name}")
}

/// What a program's text calls through clients named `sfn` and `sqs`.
fn calls(text: &str) -> BTreeSet<String> {
    let dense: String = text.split_whitespace().collect();
    let mut called = BTreeSet::new();
    for (client, service) in [("sfn.", "states"), ("sqs.", "sqs")] {
        for method in between(&dense, client, '(') {
            if method.contains('_') && method.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                called.insert(action(service, method));
            }
        }
    }
    called
}

#[test]
fn operators_may_call_what_the_commands_and_the_console_call() {
    let mut files = Vec::new();
    for folder in [
        "crates/operate/src",
        "crates/console/src",
        "src/operate",
        "src/commands",
    ] {
        sources(&root().join(folder), &mut files).unwrap();
    }
    let called: BTreeSet<String> = files.iter().flat_map(|file| calls(&read(file))).collect();
    for known in [
        "states:RedriveExecution",
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
    ] {
        assert!(called.contains(known), "{known} is not among {called:?}");
    }
    let policy = read("terraform/operator.tf");
    let missing: Vec<_> = called
        .iter()
        .filter(|action| !policy.contains(&format!("\"{action}\"")))
        .collect();
    assert!(
        missing.is_empty(),
        "not in terraform/operator.tf: {missing:?}"
    );
}
