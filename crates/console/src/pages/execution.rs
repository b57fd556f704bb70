//! `/executions/{arn}`: one execution.

use form_urlencoded::byte_serialize;

/// The address of an execution's page.
pub(crate) fn path(arn: &str) -> String {
    // Colons may stand in a path, and ARNs stay legible with them.
    let encoded: String = byte_serialize(arn.as_bytes()).collect();
    format!(
        "/executions/{}",
        encoded.replace("%3A", ":").replace('+', "%20")
    )
}
