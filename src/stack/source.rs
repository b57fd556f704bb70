//! Where the stack's files come from: `--workflows DIR`, else `./workflows`, else the copy inside this program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::StackError;

#[derive(RustEmbed)]
#[folder = "workflows"]
#[include = "stack.json"]
#[include = "*.asl.json"]
struct Embedded;

/// The folder of the workflows, on disk or in the program.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Folder(PathBuf),
    Embedded,
}

impl Source {
    /// A folder that was asked for must exist; the default one need not.
    pub(crate) fn choose(asked: Option<&Path>) -> Source {
        match asked {
            Some(folder) => Source::Folder(folder.to_owned()),
            None if Path::new("workflows/stack.json").is_file() => {
                Source::Folder("workflows".into())
            }
            None => Source::Embedded,
        }
    }

    pub(crate) fn read(&self, file: &str) -> Result<String, StackError> {
        let missing = || StackError::Missing {
            file: file.to_owned(),
        };
        match self {
            Source::Embedded => {
                let found = Embedded::get(file).ok_or_else(missing)?;
                String::from_utf8(found.data.into_owned()).map_err(|_| missing())
            }
            Source::Folder(folder) => {
                let path = folder.join(file);
                fs::read_to_string(&path).map_err(|source| match source.kind() {
                    io::ErrorKind::NotFound if file != "stack.json" => missing(),
                    _ => StackError::Read { path, source },
                })
            }
        }
    }

    /// For people: where the definitions came from.
    pub(crate) fn describe(&self) -> String {
        match self {
            Source::Folder(folder) => folder.display().to_string(),
            Source::Embedded => "the copy in this program".to_owned(),
        }
    }
}
