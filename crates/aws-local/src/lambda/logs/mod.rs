//! What functions write: the newest lines in memory, all of them in a file per function that is cut off at a size, and as
//! debug events in our own log.

mod api;
mod file;

pub(super) use api::router;
pub(super) use file::LogFiles;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use super::locked;

/// How much text of one function is kept in memory, bytes.
const MAX_BYTES: usize = 512 * 1024;
/// What a line costs besides its text, so that many empty lines are bounded too.
const LINE_COST: usize = 64;

/// One line.
#[derive(Debug, Clone)]
pub(super) struct LogLine {
    pub(super) at: jiff::Timestamp,
    /// `None` before the process' first invocation.
    pub(super) request_id: Option<Arc<str>>,
    pub(super) text: Box<str>,
}

/// The log of one function.
#[derive(Debug)]
pub(super) struct FunctionLog {
    function: String,
    lines: Mutex<Lines>,
    files: Option<LogFiles>,
}

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl FunctionLog {
    pub(super) fn new(function: &str, files: Option<LogFiles>) -> FunctionLog {
        FunctionLog {
            function: function.to_owned(),
            lines: Mutex::default(),
            files,
        }
    }

    pub(super) fn write(&self, request_id: Option<Arc<str>>, text: &str) {
        tracing::debug!(target: "lambda_output", function = self.function, request_id = request_id.as_deref(), "{text}");
        let line = LogLine {
            at: jiff::Timestamp::now(),
            request_id,
            text: text.into(),
        };
        if let Some(files) = &self.files {
            files.append(&self.function, &line);
        }
        let mut log = locked(&self.lines);
        log.bytes += line.text.len() + LINE_COST;
        log.lines.push_back(line);
        while log.bytes > MAX_BYTES
            && let Some(oldest) = log.lines.pop_front()
        {
            log.bytes -= oldest.text.len() + LINE_COST;
        }
    }

    /// The newest `limit` lines, oldest first, of one invocation if given.
    pub(super) fn newest(&self, request_id: Option<&str>, limit: usize) -> Vec<LogLine> {
        let log = locked(&self.lines);
        let wanted =
            |line: &&LogLine| request_id.is_none() || line.request_id.as_deref() == request_id;
        let mut lines: Vec<LogLine> = log
            .lines
            .iter()
            .rev()
            .filter(wanted)
            .take(limit)
            .cloned()
            .collect();
        lines.reverse();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::{FunctionLog, MAX_BYTES};

    #[test]
    fn old_lines_go_when_the_memory_is_used_up() {
        let log = FunctionLog::new("f", None);
        let text = "x".repeat(1000);
        for _ in 0..2 * MAX_BYTES / text.len() {
            log.write(None, &text);
        }
        log.write(Some("id".into()), "last");
        let kept = log.newest(None, usize::MAX);
        assert!(kept.len() < MAX_BYTES / text.len());
        assert_eq!(&*kept[kept.len() - 1].text, "last");
        assert_eq!(log.newest(Some("id"), 10).len(), 1);
        assert_eq!(log.newest(None, 2).len(), 2);
    }
}
