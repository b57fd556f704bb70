//! The log files. One thread writes them all, so that a slow disk never holds an invocation; when it cannot keep up, lines
//! are left out of the file and their number is written instead.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
};

use super::LogLine;

/// A file that has grown to this is renamed to `NAME.log.1`, in place of the one before. Bytes.
const MAX_FILE: u64 = 10 * 1024 * 1024;
/// How many lines may wait for the thread.
const WAITING: usize = 8192;

/// The way to the thread. It ends when the last of these is gone.
#[derive(Debug, Clone)]
pub(in crate::lambda) struct LogFiles {
    lines: SyncSender<Entry>,
    left_out: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Entry {
    function: String,
    line: LogLine,
}

impl LogFiles {
    /// Makes the directory and starts the thread.
    pub(in crate::lambda) fn open(directory: PathBuf) -> io::Result<LogFiles> {
        fs::create_dir_all(&directory)?;
        let (lines, entries) = sync_channel(WAITING);
        let left_out = Arc::new(AtomicU64::new(0));
        let counter = left_out.clone();
        std::thread::Builder::new()
            .name("lambda-logs".to_owned())
            .spawn(move || write(&directory, &entries, &counter))?;
        Ok(LogFiles { lines, left_out })
    }

    pub(super) fn append(&self, function: &str, line: &LogLine) {
        let entry = Entry {
            function: function.to_owned(),
            line: line.clone(),
        };
        if let Err(TrySendError::Full(_)) = self.lines.try_send(entry) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write(directory: &Path, entries: &Receiver<Entry>, left_out: &AtomicU64) {
    let mut files: HashMap<String, LogFile> = HashMap::new();
    while let Ok(entry) = entries.recv() {
        let missing = left_out.swap(0, Ordering::Relaxed);
        let file = files
            .entry(entry.function)
            .or_insert_with_key(|function| LogFile::new(directory, function));
        let result = file.append(&entry.line, missing);
        if let Err(error) = result {
            file.complain(&error);
        }
    }
}

struct LogFile {
    path: PathBuf,
    open: Option<(File, u64)>,
    /// A full disk is told once, not for each line.
    complained: bool,
}

impl LogFile {
    fn new(directory: &Path, function: &str) -> LogFile {
        LogFile {
            path: directory.join(format!("{function}.log")),
            open: None,
            complained: false,
        }
    }

    fn append(&mut self, line: &LogLine, missing: u64) -> io::Result<()> {
        let mut text = String::with_capacity(line.text.len() + 80);
        if missing > 0 {
            text.push_str(&format!("({missing} lines of this or other functions were left out: the disk was too slow)\n"));
        }
        let request_id = line.request_id.as_deref().unwrap_or("-");
        text.push_str(&format!("{} {request_id} {}\n", line.at, line.text));
        let (mut file, size) = match self.open.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        file.write_all(text.as_bytes())?;
        let size = size + text.len() as u64;
        if size < MAX_FILE {
            self.open = Some((file, size));
        } else {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
        }
        self.complained = false;
        Ok(())
    }

    fn complain(&mut self, error: &io::Error) {
        if !self.complained {
            tracing::warn!(file = %self.path.display(), %error, "a function's output could not be written to its file");
        }
        self.complained = true;
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

#[cfg(test)]
mod tests {
    use super::{LogFile, LogLine, MAX_FILE};

    #[test]
    fn a_full_file_is_kept_once_as_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = LogFile::new(directory.path(), "f");
        let line = LogLine {
            at: jiff::Timestamp::UNIX_EPOCH,
            request_id: None,
            text: "x".repeat(1 << 20).into(),
        };
        let lines = 25;
        for _ in 0..lines {
            file.append(&line, 0).unwrap();
        }
        let size = |name: &str| {
            std::fs::metadata(directory.path().join(name))
                .unwrap()
                .len()
        };
        assert!(size("f.log") < MAX_FILE);
        assert!(size("f.log.1") >= MAX_FILE);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
