//! Cases: the form in which recordings are kept, and where they are read from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// One case. The members are those of the recordings.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// What it is about, such as `assign`.
    pub(crate) area: String,
    pub(crate) kind: Kind,
    /// A text, or the JSON of one.
    pub(crate) definition: Option<Value>,
    /// `STANDARD` or `EXPRESS`.
    #[serde(rename = "type")]
    pub(crate) machine_type: Option<String>,
    pub(crate) input: Option<String>,
    pub(crate) expected: Expected,
    /// How the tasks of each state ended, in their order; absent if the recording does not tell.
    pub(crate) mocks: Option<Map<String, Value>>,
    /// Services that it calls.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    #[serde(default)]
    features: Features,
    #[serde(default)]
    pub(crate) volatile: Volatile,
    /// Placeholders.
    #[serde(default)]
    pub(crate) bindings: BTreeMap<String, Value>,
    /// What somebody did while it ran. Not repeated here.
    #[serde(default)]
    interactions: Vec<Value>,
    #[serde(default = "yes")]
    self_contained: bool,
    /// More members of the request.
    pub(crate) request: Option<Map<String, Value>>,
    /// Files that it reads.
    #[serde(default)]
    pub(crate) s3_objects: Vec<S3Object>,
    /// The calls of a case of kind `api`, in order.
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
    /// Times in the input, and how many seconds from now they shall be.
    #[serde(default)]
    pub(crate) relative_times: BTreeMap<String, i64>,
}

fn yes() -> bool {
    true
}

/// What is run and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A state machine is made and started; its history or its answer is compared.
    Execution,
    /// As `Execution`, with outcomes of tasks from a mock configuration.
    #[serde(skip_deserializing)]
    Mocked,
    /// `CreateStateMachine` refuses it.
    CreateError,
    /// `ValidateStateMachineDefinition`.
    Validation,
    /// `TestState`.
    TestState,
    /// Calls in a row.
    Api,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Expected {
    pub(crate) status: Option<String>,
    pub(crate) output: Option<Value>,
    pub(crate) history: Option<Vec<Value>>,
    pub(crate) response: Option<Value>,
    pub(crate) sync_response: Option<Value>,
    #[serde(default)]
    pub(crate) responses: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) error: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Features {
    #[serde(default)]
    uses: Vec<String>,
}

/// What is made up by AWS.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Volatile {
    #[serde(default)]
    pub(crate) tokens: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) replaced: Vec<Replaced>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Replaced {
    pub(crate) replacement: String,
    /// It must be the same wherever it comes.
    pub(crate) reference: bool,
}

/// One call.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    /// The action in the form `start_execution`.
    pub(crate) op: String,
    pub(crate) params: Value,
    /// What the recorded call returned, as far as later calls use it.
    #[serde(default)]
    pub(crate) returns: BTreeMap<String, Value>,
    /// The recorded answers that this call's answer is compared with.
    #[serde(default)]
    pub(crate) matches: Vec<Match>,
}

/// A file in a bucket.
#[derive(Debug, Deserialize)]
pub(crate) struct S3Object {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) body: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Match {
    pub(crate) key: String,
    pub(crate) path: Option<String>,
}

impl Case {
    /// What is run and compared.
    pub(crate) fn kind(&self) -> Kind {
        if self.is_mockable() {
            Kind::Mocked
        } else {
            self.kind
        }
    }

    /// Whether it can be run here: without services, or with mocked ones.
    pub(crate) fn is_runnable(&self) -> bool {
        let has_files = self.needs == ["s3"] && !self.s3_objects.is_empty();
        (self.needs.is_empty() || has_files || self.is_mockable())
            && (self.definition.is_some() || self.kind == Kind::Api)
            && self.interactions.is_empty()
            && self.self_contained
    }

    /// A standard execution that calls services, of which every outcome is in the recorded history.
    pub(crate) fn is_mockable(&self) -> bool {
        let Some(mocks) = &self.mocks else {
            return false;
        };
        let reads_files = |feature: &String| feature == "ItemReader" || feature == "ResultWriter";
        let attempts = mocks.values().filter_map(Value::as_array).flatten();
        self.kind == Kind::Execution
            && self.s3_objects.is_empty()
            && !self.needs.is_empty()
            && self.machine_type.as_deref() == Some("STANDARD")
            && self.expected.history.is_some()
            && !self.features.uses.iter().any(reads_files)
            && attempts.clone().all(|attempt| attempt["outcome"] != "NONE")
    }

    /// The definition as it is sent.
    pub(crate) fn definition(&self) -> String {
        match &self.definition {
            Some(Value::String(text)) => text.clone(),
            Some(definition) => definition.to_string(),
            None => String::new(),
        }
    }
}

/// The project's own cases.
pub(crate) fn own() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |file: &PathBuf| -> Vec<Case> {
        serde_json::from_str(&std::fs::read_to_string(file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().flat_map(read).collect()
}

/// The cases of the folder that `ASL_CASES` names, if it names one.
pub(crate) fn recorded() -> Option<Vec<Case>> {
    let file = PathBuf::from(std::env::var_os("ASL_CASES")?).join("cases.jsonl");
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("ASL_CASES: {}: {error}", file.display()));
    let read = |(line, text): (usize, &str)| -> Case {
        serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("{}:{}: {error}", file.display(), line + 1))
    };
    Some(text.lines().enumerate().map(read).collect())
}
