//! The life of one process: started, watched, ended. It waits for events only: the process' end, a deadline, a request to
//! stop.
//!
//! The process' standard input is a pipe that we hold and never write to. It closes when the process shall end, and also when
//! we die, in whatever way: a process that watches it leaves nothing behind.

use std::{
    io,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    process::{Child, ChildStdin, Command},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::{Due, Output, Sandbox, Was, environment, runtime_api};
use crate::lambda::{
    failure,
    function::Function,
    invocation::{FailureKind, FunctionError, Outcome},
};

/// How long a process whose standard input has closed may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// A process as we hold it.
struct Process {
    child: Child,
    /// Held apart from the child: tokio's `wait` closes the child's own stdin, and a task ends when its stdin does.
    stdin: Option<ChildStdin>,
    api: runtime_api::Server,
    log: JoinHandle<()>,
}

/// Why a process is over.
enum End {
    Exited(Option<ExitStatus>),
    InitTimeout,
    Timeout,
    /// Nobody needs it any more.
    Unneeded,
    /// It said that it cannot start.
    InitError,
    Stopping,
}

/// Starts a process, not before `not_before`, and stays with it until it has ended.
pub(in crate::lambda) async fn supervise(function: Arc<Function>, not_before: Option<Instant>) {
    if let Some(when) = not_before {
        tokio::select! {
            () = sleep_until(when) => {}
            () = function.stopping.cancelled() => {}
        }
    }
    let sandbox = Arc::new(Sandbox::new(function.clone()));
    if function.stopping.is_cancelled() {
        function.ended(&sandbox, Was::Starting);
        return;
    }
    let mut process = match start(&sandbox).await {
        Ok(process) => process,
        Err(error) => {
            let program = function.config.command.first().map_or("", String::as_str);
            tracing::error!(function = function.config.name, program, %error, "a function's process could not be started");
            let reason = io_reason(&error);
            function.start_failed(|request_id| failure::not_started(request_id, program, &reason));
            return;
        }
    };
    tracing::debug!(
        function = function.config.name,
        pid = process.child.id(),
        "a function's process has started"
    );
    let end = watch(&sandbox, &mut process.child).await;
    finish(&sandbox, process, end).await;
}

async fn start(sandbox: &Arc<Sandbox>) -> io::Result<Process> {
    let config = &sandbox.function.config;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let variables = environment::variables(&sandbox.function, &listener.local_addr()?.to_string());
    let (reader, writer) = io::pipe()?;
    let (program, arguments) = config
        .command
        .split_first()
        .ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        // Ctrl-C in a terminal reaches us, who then stop it in order.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    // Our copies of the writing end close here; else the pipe would never end.
    drop(command);
    if let Some(pid) = child.id() {
        let _ = sandbox.pid.set(pid);
    }
    let _ = sandbox.output.set(Output::new(reader)?);
    let log = tokio::spawn(read_log(sandbox.clone()));
    let api = runtime_api::Server::start(listener, sandbox.clone());
    Ok(Process {
        child,
        stdin,
        api,
        log,
    })
}

async fn watch(sandbox: &Arc<Sandbox>, child: &mut Child) -> End {
    let function = &sandbox.function;
    loop {
        let due = sandbox.arm();
        tokio::select! {
            status = child.wait() => return End::Exited(status.ok()),
            () = sandbox.end.cancelled() => {
                return if sandbox.init_error.get().is_some() { End::InitError } else { End::Unneeded };
            }
            () = function.stopping.cancelled() => return End::Stopping,
            () = sandbox.earlier.notified() => {}
            () = sleep_until(due) => {
                let now = Instant::now();
                match sandbox.due(now) {
                    Due::Nothing => {}
                    Due::InitTimeout => return End::InitTimeout,
                    Due::Timeout => return End::Timeout,
                    Due::Idle if function.retire_if_idle(sandbox, now) => return End::Unneeded,
                    Due::Idle => {}
                    Due::Slow => function.do_without(sandbox),
                }
            }
        }
    }
}

async fn finish(sandbox: &Arc<Sandbox>, process: Process, end: End) {
    let Process {
        mut child,
        stdin,
        api,
        log,
    } = process;
    let function = &sandbox.function;
    let pid = sandbox.pid.get();
    let mut exit = None;
    match end {
        End::Exited(status) => exit = status,
        End::Timeout | End::InitTimeout => {
            tracing::warn!(
                function = function.config.name,
                pid,
                "a function's process ran out of time and is killed"
            );
            kill(&mut child).await;
        }
        End::Unneeded | End::InitError | End::Stopping => {
            drop(stdin);
            match timeout(GRACE, child.wait()).await {
                Ok(status) => exit = status.ok(),
                Err(_) => kill(&mut child).await,
            }
        }
    }
    // An answer that the process gave before it ended may still be on its way to us.
    api.finish().await;
    if timeout(GRACE, log).await.is_err() {
        tracing::debug!(
            function = function.config.name,
            pid,
            "something still holds the output of a process that has ended"
        );
    }
    let was = sandbox.close(|request_id| match end {
        End::Stopping => Outcome::Stopped,
        _ => Outcome::Failed(failure::exited(FailureKind::Exited, request_id, exit)),
    });
    tracing::debug!(function = function.config.name, pid, status = ?exit, "a function's process has ended");
    if was != Was::Starting || matches!(end, End::Stopping) {
        function.ended(sandbox, was);
    } else {
        tracing::error!(function = function.config.name, pid, status = ?exit, "a function's process ended before it asked for work");
        function.start_failed(|request_id| start_error(sandbox, request_id, &end, exit));
    }
}

fn start_error(
    sandbox: &Sandbox,
    request_id: &str,
    end: &End,
    exit: Option<ExitStatus>,
) -> FunctionError {
    if let Some(payload) = sandbox.init_error.get() {
        return FunctionError {
            payload: payload.clone(),
            kind: FailureKind::Init,
        };
    }
    match end {
        End::InitTimeout => FunctionError {
            kind: FailureKind::Init,
            ..failure::timed_out(request_id, sandbox.function.init_timeout)
        },
        _ => failure::exited(FailureKind::Init, request_id, exit),
    }
}

async fn kill(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(pid = child.id(), %error, "a process could not be killed");
    }
}

async fn read_log(sandbox: Arc<Sandbox>) {
    let Some(output) = sandbox.output.get() else {
        return;
    };
    while output.readable().await.is_ok() && output.read(|line| sandbox.line(line)) {}
}

/// As AWS words it: `no such file or directory`.
fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
