//! What a process writes: standard output and standard error are one pipe, so that their lines stay in order.

use std::{io, os::fd::OwnedFd, sync::Mutex};

use tokio::net::unix::pipe;

use super::super::locked;

/// A longer line is cut into several.
const MAX_LINE: usize = 64 * 1024;
/// How much one look reads at most, so that a process that never stops writing cannot hold us.
const MAX_READ: usize = 1024 * 1024;

/// Our end of the pipe. Read by its own task as lines come, and by whoever must know that an invocation's output is complete.
#[derive(Debug)]
pub(super) struct Output {
    pipe: pipe::Receiver,
    /// The line that has no end yet.
    partial: Mutex<Vec<u8>>,
}

impl Output {
    pub(super) fn new(reader: io::PipeReader) -> io::Result<Output> {
        Ok(Output {
            pipe: pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?,
            partial: Mutex::default(),
        })
    }

    /// Waits until there is something to read.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.pipe.readable().await
    }

    /// Reads what is there. `false` when nothing will come any more.
    pub(super) fn read(&self, mut line: impl FnMut(&str)) -> bool {
        let mut partial = locked(&self.partial);
        let mut buffer = [0; 8192];
        let mut total = 0;
        while total < MAX_READ {
            match self.pipe.try_read(&mut buffer) {
                Ok(0) => {
                    flush(&mut partial, &mut line);
                    return false;
                }
                Ok(read) => {
                    total += read;
                    take_lines(&mut partial, &buffer[..read], &mut line);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

fn take_lines(partial: &mut Vec<u8>, mut bytes: &[u8], line: &mut impl FnMut(&str)) {
    while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
        partial.extend_from_slice(&bytes[..end]);
        flush(partial, line);
        bytes = &bytes[end + 1..];
    }
    partial.extend_from_slice(bytes);
    if partial.len() >= MAX_LINE {
        flush(partial, line);
    }
}

fn flush(partial: &mut Vec<u8>, line: &mut impl FnMut(&str)) {
    if !partial.is_empty() {
        let text = String::from_utf8_lossy(partial);
        line(text.strip_suffix('\r').unwrap_or(&text));
        partial.clear();
        partial.shrink_to(1024);
    }
}

#[cfg(test)]
mod tests {
    use super::take_lines;

    #[test]
    fn lines_are_put_together_from_pieces() {
        let (mut partial, mut lines) = (Vec::new(), Vec::new());
        for piece in ["one\ntw", "o\r\n\n", "three"] {
            take_lines(&mut partial, piece.as_bytes(), &mut |l: &str| {
                lines.push(l.to_owned())
            });
        }
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(partial, b"three");
    }
}
