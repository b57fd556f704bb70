//! What Step Functions adds to the answer of a call: the HTTP answer's headers, as the SDK behind it saw them.
//!
//! Source: recorded histories of `sqs:sendMessage` and `sns:publish` tasks.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// `answer` with `SdkHttpMetadata` and `SdkResponseMetadata`, as of an HTTP answer with this type and length.
pub(crate) fn with_metadata(
    mut answer: Map<String, Value>,
    request_id: &str,
    content_type: &str,
    content_length: usize,
) -> Value {
    let date = Timestamp::now()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let length = content_length.to_string();
    answer.insert(
        "SdkHttpMetadata".to_owned(),
        json!({
            "AllHttpHeaders": {
                "x-amzn-RequestId": [request_id],
                "connection": ["keep-alive"],
                "Content-Length": [length],
                "Date": [date],
                "Content-Type": [content_type],
            },
            "HttpHeaders": {
                "connection": "keep-alive",
                "Content-Length": length,
                "Content-Type": content_type,
                "Date": date,
                "x-amzn-RequestId": request_id,
            },
            "HttpStatusCode": 200,
        }),
    );
    answer.insert(
        "SdkResponseMetadata".to_owned(),
        json!({ "RequestId": request_id }),
    );
    Value::Object(answer)
}
