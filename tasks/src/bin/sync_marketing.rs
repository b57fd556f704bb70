//! The `sync_marketing` function: see `tasks::sync_marketing`.

fn main() -> std::process::ExitCode {
    tasks::main("sync_marketing")
}
