//! Kills a busy installation at random moments and holds it to everything that it acknowledged.
//!
//! Clients buy, start executions (also such as start others, or run a Distributed Map) and stop them, answer task tokens, send,
//! receive and publish; each notes what was acknowledged. Then
//! comes SIGKILL, a restart, and the next round on the same data. At the end, with everything at rest, no acknowledged
//! fact may be missing or there twice (`check`).
//!
//! `RESTOCK_CRASH_KILLS` sets the number of kills (6), `RESTOCK_CRASH_SEED` repeats a run's moments, and
//! `RESTOCK_TEST_BINARY` names the program (a release build for a long run):
//!
//!     RESTOCK_CRASH_KILLS=200 RESTOCK_TEST_BINARY=target/release/restock cargo test --test e2e crash -- --nocapture

mod check;
mod clients;
mod facts;
mod stage;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::harness::Up;
use facts::Facts;
use stage::Stage;

const KILLS: u32 = 6;

/// When the kill comes, in milliseconds after the clients began: mostly in the middle of things.
const BUSY: std::ops::Range<u64> = 10..700;
/// One kill in so many comes while the installation starts, this many milliseconds after its process.
const AT_START: u32 = 6;
const STARTING: std::ops::Range<u64> = 0..120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_counted_twice() {
    let kills = setting("RESTOCK_CRASH_KILLS").map_or(KILLS, |n| u32::try_from(n).unwrap());
    let seed = setting("RESTOCK_CRASH_SEED").unwrap_or_else(rand::random);
    println!("{kills} kills; RESTOCK_CRASH_SEED={seed} repeats their moments");
    let mut moments = StdRng::seed_from_u64(seed);
    let begin = Instant::now();
    let mut up = Up::start_with(&["--factory-delay-ms", "100"]).await;
    let stage = Stage::set(&up).await;
    let facts = Facts::default();
    for round in 1..=kills {
        let after = Duration::from_millis(moments.random_range(BUSY));
        clients::until_killed(&mut up, &stage, &facts, round, after).await;
        if moments.random_ratio(1, AT_START) {
            let after = Duration::from_millis(moments.random_range(STARTING));
            up.start_and_kill(after).await;
        }
        up.restart().await;
        check::round(&up, &facts).await;
        if round % 10 == 0 || round == kills {
            println!("{round} kills after {:.1?}: {facts}", begin.elapsed());
        }
    }
    check::all(&up, &stage, &facts).await;
    println!("all facts stand after {:.1?}: {facts}", begin.elapsed());
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}
