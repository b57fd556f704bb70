//! A loader for HTTP: so many clients, each with one kept connection, each asking again as soon as it has its answer.
//!
//! Bounded in connections and in time, and to this machine: it is for measuring, not for hurting somebody.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The most connections at the same time.
const MOST: usize = 1024;

#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("{0} is not an address of this machine's own network; only that is loaded")]
    NotLoopback(String),
    #[error("{0} clients are too many; at most {MOST} are allowed")]
    TooMany(usize),
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("a request failed: {0}")]
    Http(#[from] hyper::Error),
    #[error("a request is not right: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("answered {status}: {body}")]
    Refused { status: StatusCode, body: String },
    #[error("a client stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// One client at work.
pub(crate) trait Client: Send + 'static {
    /// One turn; what it counts for.
    fn turn(
        &mut self,
        connection: &mut Connection,
    ) -> impl Future<Output = Result<u64, LoadError>> + Send;

    /// Whether it has nothing more to do, before the time is over.
    fn is_done(&self) -> bool {
        false
    }
}

/// What came of a load.
pub(crate) struct Outcome {
    pub count: u64,
    pub elapsed: Duration,
    /// How long each turn took, sorted.
    turns: Vec<Duration>,
}

impl Outcome {
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    /// The time within which so many of a thousand turns were done.
    pub(crate) fn permille(&self, permille: usize) -> Duration {
        let last = self.turns.len().saturating_sub(1);
        self.turns
            .get(last * permille / 1000)
            .copied()
            .unwrap_or_default()
    }
}

/// A kept connection.
pub(crate) struct Connection {
    host: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// To a base URL of this machine, as in `http://127.0.0.1:3000`.
    pub(crate) async fn open(url: &str) -> Result<Connection, LoadError> {
        let host = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let address = host
            .parse::<SocketAddr>()
            .ok()
            .filter(|it| it.ip().is_loopback());
        let address = address.ok_or_else(|| LoadError::NotLoopback(url.to_owned()))?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the sender; what goes wrong is the answer to a request.
        tokio::spawn(connection);
        Ok(Connection { host, sender })
    }

    /// Sends a request and reads its answer, which must be a success.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Bytes, LoadError> {
        let mut request = Request::post(path).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into()))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            let body = String::from_utf8_lossy(&body).into_owned();
            return Err(LoadError::Refused { status, body });
        }
        Ok(body)
    }

    /// An action of an AWS JSON service, as in `AmazonSQS.SendMessage`.
    pub(crate) async fn aws(&mut self, action: &str, body: String) -> Result<Bytes, LoadError> {
        let headers = [
            ("x-amz-target", action),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        self.post("/", &headers, body).await
    }
}

/// Lets the clients work for this long. The first error ends it.
pub(crate) async fn load<C: Client>(
    url: &str,
    time: Duration,
    clients: Vec<C>,
) -> Result<Outcome, LoadError> {
    if clients.len() > MOST {
        return Err(LoadError::TooMany(clients.len()));
    }
    let mut connected = Vec::with_capacity(clients.len());
    for client in clients {
        connected.push((client, Connection::open(url).await?));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let begin = Instant::now();
    let mut working = JoinSet::new();
    for (client, connection) in connected {
        working.spawn(work(client, connection, begin + time, Arc::clone(&stop)));
    }
    let (mut count, mut turns) = (0, Vec::new());
    let mut failed = None;
    while let Some(done) = working.join_next().await {
        match done? {
            Ok((counted, took)) => {
                count += counted;
                turns.extend(took);
            }
            Err(error) => {
                stop.store(true, Ordering::Relaxed);
                failed.get_or_insert(error);
            }
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let elapsed = begin.elapsed();
    turns.sort_unstable();
    Ok(Outcome {
        count,
        elapsed,
        turns,
    })
}

async fn work<C: Client>(
    mut client: C,
    mut connection: Connection,
    end: Instant,
    stop: Arc<AtomicBool>,
) -> Result<(u64, Vec<Duration>), LoadError> {
    let (mut count, mut turns) = (0, Vec::new());
    let mut begin = Instant::now();
    while begin < end && !client.is_done() && !stop.load(Ordering::Relaxed) {
        count += client.turn(&mut connection).await?;
        let now = Instant::now();
        turns.push(now - begin);
        begin = now;
    }
    Ok((count, turns))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ask;

    impl Client for Ask {
        async fn turn(&mut self, connection: &mut Connection) -> Result<u64, LoadError> {
            connection.post("/", &[], "question").await.map(|_| 1)
        }
    }

    #[tokio::test]
    async fn every_answer_is_counted_and_a_refusal_ends_the_load() {
        let (url, server) = super::super::yardstick::empty_handler("answer".to_owned())
            .await
            .unwrap();
        let outcome = load(&url, Duration::from_millis(50), vec![Ask, Ask])
            .await
            .unwrap();
        assert!(outcome.count >= 2 && outcome.permille(0) <= outcome.permille(1000));
        server.abort();
        assert!(
            load(&url, Duration::from_secs(60), vec![Ask])
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn only_this_machine_is_loaded() {
        for url in [
            "http://192.0.2.1:80",
            "http://example.com:80",
            "http://0.0.0.0:1",
        ] {
            let refused = Connection::open(url).await.err().unwrap();
            assert!(matches!(refused, LoadError::NotLoopback(_)), "{url}");
        }
    }
}
