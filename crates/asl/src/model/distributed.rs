//! Distributed Map: where the items come from, how they are grouped, where the results go.
//! Source: "Using Map state in Distributed mode", with the pages of ItemReader, ItemBatcher and ResultWriter.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Amount, Template};

/// The fields of a Map state whose processor has `"Mode": "DISTRIBUTED"`.
#[derive(Debug)]
pub struct Distributed {
    /// The processor as a definition of its own: what the children run.
    pub child: Arc<str>,
    /// `ProcessorConfig.ExecutionType` is `EXPRESS`.
    pub express: bool,
    /// `Label`: part of the Map Run's and the children's ARNs.
    pub label: Option<String>,
    /// `ItemReader`; without it the items are the state's own.
    pub reader: Option<ItemReader>,
    /// `ItemBatcher`.
    pub batcher: Option<ItemBatcher>,
    /// `ResultWriter`.
    pub writer: Option<ResultWriter>,
}

/// Reads the items from S3.
#[derive(Debug)]
pub struct ItemReader {
    /// What it calls.
    pub action: ReadAction,
    /// `Parameters` or `Arguments`.
    pub arguments: Option<Template>,
    /// How the data are read.
    pub format: DatasetFormat,
    /// `MaxItems`; 0 is no limit.
    pub max_items: Option<Amount>,
}

/// The `Resource` of an ItemReader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadAction {
    /// One object that holds the items.
    GetObject,
    /// Each object under a prefix is an item.
    ListObjectsV2,
}

/// `ReaderConfig`, without what is computed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatasetFormat {
    /// `InputType`; absent for lists of objects.
    pub input_type: Option<InputType>,
    /// `CSVDelimiter`
    pub delimiter: Delimiter,
    /// `CSVHeaders` if `CSVHeaderLocation` is `GIVEN`; `None`: the first row.
    pub headers: Option<Vec<String>>,
    /// `ItemsPointer`: a JSON Pointer to the items within a JSON object.
    pub items_pointer: Option<String>,
    /// `"Transformation": "LOAD_AND_FLATTEN"`: the listed objects are read, and what they hold are the items.
    pub load: bool,
}

/// `InputType`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "AWS's words")]
pub enum InputType {
    Json,
    JsonLines,
    Csv,
}

/// `CSVDelimiter`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "AWS's words")]
pub enum Delimiter {
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Space,
    Tab,
}

/// Groups items.
#[derive(Debug)]
pub struct ItemBatcher {
    /// `MaxItemsPerBatch`
    pub max_items: Option<Amount>,
    /// `MaxInputBytesPerBatch`
    pub max_bytes: Option<Amount>,
    /// `BatchInput`: goes along with every batch.
    pub input: Option<Template>,
}

/// Says what the results look like, and where they are written.
#[derive(Debug)]
pub struct ResultWriter {
    /// `Parameters` or `Arguments`, if the results are written to S3.
    pub arguments: Option<Template>,
    /// Their form.
    pub format: ResultFormat,
}

/// `WriterConfig`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultFormat {
    /// `Transformation`
    pub transformation: Transformation,
    /// `"OutputType": "JSONL"`
    pub lines: bool,
}

/// `WriterConfig.Transformation`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transformation {
    /// `NONE`: each output with what else is known of its execution.
    None,
    /// `COMPACT`: the outputs.
    Compact,
    /// `FLATTEN`: the outputs; those that are arrays become their elements.
    Flatten,
}
