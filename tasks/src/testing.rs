//! What the tests of this package share: a real warehouse on SQLite, and AWS endpoints that answer as
//! told and remember what they were asked.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use shop::{
    Customers, Warehouse, arrival,
    attempt::{self, Request},
    reorder::{self, Reorder},
};

use crate::{app::App, config::Config};

/// The seeded product.
pub(crate) const DONUT: &str = "CP-502101";

/// A callback key for tests.
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Serves a router on a free loopback port until the test's runtime ends; returns its base URL.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A shop with one seeded product (1,000 donuts), its AWS and its factory.
pub(crate) struct Shop {
    pub(crate) app: Arc<App>,
    pub(crate) aws: Aws,
    _dir: tempfile::TempDir,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    /// A shop whose factory is at this URL.
    pub(crate) async fn with_factory(factory_url: &str) -> Self {
        Self::with(&[("RESTOCK_FACTORY_URL", factory_url)]).await
    }

    /// A shop whose marketing system is at this URL.
    pub(crate) async fn with_marketing(marketing_url: &str) -> Self {
        Self::with(&[("RESTOCK_MARKETING_URL", marketing_url)]).await
    }

    /// A shop with these settings besides the usual ones.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("warehouse.db").display());
        let warehouse = Warehouse::open(&url, 4).unwrap();
        warehouse.migrate().await.unwrap();
        warehouse.seed().await.unwrap();
        let customers_url = format!("sqlite://{}", dir.path().join("customers.db").display());
        let customers = Customers::open(&customers_url, 2).unwrap();
        customers.migrate().await.unwrap();
        customers.seed().await.unwrap();
        customers.close().await;
        let aws = Aws::start().await;
        let config = Config::read(
            |name| {
                if let Some((_, value)) = settings.iter().find(|(set, _)| *set == name) {
                    return Some((*value).to_owned());
                }
                Some(match name {
                    "RESTOCK_DATABASE_URL" => url.clone(),
                    "RESTOCK_CUSTOMERS_URL" => customers_url.clone(),
                    "RESTOCK_FACTORY_URL" => "http://127.0.0.1:9".to_owned(),
                    "RESTOCK_ORDER_PLACED_TOPIC_ARN" => topic("order_placed"),
                    "RESTOCK_VIP_STATE_MACHINE_ARN" => {
                        "arn:aws:states:us-east-1:000000000000:stateMachine:vip".to_owned()
                    }
                    "RESTOCK_CALLBACK_URL" => "http://shop.example".to_owned(),
                    "RESTOCK_CALLBACK_KEY" => KEY.to_owned(),
                    "RESTOCK_STOCK_EMPTY_TOPIC_ARN" => topic("stock_empty"),
                    "RESTOCK_OPS_ALERTS_TOPIC_ARN" => topic("ops_alerts"),
                    "RESTOCK_REORDER_STATE_MACHINE_ARN" => {
                        "arn:aws:states:us-east-1:000000000000:stateMachine:reorder".to_owned()
                    }
                    "RESTOCK_MAIL_FROM" => "shop@donut-states.example".to_owned(),
                    _ => return None,
                })
            },
            &[],
        )
        .unwrap();
        let app = App::new(config)
            .with_warehouse(warehouse)
            .with_aws(aws.config().await);
        Self {
            app: Arc::new(app),
            aws,
            _dir: dir,
        }
    }

    pub(crate) fn warehouse(&self) -> &Warehouse {
        self.app.warehouse().unwrap()
    }

    pub(crate) async fn stock(&self) -> i64 {
        shop::product::get(self.warehouse(), DONUT)
            .await
            .unwrap()
            .stock
    }

    /// Claims the donut's reorder for an unmet count.
    pub(crate) async fn claim(&self, count: i64) -> Reorder {
        let claim = reorder::claim(self.warehouse(), DONUT, count)
            .await
            .unwrap();
        claim.reorder
    }

    /// A new attempt of a reorder.
    pub(crate) async fn attempt(&self, reorder_id: &str) -> String {
        match attempt::request(self.warehouse(), reorder_id)
            .await
            .unwrap()
        {
            Request::Ask(attempt) => attempt.attempt_id,
            other => panic!("no attempt: {other:?}"),
        }
    }

    /// A whole delivery of a reorder, counted.
    pub(crate) async fn deliver(&self, reorder_id: &str, count: i64) {
        let attempt_id = self.attempt(reorder_id).await;
        arrival::record(self.warehouse(), &attempt_id, count)
            .await
            .unwrap();
        arrival::apply(self.warehouse(), &attempt_id).await.unwrap();
    }
}

fn topic(name: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:{name}")
}

