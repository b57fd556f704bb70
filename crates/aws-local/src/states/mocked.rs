//! Executions that are started as a test case of the mock configuration: `STATE_MACHINE_ARN#TestCase`.

use engine::StartRequest;
use uuid::Uuid;

use super::arn::MachineArn;
use super::{StepFunctions, error};
use crate::mock;
use crate::protocol::json::JsonError;

impl StepFunctions {
    /// Notes the test case before the execution begins, under the name that it will have.
    pub(super) async fn mock(
        &self,
        arn: &MachineArn,
        start: &mut StartRequest,
        test_case: &str,
    ) -> Result<(), JsonError> {
        let machine = arn.machine.rsplit(':').next().unwrap_or_default();
        if !self.mocks.has(machine, test_case) {
            return Err(error::invalid_arn(format!(
                "Invalid ARN: {}#{test_case} - the mock configuration has no test case {test_case} for the state machine {machine}",
                arn.text
            )));
        }
        let name = start.name.get_or_insert_with(|| Uuid::new_v4().to_string());
        let execution = format!(
            "{}:{name}",
            arn.machine.replacen(":stateMachine:", ":execution:", 1)
        );
        let noted = mock::remember(&self.engine, &execution, test_case).await;
        noted.map_err(|error| error::storage(&error))
    }
}
