//! Which executions, which parked tasks.

use aws_sdk_sfn::types::ExecutionStatus;
use jiff::Timestamp;

/// Which executions; the default is all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this state machine (name or ARN).
    pub machine: Option<String>,
    /// Only with one of these statuses; empty: any.
    pub status: Vec<ExecutionStatus>,
    /// Only started since then.
    pub since: Option<Timestamp>,
    /// Only for this product (`product_id` in the input).
    pub product: Option<String>,
}

/// Which parked tasks; the default is all.
#[derive(Clone, Debug, Default)]
pub struct ParkedFilter {
    /// Only of this state machine (name or ARN).
    pub machine: Option<String>,
    /// Only this task, such as `request_factory`.
    pub task: Option<String>,
    /// Only for this product (`product_id` in the input).
    pub product: Option<String>,
}
