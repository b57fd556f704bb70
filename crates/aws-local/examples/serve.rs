//! Serves the queues, topics, mails and state machines of a data directory on loopback: `serve PORT DIRECTORY [MOCK_CONFIG]`. For trying the wire by hand.

use std::{error::Error, path::PathBuf, sync::Arc};

use aws_local::{Options, Server, mock::Mocks};
use engine::{Engine, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(directory)) = (arguments.next(), arguments.next()) else {
        return Err("use: serve PORT DIRECTORY [MOCK_CONFIG]".into());
    };
    let mocks = match arguments.next() {
        Some(file) => Mocks::read(&std::fs::read_to_string(file)?)?,
        None => Mocks::default(),
    };
    let data_dir = PathBuf::from(directory);
    let settings = Settings::default();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?;
    let options = Options {
        public_url: format!("http://{}", listener.local_addr()?),
        data_dir: data_dir.clone(),
        endpoints: aws_local::runner::aws_sdk::Endpoints::read(|name| std::env::var(name).ok())?,
    };
    let engine = Engine::open(&data_dir, settings)?;
    let server = Server::open_mocked(&engine, options, Arc::new(mocks)).await?;
    engine.start(server.runner())?;
    eprintln!("listening on {}", listener.local_addr()?);
    axum::serve(listener, server.router())
        .with_graceful_shutdown(async {
            // Without a signal handler the process ends at once, which is safe too.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    server.shutdown().await;
    engine.shutdown().await;
    Ok(())
}
