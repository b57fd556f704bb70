//! Compiles the functions' program for a processor of Lambda's, with the installed toolchain or not at all: what is missing
//! is said before anything is compiled.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

/// A processor that Lambda offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arch {
    #[value(name = "x86_64")]
    X86_64,
    #[value(name = "arm64")]
    Arm64,
}

impl Arch {
    /// Lambda's name of it, as in `aws_lambda_function.architectures`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// Rust's name of it.
    fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The C compiler that makes its code on another processor, and the Debian package that has it.
    fn cross_compiler(self) -> (&'static str, &'static str) {
        match self {
            Self::X86_64 => ("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"),
            Self::Arm64 => ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
        }
    }

    fn is_this_machine(self) -> bool {
        cfg!(target_os = "linux")
            && match self {
                Self::X86_64 => cfg!(target_arch = "x86_64"),
                Self::Arm64 => cfg!(target_arch = "aarch64"),
            }
    }
}

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    #[error("cannot build for {arch} on this machine:{missing}")]
    Missing { arch: &'static str, missing: String },
    #[error("cannot start {program}: {source}")]
    Start {
        program: String,
        source: std::io::Error,
    },
    #[error("cargo could not build the functions; its messages are above")]
    Failed,
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Compiles the program into the folder `target`, with profile `lambda`.
///
/// The paths of this machine are replaced by fixed ones, so that a checkout elsewhere gives the same bytes.
pub(crate) fn program(root: &Path, target: &Path, arch: Arch) -> Result<Vec<u8>, CompileError> {
    let tools = tools(arch, &|program| answers(program, &["--version"]), &|| {
        has_std(arch)
    })?;
    let mut cargo = Command::new(cargo());
    cargo
        .current_dir(root)
        .args(["build", "--locked", "--package", "tasks"])
        .args(["--bin", "bootstrap", "--profile", "lambda"])
        // On AWS the databases are MySQL.
        .arg("--no-default-features")
        .args(["--target", arch.target(), "--target-dir"])
        .arg(target);
    let mut flags = Vec::new();
    let mut c_flags = Vec::new();
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let places = [
        (Some(root.to_owned()), "/restock"),
        (Some(target.to_owned()), "/target"),
        (cargo_home, "/cargo"),
    ];
    for (place, fixed) in places {
        if let Some(place) = place {
            flags.push(format!("--remap-path-prefix={}={fixed}", place.display()));
            c_flags.push(format!("-ffile-prefix-map={}={fixed}", place.display()));
        }
    }
    let suffix = arch.target().replace('-', "_");
    cargo
        // Of all the ways to give flags this one wins, so that no setting of the machine changes the bytes.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env(format!("CFLAGS_{suffix}"), c_flags.join(" "));
    if let Some(compiler) = tools.cross_compiler {
        let linker = format!("CARGO_TARGET_{}_LINKER", suffix.to_uppercase());
        cargo
            .env(linker, compiler)
            .env(format!("CC_{suffix}"), compiler);
    }
    let status = cargo.status().map_err(|source| CompileError::Start {
        program: cargo.get_program().display().to_string(),
        source,
    })?;
    if !status.success() {
        return Err(CompileError::Failed);
    }
    let path = target.join(arch.target()).join("lambda/bootstrap");
    std::fs::read(&path).map_err(|source| CompileError::Read { path, source })
}

/// What is used beside cargo.
#[derive(Debug, PartialEq, Eq)]
struct Tools {
    cross_compiler: Option<&'static str>,
}

/// Finds them, or says how to install each that is missing.
fn tools(
    arch: Arch,
    is_there: &dyn Fn(&str) -> bool,
    has_std: &dyn Fn() -> bool,
) -> Result<Tools, CompileError> {
    let mut missing = String::new();
    if !has_std() {
        missing += &format!(
            "\n  Rust's library for it is missing. Install it: rustup target add {}",
            arch.target()
        );
    }
    let (cross, package) = arch.cross_compiler();
    let cross_compiler = (!arch.is_this_machine()).then_some(cross);
    let compiler = cross_compiler.unwrap_or("cc");
    if !is_there(compiler) {
        let package = cross_compiler.map_or("gcc", |_| package);
        missing += &format!(
            "\n  the C compiler {compiler} is missing, which also links. Install it: apt-get install {package}"
        );
    }
    if missing.is_empty() {
        Ok(Tools { cross_compiler })
    } else {
        let arch = arch.name();
        Err(CompileError::Missing { arch, missing })
    }
}

/// Whether the toolchain has the standard library of this target.
fn has_std(arch: Arch) -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", arch.target()])
        .output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// The cargo that runs this, else the one on the path.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A processor that is not this machine's.
    const OTHER: Arch = if cfg!(target_arch = "aarch64") {
        Arch::X86_64
    } else {
        Arch::Arm64
    };

    #[test]
    fn everything_that_is_missing_is_told_with_its_cure() {
        let error = tools(OTHER, &|_| false, &|| false).unwrap_err().to_string();
        for cure in [
            format!("rustup target add {}", OTHER.target()),
            format!("apt-get install {}", OTHER.cross_compiler().1),
        ] {
            assert!(error.contains(&cure), "{error}");
        }
        let error = tools(OTHER, &|_| true, &|| false).unwrap_err().to_string();
        assert!(!error.contains("apt-get"), "{error}");
    }

    #[test]
    fn another_processor_needs_another_compiler() {
        let found = tools(OTHER, &|_| true, &|| true).unwrap();
        assert_eq!(found.cross_compiler, Some(OTHER.cross_compiler().0));
    }
}
