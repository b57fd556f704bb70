//! What `restock up` prints once everything listens: where, what there is to buy, and commands to paste.

use owo_colors::{OwoColorize, Stream};

use crate::local::Local;

pub(crate) fn up(local: &Local) -> String {
    let at = local.listening();
    let title = "restock is up"
        .if_supports_color(Stream::Stderr, |t| t.green())
        .to_string();
    let line = |name: &str, value: &str| format!("  {name:<12} {value}\n");
    let mut text = format!("\n{title}\n");
    text += &line("Sales API", &at.api);
    text += &line(
        "AWS endpoint",
        &format!(
            "{}  (Step Functions, SQS, SNS, SES, Lambda; any credentials)",
            at.aws
        ),
    );
    text += &line("Console", &at.console);
    text += &line("Factory", local.factory_url());
    text += &line("Marketing", local.marketing_url());
    text += &line("Data", &local.data_dir().path().display().to_string());
    text += &line("Workflows", local.workflows());
    text += &line("Product", local.product());
    text += "\nTry it:\n";
    let outage = at.factory.as_ref().map(|factory| {
        let comment = format!(
            "let the factory be down (then buy too much, and look: restock dlq list{}); \"none\" repairs it",
            endpoint(&at.aws)
        );
        (comment, change(factory, r#"{"fault":"rubbish"}"#))
    });
    let commands = [
        ("look".to_owned(), format!("curl {}/product/donut", at.api)),
        ("buy".to_owned(), checkout(&at.api, 3)),
        (
            "buy too much: a reorder starts".to_owned(),
            checkout(&at.api, 100_000),
        ),
        (
            "watch it".to_owned(),
            format!(
                "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION={} aws --endpoint-url {} stepfunctions list-executions --state-machine-arn {}",
                local.region(),
                at.aws,
                local.reorder_arn()
            ),
        ),
    ];
    for (comment, command) in commands.into_iter().chain(outage) {
        text += &format!(
            "  {}\n  {command}\n",
            format!("# {comment}").if_supports_color(Stream::Stderr, |t| t.dimmed())
        );
    }
    text
}

/// What the operators' verbs need to find an endpoint; nothing where they look by themselves.
fn endpoint(aws: &str) -> String {
    match aws == crate::operate::connect::LOCAL {
        true => String::new(),
        false => format!(" --endpoint-url {aws}"),
    }
}

fn change(simulated: &str, behaviour: &str) -> String {
    format!(
        "curl -X PATCH {simulated}/simulation -H 'content-type: application/json' -d '{behaviour}'"
    )
}

fn checkout(api: &str, count: u32) -> String {
    format!(
        "curl -X POST {api}/checkout -H 'content-type: application/json' -d '{{\"product_id\":\"CP-502101\",\"quantity\":{count}}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verbs_are_told_where_they_do_not_look() {
        assert_eq!(endpoint("http://127.0.0.1:4566"), "");
        assert_eq!(
            endpoint("http://127.0.0.1:9"),
            " --endpoint-url http://127.0.0.1:9"
        );
    }
}
