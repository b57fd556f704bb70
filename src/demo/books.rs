//! The last scene: nothing moves any more, and the books, the mail and the queues are gone through.

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use serde_json::json;
use tasks::alerts::{LABELS, labels};

use super::{Capability, DemoError, Stage};

/// Gathers what happened and checks every promise.
pub(super) async fn the_books_are_checked(stage: &mut Stage) -> Result<(), DemoError> {
    stage.report.scene("The books");
    stage.watch.settled().await?;
    mails(stage).await?;
    let executions = stage.watch.executions("reorder").await?;
    let succeeded = executions
        .iter()
        .filter(|it| it.status == ExecutionStatus::Succeeded);
    let succeeded = succeeded.count();
    let (report, all) = (&mut stage.report, executions.len());
    report.check(
        "every reorder succeeded in the end",
        succeeded == all,
        format!("{succeeded} of {all}"),
    );
    let overlaps = overlaps(&executions);
    report.check(
        "one reorder at a time",
        overlaps == 0,
        format!("{overlaps} overlap"),
    );

    let books = stage.watch.books().await?;
    report.tell(
        "stock",
        format!(
            "{} + {} arrived − {} sold = {}",
            books.initial, books.items_arrived, books.items_sold, books.stock
        ),
    );
    let broken = books.broken();
    let seen = if broken.is_empty() {
        format!(
            "{} orders, {} arrivals, {} reorders",
            books.orders_sold + books.orders_refused,
            books.arrivals,
            books.reorders
        )
    } else {
        broken.join("; ")
    };
    report.check(
        "stock = initial − sold + arrived, every arrival counted once",
        broken.is_empty(),
        seen,
    );
    let shown = stage.shop.look().await?.stock;
    report.check(
        "the API shows the stock of the books",
        shown == books.stock,
        format!("{shown}"),
    );
    let waiting = stage.watch.messages().await?;
    let waiting: Vec<_> = waiting
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    report.check(
        "no message is left in any queue",
        waiting.is_empty(),
        match waiting.is_empty() {
            true => "all are empty".to_owned(),
            false => format!("{waiting:?}"),
        },
    );
    Ok(())
}

/// What the advertising manager and operations were told.
async fn mails(stage: &mut Stage) -> Result<(), DemoError> {
    let mails = stage.watch.mails().await?;
    let about = |words: &'static str| mails.iter().filter(move |it| it.subject.contains(words));
    let stops: Vec<_> = about("Please stop the ads").collect();
    let resumes = about("The ads may resume").count();
    // A reorder that finds the stock back asks nobody; the others write when they ask and when it has arrived.
    let arrivals = stage.watch.books().await?.arrivals;
    let asked = usize::try_from(arrivals).unwrap_or_default();
    let report = &mut stage.report;
    report.check(
        "the ads were stopped and resumed once for each delivery",
        stops.len() == asked && resumes == asked,
        format!("{} stop, {resumes} resume, {asked} deliveries", stops.len()),
    );
    let words = [
        "CP-502101",
        "- 부족 수량: ",
        "- 다음 입고 예정: ",
        "- Missing: ",
        "- Next delivery: ",
    ];
    let complete = stops
        .iter()
        .all(|mail| words.iter().all(|it| mail.says(it)));
    // The first one cannot know when more comes; the later ones do.
    let foreseen = stops.iter().filter(|it| it.says("- Next delivery: about "));
    let foreseen = foreseen.count();
    let newest = stops.first();
    let evidence = json!({
        "stop": stops.len(), "resume": resumes, "with_an_expected_delivery": foreseen,
        "subject": newest.map(|it| &it.subject), "text": newest.map(|it| it.text())
    });
    report.show(Capability::AdsMail, complete && foreseen > 0, evidence);

    let alerts: Vec<_> = mails
        .iter()
        .filter(|it| labels(it.text()).first() == LABELS.first())
        .collect();
    let alike = alerts.iter().all(|it| labels(it.text()) == LABELS);
    let evidence = json!({
        "alerts": alerts.len(), "lines": LABELS, "texts": alerts.iter().map(|it| it.text()).collect::<Vec<_>>()
    });
    report.show(Capability::Alerts, alike && alerts.len() >= 3, evidence);
    Ok(())
}

/// Pairs of executions that ran at the same time. A reorder closes with its delivery, and its mail to resume the ads
/// may still be on its way when the next one opens; so only what overlaps for longer than a mail takes is counted.
fn overlaps(executions: &[ExecutionListItem]) -> usize {
    const MAIL_SECONDS: f64 = 5.0;
    let mut spans: Vec<_> = executions
        .iter()
        .filter_map(|e| Some((e.start_date.as_secs_f64(), e.stop_date?.as_secs_f64())))
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    spans
        .windows(2)
        .filter(|pair| pair[0].1 - pair[1].0 > MAIL_SECONDS)
        .count()
}
