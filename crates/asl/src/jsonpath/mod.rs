//! JSONPath as the language uses it: paths, reference paths, and intrinsic function calls.
//!
//! `syntax.rs` reads a text once, when the definition is parsed; `query.rs` evaluates; `intrinsic.rs` has the functions.

mod aggregate;
mod filter;
mod intrinsic;
mod query;
mod syntax;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use intrinsic::Host;

use crate::Data;

/// A step of a reference path: names exactly one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Key(String),
    /// An element of an array.
    Index(usize),
}

/// What a `.$` field or a `…Path` field may hold: a path into the input (`$`), the context object (`$$`) or a variable (`$name`),
/// or a call of an intrinsic function.
#[derive(Debug, Clone)]
pub struct PathExpression {
    text: Arc<str>,
    form: Form,
}

#[derive(Debug, Clone)]
pub(crate) enum Form {
    Path(Path),
    Call(Call),
}

/// A path.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) selectors: Vec<Selector>,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// `$`
    Input,
    /// `$$`
    Context,
    /// `$name`
    Variable(Arc<str>),
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(crate) enum Selector {
    Key(String),
    Index(i64),
    Wildcard,
    /// `[1,2]` or `['a','b']`
    Union(Vec<Selector>),
    /// `[from:to:step]`
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        step: i64,
    },
    /// `..`, then what follows, at every depth.
    Descend(Box<Selector>),
    /// `[?(…)]`
    Filter(filter::Filter),
    /// `.length()` and its kin
    Function(Function),
}

/// A function at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Length,
    Keys,
    Sum,
    Min,
    Max,
    Average,
    Deviation,
}

/// A call of an intrinsic function.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Debug, Clone)]
pub(crate) enum Argument {
    Literal(Value),
    Path(PathExpression),
    Call(Call),
}

impl PathExpression {
    /// Reads a path or an intrinsic function call.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self {
            text: text.into(),
            form: syntax::parse(text)?,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn form(&self) -> &Form {
        &self.form
    }

    /// The steps, if this is a reference path into the input.
    pub(crate) fn reference(&self) -> Option<Vec<Step>> {
        let Form::Path(Path {
            root: Root::Input,
            selectors,
        }) = &self.form
        else {
            return None;
        };
        let step = |selector: &Selector| match selector {
            Selector::Key(key) => Some(Step::Key(key.clone())),
            Selector::Index(index) => usize::try_from(*index).ok().map(Step::Index),
            _ => None,
        };
        selectors.iter().map(step).collect()
    }
}

impl Path {
    /// Why it finds nothing in a root where it names one place, in Jayway's words.
    pub(crate) fn why_nothing(&self, root: &Data) -> String {
        let mut at = Some(root.value());
        let before_last = self.selectors.len().saturating_sub(1);
        for (place, selector) in self.selectors[..before_last].iter().enumerate() {
            at = match (selector, at) {
                (Selector::Key(key), Some(Value::Object(members))) => {
                    if !members.contains_key(key) {
                        let reached = written(&self.selectors[..=place]);
                        return format!("Missing property in path {reached}");
                    }
                    members.get(key)
                }
                (Selector::Index(_), Some(value)) => query::step(selector, value),
                _ => None,
            };
        }
        format!("No results for path: {}", self.normal_form())
    }

    /// In Jayway's normal form, as AWS shows it in messages: `$['a'][0]`.
    pub(crate) fn normal_form(&self) -> String {
        written(&self.selectors)
    }

    /// The value at the path; `None` if a definite path finds nothing.
    pub(crate) fn find(&self, root: &Data) -> Option<Data> {
        if self.selectors.is_empty() {
            return Some(root.clone());
        }
        query::find(self, root.value()).map(Data::new)
    }
}

fn written(selectors: &[Selector]) -> String {
    let mut text = "$".to_owned();
    for selector in selectors {
        match selector {
            Selector::Key(key) => text.push_str(&format!("['{key}']")),
            Selector::Index(index) => text.push_str(&format!("[{index}]")),
            Selector::Wildcard => text.push_str("[*]"),
            _ => text.push_str("[…]"),
        }
    }
    text
}
