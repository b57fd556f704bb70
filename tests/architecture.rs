//! The direction of the code: `asl ← engine ← aws-local ← restock`, `asl ← operate ← restock`, `tasks → shop`, never
//! backwards.
//!
//! A crate exists to forbid a dependency; this test is what makes the rule real. It reads what cargo itself says of
//! the workspace, so a new dependency line in any `Cargo.toml` meets it.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each of our packages may depend on: our own packages, and families of outside crates that are forbidden to it.
struct Rule {
    package: &'static str,
    ours: &'static [&'static str],
    forbidden: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        package: "asl",
        ours: &[],
        // Pure: no clock, no file, no database, no network, no executor.
        forbidden: &[
            "tokio", "rusqlite", "sqlx", "axum", "reqwest", "hyper", "tracing", "aws-", "lambda_",
        ],
    },
    Rule {
        package: "engine",
        ours: &["asl"],
        // Durability knows no wire.
        forbidden: &[
            "axum",
            "hyper",
            "reqwest",
            "sqlx",
            "aws-",
            "lambda_",
            "quick-xml",
        ],
    },
    Rule {
        package: "aws-local",
        ours: &["asl", "engine"],
        // The wire reaches storage through the engine only. It is no client of AWS: what tasks send elsewhere it writes itself,
        // and only has it signed (aws-sigv4).
        forbidden: &[
            "rusqlite",
            "sqlx",
            "aws-sdk",
            "aws-config",
            "aws-smithy",
            "lambda_",
        ],
    },
    Rule {
        package: "shop",
        ours: &[],
        // Business knows no AWS and no workflow.
        forbidden: &["aws-", "lambda_", "axum", "rusqlite", "reqwest"],
    },
    Rule {
        package: "operate",
        ours: &["asl"],
        // An ordinary client of AWS, for a terminal and for pages alike.
        forbidden: &["clap", "axum", "rusqlite", "sqlx", "lambda_", "owo-colors"],
    },
    Rule {
        package: "console",
        ours: &["asl", "operate", "shop"],
        // Pages over the AWS APIs: no engine, no SQL of its own, no tasks.
        forbidden: &["rusqlite", "sqlx", "lambda_", "clap", "owo-colors"],
    },
    Rule {
        package: "tasks",
        ours: &["shop"],
        forbidden: &["rusqlite", "sqlx"],
    },
    Rule {
        package: "xtask",
        // Packages what others are: it must be built in seconds, without any of them.
        ours: &[],
        forbidden: &["tokio", "aws-", "sqlx", "rusqlite", "lambda_"],
    },
    Rule {
        package: "restock",
        ours: &[
            "asl",
            "engine",
            "aws-local",
            "console",
            "operate",
            "shop",
            "tasks",
        ],
        forbidden: &["rusqlite"],
    },
];

#[test]
fn every_crate_depends_in_one_direction() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let rules: BTreeMap<_, _> = RULES.iter().map(|rule| (rule.package, rule)).collect();
    let ours: Vec<_> = metadata
        .packages
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    let mut broken = Vec::new();
    for package in &metadata.packages {
        let Some(rule) = rules.get(package.name.as_str()) else {
            broken.push(format!(
                "{} has no rule here: say what it may depend on",
                package.name
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal)
        {
            let name = dependency.name.as_str();
            if ours.iter().any(|o| o == name) && !rule.ours.contains(&name) {
                broken.push(format!("{} must not depend on our {name}", package.name));
            }
            if rule.forbidden.iter().any(|f| name.starts_with(f)) {
                broken.push(format!("{} must not depend on {name}", package.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
