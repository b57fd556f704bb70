//! `Retry` and `Catch`.

use super::{Assignments, ResultPath, StateId, Template};

/// How a retry's waiting time is scattered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Anywhere between 0 and the computed time.
    Full,
}

/// One element of `Retry`.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrier {
    /// `ErrorEquals`.
    pub error_equals: Vec<String>,
    /// `IntervalSeconds`, 1 if absent.
    pub interval_seconds: u64,
    /// `MaxAttempts`, 3 if absent.
    pub max_attempts: u32,
    /// `BackoffRate`, 2.0 if absent.
    pub backoff_rate: f64,
    /// `MaxDelaySeconds`.
    pub max_delay_seconds: Option<u64>,
    /// `JitterStrategy`.
    pub jitter: Jitter,
}

/// One element of `Catch`.
#[derive(Debug)]
pub struct Catcher {
    /// `ErrorEquals`.
    pub error_equals: Vec<String>,
    /// `Next`.
    pub next: StateId,
    /// `ResultPath` (JSONPath states only).
    pub result_path: ResultPath,
    /// `Output` (JSONata states only).
    pub output: Option<Template>,
    /// `Assign`.
    pub assign: Assignments,
}
