//! The `upgrade_tier` function: see `tasks::upgrade_tier`.

fn main() -> std::process::ExitCode {
    tasks::main("upgrade_tier")
}
