//! The error names that the language itself uses. Source: "Handling errors in Step Functions workflows".

#![expect(missing_docs, reason = "the constants are AWS's names")]

pub const ALL: &str = "States.ALL";
pub const BRANCH_FAILED: &str = "States.BranchFailed";
pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
pub const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
pub const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
pub const PARAMETER_PATH_FAILURE: &str = "States.ParameterPathFailure";
pub const PERMISSIONS: &str = "States.Permissions";
pub const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
pub const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
pub const RUNTIME: &str = "States.Runtime";
pub const TASK_FAILED: &str = "States.TaskFailed";
pub const TIMEOUT: &str = "States.Timeout";

/// Whether `Retry` and `Catch` entries that list `names` apply to `error`.
///
/// Nothing matches `States.Runtime`: it always ends the execution. `States.ALL` matches everything else; AWS's page excepts
/// `States.DataLimitExceeded` too, but its recorded behaviour catches that one when a Task's result is too large.
/// `States.TaskFailed` matches everything but `States.Timeout`.
pub fn matches(names: &[String], error: &str) -> bool {
    error != RUNTIME
        && names.iter().any(|name| match name.as_str() {
            ALL => true,
            TASK_FAILED => error != TIMEOUT,
            name => name == error,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        let check = |name: &str, error: &str, expected: bool| {
            assert_eq!(
                matches(&[name.to_owned()], error),
                expected,
                "{name} {error}"
            )
        };
        check(ALL, "Factory.Unavailable", true);
        check(ALL, TIMEOUT, true);
        check(ALL, RUNTIME, false);
        check(TASK_FAILED, "Factory.Unavailable", true);
        check(TASK_FAILED, TIMEOUT, false);
        check(RUNTIME, RUNTIME, false);
        check("Factory.Unavailable", "Factory.Unavailable", true);
        check("Factory.Unavailable", "Factory.Down", false);
    }
}
