//! Tests of workflows without any server: a case says what a workflow is given and what its tasks answer, and what must
//! come of it. The format is described in `workflows/README.md`.
//!
//! A case runs on [`asl::decide`], the very function that the engine uses, with a clock of its own ([`virtual_run`]):
//! waits, retries and time-outs of days take no time, and every run of a case is the same.
//!
//! `restock workflows test` and `cargo test` run the same cases through [`run_all`].

mod case;
mod check;
mod path;
pub(crate) mod virtual_run;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use crate::stack::StackError;
use crate::stack::definitions::{self, Definition};
use crate::stack::source::Source;
use case::Case;
use path::Transition;

/// Why the cases could not be run at all.
#[derive(Debug, Error)]
pub(crate) enum CasesError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(
        "the cases are not part of this program; name the folder that has them with --workflows"
    )]
    Embedded,
    #[error("there is no state machine {name} in stack.json; there are {known}")]
    NoMachine { name: String, known: String },
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{file} has errors; see `restock workflows check`")]
    Definition { file: String },
}

/// A case that was run.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// `reorder/happy`
    pub name: String,
    pub describes: String,
    /// What was not as expected; empty if the case passed.
    pub wrong: Vec<String>,
    /// What AWS charges for: the start, every state that is entered, and every retry.
    pub transitions: usize,
    #[serde(skip)]
    made: Vec<Transition>,
}

/// All cases that were run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub cases: Vec<Outcome>,
    /// Transitions of the definitions that no case makes, as `reorder: CheckStock → StillMissing`, with `(Catch)` after
    /// those of a Catch.
    pub untested: Vec<String>,
}

/// Runs every case of every workflow, or of the one named.
pub(crate) fn run_all(folder: Option<&Path>, only: Option<&str>) -> Result<Report, CasesError> {
    let Source::Folder(workflows) = Source::choose(folder) else {
        return Err(CasesError::Embedded);
    };
    let all = definitions::load_all(Some(&workflows))?;
    if let Some(name) = only
        && !all.iter().any(|d| d.name == name)
    {
        return Err(CasesError::NoMachine {
            name: name.to_owned(),
            known: all
                .into_iter()
                .map(|d| d.name)
                .collect::<Vec<_>>()
                .join(", "),
        });
    }
    let placeholders = definitions::placeholders(&definitions::stack(Some(&workflows))?);
    let (mut cases, mut untested) = (Vec::new(), Vec::new());
    for definition in all
        .iter()
        .filter(|d| only.is_none_or(|name| d.name == name))
    {
        let Some(parsed) = &definition.parsed else {
            return Err(CasesError::Definition {
                file: definition.file.clone(),
            });
        };
        let mut missing = path::all_transitions(parsed);
        for file in files(&workflows, definition)? {
            let text = read(&file)?;
            let text = placeholders.render(&file.display().to_string(), &text)?;
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            let outcome = run(
                format!("{}/{stem}", definition.name),
                &definition.name,
                parsed,
                &text,
            );
            missing.retain(|transition| !outcome.made.contains(transition));
            cases.push(outcome);
        }
        untested.extend(
            missing
                .iter()
                .map(|transition| format!("{}: {transition}", definition.name)),
        );
    }
    Ok(Report { cases, untested })
}

fn run(name: String, machine: &str, definition: &asl::Definition, text: &str) -> Outcome {
    let case: Case = match serde_json::from_str(text) {
        Ok(case) => case,
        Err(error) => {
            return Outcome {
                name,
                describes: String::new(),
                wrong: vec![format!("it is not a case: {error}")],
                transitions: 0,
                made: Vec::new(),
            };
        }
    };
    let ran = virtual_run::run(definition, machine, &case);
    Outcome {
        name,
        wrong: check::check(&case.expect, &ran),
        transitions: ran.transitions(),
        made: path::transitions(&ran.events),
        describes: case.describes,
    }
}

