//! The `increase_stock` function: see `tasks::increase_stock`.

fn main() -> std::process::ExitCode {
    tasks::main("increase_stock")
}
