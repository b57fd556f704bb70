//! A Map Run: what a Distributed Map asks the outside to do, and the pure part of doing it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{DatasetFormat, ReadAction, ResultFormat};
use crate::{Data, PAYLOAD_LIMIT, TaskId};

/// A Map Run as its state has evaluated it. Its children are executions of their own, which the keeper starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapRun {
    /// Id of its `MapRunStarted` event; 0 before.
    pub id: TaskId,
    /// Its ARN.
    pub arn: String,
    /// What follows the state machine's name in the ARNs of the run and of its children.
    pub label: String,
    /// Its children are Express executions.
    pub express: bool,
    /// Where its items come from.
    pub source: Source,
    /// How items are grouped.
    pub batch: Option<Batch>,
    /// Where results go.
    pub writer: Option<Writer>,
    /// How many at once, and how many may fail.
    pub limits: Limits,
    /// How often it was redriven.
    pub redrives: u32,
}

/// Where a Map Run's items come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// An array or an object of the execution's own.
    State(Data),
    /// S3.
    Dataset(Dataset),
}

/// `ItemReader`, evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// What to call.
    pub action: ReadAction,
    /// With what: `Bucket`, `Key` or `Prefix`, …
    pub arguments: Data,
    /// How to read it.
    pub format: DatasetFormat,
    /// At most so many items.
    pub max_items: Option<u64>,
}

/// `ItemBatcher`, evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// `MaxItemsPerBatch`
    pub max_items: Option<u64>,
    /// `MaxInputBytesPerBatch`
    pub max_bytes: Option<u64>,
    /// `BatchInput`
    pub input: Option<Data>,
}

/// `ResultWriter`, evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Writer {
    /// `Bucket` and `Prefix`; `None`: the results become the state's result.
    pub arguments: Option<Data>,
    /// Their form.
    pub format: ResultFormat,
}

/// What `UpdateMapRun` can change.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Most children at once; 0 is no limit.
    pub max_concurrency: u64,
    /// Items that may fail.
    pub tolerated_failure_count: Option<u64>,
    /// Share of the items that may fail, 0 to 100.
    pub tolerated_failure_percentage: Option<f64>,
}

/// Where a Map Run stands. AWS's `MapRunStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "AWS's words")]
pub enum MapRunStatus {
    Running,
    Succeeded,
    Failed,
    Aborted,
}

impl MapRunStatus {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }
}

/// One item of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct MapItem {
    /// The item.
    pub value: Data,
    /// Its name, if the items are the members of an object.
    pub key: Option<String>,
    /// Where it was found: `STATE_DATA` or an S3 URI.
    pub source: String,
}

/// What a child is started with.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildInput {
    /// Its input.
    pub input: Data,
    /// How many items it stands for.
    pub items: u32,
}

impl Limits {
    /// Whether so many failed items of so many are no reason to fail the run.
    pub fn tolerate(&self, failed: u64, total: u64) -> bool {
        if failed == 0 {
            return true;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of items, far below 2^53"
        )]
        let within_share = |share: f64| failed as f64 * 100.0 <= share * total as f64;
        match (
            self.tolerated_failure_count,
            self.tolerated_failure_percentage,
        ) {
            (None, None) => false,
            (count, share) => {
                count.is_none_or(|count| failed <= count) && share.is_none_or(within_share)
            }
        }
    }
}

impl Source {
    /// The items of an array, or the members of an object; `None` for anything else, and for a dataset, which the keeper reads.
    pub fn state_items(&self) -> Option<Vec<MapItem>> {
        match self {
            Self::State(data) => items_of(data.value(), "STATE_DATA"),
            Self::Dataset(_) => None,
        }
    }
}

/// The items that a JSON value stands for: elements of an array, or members of an object.
pub fn items_of(value: &Value, source: &str) -> Option<Vec<MapItem>> {
    match value {
        Value::Array(elements) => {
            let item = |element: &Value| MapItem {
                value: Data::new(element.clone()),
                key: None,
                source: source.to_owned(),
            };
            Some(elements.iter().map(item).collect())
        }
        Value::Object(members) => {
            let item = |(key, value): (&String, &Value)| MapItem {
                value: Data::new(value.clone()),
                key: Some(key.clone()),
                source: source.to_owned(),
            };
            Some(members.iter().map(item).collect())
        }
        _ => None,
    }
}