/// The cases of a definition: `cases/*.json` beside it, by name.
fn files(workflows: &Path, definition: &Definition) -> Result<Vec<PathBuf>, CasesError> {
    let folder = workflows.join(&definition.file).with_file_name("cases");
    let failed = |source| CasesError::Read {
        path: folder.clone(),
        source,
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, CasesError> {
    fs::read_to_string(path).map_err(|source| CasesError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflows() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/workflows"))
    }

    #[test]
    fn every_case_passes_and_together_they_go_every_way() {
        let report = run_all(Some(workflows()), None).unwrap();
        let wrong = report.cases.iter().filter(|case| !case.wrong.is_empty());
        let wrong: Vec<_> = wrong
            .map(|case| format!("{}:\n{}", case.name, case.wrong.join("\n")))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        assert_eq!(report.untested, Vec::<String>::new());
    }

    #[test]
    fn a_transition_without_a_case_is_told_also_where_another_way_leads_there() {
        let dir = tempfile::tempdir().unwrap();
        copy(workflows(), dir.path());
        let without = |case: &str| {
            let file = dir.path().join(case);
            let text = fs::read(&file).unwrap();
            fs::remove_file(&file).unwrap();
            let report = run_all(Some(dir.path()), None).unwrap();
            fs::write(&file, text).unwrap();
            report.untested
        };
        assert_eq!(
            without("reorder/cases/stock_came_back.json"),
            ["reorder: StillMissing → StockCameBack"]
        );
        assert_eq!(
            without("reorder/cases/alert_fails_and_still_parks.json"),
            ["reorder: AlertFactory → ParkFactory (Catch)"]
        );
        assert_eq!(
            without("vip/cases/unknown_customer.json"),
            Vec::<String>::new()
        );
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }

    #[test]
    fn the_start_every_state_and_every_retry_are_charged_for() {
        let definition = asl::parse(MACHINE).definition.unwrap();
        let transitions = |times: u32| {
            let case = format!(
                r#"{{"describes":"d","tasks":{{"A":[{{"Throw":{{"Error":"Again"}},"Times":{times}}},{{"Return":1}}]}},
                "expect":{{"status":"SUCCEEDED","path":["A"]}}}}"#
            );
            let outcome = run("m/case".to_owned(), "m", &definition, &case);
            assert_eq!(outcome.wrong, Vec::<String>::new());
            outcome.transitions
        };
        assert_eq!((transitions(0), transitions(2)), (2, 4));
    }

    const MACHINE: &str = r#"{"StartAt":"A","States":{
        "A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"},
             "Retry":[{"ErrorEquals":["Again"],"IntervalSeconds":3600}],"OutputPath":"$.Payload","End":true}}}"#;

    /// Runs a case of [`MACHINE`] and gives what is wrong.
    fn wrong(case: &str) -> String {
        let definition = asl::parse(MACHINE).definition.unwrap();
        run("m/case".to_owned(), "m", &definition, case)
            .wrong
            .join("\n")
    }

    #[test]
    fn a_case_that_is_not_as_expected_says_how() {
        let good = r#"{"describes":"d","input":{"a":1},
            "tasks":{"A":[{"Throw":{"Error":"Again","Cause":"c"},"Times":2},{"Return":{"b":2}}]},
            "expect":{"status":"SUCCEEDED","path":["A"],"output":{"b":2},"arguments":{"A":[{"Payload":{"a":1}},{},{}]}}}"#;
        assert_eq!(wrong(good), "");
        for (from, to, expected) in [
            (r#""status":"SUCCEEDED""#, r#""status":"FAILED""#, "status"),
            (r#""path":["A"]"#, r#""path":["B"]"#, "path"),
            (r#""output":{"b":2}"#, r#""output":{"b":3}"#, "output"),
            (
                r#""A":[{"Payload":{"a":1}},{},{}]"#,
                r#""A":[{"Payload":{"a":2}},{},{}]"#,
                "arguments",
            ),
            (r#""Times":2"#, r#""Times":1"#, "1 result of A was not used"),
            (
                r#",{"Return":{"b":2}}"#,
                "",
                "A was called 3 times, and the case has 2 results",
            ),
            (r#""Error":"Again""#, r#""Error":"Other""#, "not used"),
            (r#""describes":"d","#, r#""describe":"d","#, "not a case"),
        ] {
            let changed = good.replace(from, to);
            assert_ne!(changed, good);
            // A changed number of results also changes what comes after.
            let told = wrong(&changed);
            assert!(
                told.contains(expected) || (expected.starts_with('1') && !told.is_empty()),
                "{to}: {told}"
            );
        }
    }
}
