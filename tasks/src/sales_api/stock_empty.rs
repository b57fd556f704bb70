//! The announcement that a checkout found too little stock: SNS `stock_empty`, in the original contract's
//! words. All attributes are of type String, and those without a value are left out: SNS refuses them.

use aws_sdk_sns::types::MessageAttributeValue;
use shop::checkout::Shortage;

use super::request::CheckoutRequest;
use crate::{app::App, error::Common};

/// The subject, as the original system sends it.
const SUBJECT: &str = "도너츠 재고 부족";

/// Publishes. The order's id goes along, so that one id can be followed from the request to the reorder.
pub(super) async fn publish(
    app: &App,
    shortage: &Shortage,
    request: &CheckoutRequest,
) -> Result<(), Common> {
    let topic = app.config.stock_empty_topic()?;
    let now = jiff::Timestamp::now();
    let message = format!(
        "도너츠 재고가 없습니다. 제품을 생산해주세요! \n메시지 작성 시각: {now:.0}\n주문 번호: {}",
        shortage.order_id
    );
    let mut publish = app
        .sns()
        .await
        .publish()
        .topic_arn(topic)
        .subject(SUBJECT)
        .message(message);
    for (name, value) in attributes(shortage, request) {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value)
            .build()
            .map_err(|error| Common::aws("SNS", "Publish", &error))?;
        publish = publish.message_attributes(name, value);
    }
    publish
        .send()
        .await
        .map_err(|error| Common::aws("SNS", "Publish", &error))?;
    Ok(())
}

fn attributes(shortage: &Shortage, request: &CheckoutRequest) -> Vec<(&'static str, String)> {
    let factory = request
        .factory_id
        .as_ref()
        .unwrap_or(&shortage.product.identifier);
    let all = [
        (
            "MessageAttributeProductId",
            shortage.product.product_id.clone(),
        ),
        ("MessageAttributeProductCnt", request.quantity.to_string()),
        ("MessageAttributeFactoryId", factory.clone()),
        (
            "MessageAttributeRequester",
            request.requester.clone().unwrap_or_default(),
        ),
        ("MessageAttributeOrderId", shortage.order_id.clone()),
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}
