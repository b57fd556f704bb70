//! EmailAds: tells the advertising manager to stop or resume a product's ads.
//!
//! Messages come from `ads_queue` with a task token, and each is answered through its token: sent, or
//! failed under a declared name when trying again is useless. What may pass is left to SQS, which
//! delivers the message again; after its last delivery it comes once more from the queue's own dead-letter
//! queue, and then its task fails with `Email.Undeliverable`.
//!
//! One mail of each kind per reorder: it is claimed before and noted after. SES cannot be asked whether
//! it sent something, so a crash exactly between may send that one mail a second time.

mod letter;

use std::time::Duration;

use aws_sdk_sesv2::{
    error::ProvideErrorMetadata,
    types::{Body, Content, Destination, EmailContent, Message},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::{
    Warehouse, arrival,
    mail::{self, Claim},
    product::{self, Product},
};
use tokio::time::Instant;

use crate::{
    app::App,
    declare_errors,
    error::{Common, TaskError, with_sources},
    sqs::{Batch, BatchAnswer, Record},
    tokens,
};

/// How long one run has a mail to itself: longer than the SDK waits for SES.
const LEASE: Duration = Duration::from_secs(15);

/// How often a run that finds the mail taken looks again. Whoever took it is sending right now, or was killed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A batch of `ads_queue`, or of its dead-letter queue; each body is a [`Request`].
pub type Input = Batch;

/// The messages that must come again.
pub type Output = BatchAnswer;

/// What the ads are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The product ran out.
    Stop,
    /// The product is back.
    Resume,
}

impl From<Action> for mail::Kind {
    fn from(action: Action) -> Self {
        match action {
            Action::Stop => Self::Stop,
            Action::Resume => Self::Resume,
        }
    }
}

/// What a state of the flow sends to `ads_queue`.
#[derive(Deserialize, JsonSchema)]
pub struct Request {
    /// `$states.context.Task.Token`
    pub task_token: String,
    /// Stop or resume.
    pub action: Action,
    /// The reorder of this execution.
    pub reorder_id: String,
    /// Its product.
    pub product_id: String,
    /// The refused order that opened it.
    pub order_id: Option<String>,
    /// Stop: items asked of the factory. Resume: items that came.
    pub quantity: Option<i64>,
    /// Items in the warehouse.
    pub stock: Option<i64>,
    /// By how many items the largest unmet order exceeds the stock.
    pub missing: Option<i64>,
}

/// The state's result, sent with the token.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sent {
    /// As in the request.
    pub action: Action,
    /// As in the request.
    pub reorder_id: String,
    /// As in the request.
    pub product_id: String,
    /// Whether this run sent the mail; false where an earlier one had.
    pub sent: bool,
    /// SES's id of the mail.
    pub message_id: String,
}

/// How the task fails, by its token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SES refuses this mail; another try would be refused as well.
    #[error("SES refuses the mail to the manager of {product_id}: {why}")]
    Rejected {
        /// Whose manager.
        product_id: String,
        /// What SES said.
        why: String,
    },
    /// Every delivery of the message failed.
    #[error(
        "the mail could not be sent after the queue's last delivery; the function's log says why"
    )]
    Undeliverable,
    /// The product has no row.
    #[error("there is no product {0}")]
    NoProduct(String),
    /// The reorder has no row.
    #[error("there is no reorder {0}")]
    NoReorder(String),
    /// Another run is sending this mail.
    #[error("another run is sending this mail")]
    Busy,
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error {
    Rejected => "Email.Rejected",
    Undeliverable => "Email.Undeliverable",
    NoProduct => "Product.NotFound",
    NoReorder => "Reorder.NotFound",
    Busy => "Email.Busy",
});

impl Error {
    /// Whether the message should come again instead of failing its task.
    fn may_pass(&self) -> bool {
        match self {
            Self::Busy => true,
            Self::Common(common) => !matches!(common, Common::InvalidInput(_)),
            _ => false,
        }
    }
}

/// Answers each message's token, or asks for the message again.
pub async fn handle(app: &App, batch: Input) -> Result<Output, Common> {
    let mut answer = BatchAnswer::default();
    for record in batch.records {
        if let Err(error) = settle(app, &record).await {
            let (name, cause) = (error.name(), with_sources(&error));
            tracing::error!(
                message_id = record.message_id,
                error = name,
                cause,
                "comes again"
            );
            answer.again(record.message_id);
        }
    }
    Ok(answer)
}

