//! Task states.

use super::Builder;
use super::state::Reader;
use crate::model::{Amount, TaskState};
use crate::{Code, Resource};

impl Builder<'_> {
    pub(super) fn task(&mut self, reader: &Reader<'_, '_>) -> Option<TaskState> {
        let fields = &reader.fields;
        self.require(fields, &["Resource"]);
        let resource = self.string(fields, "Resource").and_then(|arn| {
            let resource = Resource::from_arn(arn);
            if resource.is_none() {
                self.error(
                    Code::InvalidResource,
                    &fields.at("Resource"),
                    "Value is not a valid resource ARN",
                    None,
                );
            }
            resource
        });
        let timeout = self.amount(fields, "TimeoutSeconds", 1, 99_999_999, reader.language);
        let heartbeat = self.amount(fields, "HeartbeatSeconds", 1, 99_999_999, reader.language);
        if let (Some(Amount::Literal(timeout)), Some(Amount::Literal(heartbeat))) =
            (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            self.schema(
                &fields.pointer,
                "HeartbeatSeconds must be smaller than TimeoutSeconds",
            );
        }
        let credentials = self.template(fields, "Credentials", reader.language);
        Some(TaskState {
            resource: resource?,
            timeout,
            heartbeat,
            credentials,
        })
    }
}
