//! `restock bench`: how fast this program is on this machine, each figure next to a yardstick measured in the same run.
//!
//! A figure alone says more about the machine than about the program; its ratio to a yardstick (a raw insert into SQLite, an
//! empty HTTP handler, a bare loop of the same statements) can be compared. A slow machine is no failure: only a wrong answer
//! is an error here.
//!
//! Start reading at [`run`]; a part is a file: `engine`, `start`, `lambda`, `queues`, `checkout`, `waiting`, `up`, `growth`.

mod checkout;
mod engine;
mod figure;
mod growth;
mod lambda;
mod load;
mod memory;
mod queues;
mod start;
mod up;
mod waiting;
mod yardstick;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::cli::BenchArgs;
use crate::terminal;
pub(crate) use figure::{Figure, table};
pub(crate) use lambda::echo;

/// Why there is no figure: something did not work, or gave a wrong answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("there is no part {name:?} to measure; the parts are {known}")]
    UnknownPart { name: String, known: String },
    #[error(transparent)]
    Child(#[from] crate::demo::ChildError),
    #[error("the shop failed: {0}")]
    Shop(#[from] shop::Error),
    #[error("the loader failed: {0}")]
    Load(#[from] load::LoadError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{what} failed: {why}")]
    Step { what: &'static str, why: String },
    #[error("wrong answer: {0}")]
    Wrong(String),
}

/// Attaches the name of a step to whatever went wrong in it.
fn in_step<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> BenchError {
    move |error| BenchError::Step {
        what,
        why: error.to_string(),
    }
}

/// What every part is told.
#[derive(Clone)]
struct Plan {
    /// How long one figure is measured.
    time: Duration,
    /// An empty MySQL database to measure checkouts on, too; secret.
    mysql_url: Option<String>,
}

type Measured = Pin<Box<dyn Future<Output = Result<Vec<Figure>, BenchError>>>>;
type Part = (&'static str, fn(Plan) -> Measured);

/// In the order in which they are measured: what fills memory comes late.
const PARTS: [Part; 8] = [
    ("engine", |plan| Box::pin(engine::measure(plan))),
    ("start", |plan| Box::pin(start::measure(plan))),
    ("lambda", |plan| Box::pin(lambda::measure(plan))),
    ("queues", |plan| Box::pin(queues::measure(plan))),
    ("checkout", |plan| Box::pin(checkout::measure(plan))),
    ("up", |plan| Box::pin(up::measure(plan))),
    ("waiting", |plan| Box::pin(waiting::measure(plan))),
    ("growth", |plan| Box::pin(growth::measure(plan))),
];

/// Measures the parts that are named, or all.
pub(crate) async fn run(args: &BenchArgs) -> Result<Vec<Figure>, BenchError> {
    for name in &args.parts {
        if !PARTS.iter().any(|(part, _)| part == name) {
            let known: Vec<_> = PARTS.iter().map(|(part, _)| *part).collect();
            return Err(BenchError::UnknownPart {
                name: name.clone(),
                known: known.join(", "),
            });
        }
    }
    let plan = Plan {
        time: Duration::from_secs(args.seconds.into()),
        mysql_url: args.mysql_url.clone(),
    };
    let mut figures = Vec::new();
    for (name, measure) in PARTS {
        if args.parts.is_empty() || args.parts.iter().any(|part| part == name) {
            terminal::say(&format!("measuring {name} …"));
            for figure in measure(plan.clone()).await? {
                terminal::say(&format!("  {figure}"));
                figures.push(figure);
            }
        }
    }
    Ok(figures)
}
