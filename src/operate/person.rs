//! The person at the terminal: questions before changes, a counter during bulk work.

use std::io::{self, BufRead, IsTerminal, Write};

use super::error::VerbError;

/// Asks before a change. Without a terminal and without `--yes` it refuses rather than guesses.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<bool, VerbError> {
    if yes {
        return Ok(true);
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() || !io::stderr().is_terminal() {
        return Err(VerbError::NobodyToAsk);
    }
    let mut stderr = io::stderr();
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Counts on a terminal how much of bulk work is done; says nothing elsewhere.
#[derive(Debug)]
pub(crate) struct Counter {
    what: &'static str,
    all: usize,
    done: usize,
    shown: bool,
}

impl Counter {
    pub(crate) fn new(what: &'static str, all: usize) -> Counter {
        Counter {
            what,
            all,
            done: 0,
            shown: all > 1 && io::stderr().is_terminal(),
        }
    }

    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.shown {
            let _ = write!(io::stderr(), "\r{} {}/{}", self.what, self.done, self.all);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if self.shown && self.done > 0 {
            // Back to the line's start, and clear it.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
