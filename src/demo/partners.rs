//! The simulated factory and marketing system, as somebody beside them sees and breaks them.

use serde_json::{Value, json};

use super::{Child, DemoError, in_step};

/// Both systems of this installation.
pub(crate) struct Partners {
    http: reqwest::Client,
    factory: String,
    marketing: String,
}

impl Partners {
    pub(crate) fn new(child: &Child) -> Partners {
        Partners {
            http: reqwest::Client::new(),
            factory: child.factory().to_owned(),
            marketing: child.marketing().to_owned(),
        }
    }

    /// From now on the factory behaves so: members of its `/simulation`.
    pub(crate) async fn factory(&self, behaviour: Value) -> Result<(), DemoError> {
        let url = format!("{}/simulation", self.factory);
        let changed = self.http.patch(url).json(&behaviour).send().await;
        changed
            .and_then(reqwest::Response::error_for_status)
            .map(drop)
            .map_err(in_step("change of the factory"))
    }

    /// The factory works again.
    pub(crate) async fn repair_factory(&self) -> Result<(), DemoError> {
        self.factory(json!({ "fault": "none" })).await
    }

    /// What the marketing system has received, one for each key.
    pub(crate) async fn marketed(&self) -> Result<Vec<Value>, DemoError> {
        let url = format!("{}/api/customers", self.marketing);
        let answer = self.http.get(url).send().await;
        let answer = answer.map_err(in_step("look at the marketing system"))?;
        let body: Value = answer
            .json()
            .await
            .map_err(in_step("look at the marketing system"))?;
        Ok(body["customers"].as_array().cloned().unwrap_or_default())
    }
}
