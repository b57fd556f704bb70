//! One state's evaluations: they share bindings, time and randomness.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde_json::Value;

use super::convert::{to_json, to_jsonata};
use super::functions::register;
use super::{EvaluationError, Jsonata, Needs};
use crate::{Data, Env};

/// An evaluator with everything bound that a state's expressions see. Lives for one state's processing; never stored.
pub(crate) struct Session {
    evaluator: RefCell<Evaluator>,
}

impl Session {
    /// `states` are the members of `$states`; `salt` tells the sessions of one decision apart.
    /// Step Functions' own functions are there if everything is needed.
    pub(crate) fn new(
        states: &[(&str, Data)],
        variables: &[(Arc<str>, Data)],
        env: &Env,
        salt: u64,
        needs: Needs,
    ) -> Self {
        let mut context = Context::new();
        let states = states
            .iter()
            .map(|(name, data)| ((*name).to_owned(), to_jsonata(data.value())))
            .collect();
        context.bind("states".to_owned(), JValue::object(states));
        for (name, data) in variables {
            context.bind(name.to_string(), to_jsonata(data.value()));
        }
        // Guards against hostile expressions. The time limit is the one place where a real clock is read; it decides nothing
        // but whether to give up.
        let options = EvaluatorOptions {
            timeout_ms: Some(1_000),
            cancel: None,
            max_stack_depth: Some(3_000),
            max_sequence_length: Some(100_000),
        };
        let mut evaluator = Evaluator::with_options(context, options);
        if needs == Needs::Everything {
            register(&mut evaluator, env, salt);
        }
        Self {
            evaluator: RefCell::new(evaluator),
        }
    }

    pub(crate) fn evaluate(&self, expression: &Jsonata) -> Result<Value, EvaluationError> {
        // JSONata's own input (`$`) is not defined in Step Functions.
        // A panic of the evaluator is this expression's error: the engine, which evaluates for everybody, goes on.
        let mut evaluator = self.evaluator.borrow_mut();
        let evaluated = catch_unwind(AssertUnwindSafe(|| {
            evaluator.evaluate(&expression.ast, &JValue::Undefined)
        }));
        match evaluated {
            Ok(Ok(value)) => to_json(&value),
            Ok(Err(error)) => Err(EvaluationError::Threw(error.message().to_owned())),
            Err(_panic) => Err(EvaluationError::Threw(
                "The expression cannot be evaluated: the evaluator gave up on a value in it."
                    .to_owned(),
            )),
        }
    }
}