/// One request that [`Aws`] got: SNS's form as an object of texts, the others' JSON as it was.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) action: String,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    errors: HashMap<String, VecDeque<(u16, String)>>,
    refused_entries: VecDeque<String>,
}

/// SNS, SES and Step Functions in one: takes everything, unless told to fail.
#[derive(Clone)]
pub(crate) struct Aws {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Aws {
    async fn start() -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let router = Router::new().fallback(answer).with_state(seen.clone());
        let url = serve(router).await;
        Self { url, seen }
    }

    async fn config(&self) -> aws_config::SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(&self.url)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await
    }

    /// The next call of this action fails so. The SDK repeats 5xx and throttling up to three times.
    pub(crate) fn fail_next(&self, action: &str, status: u16, code: &str) {
        let mut seen = self.seen.lock().unwrap();
        let errors = seen.errors.entry(action.to_owned()).or_default();
        errors.push_back((status, code.to_owned()));
    }

    /// Every try of the next call of this action gets a 500.
    pub(crate) fn break_next(&self, action: &str) {
        for _ in 0..3 {
            self.fail_next(action, 500, "InternalFailure");
        }
    }

    /// The next PublishBatch takes all entries but the one with this id.
    pub(crate) fn refuse_entry(&self, id: &str) {
        let mut seen = self.seen.lock().unwrap();
        seen.refused_entries.push_back(id.to_owned());
    }

    /// The bodies of all calls of one action so far.
    pub(crate) fn calls(&self, action: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        let calls = seen.calls.iter().filter(|call| call.action == action);
        calls.map(|call| call.body.clone()).collect()
    }
}

async fn answer(
    State(seen): State<Arc<Mutex<Seen>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers
        .get("x-amz-target")
        .map(|target| target.to_str().unwrap());
    let (action, body) = match target {
        Some(target) => {
            let (_, action) = target.split_once('.').unwrap();
            (action.to_owned(), serde_json::from_slice(&body).unwrap())
        }
        None if uri.path().starts_with("/v2/email") => (
            "SendEmail".to_owned(),
            serde_json::from_slice(&body).unwrap(),
        ),
        None => {
            let url = format!("http://sns/?{}", std::str::from_utf8(&body).unwrap());
            let url = reqwest::Url::parse(&url).unwrap();
            let form = url
                .query_pairs()
                .map(|(name, value)| (name.into(), value.into()));
            let form: Map<String, Value> = form.collect();
            (
                form["Action"].as_str().unwrap().to_owned(),
                Value::Object(form),
            )
        }
    };
    let mut seen = seen.lock().unwrap();
    let error = seen.errors.get_mut(&action).and_then(VecDeque::pop_front);
    let entries = match action.as_str() {
        "PublishBatch" if error.is_none() => {
            let refused = seen.refused_entries.pop_front();
            published_entries(&body, refused.as_deref())
        }
        _ => String::new(),
    };
    seen.calls.push(Call {
        action: action.clone(),
        body,
    });
    let number = seen.calls.len();
    match error {
        Some((status, code)) => {
            let status = StatusCode::from_u16(status).unwrap();
            let xml = format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
            match action.as_str() {
                "Publish" | "PublishBatch" => (status, xml).into_response(),
                _ => {
                    let kind = [("x-amzn-errortype", code.clone())];
                    (status, kind, Json(json!({"__type": code, "message": "as told"}))).into_response()
                }
            }
        }
        None => match action.as_str() {
            "Publish" => format!(
                "<PublishResponse><PublishResult><MessageId>sns-{number}</MessageId></PublishResult></PublishResponse>"
            )
            .into_response(),
            "PublishBatch" => format!(
                "<PublishBatchResponse><PublishBatchResult>{entries}</PublishBatchResult></PublishBatchResponse>"
            )
            .into_response(),
            "SendEmail" => Json(json!({"MessageId": format!("ses-{number}")})).into_response(),
            "StartExecution" => {
                Json(json!({"executionArn": "arn:aws:states:::x", "startDate": 1.5})).into_response()
            }
            _ => Json(json!({})).into_response(),
        },
    }
}

/// The result of a PublishBatch of which one entry is refused.
fn published_entries(form: &Value, refused: Option<&str>) -> String {
    let id = |number| form[format!("PublishBatchRequestEntries.member.{number}.Id")].as_str();
    let (mut taken, mut failed) = (String::new(), String::new());
    for id in (1..).map_while(id) {
        if refused == Some(id) {
            failed += &format!(
                "<member><Id>{id}</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>"
            );
        } else {
            taken += &format!("<member><Id>{id}</Id><MessageId>sns-{id}</MessageId></member>");
        }
    }
    format!("<Successful>{taken}</Successful><Failed>{failed}</Failed>")
}