/// Handles one message. `Ok` when it is done with, however its task ended.
async fn settle(app: &App, record: &Record) -> Result<(), Common> {
    // A message without a token cannot be answered. It stays in its queue, where people find it.
    let request: Request = serde_json::from_str(&record.body)
        .map_err(|error| Common::InvalidInput(format!("not a message of ours: {error}")))?;
    let token = &request.task_token;
    let outcome = if record.is_from_dlq() {
        Err(Error::Undeliverable)
    } else if !tokens::still_waits(app, token).await? {
        tracing::warn!(
            reorder_id = request.reorder_id,
            "its task does not wait any more"
        );
        return Ok(());
    } else {
        send_once(app, &request).await
    };
    match outcome {
        Ok(sent) => {
            tracing::info!(
                reorder_id = request.reorder_id,
                order_id = request.order_id,
                product_id = request.product_id,
                action = ?request.action,
                sent = sent.sent,
                message_id = sent.message_id,
                "mail"
            );
            tokens::succeed(app, token, &sent).await?;
        }
        Err(error) if error.may_pass() => {
            return Err(match error {
                Error::Common(common) => common,
                other => Common::Aws {
                    service: "SES",
                    action: "SendEmail",
                    why: other.to_string(),
                },
            });
        }
        Err(error) => {
            let (name, cause) = (error.name(), error.to_string());
            tracing::error!(
                reorder_id = request.reorder_id,
                error = name,
                cause,
                "mail failed"
            );
            tokens::fail(app, token, name, &cause).await?;
        }
    }
    Ok(())
}

/// Sends the mail unless it was sent.
async fn send_once(app: &App, request: &Request) -> Result<Sent, Error> {
    let warehouse = app.warehouse()?;
    let product = match product::get(warehouse, &request.product_id).await {
        Err(shop::Error::NotFound { id, .. }) => return Err(Error::NoProduct(id)),
        other => other?,
    };
    let (reorder_id, kind) = (&request.reorder_id, request.action.into());
    let sent = |sent, message_id| Sent {
        action: request.action,
        reorder_id: reorder_id.clone(),
        product_id: request.product_id.clone(),
        sent,
        message_id,
    };
    match claim(warehouse, reorder_id, kind).await {
        Ok(Claim::Send) => {}
        Ok(Claim::Sent { message_id }) => return Ok(sent(false, message_id)),
        Ok(Claim::Busy) => return Err(Error::Busy),
        Err(shop::Error::NotFound { id, .. }) => return Err(Error::NoReorder(id)),
        Err(error) => return Err(error.into()),
    }
    let message_id = match send(app, request, &product).await {
        Ok(message_id) => message_id,
        Err(error) => {
            mail::release(warehouse, reorder_id, kind).await?;
            return Err(error);
        }
    };
    // The mail is out. If this note fails, the task must still succeed: repeating would send it again.
    if let Err(error) = mail::sent(warehouse, reorder_id, kind, &message_id).await {
        tracing::error!(
            reorder_id,
            error = with_sources(&error),
            "a sent mail was not noted"
        );
    }
    Ok(sent(true, message_id))
}

/// Claims the mail. One that another run has is waited for within this run: given back to the queue, the message would
/// stay hidden for minutes after a process was killed in the middle.
async fn claim(warehouse: &Warehouse, reorder_id: &str, kind: mail::Kind) -> shop::Result<Claim> {
    let give_up = Instant::now() + LEASE + LOOK_AGAIN;
    loop {
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let claim = mail::claim(warehouse, reorder_id, kind, lease).await?;
        if !matches!(claim, Claim::Busy) || Instant::now() > give_up {
            return Ok(claim);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn send(app: &App, request: &Request, product: &Product) -> Result<String, Error> {
    // Only the mail that stops the ads says when more comes.
    let expected = match request.action {
        Action::Stop => arrival::expected(app.warehouse()?, &request.reorder_id).await?,
        Action::Resume => None,
    };
    let letter = letter::write(request, product, expected);
    let text = |data: String| Content::builder().data(data).charset("UTF-8").build();
    let broken = |error: aws_sdk_sesv2::error::BuildError| Common::aws("SES", "SendEmail", &error);
    let body = Body::builder()
        .text(text(letter.body).map_err(broken)?)
        .build();
    let message = Message::builder()
        .subject(text(letter.subject).map_err(broken)?)
        .body(body)
        .build();
    let to = Destination::builder()
        .to_addresses(&product.manager_email)
        .build();
    let sent = app
        .ses()
        .await
        .send_email()
        .from_email_address(app.config.mail_from()?)
        .destination(to)
        .content(EmailContent::builder().simple(message).build())
        .send()
        .await;
    match sent {
        Ok(sent) => Ok(sent.message_id.unwrap_or_default()),
        Err(error) if refuses(error.code()) => Err(Error::Rejected {
            product_id: product.product_id.clone(),
            why: error
                .message()
                .or(error.code())
                .unwrap_or_default()
                .to_owned(),
        }),
        Err(error) => Err(Common::aws("SES", "SendEmail", &error).into()),
    }
}

/// The errors of SESv2 SendEmail that repeating does not mend. Limits, pauses and failures of the
/// service may pass.
fn refuses(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "AccountSuspendedException"
                | "BadRequestException"
                | "MailFromDomainNotVerifiedException"
                | "MessageRejected"
                | "NotFoundException"
        )
    )
}

#[cfg(test)]
mod tests;
