//! The `relay_outbox` function: see `tasks::relay_outbox`.

fn main() -> std::process::ExitCode {
    tasks::main("relay_outbox")
}
