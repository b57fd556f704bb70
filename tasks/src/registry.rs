//! Every task in one table: what it is called, what it takes and gives, how it fails, what it needs.
//!
//! `restock task <name>`, the static checks of the definitions, the documents and the Lambda binary read
//! it. A new task is its own file, its line here, and its row in `workflows/stack.json`.

use std::{future::Future, pin::Pin, sync::Arc};

use schemars::Schema;
use serde_json::Value;

use crate::{
    app::App,
    config::Variable::{self, *},
    error::{Common, Failure, TaskError},
};

/// A running handler with its types erased.
pub type Handling = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

/// One line of the table.
pub struct Task {
    /// The function's name, as in `workflows/stack.json`.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// The variables without which it does not start.
    pub variables: &'static [Variable],
    /// JSON Schema of its input.
    pub input: fn() -> Schema,
    /// JSON Schema of its output.
    pub output: fn() -> Schema,
    /// Every error name it may end with.
    pub errors: fn() -> Vec<&'static str>,
    /// Runs it on one event.
    pub handle: fn(Arc<App>, Value) -> Handling,
}

impl Task {
    /// Whether its events are HTTP requests (described by the OpenAPI document and not by its schema).
    pub fn serves_http(&self) -> bool {
        matches!(self.name, "sales_api" | "factory_callback")
    }

    /// JSON Schema of the message that a workflow sends to it through a queue.
    pub fn message(&self) -> Option<Schema> {
        match self.name {
            "email_ads" => Some(schemars::schema_for!(crate::email_ads::Request)),
            _ => None,
        }
    }

    /// JSON Schema of what it answers a task token with.
    pub fn token_answer(&self) -> Option<Schema> {
        match self.name {
            "await_callback" => Some(schemars::schema_for!(crate::await_callback::Delivered)),
            "email_ads" => Some(schemars::schema_for!(crate::email_ads::Sent)),
            _ => None,
        }
    }
}

macro_rules! task {
    ($name:ident [$($variable:ident),*] $about:literal) => {
        Task {
            name: stringify!($name),
            about: $about,
            variables: &[$($variable),*],
            input: || schemars::schema_for!(crate::$name::Input),
            output: || schemars::schema_for!(crate::$name::Output),
            errors: || [<crate::$name::Error as TaskError>::NAMES, Common::NAMES].concat(),
            handle: |app, payload| Box::pin(async move {
                let input = serde_json::from_value(payload)
                    .map_err(|error| Common::InvalidInput(error.to_string()))?;
                let output: crate::$name::Output = crate::$name::handle(&app, input).await?;
                let output = serde_json::to_value(output)
                    .map_err(|error| Common::InvalidInput(error.to_string()))?;
                Ok(output)
            }),
        }
    };
}

/// The tasks.
#[rustfmt::skip]
pub static TASKS: &[Task] = &[
    task!(sales_api [DatabaseUrl, StockEmptyTopic, OrderPlacedTopic, VipMode] "The shop's HTTP API: look, buy, follow an order"),
    task!(start_reorder [DatabaseUrl, ReorderStateMachine] "Refused checkouts from stock_queue become one open reorder per product"),
    task!(check_stock [DatabaseUrl] "Is the reorder still needed, and how much?"),
    task!(request_factory [DatabaseUrl, FactoryUrl, CallbackUrl, CallbackKey] "Asks the factory, as a new attempt"),
    task!(await_callback [DatabaseUrl] "Leaves the task token where the arrival of an attempt finds it"),
    task!(factory_callback [DatabaseUrl, CallbackKey, OpsAlertsTopic, ReorderStateMachine] "The factory delivers; swept once a minute for what a crash left"),
    task!(increase_stock [DatabaseUrl, OpsAlertsTopic, ReorderStateMachine] "Counts an arrival into the stock, once, and closes the reorder"),
    task!(email_ads [DatabaseUrl, MailFrom] "Tells the advertising manager to stop or resume the ads"),
    task!(relay_outbox [DatabaseUrl, OrderPlacedTopic, VipMode] "Publishes sales to customers from the outbox, in order, each at least once"),
    task!(start_vip [VipStateMachine] "An order from vip_queue becomes one execution, named by the order"),
    task!(upgrade_tier [CustomersUrl, VipThreshold] "A bulk buyer becomes a VIP, once and for good"),
    task!(sync_marketing [MarketingUrl] "Hands a VIP to the marketing system, once by its key"),
    task!(migrate [DatabaseUrl, CustomersUrl] "Brings both databases to this version's schema; a deploy runs it first"),
];

/// JSON Schema of the input with which a task starts the executions of a state machine; none where no task does.
pub fn execution_input(state_machine: &str) -> Option<Schema> {
    match state_machine {
        "reorder" => Some(schemars::schema_for!(shop::reorder::ReorderInput)),
        "vip" => Some(schemars::schema_for!(crate::upgrade_tier::Input)),
        _ => None,
    }
}

/// The task of this name.
pub fn find(name: &str) -> Option<&'static Task> {
    TASKS.iter().find(|task| task.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_names_schemas_and_declared_errors() {
        for task in TASKS {
            assert!(
                (task.errors)().contains(&"Warehouse.Unavailable"),
                "{}",
                task.name
            );
            for name in (task.errors)() {
                assert!(
                    name.split('.').count() == 2,
                    "{name} is not Subject.Problem"
                );
            }
            assert!(
                (task.input)().as_value().is_object() || task.serves_http(),
                "{}",
                task.name
            );
            (task.output)();
            assert!(std::ptr::eq(find(task.name).unwrap(), task));
        }
    }
}
