//! `GET /openapi.json`: the API described from the types that serve it.
//!
//! Every route, every status and every body is here; what is not here, the API does not answer.

use axum::Json;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{checkout::CheckoutAnswer, orders::OrderView, products::ProductView, request};
use crate::{
    factory::Delivery, factory_callback::CallbackAnswer, http::BODY_LIMIT, problem::ErrorBody,
};

/// Serves the document.
pub(super) async fn serve() -> Json<Value> {
    Json(document())
}

/// The OpenAPI 3.1 document of the Sales API.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut types = Types(settings.into_generator());
    let paths = paths(&mut types);
    let schemas = types.0.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Donut-States Sales API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sells donuts. A checkout that finds too little stock has the factory asked for more.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "paths": paths,
        "components": {"schemas": schemas}
    })
}

fn paths(types: &mut Types) -> Value {
    let product = types.body::<ProductView>("The product.");
    let products = types.body::<Vec<ProductView>>("All products, by SKU.");
    let order = types.body::<OrderView>("The order as it was answered.");
    let checkout =
        types.body::<CheckoutAnswer>("Bought, or refused because the stock is too small.");
    let delivered = types.body::<CallbackAnswer>("The delivery is recorded, now or earlier.");
    let bad = types.body::<ErrorBody>("Something in the request is wrong; `field` names it.");
    let error = types.body::<ErrorBody>("See `message`.");
    let mut unavailable =
        types.body::<ErrorBody>("Not possible right now; nothing half-done is left.");
    unavailable["headers"] = json!({
        "Retry-After": {"description": "Seconds to wait.", "required": true, "schema": {"type": "integer", "minimum": 0}}
    });
    let anything = answer("As the description says.", json!({"type": "object"}));
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "The same key gives the same answer, and buys once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": request::LONGEST_KEY, "pattern": "^[!-~]+$"}
    });
    let checkout_body = types.request::<request::CheckoutRequest>();
    let delivery_body = types.request::<Delivery>();

    json!({
        "/product/donut": {"get": {
            "operationId": "getDonut", "summary": "The donut, CP-502101",
            "responses": {"200": product, "400": bad, "503": unavailable}
        }},
        "/products": {"get": {
            "operationId": "listProducts", "summary": "All products",
            "responses": {"200": products, "503": unavailable}
        }},
        "/products/{id}": {"get": {
            "operationId": "getProduct", "summary": "One product by its SKU",
            "parameters": [path_parameter("id", "SKU, for example CP-502101")],
            "responses": {"200": product, "400": bad, "404": error, "503": unavailable}
        }},
        "/checkout": {"post": {
            "operationId": "checkout", "summary": "Buy",
            "description": format!("Refusing for lack of stock is a 200 too: the original contract has it so. A body may have {BODY_LIMIT} bytes."),
            "parameters": [key],
            "requestBody": checkout_body,
            "responses": {
                "200": checkout, "400": bad, "409": error, "413": error, "415": error, "503": unavailable
            }
        }},
        "/orders/{id}": {"get": {
            "operationId": "getOrder", "summary": "One order by the order_id of its checkout",
            "parameters": [path_parameter("id", "order_id")],
            "responses": {"200": order, "400": bad, "404": error, "503": unavailable}
        }},
        "/factory/callbacks/{attempt}": {"post": {
            "operationId": "factoryCallback", "summary": "The factory delivers; only with a URL that we signed",
            "parameters": [
                path_parameter("attempt", "The attempt that is delivered"),
                {"name": "sig", "in": "query", "required": true, "description": "Our signature of the attempt", "schema": {"type": "string"}}
            ],
            "requestBody": delivery_body,
            "responses": {
                "200": delivered, "400": bad, "403": error, "404": error, "413": error, "415": error, "503": unavailable
            }
        }},
        "/openapi.json": {"get": {
            "operationId": "getOpenApi", "summary": "This document", "responses": {"200": anything}
        }},
        "/health": {"get": {
            "operationId": "getHealth", "summary": "Whether the process serves",
            "responses": {"200": answer("It does.", json!({
                "type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}
            }))}
        }}
    })
}

fn path_parameter(name: &str, description: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": description,
        "schema": {"type": "string", "minLength": 1}
    })
}

fn answer(description: &str, schema: Value) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}

/// Types on their way into `components/schemas`.
struct Types(SchemaGenerator);

impl Types {
    fn body<T: JsonSchema>(&mut self, description: &str) -> Value {
        answer(description, self.0.subschema_for::<T>().to_value())
    }

    fn request<T: JsonSchema>(&mut self) -> Value {
        let mut content = Map::new();
        let schema = self.0.subschema_for::<T>().to_value();
        content.insert("application/json".to_owned(), json!({"schema": schema}));
        json!({"required": true, "content": content})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in `value`.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(target)) = object.get("$ref") {
                    found.push(target.clone());
                }
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(
            found
                .iter()
                .any(|target| target.ends_with("/CheckoutRequest")),
            "{found:?}"
        );
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }

    #[test]
    fn every_unavailable_answer_says_when_to_come_back() {
        let document = document();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if let Some(answer) = operation["responses"].get("503") {
                    assert!(
                        answer["headers"]["Retry-After"].is_object(),
                        "{method} {path}"
                    );
                }
            }
        }
    }
}
