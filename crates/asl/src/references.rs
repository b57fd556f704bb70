//! Which variables each state reads: the `variableReferences` of `DescribeStateMachine`.

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use crate::jsonata::Jsonata;
use crate::jsonpath::{Argument, Form, Path, PathExpression, Root};
use crate::model::{
    Amount, Assignments, Condition, Definition, Distributed, Dynamic, Flow, Items, Kind, Operand,
    PathField, Share, State, Template, Text, WaitState,
};

impl Definition {
    /// The variables that each state reads, by the state's name; states that read none are left out.
    ///
    /// States of inner scopes are listed too. A variable that a state only assigns is not read by it.
    pub fn variable_references(&self) -> BTreeMap<String, Vec<String>> {
        let mut references = BTreeMap::new();
        for (_, state) in self.states() {
            let mut reader = Reader::default();
            reader.state(state);
            if !reader.names.is_empty() {
                let names = reader.names.into_iter().collect();
                references.insert(state.name().to_owned(), names);
            }
        }
        references
    }
}

/// Collects the names that expressions read.
#[derive(Default)]
struct Reader {
    names: BTreeSet<String>,
}

impl Reader {
    fn state(&mut self, state: &State) {
        match state.flow() {
            Flow::JsonPath(flow) => {
                self.field(&flow.input_path);
                self.field(&flow.output_path);
                self.template(flow.parameters.as_ref());
                self.template(flow.result_selector.as_ref());
            }
            Flow::Jsonata(flow) => {
                self.template(flow.arguments.as_ref());
                self.template(flow.output.as_ref());
            }
        }
        self.assignments(state.flow().assign());
        for catcher in state.catchers() {
            self.template(catcher.output.as_ref());
            self.assignments(&catcher.assign);
        }
        match state.kind() {
            Kind::Task(task) => {
                self.amount(task.timeout.as_ref());
                self.amount(task.heartbeat.as_ref());
                self.template(task.credentials.as_ref());
            }
            Kind::Choice(choice) => {
                for rule in &choice.choices {
                    self.condition(&rule.condition);
                    self.template(rule.output.as_ref());
                    self.assignments(&rule.assign);
                }
            }
            Kind::Wait(WaitState::Seconds(seconds)) => self.amount(Some(seconds)),
            Kind::Wait(WaitState::Timestamp(timestamp)) => self.text(Some(timestamp)),
            Kind::Fail(fail) => {
                self.text(fail.error.as_ref());
                self.text(fail.cause.as_ref());
            }
            Kind::Map(map) => {
                if let Items::Selected(items) = &map.items {
                    self.template(Some(items));
                }
                self.template(map.item_selector.as_ref());
                self.amount(map.max_concurrency.as_ref());
                self.amount(map.tolerated_failure_count.as_ref());
                if let Some(Share::Dynamic(dynamic)) = &map.tolerated_failure_percentage {
                    self.dynamic(dynamic);
                }
                if let Some(distributed) = &map.distributed {
                    self.distributed(distributed);
                }
            }
            Kind::Pass(_) | Kind::Succeed | Kind::Parallel(_) => {}
        }
    }

    fn distributed(&mut self, distributed: &Distributed) {
        if let Some(reader) = &distributed.reader {
            self.template(reader.arguments.as_ref());
            self.amount(reader.max_items.as_ref());
        }
        if let Some(batcher) = &distributed.batcher {
            self.amount(batcher.max_items.as_ref());
            self.amount(batcher.max_bytes.as_ref());
            self.template(batcher.input.as_ref());
        }
        if let Some(writer) = &distributed.writer {
            self.template(writer.arguments.as_ref());
        }
    }

    fn field(&mut self, field: &PathField) {
        if let PathField::Path(path) = field {
            self.expression(path);
        }
    }

    fn assignments(&mut self, assignments: &Assignments) {
        for (_, template) in assignments {
            self.template(Some(template));
        }
    }

    fn template(&mut self, template: Option<&Template>) {
        match template {
            None | Some(Template::Literal(_)) => {}
            Some(Template::Dynamic(dynamic)) => self.dynamic(dynamic),
            Some(Template::Object(members)) => {
                for (_, member) in members {
                    self.template(Some(member));
                }
            }
            Some(Template::Array(elements)) => {
                for element in elements {
                    self.template(Some(element));
                }
            }
        }
    }

    fn amount(&mut self, amount: Option<&Amount>) {
        if let Some(Amount::Dynamic(dynamic)) = amount {
            self.dynamic(dynamic);
        }
    }

    fn text(&mut self, text: Option<&Text>) {
        if let Some(Text::Dynamic(dynamic)) = text {
            self.dynamic(dynamic);
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Jsonata(dynamic) => self.dynamic(dynamic),
            Condition::Constant(_) => {}
            Condition::Compare(comparison) => {
                self.expression(&comparison.variable);
                if let Operand::Path(path) = &comparison.operand {
                    self.expression(path);
                }
            }
            Condition::And(conditions) | Condition::Or(conditions) => {
                for condition in conditions {
                    self.condition(condition);
                }
            }
            Condition::Not(condition) => self.condition(condition),
        }
    }

    fn dynamic(&mut self, dynamic: &Dynamic) {
        match dynamic {
            Dynamic::Jsonata(expression) => self.jsonata(expression),
            Dynamic::Path(expression) => self.expression(expression),
        }
    }

