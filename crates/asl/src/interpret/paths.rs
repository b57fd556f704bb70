//! JSONPath states: how paths see the execution, and where results go.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value};

use super::assign::{self, Assigned};
use super::fault::{Fault, Outcome};
use super::lens::Lens;
use super::{Run, context};
use crate::entry::BranchId;
use crate::jsonpath::{Form, Host, Path, PathExpression, Root, Step};
use crate::model::{JsonPathFlow, Kind, PathField, ResultPath, State};
use crate::{Data, error_name};

impl Run<'_> {
    /// ResultSelector, ResultPath, Assign and OutputPath.
    pub(super) fn path_output(
        &self,
        branch: BranchId,
        state: &State,
        flow: &JsonPathFlow,
        result: &Data,
    ) -> Outcome<(Data, Assigned)> {
        let raw = self.active(branch)?.input.clone();
        let lens = self.lens(branch)?;
        let selected = match &flow.result_selector {
            Some(selector) => lens
                .with_input(result)
                .template(selector, "ResultSelector")?,
            None => result.clone(),
        };
        let lens = self.lens(branch)?;
        let combined = match state.kind {
            Kind::Wait(_) | Kind::Succeed => selected.clone(),
            _ => lens.insert(&flow.result_path, &raw, &selected)?,
        };
        let assigned = assign::evaluate(&self.lens(branch)?.with_input(&selected), &flow.assign)?;
        let output = lens
            .with_input(&combined)
            .path_field(&flow.output_path, "OutputPath")?;
        Ok((output, assigned))
    }
}

impl Lens<'_> {
    /// `InputPath` or `OutputPath` over this view's input.
    pub(super) fn path_field(&self, field: &PathField, _name: &str) -> Outcome<Data> {
        match field {
            PathField::Whole => Ok(self.input.clone()),
            PathField::Null => Ok(Data::empty()),
            PathField::Path(expression) => match expression.form() {
                Form::Path(path) => {
                    self.transformable(path)?;
                    self.find(path)?
                        .ok_or_else(|| self.no_results(expression, path))
                }
                Form::Call(_) => self.path(expression, "InputPath"),
            },
        }
    }

    /// A path or an intrinsic function call; `field` is for messages.
    pub(super) fn path(&self, expression: &PathExpression, field: &str) -> Outcome<Data> {
        match expression.form() {
            Form::Path(path) => {
                if field.ends_with(".$") {
                    self.transformable(path)?;
                }
                self.find(path)?
                    .ok_or_else(|| self.not_found(expression, path, field))
            }
            Form::Call(call) => call
                .evaluate(&Caller { lens: self, field })
                .map(Data::new)
                .map_err(|error| match error {
                    CallError::Fault(fault) => fault,
                    CallError::Failed(message) => Fault::Runtime {
                        error: error_name::INTRINSIC_FAILURE,
                        message: format!(
                            "The function '{}' had the following error: {message}",
                            expression.text()
                        ),
                    },
                }),
        }
    }

    /// AWS applies no path to an input that is `null`, not even `$`.
    fn transformable(&self, path: &Path) -> Outcome {
        if path.root == Root::Input && self.input.value().is_null() {
            return Err(Fault::runtime(
                "Unable to apply Path transformation to null or empty input.",
            ));
        }
        Ok(())
    }

    /// Why a path that may name one place names none.
    fn no_results(&self, expression: &PathExpression, path: &Path) -> Fault {
        let reason = match self.root(path) {
            Some(root) => path.why_nothing(&root),
            None => format!("No results for path: {}", path.normal_form()),
        };
        Fault::runtime(format!("Invalid path '{}' : {reason}", expression.text()))
    }

    fn not_found(&self, expression: &PathExpression, path: &Path, field: &str) -> Fault {
        // The fields that give a number have a message of their own.
        if self.is_wait() && matches!(field, "SecondsPath" | "TimestampPath") {
            return Fault::runtime(format!(
                "The {field} parameter does not reference an input value: {}",
                expression.text()
            ));
        }
        if field.ends_with("SecondsPath") {
            return self.no_results(expression, path);
        }
        let searched = match path.root {
            Root::Context => context::object(self).to_string(),
            _ => self.input.text().to_owned(),
        };
        Fault::runtime(format!(
            "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{searched}'",
            expression.text()
        ))
    }

    fn is_wait(&self) -> bool {
        matches!(self.state.kind, Kind::Wait(_))
    }

    /// The value at a path, from wherever it begins.
    pub(super) fn find(&self, path: &Path) -> Outcome<Option<Data>> {
        Ok(self.root(path).and_then(|root| path.find(&root)))
    }

    /// Where a path begins; nothing if that is a variable which is not assigned.
    fn root(&self, path: &Path) -> Option<Data> {
        match &path.root {
            Root::Input => Some(self.input.clone()),
            Root::Context => Some(Data::new(context::object(self))),
            Root::Variable(name) => self.execution.variable(self.branch, name).cloned(),
        }
    }

    /// Puts a result into an input, where `ResultPath` says.
    pub(super) fn insert(
        &self,
        result_path: &ResultPath,
        input: &Data,
        result: &Data,
    ) -> Outcome<Data> {
        match result_path {
            ResultPath::Replace => Ok(result.clone()),
            ResultPath::Discard => Ok(input.clone()),
            ResultPath::Insert(steps) => {
                let mut value = input.value().clone();
                put(&mut value, steps, result.value().clone()).map_err(|message| {
                    Fault::Runtime {
                        error: error_name::RESULT_PATH_MATCH_FAILURE,
                        message,
                    }
                })?;
                Ok(Data::new(value))
            }
        }
    }
}

/// Creates what is missing on the way; refuses to change what is not an object (or an index that does not exist).
fn put(at: &mut Value, steps: &[Step], result: Value) -> Result<(), String> {
    let Some((first, rest)) = steps.split_first() else {
        *at = result;
        return Ok(());
    };
    match (first, at) {
        (Step::Key(key), Value::Object(members)) => put(
            members
                .entry(key.clone())
                .or_insert_with(|| Value::Object(Map::new())),
            rest,
            result,
        ),
        (Step::Index(index), Value::Array(items)) if *index < items.len() => {
            put(&mut items[*index], rest, result)
        }
        (step, at) => {
            let step = match step {
                Step::Key(key) => key.clone(),
                Step::Index(index) => index.to_string(),
            };
            Err(format!("Unable to apply step \"{step}\" to input {at}"))
        }
    }
}

/// What an intrinsic function call sees.
struct Caller<'l> {
    lens: &'l Lens<'l>,
    field: &'l str,
}

enum CallError {
    Fault(Fault),
    Failed(String),
}

impl From<String> for CallError {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl Host for Caller<'_> {
    type Error = CallError;

    fn path(&self, path: &PathExpression) -> Result<Value, CallError> {
        self.lens
            .path(path, self.field)
            .map(|data| data.value().clone())
            .map_err(CallError::Fault)
    }

    fn random(&self) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::from_seed(self.lens.env.seed);
        generator.set_stream(self.lens.execution.last_event_id);
        generator
    }
}
