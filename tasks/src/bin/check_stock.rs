//! The `check_stock` function: see `tasks::check_stock`.

fn main() -> std::process::ExitCode {
    tasks::main("check_stock")
}
