//! The `factory_callback` function: see `tasks::factory_callback`.

fn main() -> std::process::ExitCode {
    tasks::main("factory_callback")
}
