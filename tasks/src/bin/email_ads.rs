//! The `email_ads` function: see `tasks::email_ads`.

fn main() -> std::process::ExitCode {
    tasks::main("email_ads")
}
