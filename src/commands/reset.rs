//! `restock reset`: empties a local installation. Never touches what a running `up` uses, nor databases elsewhere.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use engine::DirectoryLock;

use super::Outcome;
use crate::cli::ResetArgs;
use crate::operate::person::confirm;
use crate::terminal;

/// Files that only an installation has; without one of them the folder is not ours to empty.
const SIGNS: [&str; 3] = ["engine.db", "warehouse.db", "callback.key"];

pub(crate) fn run(args: ResetArgs) -> Outcome {
    let folder = &args.data_dir;
    if !folder.exists() {
        terminal::say(&format!("there is no {}; nothing to do", folder.display()));
        return Ok(ExitCode::SUCCESS);
    }
    if !SIGNS.iter().any(|name| folder.join(name).is_file()) {
        return Err(format!(
            "{} does not look like an installation of restock (it has none of {}); nothing was removed",
            folder.display(),
            SIGNS.join(", ")
        )
        .into());
    }
    // Opening takes the lock that `up` holds, and tells who has it.
    let lock = DirectoryLock::take(folder)?;
    let question = format!(
        "Remove everything in {}: executions, queues, orders, stock, mail, keys?",
        folder.display()
    );
    if !confirm(&question, args.yes)? {
        return Ok(ExitCode::SUCCESS);
    }
    let removed = empty(folder)?;
    drop(lock);
    terminal::say(&format!(
        "removed {removed} entries; the next `restock up` starts anew"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Removes what is in the folder. The folder itself may be a mount, and the lock's file must stay while it is held: an
/// `up` that starts now would make a new one.
fn empty(folder: &Path) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == DirectoryLock::FILE {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
        removed += 1;
    }
    Ok(removed)
}
