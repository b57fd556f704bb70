//! The `await_callback` function: see `tasks::await_callback`.

fn main() -> std::process::ExitCode {
    tasks::main("await_callback")
}
