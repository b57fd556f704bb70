//! What `POST /checkout` takes: parsed once, by a table of names, into values that cannot be wrong.
//!
//! Each value has the name of the original contract and clean aliases; a request uses one of them. The
//! JSON Schema in the OpenAPI document comes from the same table.

use std::borrow::Cow;

use axum::http::HeaderMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::{problem::Problem, quantity::Quantity};

/// The product that a checkout without a product means.
pub(super) const DEFAULT_PRODUCT: &str = "CP-502101";

/// The header that makes a checkout repeatable.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The longest idempotency key, in characters.
pub(super) const LONGEST_KEY: usize = 255;

const QUANTITY: &[&str] = &[
    "MessageAttributeProductCnt",
    "quantity",
    "product_cnt",
    "count",
];

/// An optional text of a request.
struct Text {
    names: &'static [&'static str],
    /// The most characters.
    most: usize,
    about: &'static str,
}

const PRODUCT: Text = Text {
    names: &["MessageAttributeProductId", "product_id"],
    most: 64,
    about: "The product; CP-502101 if absent.",
};
const FACTORY: Text = Text {
    names: &["MessageAttributeFactoryId", "factory_id"],
    most: 64,
    about: "The factory, as the client knows it; the product's own if absent.",
};
const REQUESTER: Text = Text {
    names: &["requester"],
    most: 200,
    about: "Who asks.",
};
const CUSTOMER: Text = Text {
    names: &["customer_id"],
    most: 64,
    about: "The customer who buys.",
};

/// A checkout that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckoutRequest {
    /// The product's SKU.
    pub product_id: String,
    /// How many.
    pub quantity: Quantity,
    /// The factory, as the client names it.
    pub factory_id: Option<String>,
    /// Who asks.
    pub requester: Option<String>,
    /// The customer who buys.
    pub customer_id: Option<String>,
}

impl CheckoutRequest {
    /// Reads the body of a request.
    pub(super) fn parse(body: &Map<String, Value>) -> Result<Self, Problem> {
        let Some((name, value)) = one_of(body, QUANTITY)? else {
            return Err(Problem::field(
                QUANTITY[0],
                format!("{} is missing: say how many to buy.", QUANTITY[0]),
            ));
        };
        let quantity = Quantity::parse(value)
            .map_err(|error| Problem::field(name, format!("{name} {error}.")))?;
        Ok(Self {
            product_id: text(body, &PRODUCT)?.unwrap_or_else(|| DEFAULT_PRODUCT.to_owned()),
            quantity,
            factory_id: text(body, &FACTORY)?,
            requester: text(body, &REQUESTER)?,
            customer_id: text(body, &CUSTOMER)?,
        })
    }
}

/// Reads the `Idempotency-Key` header: printable ASCII, at most [`LONGEST_KEY`] characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let wrong = || {
        let message = format!(
            "Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters without spaces, and given once."
        );
        Problem::field("Idempotency-Key", message)
    };
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let bytes = key.as_bytes();
    let fits = (1..=LONGEST_KEY).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    if !fits || given.next().is_some() {
        return Err(wrong());
    }
    key.to_str()
        .map(|key| Some(key.to_owned()))
        .map_err(|_| wrong())
}

/// The value under one of these names. Two names for one value contradict each other or say it twice;
/// neither is guessed at.
fn one_of<'a>(
    body: &'a Map<String, Value>,
    names: &[&'static str],
) -> Result<Option<(&'static str, &'a Value)>, Problem> {
    let mut given = names
        .iter()
        .filter_map(|name| body.get(*name).map(|value| (*name, value)));
    let first = given.next();
    if let (Some((name, _)), Some((other, _))) = (first, given.next()) {
        let message = format!("{other} and {name} mean the same; send one of them.");
        return Err(Problem::field(other, message));
    }
    Ok(first)
}

/// An optional text: absent, null and empty are the same.
fn text(body: &Map<String, Value>, text: &Text) -> Result<Option<String>, Problem> {
    let Some((name, value)) = one_of(body, text.names)? else {
        return Ok(None);
    };
    let problem = |what: &str| Problem::field(name, format!("{name} {what}."));
    match value {
        Value::Null => Ok(None),
        Value::String(given) if given.is_empty() => Ok(None),
        Value::String(given) if given.chars().count() > text.most => Err(problem(&format!(
            "must have at most {} characters",
            text.most
        ))),
        Value::String(given) if given.contains(unprintable) => {
            Err(problem("must not contain control characters"))
        }
        Value::String(given) => Ok(Some(given.clone())),
        _ => Err(problem("must be a text")),
    }
}

/// What SNS and SQS refuse in a value, and what has no place in an id.
fn unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')
}

