//! Everything of one installation lies in its data directory. This file knows the names in it, and how a small fact
//! (a key, a port) is made once and kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A data directory that exists and is ours to write.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// Why the data directory cannot be used.
#[derive(Debug, Error)]
#[error("cannot {action} {}: {source}. Check its rights, or name another folder with --data-dir", path.display())]
pub(crate) struct DataDirError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The ports that port 0 chose, kept so that URLs stay the same from one start to the next (a factory that delivers
/// after a restart calls the URL it was given).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Ports {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aws: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    console: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    factory: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marketing: Option<u16>,
}

/// A part that listens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Api,
    Aws,
    Console,
    Factory,
    Marketing,
}

impl DataDir {
    /// Makes the folder where it is missing, closed to other users.
    pub(crate) fn open(path: &Path) -> Result<DataDir, DataDirError> {
        let create = || -> io::Result<PathBuf> {
            create_private_dir(path)?;
            path.canonicalize()
        };
        create()
            .map(DataDir)
            .map_err(|source| failed("create", path, source))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Orders the simulated factory has yet to deliver.
    pub(crate) fn factory_orders(&self) -> PathBuf {
        self.0.join("factory")
    }

    /// Customers the simulated marketing system received.
    pub(crate) fn marketing_received(&self) -> PathBuf {
        self.0.join("marketing.jsonl")
    }

    /// URL of a database in this folder, shared with the Lambda processes.
    pub(crate) fn sqlite_url(&self, file: &str) -> String {
        format!("sqlite:{}", self.0.join(file).display())
    }

    /// The key that signs callback URLs, in hex; made on first use and readable by its owner only.
    pub(crate) fn callback_key(&self) -> Result<String, DataDirError> {
        let path = self.0.join("callback.key");
        match fs::read_to_string(&path) {
            Ok(key) => Ok(key.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = format!(
                    "{}{}",
                    uuid::Uuid::new_v4().simple(),
                    uuid::Uuid::new_v4().simple()
                );
                write_private(&path, key.as_bytes())
                    .map_err(|source| failed("write", &path, source))?;
                Ok(key)
            }
            Err(source) => Err(failed("read", &path, source)),
        }
    }

    /// The address to bind for `part`: where port 0 was asked for, the port chosen last time.
    pub(crate) fn preferred(&self, part: Part, asked: SocketAddr) -> SocketAddr {
        let kept = if asked.port() == 0 {
            self.ports().get(part)
        } else {
            None
        };
        SocketAddr::new(asked.ip(), kept.unwrap_or(asked.port()))
    }

    /// Keeps the port that was chosen for `part`.
    pub(crate) fn keep_port(&self, part: Part, port: u16) -> Result<(), DataDirError> {
        let mut ports = self.ports();
        if ports.get(part) == Some(port) {
            return Ok(());
        }
        *ports.slot(part) = Some(port);
        let path = self.0.join("ports.json");
        let text = serde_json::to_vec(&ports).unwrap_or_default();
        write_atomically(&path, &text).map_err(|source| failed("write", &path, source))
    }

    fn ports(&self) -> Ports {
        // A missing or damaged file only means that ports are chosen anew.
        fs::read(self.0.join("ports.json"))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }
}

impl Ports {
    fn slot(&mut self, part: Part) -> &mut Option<u16> {
        match part {
            Part::Api => &mut self.api,
            Part::Aws => &mut self.aws,
            Part::Console => &mut self.console,
            Part::Factory => &mut self.factory,
            Part::Marketing => &mut self.marketing,
        }
    }

    fn get(mut self, part: Part) -> Option<u16> {
        *self.slot(part)
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> DataDirError {
    DataDirError {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Writes beside the file, then renames: a reader sees the old text or the new one, never half of it.
pub(crate) fn write_atomically(path: &Path, text: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("tmp-{}", uuid::Uuid::new_v4().simple()));
    let mut file = fs::File::create(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn create_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn create_private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callback_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let key = data.callback_key().unwrap();
        assert_eq!(key.len(), 64);
        assert_eq!(data.callback_key().unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("callback.key"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_chosen_port_is_kept_only_for_port_zero() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        data.keep_port(Part::Api, 4321).unwrap();
        let zero: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let fixed: SocketAddr = "127.0.0.1:3000".parse().unwrap();
        assert_eq!(data.preferred(Part::Api, zero).port(), 4321);
        assert_eq!(data.preferred(Part::Aws, zero).port(), 0);
        assert_eq!(data.preferred(Part::Api, fixed).port(), 3000);
    }
}
