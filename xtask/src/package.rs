//! `cargo xtask package`: a zip for every function of `workflows/stack.json`, where Terraform looks for it.
//!
//! Compiles once: all functions are one program, which runs the task that the function's handler names.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::compile::{self, Arch, CompileError};
use crate::{archive, glibc};

/// The most a zip may have, in bytes. Lambda takes ten times that; a cold start reads all of it.
const MOST: usize = 5_000_000;

/// What to build, and where to put it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The processor of the functions, as in Terraform's variable `architecture`
    #[arg(long, value_enum, default_value = "x86_64")]
    arch: Arch,
    /// The folder of the zips; each processor has its own inside
    #[arg(long, default_value = "target/lambda")]
    out: PathBuf,
    /// Build again in an empty folder and fail where the bytes differ (takes as long again, and longer)
    #[arg(long)]
    twice: bool,
}

/// Why there are no zips.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error("{}: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("workflows/stack.json cannot be read: {0}")]
    Stack(#[from] serde_json::Error),
    #[error("the program cannot be read: {0}")]
    Program(#[from] object::Error),
    #[error(
        "the program would not start on Lambda, which has glibc {glibc}. It needs {}. Build on a system \
         with an older glibc, such as Debian 12 or Amazon Linux 2023",
        missing.join(", ")
    )]
    TooNew {
        glibc: glibc::Version,
        missing: Vec<String>,
    },
    #[error("cannot pack: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error(
        "a zip has {0} bytes, more than {MOST}: see what came in with `cargo tree -p tasks`, and docs/lambda.md"
    )]
    TooLarge(usize),
    #[error("a second build gave other bytes; both programs are in {}", .0.display())]
    Differs(PathBuf),
}

/// The part of `stack.json` that matters here.
#[derive(serde::Deserialize)]
struct Stack {
    functions: BTreeMap<String, serde::de::IgnoredAny>,
}

pub(crate) fn run(args: &Args) -> Result<(), PackageError> {
    let root = root();
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |set| root.join(set));
    let stack: Stack = serde_json::from_slice(&read(&root.join("workflows/stack.json"))?)?;
    let out = root.join(&args.out).join(args.arch.name());

    let program = compile::program(&root, &target, args.arch)?;
    let needs = starts_on(glibc::LAMBDA, &program)?;
    if args.twice {
        same_again(&root, &target, args.arch, &program)?;
    }
    let zip = archive::of_program(&program)?;
    if zip.len() > MOST {
        return Err(PackageError::TooLarge(zip.len()));
    }
    fs::create_dir_all(&out).map_err(at(&out))?;
    let mut lines = String::new();
    for function in stack.functions.keys() {
        let path = out.join(format!("{function}.zip"));
        fs::write(&path, &zip).map_err(at(&path))?;
        lines += &format!("{:>9} bytes  {}\n", zip.len(), path.display());
    }
    let glibc = needs
        .newest()
        .map_or("no".to_owned(), |newest| newest.to_string());
    lines += &format!(
        "the program has {} bytes and needs {glibc} or newer of glibc\n",
        program.len(),
    );
    // Whoever listens no longer misses nothing but the list.
    let _ = std::io::stdout().write_all(lines.as_bytes());
    Ok(())
}

/// What a program needs, if a system with this glibc has it.
fn starts_on(glibc: glibc::Version, program: &[u8]) -> Result<glibc::Needs, PackageError> {
    let needs = glibc::Needs::of_program(program)?;
    let missing = needs.missing_on(glibc);
    if missing.is_empty() {
        Ok(needs)
    } else {
        Err(PackageError::TooNew { glibc, missing })
    }
}

/// Builds in a new folder, of another name, and compares.
fn same_again(root: &Path, target: &Path, arch: Arch, first: &[u8]) -> Result<(), PackageError> {
    let again = target.join("lambda-again");
    if again.exists() {
        fs::remove_dir_all(&again).map_err(at(&again))?;
    }
    let second = compile::program(root, &again, arch)?;
    if second != first {
        let path = again.join("first");
        fs::write(&path, first).map_err(at(&path))?;
        return Err(PackageError::Differs(again));
    }
    fs::remove_dir_all(&again).map_err(at(&again))
}

/// The repository: the folder above this package.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn read(path: &Path) -> Result<Vec<u8>, PackageError> {
    fs::read(path).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> PackageError + '_ {
    move |source| PackageError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_program_that_is_too_new_is_refused_with_its_symbols_and_a_cure() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        let refused = starts_on(glibc::Version(2, 1), &this)
            .unwrap_err()
            .to_string();
        for part in ["which has glibc 2.1.", "memcpy of GLIBC_2.", "Debian 12"] {
            assert!(refused.contains(part), "{refused}");
        }
        assert!(starts_on(glibc::Version(99, 0), &this).is_ok());
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let refused = starts_on(glibc::LAMBDA, b"#!/bin/sh\n").unwrap_err();
        assert!(refused.to_string().contains("cannot be read"), "{refused}");
    }
}
