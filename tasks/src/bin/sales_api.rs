//! The `sales_api` function: see `tasks::sales_api`.

fn main() -> std::process::ExitCode {
    tasks::main("sales_api")
}
