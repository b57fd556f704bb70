//! `GetExecutionHistory`.

use asl::{Entry, HistoryEvent};
use serde::{Deserialize, Serialize};

use super::page::Asked;
use super::validate::{ARN, Check, PAGE_TOKEN};
use super::{Answer, StepFunctions, arn, executions};
use crate::protocol::json::answer;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetExecutionHistory {
    execution_arn: Option<String>,
    max_results: Option<i64>,
    reverse_order: Option<bool>,
    next_token: Option<String>,
    include_execution_data: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct History<'a> {
    events: Vec<HistoryEvent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl StepFunctions {
    pub(super) async fn get_execution_history(&self, request: GetExecutionHistory) -> Answer {
        let mut check = Check::default();
        let arn = check.required("executionArn", request.execution_arn, ARN);
        let asked = Asked::check(
            &mut check,
            request.max_results,
            request.next_token,
            PAGE_TOKEN,
        );
        check.done()?;
        arn::execution(&arn)?;
        self.refuse_express_child(&arn).await?;
        let reverse = request.reverse_order.unwrap_or_default();
        let order = if reverse { "reverse" } else { "" };
        let page = asked.of(&["GetExecutionHistory", &arn, order])?;
        let found = self
            .engine
            .executions()
            .history(&arn, reverse, page.part())
            .await;
        let found = found.map_err(|error| executions::failure(error, &arn))?;
        let with_data = request.include_execution_data.unwrap_or(true);
        let events = found.items.iter().filter_map(Entry::history);
        answer(&History {
            events: events
                .map(|event| {
                    if with_data {
                        event
                    } else {
                        event.without_data()
                    }
                })
                .collect(),
            next_token: found.next.map(|cursor| page.token(&cursor)),
        })
    }
}
