//! Whether a program runs on `provided.al2023`: which shared libraries it loads, and which versions of their symbols.
//!
//! A program that was linked against a newer glibc than Lambda's starts on the machine that built it and dies on AWS with
//! "version `GLIBC_2.38' not found". Here that is an error of the build.

use object::Endianness;
use object::elf;
use object::read::elf::{Dyn, ElfFile64, Sym};

/// The glibc of Amazon Linux 2023.
pub(crate) const LAMBDA: Version = Version(2, 34);

/// What `provided.al2023` has of libraries that a Rust program links to. glibc's own, and the unwinder's.
const LIBRARIES: [&str; 9] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libutil.so.1",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// Major and minor number of a glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub u32, pub u32);

impl Version {
    /// Of `GLIBC_2.34` or `GLIBC_2.2.5`; nothing for other names, and for `GLIBC_PRIVATE`.
    fn of(name: &str) -> Option<Version> {
        let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Version(major, minor))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What a program asks of the system it starts on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Names of shared libraries.
    pub libraries: Vec<String>,
    /// Symbols with the version they are needed in: `("statx", "GLIBC_2.28")`.
    pub symbols: Vec<(String, String)>,
}

impl Needs {
    /// Reads a 64-bit ELF program.
    pub(crate) fn of_program(program: &[u8]) -> Result<Needs, object::Error> {
        let file = ElfFile64::<Endianness>::parse(program)?;
        let endian = file.endian();
        let sections = file.elf_section_table();
        let mut needs = Needs::default();

        let symbols = file.elf_dynamic_symbol_table();
        if let Some(versions) = sections.versions(endian, program)? {
            for (index, symbol) in symbols.enumerate() {
                let version = versions.version(versions.version_index(endian, index).index())?;
                if let (true, Some(version)) = (symbol.is_undefined(endian), version) {
                    let name = symbol.name(endian, symbols.strings())?;
                    needs.symbols.push((text(name), text(version.name())));
                }
            }
        }
        if let Some((entries, strings)) = sections.dynamic(endian, program)? {
            let strings = sections.strings(endian, program, strings)?;
            for entry in entries {
                if entry.tag(endian) == elf::DT_NEEDED {
                    needs.libraries.push(text(entry.string(endian, strings)?));
                }
            }
        }
        Ok(needs)
    }

    /// Everything that a system with this glibc does not have.
    pub(crate) fn missing_on(&self, glibc: Version) -> Vec<String> {
        let libraries = self.libraries.iter();
        let libraries = libraries
            .filter(|library| !LIBRARIES.contains(&library.as_str()))
            .map(|library| format!("the library {library}"));
        let symbols = self.symbols.iter();
        let symbols = symbols
            .filter(|(_, version)| Version::of(version).is_some_and(|needed| needed > glibc))
            .map(|(symbol, version)| format!("{symbol} of {version}"));
        libraries.chain(symbols).collect()
    }

    /// The newest glibc that a symbol needs.
    pub(crate) fn newest(&self) -> Option<Version> {
        let versions = self.symbols.iter();
        versions
            .filter_map(|(_, version)| Version::of(version))
            .max()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(libraries: &[&str], symbols: &[(&str, &str)]) -> Needs {
        Needs {
            libraries: libraries.iter().map(|&name| name.to_owned()).collect(),
            symbols: symbols
                .iter()
                .map(|&(name, version)| (name.to_owned(), version.to_owned()))
                .collect(),
        }
    }

    #[test]
    fn versions_are_compared_by_number_and_not_by_letter() {
        assert!(Version::of("GLIBC_2.9") < Version::of("GLIBC_2.34"));
        assert_eq!(Version::of("GLIBC_2.2.5"), Some(Version(2, 2)));
        for other in ["GCC_3.3", "GLIBC_PRIVATE", "GLIBC_2", "", "GLIBC_2.x"] {
            assert_eq!(Version::of(other), None, "{other}");
        }
    }

    #[test]
    fn what_lambda_lacks_is_named() {
        let fine = needs(
            &["libc.so.6", "libgcc_s.so.1"],
            &[
                ("memcpy", "GLIBC_2.14"),
                ("__libc_start_main", "GLIBC_2.34"),
                ("_Unwind_Resume", "GCC_3.0"),
            ],
        );
        assert_eq!(fine.missing_on(LAMBDA), Vec::<String>::new());
        assert_eq!(fine.newest(), Some(LAMBDA));

        let bad = needs(
            &["libc.so.6", "libssl.so.3"],
            &[("strtol", "GLIBC_2.2.5"), ("__isoc23_strtol", "GLIBC_2.38")],
        );
        assert_eq!(
            bad.missing_on(LAMBDA),
            ["the library libssl.so.3", "__isoc23_strtol of GLIBC_2.38"]
        );
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_real_program_is_read() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needs = Needs::of_program(&this).unwrap();
        assert!(
            needs.libraries.contains(&"libc.so.6".to_owned()),
            "{needs:?}"
        );
        assert!(needs.newest() >= Some(Version(2, 2)), "{needs:?}");
        let missing = needs.missing_on(Version(2, 1));
        assert!(
            missing
                .iter()
                .any(|line| line.starts_with("memcpy of GLIBC_2.")),
            "{missing:?}"
        );
    }

    #[test]
    fn what_is_no_program_is_an_error() {
        assert!(Needs::of_program(b"#!/bin/sh\n").is_err());
    }
}