impl JsonSchema for CheckoutRequest {
    fn schema_name() -> Cow<'static, str> {
        "CheckoutRequest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let quantity = generator.subschema_for::<Quantity>();
        let mut properties = Map::new();
        for name in QUANTITY {
            properties.insert((*name).to_owned(), quantity.clone().to_value());
        }
        for text in [PRODUCT, FACTORY, REQUESTER, CUSTOMER] {
            for name in text.names {
                let schema = json!({
                    "description": text.about,
                    "type": ["string", "null"],
                    "maxLength": text.most,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufffe\\uffff]*$"
                });
                properties.insert((*name).to_owned(), schema);
            }
        }
        let one_quantity: Vec<_> = QUANTITY
            .iter()
            .map(|name| json!({"required": [name]}))
            .collect();
        let schema = json!({
            "type": "object",
            "description": "Each value has the original name and aliases; send one name for each value.",
            "properties": properties,
            "oneOf": one_quantity,
            "allOf": [
                {"not": {"required": PRODUCT.names}},
                {"not": {"required": FACTORY.names}}
            ],
            "examples": [
                {"MessageAttributeProductId": DEFAULT_PRODUCT, "MessageAttributeProductCnt": "3", "MessageAttributeFactoryId": "FF-500293", "requester": "name"},
                {"product_id": DEFAULT_PRODUCT, "quantity": 3, "customer_id": "CU-1"}
            ]
        });
        match schema {
            Value::Object(object) => object.into(),
            _ => Schema::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: Value) -> Result<CheckoutRequest, (Option<String>, String)> {
        let Value::Object(body) = body else {
            panic!("not an object: {body}")
        };
        CheckoutRequest::parse(&body).map_err(|problem| {
            assert_eq!(problem.status.as_u16(), 400);
            (problem.body.field, problem.body.message)
        })
    }

    #[test]
    fn the_original_and_the_clean_names_mean_the_same() {
        let original = parse(json!({
            "MessageAttributeProductId": "CP-1",
            "MessageAttributeProductCnt": "3",
            "MessageAttributeFactoryId": "FF-1",
            "requester": "name",
            "customer_id": "CU-1"
        }));
        let clean = parse(json!({
            "product_id": "CP-1",
            "quantity": 3,
            "factory_id": "FF-1",
            "requester": "name",
            "customer_id": "CU-1"
        }));
        assert_eq!(original, clean);
        assert_eq!(original.unwrap().quantity.get(), 3);
    }

    #[test]
    fn absent_null_and_empty_texts_are_the_same() {
        let bare = parse(json!({"quantity": 1})).unwrap();
        assert_eq!(bare.product_id, DEFAULT_PRODUCT);
        assert_eq!((&bare.factory_id, &bare.requester), (&None, &None));
        let nulls =
            json!({"quantity": 1, "product_id": null, "requester": "", "customer_id": null});
        assert_eq!(parse(nulls), Ok(bare));
    }

    #[test]
    fn every_refusal_names_the_field() {
        for (body, field) in [
            (json!({}), "MessageAttributeProductCnt"),
            (json!({"quantity": 0}), "quantity"),
            (json!({"quantity": null}), "quantity"),
            (
                json!({"MessageAttributeProductCnt": -1}),
                "MessageAttributeProductCnt",
            ),
            (
                json!({"MessageAttributeProductCnt": "three"}),
                "MessageAttributeProductCnt",
            ),
            (
                json!({"MessageAttributeProductCnt": 1.5}),
                "MessageAttributeProductCnt",
            ),
            (
                json!({"MessageAttributeProductCnt": 1_000_001}),
                "MessageAttributeProductCnt",
            ),
            (
                json!({"MessageAttributeProductCnt": 1, "quantity": 1}),
                "quantity",
            ),
            (json!({"quantity": 1, "product_id": 7}), "product_id"),
            (
                json!({"quantity": 1, "product_id": "x".repeat(65)}),
                "product_id",
            ),
            (
                json!({"quantity": 1, "product_id": "a", "MessageAttributeProductId": "a"}),
                "product_id",
            ),
            (json!({"quantity": 1, "requester": "a\u{0}b"}), "requester"),
            (
                json!({"quantity": 1, "requester": "a\u{ffff}b"}),
                "requester",
            ),
            (json!({"quantity": 1, "customer_id": {}}), "customer_id"),
        ] {
            let (named, message) = parse(body.clone()).unwrap_err();
            assert_eq!(named.as_deref(), Some(field), "{body}");
            assert!(message.contains(field), "{message}");
        }
    }

    #[test]
    fn idempotency_keys_are_short_and_printable() {
        let read = |keys: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for key in keys {
                headers.append(IDEMPOTENCY_KEY, key.to_vec().try_into().unwrap());
            }
            idempotency_key(&headers).map_err(|problem| problem.body.field)
        };
        let named = Err(Some("Idempotency-Key".to_owned()));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"k-1"]), Ok(Some("k-1".to_owned())));
        assert_eq!(read(&[&[b'k'; 255]]), Ok(Some("k".repeat(255))));
        for keys in [
            &[&b""[..]][..],
            &[&[b'k'; 256]],
            &[b"a b"],
            &[b"\xff"],
            &[b"a", b"b"],
        ] {
            assert_eq!(read(keys), named, "{keys:?}");
        }
    }
}
