//! Yardsticks of the machine: how often it syncs, and how fast it answers HTTP when there is nothing to do.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How often a second four kilobytes are appended to a file and synced.
pub(crate) fn syncs(time: Duration) -> std::io::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path().join("synced"))?;
    let (begin, mut count) = (Instant::now(), 0_u32);
    while begin.elapsed() < time {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}

/// A server whose answer is always the same, and its base URL.
pub(crate) async fn empty_handler(answer: String) -> std::io::Result<(String, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    // Reads the question, as every handler must.
    let handler = move |_question: String| {
        let answer = answer.clone();
        async move { answer }
    };
    let router = Router::new().fallback(post(handler));
    let server = tokio::spawn(async move {
        // Without a graceful end it never returns; it is aborted.
        let _ = axum::serve(listener, router).await;
    });
    Ok((url, server))
}
