//! New migration files must be embedded, so they make this crate compile again.
#![allow(
    clippy::print_stdout,
    reason = "this is how a build script talks to cargo"
)]

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