    fn expression(&mut self, expression: &PathExpression) {
        match expression.form() {
            Form::Path(path) => self.path(path),
            Form::Call(call) => self.arguments(&call.arguments),
        }
    }

    fn path(&mut self, path: &Path) {
        if let Root::Variable(name) = &path.root {
            self.names.insert(name.to_string());
        }
    }

    fn arguments(&mut self, arguments: &[Argument]) {
        for argument in arguments {
            match argument {
                Argument::Literal(_) => {}
                Argument::Path(path) => self.expression(path),
                Argument::Call(call) => self.arguments(&call.arguments),
            }
        }
    }

    fn jsonata(&mut self, expression: &Jsonata) {
        let (read, bound) = variables(&expression.ast);
        self.names.extend(read.difference(&bound).cloned());
    }
}

/// The variables that an expression reads, and those it binds itself. With a list instead of recursion: trees may be deep.
fn variables(ast: &AstNode) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut read = BTreeSet::new();
    // `$states` is Step Functions' own, `$` and `$$` are JSONata's.
    let mut bound = BTreeSet::from(["states".to_owned(), String::new(), "$".to_owned()]);
    let mut left = vec![ast];
    while let Some(node) = left.pop() {
        match node {
            AstNode::Variable(name) => {
                read.insert(name.clone());
            }
            AstNode::Path { steps } => {
                for PathStep {
                    node,
                    stages,
                    focus,
                    index_var,
                    ..
                } in steps
                {
                    left.push(node);
                    bound.extend(focus.iter().chain(index_var).cloned());
                    for stage in stages {
                        match stage {
                            Stage::Filter(condition) => left.push(condition),
                            Stage::Index(name) => {
                                bound.insert(name.clone());
                            }
                            Stage::KeepArray => {}
                        }
                    }
                }
            }
            AstNode::Binary { op, lhs, rhs } => {
                match (op, &**lhs) {
                    (BinaryOp::ColonEqual, AstNode::Variable(name)) => {
                        bound.insert(name.clone());
                    }
                    _ => left.push(lhs),
                }
                left.push(rhs);
            }
            AstNode::Lambda { params, body, .. } => {
                bound.extend(params.iter().cloned());
                left.push(body);
            }
            AstNode::Unary { operand, .. } => left.push(operand),
            AstNode::Function { args, .. } => left.extend(args),
            AstNode::Call { procedure, args } => {
                left.push(procedure);
                left.extend(args);
            }
            AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
                left.extend(items);
            }
            AstNode::Object(pairs) => pairs
                .iter()
                .for_each(|(key, value)| left.extend([key, value])),
            AstNode::ObjectTransform { input, pattern } => {
                left.push(input);
                pattern
                    .iter()
                    .for_each(|(key, value)| left.extend([key, value]));
            }
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => {
                left.extend([&**condition, &**then_branch]);
                left.extend(else_branch.as_deref());
            }
            AstNode::FunctionApplication(inner) => left.push(inner),
            AstNode::Sort { input, terms } => {
                left.push(input);
                left.extend(terms.iter().map(|(term, _)| term));
            }
            AstNode::Transform {
                location,
                update,
                delete,
            } => {
                left.extend([&**location, &**update]);
                left.extend(delete.as_deref());
            }
            AstNode::String(_)
            | AstNode::Name(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::Regex { .. }
            | AstNode::ParentVariable(_)
            | AstNode::Wildcard
            | AstNode::Descendant
            | AstNode::Parent(_) => {}
        }
    }
    (read, bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(states: &str, expected: &[(&str, &[&str])]) {
        let text = format!(r#"{{"StartAt": "A", "States": {{{states}}}}}"#);
        let definition = crate::parse(&text).definition.unwrap();
        let expected: BTreeMap<String, Vec<String>> = expected
            .iter()
            .map(|(state, names)| {
                (
                    (*state).to_owned(),
                    names.iter().map(|name| (*name).to_owned()).collect(),
                )
            })
            .collect();
        assert_eq!(definition.variable_references(), expected, "{states}");
    }

    #[test]
    fn json_path_fields_read_variables_by_their_root() {
        check(
            r#""A": {"Type": "Pass", "InputPath": "$a", "OutputPath": "$b.c", "Assign": {"x.$": "$$.State", "y.$": "$z[0]", "w": "$no"},
                "Parameters": {"d.$": "States.Format('$no {}', States.Array($e, $.f))", "g": "$no"}, "Next": "B"},
              "B": {"Type": "Choice", "Choices": [{"And": [{"Variable": "$h", "StringEqualsPath": "$i"},
                {"Not": {"Variable": "$.j", "IsNull": true}}], "Next": "C"}], "Default": "C"},
              "C": {"Type": "Pass", "Assign": {"own": 1}, "End": true}"#,
            &[("A", &["a", "b", "e", "z"]), ("B", &["h", "i"])],
        );
    }

    #[test]
    fn jsonata_expressions_read_what_they_do_not_bind() {
        check(
            r#""A": {"Type": "Pass", "QueryLanguage": "JSONata", "End": true, "Output":
                {"p": "{% $states.input.x + $a %}", "q": "{% ($b := 1; $map($c, function($d) { $d + $b })) %}", "r": "$no"}}"#,
            &[("A", &["a", "c"])],
        );
    }
}
