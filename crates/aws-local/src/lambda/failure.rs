//! The error documents that Lambda itself writes when a process cannot: timeouts, exits, failed starts.
//!
//! Source: AWS Lambda developer guide, "Troubleshoot invocation issues" and "Understanding retry behaviour"; the words of
//! the messages are those that AWS's services answer with.

use std::{process::ExitStatus, time::Duration};

use bytes::Bytes;
use serde_json::json;

use super::invocation::{FailureKind, FunctionError};

/// The largest answer of a function, bytes. AWS's number: 6 MiB and the envelope's 100 bytes.
pub(super) const MAX_RESPONSE: usize = 6_291_556;

pub(super) fn timed_out(request_id: &str, after: Duration) -> FunctionError {
    let message = format!(
        "RequestId: {request_id} Error: Task timed out after {:.2} seconds",
        after.as_secs_f64()
    );
    document(FailureKind::TimedOut, "Sandbox.Timedout", &message)
}

pub(super) fn exited(
    kind: FailureKind,
    request_id: &str,
    status: Option<ExitStatus>,
) -> FunctionError {
    let message = format!("RequestId: {request_id} Error: {}", exit_reason(status));
    document(kind, "Runtime.ExitError", &message)
}

pub(super) fn not_started(request_id: &str, program: &str, error: &str) -> FunctionError {
    let message = format!("RequestId: {request_id} Error: fork/exec {program}: {error}");
    document(FailureKind::Init, "Runtime.InvalidEntrypoint", &message)
}

pub(super) fn response_too_large() -> FunctionError {
    let message = format!(
        "Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
    );
    document(
        FailureKind::Handler,
        "Function.ResponseSizeTooLarge",
        &message,
    )
}

fn document(kind: FailureKind, error_type: &str, message: &str) -> FunctionError {
    let payload = json!({ "errorType": error_type, "errorMessage": message });
    FunctionError {
        payload: Bytes::from(payload.to_string()),
        kind,
    }
}

fn exit_reason(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.map(|s| (s.code(), s.signal())) {
        Some((Some(code), _)) if code != 0 => {
            format!("Runtime exited with error: exit status {code}")
        }
        Some((None, Some(signal))) => {
            format!("Runtime exited with error: signal: {}", signal_name(signal))
        }
        _ => "Runtime exited without providing a reason".to_owned(),
    }
}

/// The words AWS uses: those of Go's `syscall.Signal`. The numbers are the same on Linux and macOS except SIGBUS.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        15 => "terminated",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

    use super::{FailureKind, exited, timed_out};

    fn text(error: super::FunctionError) -> String {
        String::from_utf8(error.payload.to_vec()).unwrap()
    }

    #[test]
    fn the_documents_are_worded_as_on_aws() {
        assert_eq!(
            text(timed_out("R", Duration::from_millis(3000))),
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: R Error: Task timed out after 3.00 seconds"}"#
        );
        let cases = [
            (Some(1 << 8), "Runtime exited with error: exit status 1"),
            (Some(9), "Runtime exited with error: signal: killed"),
            (Some(0), "Runtime exited without providing a reason"),
            (None, "Runtime exited without providing a reason"),
        ];
        for (raw, words) in cases {
            let status = raw.map(ExitStatus::from_raw);
            assert_eq!(
                text(exited(FailureKind::Exited, "R", status)),
                format!(
                    r#"{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: R Error: {words}"}}"#
                )
            );
        }
    }
}
