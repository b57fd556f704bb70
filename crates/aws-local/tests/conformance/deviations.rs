//! `DEVIATIONS.md` says what is so: every line names a test or a source that is there, and its list of recorded cases is the
//! one of `conformance.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::score;

const HEADING: &str = "## Recorded cases that do not match\n";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text() -> String {
    std::fs::read_to_string(root().join("DEVIATIONS.md")).unwrap()
}

/// The cases by reason: the name of the test that recorded each, without the folders of its file.
fn list(differences: &BTreeMap<String, String>) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, reason) in differences {
        let name = id.rsplit("::").next().unwrap();
        by_reason.entry(reason).or_default().push(name);
    }
    let mut list = String::new();
    for (reason, names) in by_reason {
        let plural = if names.len() == 1 { "case" } else { "cases" };
        writeln!(list, "\n{} {plural}: {reason}.\n", names.len()).unwrap();
        for name in names {
            writeln!(list, "- `{name}`").unwrap();
        }
    }
    list
}

#[test]
fn every_recorded_difference_is_listed_with_its_reason() {
    let differences = score::differences();
    let nameless: Vec<&String> = differences
        .iter()
        .filter(|(_, reason)| reason.is_empty())
        .map(|(id, _)| id)
        .collect();
    assert!(
        nameless.is_empty(),
        "say why in conformance.json: {nameless:#?}"
    );
    let text = text();
    let (_, section) = text.split_once(HEADING).unwrap();
    let expected = list(&differences);
    let prose = section.strip_suffix(expected.as_str());
    assert!(
        prose.is_some_and(|prose| !prose.contains("\n- ")),
        "the list at the end of DEVIATIONS.md must be:\n{expected}"
    );
}

#[test]
fn every_line_names_what_shows_it() {
    let text = text();
    let lines = text.lines().filter(|line| line.starts_with("| "));
    for line in lines.skip(1) {
        let shown = line.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows: {line}");
        let (crates, files): (Vec<&str>, Vec<&str>) = names
            .iter()
            .partition(|name| ["asl", "engine"].contains(name));
        for file in files {
            let folders = ["tests", "src"].map(|folder| root().join(folder));
            let others = crates.iter().flat_map(|name| {
                let tests = root().join("..").join(name).join("tests");
                [tests.clone(), tests.join(name)]
            });
            let found = folders
                .into_iter()
                .chain(others)
                .any(|it| exists(&it, file));
            assert!(found, "{file} is not there: {line}");
        }
    }
}

fn exists(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}
