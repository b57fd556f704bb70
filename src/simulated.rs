//! What the simulated systems share: how they behave can be changed while they run, so that an outage begins and ends
//! without a restart. `GET /simulation` shows it; `PATCH /simulation` changes the members that it names.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// How a system behaves, shared by all its requests.
pub(crate) struct Switch<B>(Arc<Mutex<B>>);

impl<B> Clone for Switch<B> {
    fn clone(&self) -> Self {
        Switch(self.0.clone())
    }
}

impl<B: Serialize + DeserializeOwned + Send + 'static> Switch<B> {
    pub(crate) fn new(behaviour: B) -> Self {
        Switch(Arc::new(Mutex::new(behaviour)))
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut B) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The route that shows and changes it.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/simulation", get(show::<B>).patch(change::<B>))
            .with_state(self.clone())
    }
}

/// Whether a fault that is to hit `left` more requests (all, where no number is said) hits this one.
pub(crate) fn hits(left: &mut Option<u64>) -> bool {
    match left {
        None => true,
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
    }
}

async fn show<B: Serialize + DeserializeOwned + Send + 'static>(
    State(switch): State<Switch<B>>,
) -> Response {
    switch.with(|behaviour| Json(&*behaviour).into_response())
}

async fn change<B: Serialize + DeserializeOwned + Send + 'static>(
    State(switch): State<Switch<B>>,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Response {
    let refuse = |why: String| (StatusCode::BAD_REQUEST, Json(json!({ "message": why })));
    let named = match body {
        Ok(Json(named)) => named,
        Err(rejection) => return refuse(rejection.body_text()).into_response(),
    };
    let changed = switch.with(|behaviour| {
        let mut members = serde_json::to_value(&*behaviour)?;
        if let Value::Object(members) = &mut members {
            // What is left of an earlier fault's count says nothing about a new one.
            members.insert("fault_count".to_owned(), Value::Null);
            members.extend(named);
        }
        *behaviour = serde_json::from_value(members)?;
        serde_json::to_value(&*behaviour)
    });
    match changed {
        Ok(now) => {
            tracing::info!(%now, "behaves so from now on");
            Json(now).into_response()
        }
        Err(error) => refuse(error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factory::{Behaviour, Fault};

    async fn patch(switch: &Switch<Behaviour>, body: Value) -> StatusCode {
        let body = serde_json::from_value(body).unwrap();
        change(State(switch.clone()), Ok(Json(body))).await.status()
    }

    #[tokio::test]
    async fn a_fault_begins_and_ends_and_the_rest_stays() {
        let switch = Switch::new(Behaviour {
            delay_ms: 7,
            fault: Fault::None,
            fault_count: Some(0),
            short_by: 1,
        });
        assert_eq!(patch(&switch, json!({ "fault": "rubbish" })).await, 200);
        switch.with(|it| {
            assert_eq!((it.fault, it.delay_ms), (Fault::Rubbish, 7));
            assert_eq!(it.fault_count, None, "an old count is over");
        });
        let counted = json!({ "fault": "wrong-signature", "fault_count": 2 });
        assert_eq!(patch(&switch, counted).await, 200);
        let hit = switch.with(|it| [(); 3].map(|()| hits(&mut it.fault_count)));
        assert_eq!(hit, [true, true, false]);
        for wrong in [json!({ "fault": "tired" }), json!({ "delay": 1 })] {
            assert_eq!(patch(&switch, wrong).await, 400);
        }
        switch.with(|it| assert_eq!(it.fault, Fault::WrongSignature));
    }
}
