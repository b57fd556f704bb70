//! What the clients need besides the shop's own stack: machines of three kinds, queues and a topic.

use serde_json::{Value, json};

use crate::harness::Up;

const ROLE: &str = "arn:aws:iam::000000000000:role/crash";

pub(super) struct Stage {
    /// Runs to its end at once.
    pub(super) pass: String,
    /// Waits for a second.
    pub(super) wait: String,
    /// Waits for an answer to the token in `tokens`.
    pub(super) ask: String,
    /// Starts an execution of `child`, waits for its end and gives its output.
    pub(super) nest: String,
    /// Waits for a second.
    pub(super) child: String,
    /// Runs a Distributed Map over three items.
    pub(super) map: String,
    /// Starts an execution of `sleeper` and waits for its end, which does not come. Clients stop it.
    pub(super) stopped: String,
    pub(super) sleeper: String,
    pub(super) topic: String,
}

/// The queue of task tokens.
pub(super) const TOKENS: &str = "crash_tokens";
/// Clients send to it, receive and delete.
pub(super) const MAIL: &str = "crash_mail";
/// Gets what is published.
pub(super) const NEWS: &str = "crash_news";

impl Stage {
    /// Those whose executions all succeed.
    pub(super) fn machines(&self) -> [&str; 6] {
        [
            &self.pass,
            &self.wait,
            &self.ask,
            &self.nest,
            &self.child,
            &self.map,
        ]
    }

    pub(super) async fn set(up: &Up) -> Stage {
        // Little is left, so that the factory is asked from the first round on.
        let (status, answer) = up.buy(980).await;
        assert_eq!((status, answer["outcome"].as_str()), (200, Some("sold")));
        let sqs = up.sqs().await;
        for queue in [TOKENS, MAIL, NEWS] {
            // Short, so that what a killed client had in its hands comes back soon.
            let visibility = aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
            let create = sqs.create_queue().queue_name(queue);
            create.attributes(visibility, "2").send().await.unwrap();
        }
        let sns = aws_sdk_sns::Client::new(&up.sdk().await);
        let topic = sns.create_topic().name("crash_topic").send().await.unwrap();
        let topic = topic.topic_arn.unwrap();
        sns.subscribe()
            .topic_arn(&topic)
            .protocol("sqs")
            .endpoint(format!("arn:aws:sqs:us-east-1:000000000000:{NEWS}"))
            .attributes("RawMessageDelivery", "true")
            .send()
            .await
            .unwrap();
        let pass = json!({"Type": "Pass", "Next": "Last"});
        let wait = |seconds: u32| json!({"Type": "Wait", "Seconds": seconds, "Next": "Last"});
        let child = machine(up, "crash_child", &wait(1)).await;
        let sleeper = machine(up, "crash_sleeper", &wait(86_400)).await;
        Stage {
            nest: machine(up, "crash_nest", &nested(&child)).await,
            child,
            map: machine(up, "crash_map", &map()).await,
            stopped: machine(up, "crash_stopped", &nested(&sleeper)).await,
            sleeper,
            pass: machine(up, "crash_pass", &pass).await,
            wait: machine(up, "crash_wait", &wait(1)).await,
            ask: machine(
                up,
                "crash_ask",
                &json!({
                    "Type": "Task",
                    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                    "Arguments": {
                        "QueueUrl": up.queue_url(TOKENS),
                        "MessageBody": {
                            "token": "{% $states.context.Task.Token %}",
                            "execution": "{% $states.context.Execution.Id %}"
                        }
                    },
                    "Next": "Last",
                }),
            )
            .await,
            topic,
        }
    }
}

/// Waits for an execution of a machine with the same input; its output is the state's.
fn nested(machine: &str) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": machine, "Input": "{% $states.input %}"},
        "Output": "{% $states.result.Output %}",
        "Next": "Last",
    })
}

/// A child for each of three items; the first of their outputs, if there are three.
fn map() -> Value {
    json!({
        "Type": "Map",
        "Label": "Each",
        "Items": "{% [$states.input.n, 'two', 'three'] %}",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Same",
            "States": {"Same": {"Type": "Pass", "End": true}},
        },
        "Output": {"n": "{% $count($states.result) = 3 ? $states.result[0] : 'a child is lost' %}"},
        "Next": "Last",
    })
}

/// A machine whose first state is this one.
async fn machine(up: &Up, name: &str, first: &Value) -> String {
    let last = json!({"Type": "Pass", "End": true});
    let definition = json!({
        "QueryLanguage": "JSONata", "StartAt": "First", "States": {"First": first, "Last": last}
    });
    let create = up.sfn().await.create_state_machine().name(name);
    let create = create.definition(definition.to_string()).role_arn(ROLE);
    create.send().await.unwrap().state_machine_arn
}
