//! The `start_vip` function: see `tasks::start_vip`.

fn main() -> std::process::ExitCode {
    tasks::main("start_vip")
}
