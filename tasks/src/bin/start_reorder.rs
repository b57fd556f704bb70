//! The `start_reorder` function: see `tasks::start_reorder`.

fn main() -> std::process::ExitCode {
    tasks::main("start_reorder")
}
