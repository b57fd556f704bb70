//! What Map Runs need of S3: reading the items of a dataset, and writing results.
//!
//! Source: AWS Step Functions developer guide, "ItemReader" and "ResultWriter".

pub(crate) mod dataset;
mod results;

use asl::{Data, Dataset, Failure, MapItem, error_name};
use engine::Results;
use serde_json::Value;

use crate::s3::{S3, S3Error};

/// Reads the items of a dataset.
///
/// # Errors
/// `States.ItemReaderFailed`.
pub(crate) async fn read_items(s3: &S3, dataset: &Dataset) -> Result<Vec<MapItem>, Failure> {
    let items = dataset::read(s3, dataset).await;
    items.map_err(|cause| Failure::new(error_name::ITEM_READER_FAILED, cause))
}

/// Writes results; the state's result.
///
/// # Errors
/// `States.ResultWriterFailed`.
pub(crate) async fn write_results(s3: &S3, results: &Results) -> Result<Data, Failure> {
    let written = results::write(s3, results).await;
    written.map_err(|cause| Failure::new(error_name::RESULT_WRITER_FAILED, cause))
}

/// A member that must be a text.
fn text<'a>(arguments: &'a Data, name: &str) -> Result<&'a str, String> {
    match arguments.value().get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("{name} must be a string, but was: {other}")),
        None => Err(format!("{name} is missing in {}", arguments.text())),
    }
}

/// S3's refusal, as causes have it.
fn refused(error: &S3Error) -> String {
    format!(
        "{} (Service: Amazon S3; Status Code: {}; Error Code: {})",
        error.message,
        error.status.as_u16(),
        error.code
    )
}
