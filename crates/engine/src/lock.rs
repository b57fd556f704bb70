//! One process per data directory: a lock on `engine.lock`, released by the operating system however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::OpenError;

const FILE: &str = "engine.lock";

/// A process that was killed a moment ago may not have let go of the directory yet.
const PATIENCE: Duration = Duration::from_secs(1);

fn lock_within(file: &File, patience: Duration) -> Result<(), TryLockError> {
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}

/// Holds the directory until it is dropped. An engine takes it by itself; whoever removes a directory's files takes it first.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// The name of the file that is locked.
    pub const FILE: &str = FILE;

    /// Takes the directory, or says who has it.
    ///
    /// # Errors
    /// [`OpenError::InUse`] names the process that has it; [`OpenError::Directory`] if the file cannot be used.
    pub fn take(directory: &Path) -> Result<DirectoryLock, OpenError> {
        let io = |source| OpenError::Directory {
            directory: directory.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(FILE))
            .map_err(io)?;
        match lock_within(&file, PATIENCE) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                // The holder writes its id after it has the lock, so the text may still be missing.
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                return Err(OpenError::InUse {
                    directory: directory.to_owned(),
                    pid: holder.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(DirectoryLock { _file: file })
    }
}
