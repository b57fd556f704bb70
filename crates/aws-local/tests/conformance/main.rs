//! How closely Step Functions here is AWS's: cases with recorded answers and histories, run over HTTP against a real engine.
//!
//! A case is a definition, an input, and what AWS answered. The project's own cases lie in `cases/`; the folder named by
//! `ASL_CASES` may hold more (`cases.jsonl`, one case a line). Every answer is compared down to event ids; what AWS makes up
//! (ids, times, tokens) is a placeholder in a recording and matches anything, but the same everywhere.
//!
//! `conformance.json` holds the last score of each set of cases it knows; a lower score fails the test, and so does an own
//! case that is not equal. `ASL_CASES_RECORD=1` writes the score, `ASL_CASES_SHOW=TEXT` says what differs in cases whose id
//! contains the text. Where to start: `run` (what is done with a case), `history` and `difference` (what equal means).

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, its helpers too"
)]

mod case;
mod deviations;
mod difference;
mod history;
mod normal;
mod placeholders;
mod run;
mod score;
mod tree;
mod wire;

use futures::StreamExt as _;

use self::case::Case;
use self::score::Score;
use self::wire::Wire;

/// Cases that run at once. Most of them wait most of the time.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_histories_are_those_of_aws() {
    let own = case::own();
    let score = run_all(&own).await;
    score.print("own cases");
    score.assert_all_equal();

    let Some(recorded) = case::recorded() else {
        return;
    };
    let score = run_all(&recorded).await;
    score.print("recorded cases");
    score.compare_with_last(&recorded);
}

async fn run_all(cases: &[Case]) -> Score {
    let wire = Wire::start(cases).await;
    let runs = cases
        .iter()
        .filter(|case| case.is_runnable())
        .enumerate()
        .map(|(number, case)| run::case(&wire, case, number));
    let results = futures::stream::iter(runs)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    wire.stop().await;
    Score::of(results)
}
