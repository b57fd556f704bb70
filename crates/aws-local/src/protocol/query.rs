//! AWS Query: a form in (`Action=Publish&TopicArn=…`), XML out. SNS speaks it.
//!
//! Source: Smithy "AWS query protocol"; lists are `Name.member.N`, maps `Name.entry.N.key` and `.value`, counted from one.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::{REQUEST_ID_HEADER, is_temporary};

/// The parameters of one request.
#[derive(Debug, Clone, Default)]
pub struct Form {
    values: BTreeMap<String, String>,
}

impl Form {
    /// Reads an `application/x-www-form-urlencoded` body. Of a repeated parameter the last one counts.
    pub fn parse(body: &[u8]) -> Form {
        Form {
            values: form_urlencoded::parse(body).into_owned().collect(),
        }
    }

    /// One parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// One parameter that must not be empty.
    pub fn required(&self, name: &str) -> Result<&str, QueryError> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                QueryError::invalid_parameter(format!(
                    "{name} Reason: no value for required parameter"
                ))
            })
    }

    /// The entries of a map, e.g. `Attributes.entry.1.key` = `DisplayName`.
    pub fn map(&self, name: &str) -> Vec<(String, String)> {
        self.numbered(&format!("{name}.entry"))
            .into_iter()
            .filter_map(|prefix| {
                let key = self.get(&format!("{prefix}.key"))?;
                let value = self.get(&format!("{prefix}.value")).unwrap_or_default();
                Some((key.to_owned(), value.to_owned()))
            })
            .collect()
    }

    /// The plain values of a list, e.g. `TagKeys.member.1`.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.numbered(&format!("{name}.member"))
            .iter()
            .filter_map(|prefix| self.get(prefix))
            .collect()
    }

    /// The prefixes `name.N` that occur, in the order of their numbers.
    pub fn numbered(&self, name: &str) -> Vec<String> {
        let start = format!("{name}.");
        let mut numbers: Vec<u32> = self
            .values
            .range(start.clone()..)
            .take_while(|(key, _)| key.starts_with(&start))
            .filter_map(|(key, _)| {
                let rest = &key[start.len()..];
                rest.split('.').next()?.parse().ok()
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .map(|number| format!("{name}.{number}"))
            .collect()
    }
}

/// `<member>` elements of a list.
#[derive(Debug, Serialize)]
pub struct Members<T> {
    /// The elements.
    pub member: Vec<T>,
}

impl<T> FromIterator<T> for Members<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Members {
            member: items.into_iter().collect(),
        }
    }
}

/// `<entry>` elements of a map.
#[derive(Debug, Serialize)]
pub struct Entries {
    /// The elements.
    pub entry: Vec<Entry>,
}

/// One pair of a map.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Left.
    pub key: String,
    /// Right.
    pub value: String,
}

impl FromIterator<(String, String)> for Entries {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(items: I) -> Self {
        Entries {
            entry: items
                .into_iter()
                .map(|(key, value)| Entry { key, value })
                .collect(),
        }
    }
}

/// An error answer: `<ErrorResponse>`.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryError {
    /// HTTP status.
    pub status: StatusCode,
    /// AWS's code, e.g. `InvalidParameter`.
    pub code: String,
    /// For the reader.
    pub message: String,
}

impl QueryError {
    /// Any error; the status decides whose fault it is.
    pub fn new(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> QueryError {
        QueryError {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// `InvalidParameter` with AWS's prefix.
    pub fn invalid_parameter(what: impl std::fmt::Display) -> QueryError {
        QueryError::new(
            StatusCode::BAD_REQUEST,
            "InvalidParameter",
            format!("Invalid parameter: {what}"),
        )
    }

    /// No such action.
    pub fn invalid_action(action: &str) -> QueryError {
        QueryError::new(
            StatusCode::BAD_REQUEST,
            "InvalidAction",
            format!("The action {action} is not valid for this web service."),
        )
    }

    /// Our fault; says nothing about it.
    pub fn internal() -> QueryError {
        QueryError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        )
    }

    /// The store failed: to be tried again if there is hope, and logged in any case.
    pub fn storage(error: &engine::StorageError) -> QueryError {
        tracing::error!(%error, "an action could not be stored");
        if is_temporary(error) {
            QueryError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "The service cannot store anything at the moment. Try again later.",
            )
        } else {
            QueryError::internal()
        }
    }

    /// The HTTP answer.
    pub fn into_response(self, namespace: &str, request_id: &str) -> Response {
        #[derive(Serialize)]
        struct ErrorResponse<'a> {
            #[serde(rename = "@xmlns")]
            xmlns: &'a str,
            #[serde(rename = "Error")]
            error: Error<'a>,
            #[serde(rename = "RequestId")]
            request_id: &'a str,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Error<'a> {
            r#type: &'a str,
            code: &'a str,
            message: &'a str,
        }
        let document = ErrorResponse {
            xmlns: namespace,
            error: Error {
                r#type: if self.status.is_server_error() {
                    "Receiver"
                } else {
                    "Sender"
                },
                code: &self.code,
                message: &self.message,
            },
            request_id,
        };
        let text = quick_xml::se::to_string(&document).unwrap_or_default();
        respond(self.status, text, request_id)
    }
}

/// `<ActionResult>…</ActionResult>`, the part of an answer that an action writes; actions that return nothing write `""`.
pub fn result<T: Serialize>(action: &str, value: &T) -> Result<String, QueryError> {
    quick_xml::se::to_string_with_root(&format!("{action}Result"), value).map_err(|error| {
        tracing::error!(action, %error, "an answer could not be written as XML");
        QueryError::internal()
    })
}

/// The answer around a [`result`].
pub fn success(namespace: &str, action: &str, result: &str, request_id: &str) -> Response {
    let text = format!(
        "<{action}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    );
    respond(StatusCode::OK, text, request_id)
}

fn respond(status: StatusCode, text: String, request_id: &str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_maps_and_lists_in_the_order_of_their_numbers() {
        let form = Form::parse(
            b"Action=X&Attributes.entry.10.key=c&Attributes.entry.10.value=3&Attributes.entry.2.key=b&Attributes.entry.2.value=2\
              &TagKeys.member.2=two&TagKeys.member.1=one&AttributesOther.entry.1.key=no",
        );
        assert_eq!(
            form.map("Attributes"),
            [("b".into(), "2".into()), ("c".into(), "3".into())]
        );
        assert_eq!(form.list("TagKeys"), ["one", "two"]);
    }

    #[test]
    fn text_is_escaped_in_xml() {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Result {
            name: String,
            attributes: Entries,
            topics: Members<String>,
        }
        let result = Result {
            name: "a<b&\"c\"".into(),
            attributes: [("k".to_owned(), "<v>".to_owned())].into_iter().collect(),
            topics: std::iter::empty().collect(),
        };
        let text = quick_xml::se::to_string_with_root("R", &result).unwrap();
        assert_eq!(
            text,
            "<R><Name>a&lt;b&amp;\"c\"</Name><Attributes><entry><key>k</key><value>&lt;v&gt;</value></entry></Attributes><Topics/></R>"
        );
    }
}
