//! The audit: who changed what, when, and what came of it. One JSON object a line, appended and on disk before the
//! change is made, and once more with its result. A change whose second line is missing was begun and its end is unknown.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::form::Who;

/// The file's name in the data directory.
const FILE: &str = "console-audit.jsonl";
/// How much of the file's end the page reads, in bytes.
const TAIL: u64 = 1 << 20;
/// How many lines are kept where there is no file.
const KEPT: usize = 1_000;

/// A line: a change that is about to be made, or with `result` that has been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The same in both lines of a change.
    pub id: String,
    pub at: Timestamp,
    pub who: Who,
    /// `redrive`, `stop`, `start`, `fork`, `replay`, `discard`, and of dead letters `return`, `delete`
    pub action: String,
    /// What it is done to: an execution's ARN or a state machine.
    pub target: String,
    /// What the action was given.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub what: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Outcome>,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub ok: bool,
    pub said: String,
}

/// Where the lines go.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    path: Option<PathBuf>,
    /// Whoever appends holds it; without a file, the lines themselves.
    lines: Arc<Mutex<VecDeque<Line>>>,
}

impl Audit {
    pub(crate) fn new(data_dir: Option<PathBuf>) -> Audit {
        Audit {
            path: data_dir.map(|folder| folder.join(FILE)),
            lines: Arc::default(),
        }
    }

    /// The file, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Appends a line; it is on disk when this returns.
    pub(crate) async fn write(&self, line: Line) -> io::Result<()> {
        let audit = self.clone();
        tokio::task::spawn_blocking(move || audit.append(line))
            .await
            .map_err(io::Error::other)?
    }

    fn append(&self, line: Line) -> io::Result<()> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = &self.path else {
            let text = serde_json::to_string(&line)?;
            tracing::info!(audit = %text, "a change through the console");
            lines.push_back(line);
            if lines.len() > KEPT {
                lines.pop_front();
            }
            return Ok(());
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let mut file = open(path)?;
        // One write: a line is there whole or, after a crash, torn at the file's end, where reading skips it.
        file.write_all(&text)?;
        file.sync_data()
    }

    /// The latest changes, newest first, each with its result where it is known.
    pub(crate) async fn latest(&self, most: usize) -> io::Result<Vec<Line>> {
        let audit = self.clone();
        tokio::task::spawn_blocking(move || audit.read(most))
            .await
            .map_err(io::Error::other)?
    }

    fn read(&self, most: usize) -> io::Result<Vec<Line>> {
        let lines: Vec<Line> = match &self.path {
            None => {
                let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.iter().cloned().collect()
            }
            Some(path) => tail(path)?
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
        };
        Ok(merged(lines, most))
    }
}

/// One line for each change: its last, at the time of its first.
fn merged(lines: Vec<Line>, most: usize) -> Vec<Line> {
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut changes: Vec<Line> = Vec::new();
    for line in lines {
        match place.get(&line.id) {
            Some(at) => changes[*at].result = line.result,
            None => {
                place.insert(line.id.clone(), changes.len());
                changes.push(line);
            }
        }
    }
    changes.reverse();
    changes.truncate(most);
    changes
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The end of the file, from the beginning of a line on; empty where there is no file yet.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let from = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(match text.split_once('\n') {
        Some((_, rest)) if from > 0 => rest.to_owned(),
        _ => text.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, result: Option<&str>) -> Line {
        Line {
            id: id.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            who: Who {
                user: "somebody".to_owned(),
                session: None,
                address: None,
            },
            action: "stop".to_owned(),
            target: "arn".to_owned(),
            what: Value::Null,
            result: result.map(|said| Outcome {
                ok: true,
                said: said.to_owned(),
            }),
        }
    }

    fn told(lines: &[Line]) -> Vec<(String, String)> {
        lines
            .iter()
            .map(|l| {
                let said = l.result.as_ref().map_or("?", |r| r.said.as_str());
                (l.id.clone(), said.to_owned())
            })
            .collect()
    }

    #[tokio::test]
    async fn lines_are_appended_for_the_owner_only_and_read_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::new(Some(folder.path().to_owned()));
        assert_eq!(audit.latest(10).await.unwrap(), []);
        for line in [line("a", None), line("b", None), line("a", Some("done"))] {
            audit.write(line).await.unwrap();
        }
        // A crash in the middle of a line.
        let path = folder.path().join(FILE);
        open(&path).unwrap().write_all(b"{\"id\":\"c").unwrap();
        assert_eq!(
            told(&audit.latest(10).await.unwrap()),
            [
                ("b".to_owned(), "?".to_owned()),
                ("a".to_owned(), "done".to_owned())
            ]
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_an_error() {
        let audit = Audit::new(Some(PathBuf::from("/does/not/exist")));
        assert!(audit.write(line("a", None)).await.is_err());
    }

    #[tokio::test]
    async fn without_a_folder_lines_are_kept_in_memory() {
        let audit = Audit::new(None);
        audit.write(line("a", Some("done"))).await.unwrap();
        assert_eq!(audit.latest(1).await.unwrap().len(), 1);
    }
}
