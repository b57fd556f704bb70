//! Changes through the console over a running installation, by the forms that its pages carry.

use serde_json::Value;

use crate::console::{FORM, assert_shows, shown};
use crate::harness::{Up, eventually};

/// Sends a form with the token of a page. Status and text of what follows.
async fn send(up: &Up, page: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token)
        .extend_pairs(fields)
        .finish();
    let answer = up
        .http
        .post(format!("{}{path}", up.console()))
        .header("content-type", FORM)
        .header("sec-fetch-site", "same-origin")
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn what_is_hidden_stays_hidden_in_forms_and_reaches_the_execution_again() {
    let up = Up::start().await;
    let sfn = up.sfn().await;
    let machine = sfn
        .create_state_machine()
        .name("echo")
        .role_arn("arn:aws:iam::000000000000:role/any")
        .definition(r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#)
        .send()
        .await
        .unwrap()
        .state_machine_arn;
    let input = r#"{"password":"hunter-2","n":1,"note":"<b>bold</b>"}"#;
    let origin = sfn
        .start_execution()
        .state_machine_arn(&machine)
        .input(input)
        .send()
        .await
        .unwrap()
        .execution_arn;
    let mut form = String::new();
    for path in [
        format!("/act/start?machine=echo&execution={origin}"),
        format!("/act/fork?execution={origin}&from=A"),
        format!("/executions/{origin}"),
    ] {
        form = shown(&up, &path).await + &form;
        assert_shows(&form, &["[hidden]", "&lt;b&gt;bold"]);
        assert!(!form.contains("hunter-2"), "{path}: {form}");
    }
    let start = async |input: &str| {
        let fields = [
            ("machine", "echo"),
            ("execution", origin.as_str()),
            ("input", input),
        ];
        send(&up, &form, "/act/start", &fields).await
    };
    let (status, text) = start(r#"{"elsewhere":"[hidden]"}"#).await;
    assert_eq!(status, 400);
    assert_shows(&text, &["at /elsewhere"]);
    let (status, _) = start(r#"{"password":"[hidden]","n":2}"#).await;
    assert_eq!(status, 200, "the run's page");
    let started = eventually("the second execution", async || {
        let list = sfn.list_executions().state_machine_arn(&machine);
        let list = list.send().await.unwrap().executions;
        list.into_iter().find(|e| e.execution_arn != origin)
    })
    .await;
    let told = sfn
        .describe_execution()
        .execution_arn(started.execution_arn)
        .send()
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(told.input.as_deref().unwrap()).unwrap(),
        serde_json::json!({"password": "hunter-2", "n": 2})
    );
    let audit = std::fs::read_to_string(up.data_dir().join("console-audit.jsonl")).unwrap();
    assert!(!audit.contains("hunter-2"), "{audit}");
}

#[tokio::test]
async fn dead_letters_are_looked_at_sent_back_and_deleted() {
    let up = Up::start().await;
    let sqs = up.sqs().await;
    let url = async |name: &str| {
        let answer = sqs.get_queue_url().queue_name(name).send().await.unwrap();
        answer.queue_url.unwrap()
    };
    let dead = url("stock_queue_dlq").await;
    let mut ids = Vec::new();
    for body in [r#"{"what":"first","token":"secret-1"}"#, "second <b>"] {
        let sent = sqs.send_message().queue_url(&dead).message_body(body);
        ids.push(sent.send().await.unwrap().message_id.unwrap());
    }
    let page = shown(&up, "/queues/stock_queue_dlq").await;
    assert_shows(&page, &["Look at its messages", "<b>2</b>to be received"]);
    let path = "/act/letters";
    let queue = ("queue", "stock_queue_dlq");
    for look in 1..=2 {
        let (status, letters) = send(&up, &page, path, &[queue, ("step", "look")]).await;
        assert_eq!(status, 200);
        assert_shows(
            &letters,
            &["first", "second &lt;b&gt;", "[hidden]", &format!("{look}×")],
        );
        assert!(!letters.contains("secret-1"));
    }
    // Looking took nothing away.
    let page = shown(&up, "/queues/stock_queue_dlq").await;
    assert_shows(&page, &["<b>2</b>to be received"]);

    let chosen = [queue, ("letter", ids[0].as_str()), ("fate", "return")];
    let (_, review) = send(&up, &page, path, &chosen).await;
    assert_shows(
        &review,
        &["Send 1 message(s) back to stock_queue: do it?", &ids[0]],
    );
    let go = [chosen.as_slice(), &[("step", "go")]].concat();
    let (_, run) = send(&up, &page, path, &go).await;
    assert_shows(&run, &["1 sent back to stock_queue"]);
    let go = [
        queue,
        ("letter", ids[1].as_str()),
        ("fate", "delete"),
        ("step", "go"),
    ];
    let (_, run) = send(&up, &page, path, &go).await;
    assert_shows(&run, &["1 deleted"]);
    let (_, run) = send(&up, &page, path, &go).await;
    assert_shows(&run, &["0 deleted; 1 were not in the queue any more"]);
    let page = shown(&up, "/queues/stock_queue_dlq").await;
    assert_shows(&page, &["<b>0</b>to be received"]);
    // Only dead letters are received for a look.
    let (status, _) = send(
        &up,
        &page,
        path,
        &[("queue", "stock_queue"), ("step", "look")],
    )
    .await;
    assert_eq!(status, 404);
    assert_shows(
        &shown(&up, "/audit").await,
        &["return", "delete", "1 deleted"],
    );
}
