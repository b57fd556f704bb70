//! A state: what all kinds have in common, then its kind.

use std::sync::Arc;

use serde_json::Value;

use super::Builder;
use super::fields::Fields;
use super::machine::Surroundings;
use crate::Data;
use crate::event::StateKind;
use crate::model::{
    FailState, Flow, JsonPathFlow, JsonataFlow, Kind, Next, ParallelState, PassState,
    QueryLanguage, ResultPath, State,
};

/// Fields of every state.
const COMMON: &[&str] = &["Type", "Comment", "QueryLanguage"];

/// Where a state's fields stand and what they are read with.
pub(super) struct Reader<'s, 'v> {
    pub(super) fields: Fields<'v>,
    pub(super) around: &'s Surroundings<'s>,
    pub(super) language: QueryLanguage,
}

impl Builder<'_> {
    pub(super) fn state(
        &mut self,
        name: &str,
        value: &Value,
        pointer: &str,
        around: &Surroundings<'_>,
    ) -> Option<State> {
        let fields = self.fields(value, pointer)?;
        let language = self.query_language(&fields, Some(around.language));
        if around.language == QueryLanguage::Jsonata && language == QueryLanguage::JsonPath {
            self.schema(
                pointer,
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            );
            return None;
        }
        if !self.require(&fields, &["Type"]) {
            return None;
        }
        let kind = match self.string(&fields, "Type")? {
            "Task" => StateKind::Task,
            "Pass" => StateKind::Pass,
            "Choice" => StateKind::Choice,
            "Wait" => StateKind::Wait,
            "Succeed" => StateKind::Succeed,
            "Fail" => StateKind::Fail,
            "Parallel" => StateKind::Parallel,
            "Map" => StateKind::Map,
            _ => {
                self.schema(
                    &fields.at("Type"),
                    "Value must be one of Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map",
                );
                return None;
            }
        };
        self.known_in_state(&fields, kind, language);
        let comment = self.string(&fields, "Comment").map(str::to_owned);
        let reader = Reader {
            fields,
            around,
            language,
        };
        let flow = self.flow(&reader, kind);
        let recovers = matches!(kind, StateKind::Task | StateKind::Parallel | StateKind::Map);
        let retry = if recovers {
            self.retry(&reader)
        } else {
            Vec::new()
        };
        let catch = if recovers {
            self.catch(&reader)
        } else {
            Vec::new()
        };
        let next = match kind {
            StateKind::Succeed => Some(Next::End),
            StateKind::Fail | StateKind::Choice => Some(Next::Nowhere),
            _ => self.next(&reader.fields, around),
        };
        let kind = self.kind(&reader, kind);
        Some(State {
            name: Arc::from(name),
            scope: around.scope,
            pointer: pointer.to_owned(),
            line: self.lines.of(pointer),
            comment,
            query_language: language,
            flow,
            kind: kind?,
            next: next?,
            retry,
            catch,
        })
    }

    fn kind(&mut self, reader: &Reader<'_, '_>, kind: StateKind) -> Option<Kind> {
        let Reader {
            fields, language, ..
        } = reader;
        Some(match kind {
            StateKind::Pass => Kind::Pass(PassState {
                result: fields.get("Result").map(|result| Data::new(result.clone())),
            }),
            StateKind::Succeed => Kind::Succeed,
            StateKind::Fail => Kind::Fail(FailState {
                error: self.text(fields, "Error", *language),
                cause: self.text(fields, "Cause", *language),
            }),
            StateKind::Wait => Kind::Wait(self.wait(reader)?),
            StateKind::Choice => Kind::Choice(self.choice(reader)?),
            StateKind::Task => Kind::Task(self.task(reader)?),
            StateKind::Map => Kind::Map(self.map(reader)?),
            StateKind::Parallel => {
                self.require(fields, &["Branches"]);
                let branches = super::machine::elements(self, fields, "Branches");
                if branches.is_empty() {
                    self.schema(&fields.at("Branches"), "Value cannot be empty");
                    return None;
                }
                let branches = branches.iter().map(|branch| {
                    self.known(branch, &["StartAt", "States", "Comment"]);
                    self.scope(branch, reader.around.language)
                });
                Kind::Parallel(ParallelState {
                    branches: branches.collect(),
                })
            }
        })
    }

    fn flow(&mut self, reader: &Reader<'_, '_>, kind: StateKind) -> Flow {
        let Reader {
            fields, language, ..
        } = reader;
        // A Choice's and a Fail's rules have their own places for these; unknown ones were refused already.
        match language {
            QueryLanguage::Jsonata => Flow::Jsonata(Box::new(JsonataFlow {
                arguments: self.template(fields, "Arguments", *language),
                output: self.template(fields, "Output", *language),
                assign: self.assign(fields, *language),
            })),
            QueryLanguage::JsonPath => {
                let has_parameters = matches!(
                    kind,
                    StateKind::Task | StateKind::Pass | StateKind::Parallel
                );
                Flow::JsonPath(Box::new(JsonPathFlow {
                    input_path: self.path_field(fields, "InputPath"),
                    parameters: if has_parameters {
                        self.template(fields, "Parameters", *language)
                    } else {
                        None
                    },
                    result_selector: self.template(fields, "ResultSelector", *language),
                    result_path: self.result_path(fields),
                    output_path: self.path_field(fields, "OutputPath"),
                    assign: self.assign(fields, *language),
                }))
            }
        }
    }

    fn known_in_state(&mut self, fields: &Fields<'_>, kind: StateKind, language: QueryLanguage) {
        let of_kind: &[&str] = match kind {
            StateKind::Task => &[
                "Resource",
                "TimeoutSeconds",
                "TimeoutSecondsPath",
                "HeartbeatSeconds",
                "HeartbeatSecondsPath",
                "Credentials",
            ],
            StateKind::Pass => &["Result"],
            StateKind::Choice => &["Choices", "Default"],
            StateKind::Wait => &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"],
            StateKind::Succeed => &[],
            StateKind::Fail => &["Error", "ErrorPath", "Cause", "CausePath"],
            StateKind::Parallel => &["Branches"],
            StateKind::Map => super::map::FIELDS,
        };
        let path = language == QueryLanguage::JsonPath;
        let mut known: Vec<&str> = COMMON.iter().chain(of_kind).copied().collect();
        if !matches!(kind, StateKind::Fail) {
            known.extend(if path {
                &["InputPath", "OutputPath"][..]
            } else {
                &["Output"][..]
            });
        }
        if !matches!(kind, StateKind::Fail | StateKind::Succeed) {
            known.push("Assign");
        }
        if !matches!(
            kind,
            StateKind::Fail | StateKind::Succeed | StateKind::Choice
        ) {
            known.extend(["Next", "End"]);
        }
        if matches!(kind, StateKind::Task | StateKind::Parallel | StateKind::Map) {
            known.extend(["Retry", "Catch"]);
        }
        match (kind, path) {
            (StateKind::Task | StateKind::Parallel | StateKind::Map, true) => {
                known.extend(["Parameters", "ResultSelector", "ResultPath"])
            }
            (StateKind::Pass, true) => known.extend(["Parameters", "ResultPath"]),
            (StateKind::Task | StateKind::Parallel, false) => known.push("Arguments"),
            _ => {}
        }
        if kind == StateKind::Pass && !path && fields.has("Result") {
            self.schema(
                &fields.at("Result"),
                "'Result' is not supported when QueryLanguage is JSONata; use 'Output'",
            );
        }
        self.known(fields, &known);
    }
}

/// The flow of rules that have none of their own.
pub(super) const NO_RESULT_PATH: ResultPath = ResultPath::Replace;

#[cfg(test)]
mod tests {
    use crate::model::{Flow, PathField};

    #[test]
    fn absent_null_and_path_are_three_things() {
        let check = |fields: &str| {
            let parsed = crate::parse(&format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","End":true{fields}}}}}}}"#
            ));
            let definition = parsed.definition.unwrap();
            match &definition.states().next().unwrap().1.flow {
                Flow::JsonPath(flow) => match flow.input_path {
                    PathField::Whole => "whole",
                    PathField::Null => "null",
                    PathField::Path(_) => "path",
                },
                Flow::Jsonata(_) => "jsonata",
            }
        };
        assert_eq!(check(""), "whole");
        assert_eq!(check(r#","InputPath":null"#), "null");
        assert_eq!(check(r#","InputPath":"$.a""#), "path");
        assert_eq!(check(r#","QueryLanguage":"JSONata""#), "jsonata");
    }
}
