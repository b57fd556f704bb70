//! How the actions of services that do not speak awsJson look on the wire, by the published models of their APIs.
//!
//! A file for each service. `!` is followed by `code=Exception`: what the SDK for Java, which Step Functions uses, calls each
//! error. `@Action<TAB>method<TAB>path<TAB>input<TAB>output<TAB>error` is an action; the last is there if it is the only one.
//! Every other line is a structure: its name, then its members as `Name:type:place:name on the wire`. Types: `string`, `blob`,
//! `number`, `boolean`, `any`, `time-iso`, `time-epoch`, `time-http`, `[item|type]` (a list whose elements are named `item`; `*`:
//! they repeat the list's own name), `{key|value|type}` (a map; `*` before it as for lists), or the name of a structure. Places:
//! none (the body), `payload` (all of the body), `header`, `headers` (a prefix), `query`, `path`, `status`.
//!
//! `actions.txt` names the actions of services that speak awsJson. `make.py` writes all files.

/// By the service's name in `aws-sdk:` resources.
const MODELS: [(&str, &str); 7] = [
    ("batch", include_str!("batch.txt")),
    ("lambda", include_str!("lambda.txt")),
    ("s3", include_str!("s3.txt")),
    ("scheduler", include_str!("scheduler.txt")),
    ("sesv2", include_str!("sesv2.txt")),
    ("sns", include_str!("sns.txt")),
    ("sts", include_str!("sts.txt")),
];

const ACTIONS: &str = include_str!("actions.txt");

/// A service's model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    text: &'static str,
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) method: &'static str,
    /// With `{Name}` or `{Name+}` for members whose place is the path, and the fixed part of the query.
    pub(crate) path: &'static str,
    /// Names of structures; empty: none.
    pub(crate) input: &'static str,
    pub(crate) output: &'static str,
    /// The error's code, if it can have only one.
    pub(crate) error: Option<&'static str>,
}

/// A member of a structure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// As Step Functions writes it.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    pub(crate) wire: &'static str,
}

/// Where a member is in a request or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Body,
    /// The member is the body.
    Payload,
    Header,
    /// All headers that begin with the member's wire name.
    Headers,
    Query,
    Path,
    Status,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Blob,
    Number,
    Boolean,
    Any,
    Time(Time),
    /// Without a name for its items it is flat: each repeats the list's.
    List(Option<&'static str>, &'static str),
    Map {
        flat: bool,
        key: &'static str,
        value: &'static str,
        of: &'static str,
    },
    Structure(&'static str),
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    Iso,
    Epoch,
    Http,
}

/// Whether a service that speaks awsJson has an action.
pub(crate) fn has_json_action(service: &str, action: &str) -> bool {
    super::line_of(ACTIONS, service).is_some_and(|names| names.split('\t').any(|it| it == action))
}

impl Model {
    /// The model of a service.
    pub(crate) fn of(service: &str) -> Option<Model> {
        let (_, text) = MODELS.iter().find(|(name, _)| *name == service)?;
        Some(Model { text })
    }

    /// An action, by its name in Pascal case.
    pub(crate) fn action(self, name: &str) -> Option<Action> {
        let line = super::line_of(self.text, &format!("@{name}"))?;
        let mut fields = line.split('\t');
        Some(Action {
            method: fields.next()?,
            path: fields.next()?,
            input: fields.next().unwrap_or_default(),
            output: fields.next().unwrap_or_default(),
            error: fields.next(),
        })
    }

    /// The members of a structure.
    pub(crate) fn members(self, structure: &str) -> impl Iterator<Item = Member> {
        let line = super::line_of(self.text, structure).unwrap_or_default();
        line.split('\t').filter_map(|member| {
            let mut fields = member.splitn(4, ':');
            Some(Member {
                name: fields.next()?,
                kind: Kind::of(fields.next()?),
                place: Place::of(fields.next()?),
                wire: fields.next()?,
            })
        })
    }

    /// What the SDK calls an error of this code.
    pub(crate) fn exception(self, code: &str) -> Option<&'static str> {
        super::line_of(self.text, "!")?
            .split('\t')
            .filter_map(|it| it.split_once('='))
            .find_map(|(it, name)| (it == code).then_some(name))
    }
}

impl Place {
    fn of(text: &str) -> Place {
        match text {
            "payload" => Place::Payload,
            "header" => Place::Header,
            "headers" => Place::Headers,
            "query" => Place::Query,
            "path" => Place::Path,
            "status" => Place::Status,
            _ => Place::Body,
        }
    }
}

impl Kind {
    /// A type as the files write it.
    pub(crate) fn of(text: &'static str) -> Kind {
        let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close);
        if let Some((item, of)) = inner('[', ']').and_then(|it: &str| it.split_once('|')) {
            return Kind::List((item != "*").then_some(item), of);
        }
        if let Some((key, rest)) = inner('{', '}').and_then(|it: &str| it.split_once('|'))
            && let Some((value, of)) = rest.split_once('|')
        {
            return Kind::Map {
                flat: key.starts_with('*'),
                key: key.trim_start_matches('*'),
                value,
                of,
            };
        }
        match text {
            "string" => Kind::Text,
            "blob" => Kind::Blob,
            "number" => Kind::Number,
            "boolean" => Kind::Boolean,
            "any" => Kind::Any,
            "time-iso" => Kind::Time(Time::Iso),
            "time-epoch" => Kind::Time(Time::Epoch),
            "time-http" => Kind::Time(Time::Http),
            name => Kind::Structure(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_and_every_shape_is_there() {
        for (service, text) in MODELS {
            let model = Model { text };
            for line in text.lines().filter(|line| !line.starts_with(['#', '!'])) {
                let name = line.split('\t').next().unwrap();
                if let Some(name) = name.strip_prefix('@') {
                    let action = model.action(name).unwrap();
                    assert!(action.path.starts_with('/'), "{service}: {line}");
                    continue;
                }
                let members: Vec<Member> = model.members(name).collect();
                assert_eq!(members.len(), line.split('\t').count() - 1, "{line}");
                for mut kind in members.into_iter().map(|member| member.kind) {
                    while let Kind::List(_, of) | Kind::Map { of, .. } = kind {
                        kind = Kind::of(of);
                    }
                    if let Kind::Structure(name) = kind {
                        assert!(
                            super::super::line_of(text, name).is_some(),
                            "{service}: {name} in {line}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn errors_are_called_as_the_sdk_for_java_calls_them() {
        let exception = |service, code| Model::of(service).unwrap().exception(code);
        assert_eq!(exception("s3", "NoSuchKey"), Some("NoSuchKeyException"));
        assert_eq!(exception("sns", "NotFound"), Some("NotFoundException"));
        assert_eq!(
            exception("sns", "ParameterValueInvalid"),
            Some("InvalidParameterValueException")
        );
        assert_eq!(
            exception("lambda", "ENILimitReachedException"),
            Some("EniLimitReachedException")
        );
        assert_eq!(exception("s3", "NoSuchThing"), None);
        assert!(has_json_action("sqs", "SendMessage"));
        assert!(!has_json_action("sqs", "SendMessages"));
    }
}
