//! Every crate that is linked in has a permissive licence.

use cargo_metadata::MetadataCommand;

/// Licences we may ship with, by their SPDX names.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// An SPDX expression is fine when one alternative of its every part is permissive.
fn is_permissive(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|licence| PERMISSIVE.contains(&licence.trim()))
    })
}

#[test]
fn every_dependency_is_permissively_licensed() {
    let metadata = MetadataCommand::new().exec().unwrap();
    let refused: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| !package.license.as_deref().is_some_and(is_permissive))
        .map(|package| {
            format!(
                "{} {}: {:?}",
                package.name, package.version, package.license
            )
        })
        .collect();
    assert!(
        metadata.packages.len() > 50,
        "cargo metadata told of {} packages only",
        metadata.packages.len()
    );
    assert!(
        refused.is_empty(),
        "not permissive:\n{}",
        refused.join("\n")
    );
}

#[test]
fn the_reading_of_expressions_is_strict() {
    for (expression, fine) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("GPL-3.0-only", false),
        ("MIT AND AGPL-3.0-only", false),
    ] {
        assert_eq!(is_permissive(expression), fine, "{expression}");
    }
}
