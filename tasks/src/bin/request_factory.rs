//! The `request_factory` function: see `tasks::request_factory`.

fn main() -> std::process::ExitCode {
    tasks::main("request_factory")
}
