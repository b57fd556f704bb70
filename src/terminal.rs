//! What people see: errors with their causes, colour only where a terminal is attached and `NO_COLOR` is not set.
//! Machines read stdout; everything for people goes to stderr.

use std::error::Error;
use std::io::{self, Write};

use owo_colors::{OwoColorize, Stream};

/// Prints an error and the chain of its causes.
pub(crate) fn print_error(error: &(dyn Error + 'static)) {
    let mut text = format!(
        "{} {error}\n",
        "error:".if_supports_color(Stream::Stderr, |t| t.red())
    );
    let mut cause = error.source();
    let mut said = error.to_string();
    while let Some(inner) = cause {
        // Many errors already repeat their source in their own text.
        let line = inner.to_string();
        if !said.contains(&line) {
            text.push_str(&format!("  because: {line}\n"));
        }
        said = line;
        cause = inner.source();
    }
    // Nothing is left to do when stderr itself is gone.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes a line for people.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a line for machines. A reader that has gone (`| head`) is no error.
pub(crate) fn answer(line: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