impl MapItem {
    /// What an iteration gets if no ItemSelector says otherwise: the element, or the pair of an object.
    pub fn input(&self) -> Data {
        match &self.key {
            None => self.value.clone(),
            Some(key) => {
                let mut pair = Map::with_capacity(2);
                pair.insert("Key".to_owned(), key.as_str().into());
                pair.insert("Value".to_owned(), self.value.value().clone());
                Data::new(Value::Object(pair))
            }
        }
    }
}

/// The children of a run over these (selected) items.
pub(crate) fn children(batch: Option<&Batch>, items: Vec<Data>) -> Vec<ChildInput> {
    let Some(batch) = batch else {
        let child = |input| ChildInput { input, items: 1 };
        return items.into_iter().map(child).collect();
    };
    let most_items = batch.max_items.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    });
    let most_bytes = batch
        .max_bytes
        .and_then(|most| usize::try_from(most).ok())
        .map_or(PAYLOAD_LIMIT, |most| most.min(PAYLOAD_LIMIT));
    // `{"Items":[]}`, and `"BatchInput":…,` before it.
    let frame = 12 + batch.input.as_ref().map_or(0, |input| input.len() + 14);
    let mut children = Vec::new();
    let mut group: Vec<Data> = Vec::new();
    let mut bytes = frame;
    for item in items {
        let more = item.len() + 1;
        if !group.is_empty() && (group.len() >= most_items || bytes + more > most_bytes) {
            children.push(child_of(batch, std::mem::take(&mut group)));
            bytes = frame;
        }
        bytes += more;
        group.push(item);
    }
    if !group.is_empty() {
        children.push(child_of(batch, group));
    }
    children
}

fn child_of(batch: &Batch, group: Vec<Data>) -> ChildInput {
    let items = u32::try_from(group.len()).unwrap_or(u32::MAX);
    let mut input = Map::with_capacity(2);
    if let Some(fixed) = &batch.input {
        input.insert("BatchInput".to_owned(), fixed.value().clone());
    }
    let group = group.iter().map(|item| item.value().clone()).collect();
    input.insert("Items".to_owned(), Value::Array(group));
    ChildInput {
        input: Data::new(Value::Object(input)),
        items,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn batches_are_cut_by_number_and_by_size() {
        let check = |batch: Batch, expected: Value| {
            let items = ["aaaa", "bbbb", "cccc"].map(|text| Data::new(json!(text)));
            let children = children(Some(&batch), items.to_vec());
            let inputs: Vec<&Value> = children.iter().map(|child| child.input.value()).collect();
            assert_eq!(json!(inputs), expected);
        };
        let by_number = Batch {
            max_items: Some(2),
            max_bytes: None,
            input: Some(Data::new(json!(7))),
        };
        check(
            by_number,
            json!([{"BatchInput": 7, "Items": ["aaaa", "bbbb"]}, {"BatchInput": 7, "Items": ["cccc"]}]),
        );
        // {"Items":["aaaa"]} has 18 bytes, with one more item 25.
        let by_size = Batch {
            max_items: None,
            max_bytes: Some(20),
            input: None,
        };
        check(
            by_size,
            json!([{"Items": ["aaaa"]}, {"Items": ["bbbb"]}, {"Items": ["cccc"]}]),
        );
    }

    #[test]
    fn either_threshold_ends_the_tolerance() {
        let limits = |count, share| Limits {
            max_concurrency: 0,
            tolerated_failure_count: count,
            tolerated_failure_percentage: share,
        };
        assert!(limits(None, None).tolerate(0, 10));
        assert!(!limits(None, None).tolerate(1, 10));
        assert!(limits(Some(1), None).tolerate(1, 10));
        assert!(!limits(Some(1), None).tolerate(2, 10));
        assert!(limits(None, Some(20.0)).tolerate(2, 10));
        assert!(!limits(None, Some(20.0)).tolerate(3, 10));
        assert!(!limits(Some(5), Some(20.0)).tolerate(3, 10));
    }
}
