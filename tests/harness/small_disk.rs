//! A disk that is soon full, or cannot be written.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Process, eventually, program, run};

/// A file system of its own, as small as is wished, on a folder of the test; what is started within sees it, and it is there until
/// this is dropped. It is made in a user's own namespaces, so it takes no special rights.
pub(crate) struct SmallDisk {
    holder: Process,
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// `options` as `mount` takes them for a `tmpfs`. `None` where the system lets nobody but root make namespaces, as in many
    /// containers; with `RESTOCK_TEST_DISKS` set, as in CI, that is a failure.
    pub(crate) async fn new(options: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display().to_string();
        // Listing the mounts tells from outside that it is there; the shell becomes what holds it.
        if Command::new("unshare").arg("--version").output().is_err() {
            return refused("there is no unshare(1), which is part of util-linux");
        }
        let script = format!("mount -t tmpfs -o {options} tmpfs {at} && exec sleep infinity");
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut holder = run(&mut command, log.path());
        let mounts = format!("/proc/{}/mounts", holder.0.id());
        let ended = eventually("a small file system", async || {
            if let Some(status) = holder.0.try_wait().unwrap() {
                return Some(Some(status));
            }
            let there = std::fs::read_to_string(&mounts).ok()?.contains(&at);
            there.then_some(None)
        })
        .await;
        if let Some(status) = ended {
            let said = std::fs::read_to_string(log.path()).unwrap_or_default();
            return refused(&format!(
                "{status}: {said}\n\
                 unshare(1) needs user namespaces: see `sysctl kernel.unprivileged_userns_clone` and \
                 `kernel.apparmor_restrict_unprivileged_userns`"
            ));
        }
        Some(SmallDisk { holder, folder })
    }

    /// Where those within find it.
    pub(crate) fn inside(&self) -> &Path {
        self.folder.path()
    }

    /// Where everybody else does.
    pub(crate) fn outside(&self) -> PathBuf {
        let inside = self.inside().strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{}/root", self.holder.0.id())).join(inside)
    }

    /// `restock` with these arguments, within.
    pub(crate) fn restock(&self, args: &[&str], log: &Path) -> Process {
        let (program, holder) = (program(), self.holder.0.id().to_string());
        let mut command = Command::new("nsenter");
        command.args(["--target", &holder, "--user", "--mount"]);
        command.args(["--preserve-credentials", "--", &program]);
        run(command.args(args), log)
    }
}

/// For who asks, nothing; a failure where there must be one.
fn refused(why: &str) -> Option<SmallDisk> {
    let why = format!("no file system of a test's own can be made here: {why}");
    assert!(std::env::var_os("RESTOCK_TEST_DISKS").is_none(), "{why}");
    eprintln!("not tested: {why}");
    None
}
