//! The ways in which AWS lets a caller name a function: `name`, `name:qualifier`, `account:function:name[:qualifier]` and
//! the full ARN.
//!
//! Source: AWS Lambda API reference, Invoke, parameter FunctionName.

/// A function as the caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRef {
    /// The region, if the caller gave one.
    pub region: Option<String>,
    /// The account, if the caller gave one.
    pub account: Option<String>,
    /// The bare name.
    pub name: String,
    /// `$LATEST`, a version number or an alias.
    pub qualifier: Option<String>,
}

impl FunctionRef {
    /// Reads any of the forms; `None` if it is none of them.
    pub fn parse(text: &str) -> Option<FunctionRef> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let mut region = None;
        let mut account = None;
        if parts.first() == Some(&"arn") {
            let [
                _,
                partition,
                "lambda",
                in_region,
                of_account,
                "function",
                ..,
            ] = parts[..]
            else {
                return None;
            };
            if !partition.starts_with("aws") {
                return None;
            }
            region = Some(in_region.to_owned());
            account = Some(of_account.to_owned());
            parts.drain(..6);
        } else {
            if parts.len() > 2 && is_account(parts[0]) {
                account = Some(parts.remove(0).to_owned());
            }
            if parts.len() > 1 && parts[0] == "function" {
                parts.remove(0);
            }
        }
        let (name, qualifier) = match parts[..] {
            [name] => (name, None),
            [name, qualifier] => (name, Some(qualifier)),
            _ => return None,
        };
        let well_formed = is_name(name) && qualifier.is_none_or(is_qualifier);
        well_formed.then(|| FunctionRef {
            region,
            account,
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }
}

/// 1–64 letters, digits, `-` and `_`.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

fn is_qualifier(text: &str) -> bool {
    text == "$LATEST"
        || (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::FunctionRef;

    /// `region|account|name|qualifier`, or `-` where it is no function's name.
    fn check(text: &str, expected: &str) {
        let found = FunctionRef::parse(text).map_or("-".to_owned(), |f| {
            let part = |p: Option<String>| p.unwrap_or_default();
            format!(
                "{}|{}|{}|{}",
                part(f.region),
                part(f.account),
                f.name,
                part(f.qualifier)
            )
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn every_form_names_the_same_function() {
        check("f", "||f|");
        check("f:live", "||f|live");
        check("f:$LATEST", "||f|$LATEST");
        check("function:f", "||f|");
        check("000000000000:function:f", "|000000000000|f|");
        check("000000000000:function:f:live", "|000000000000|f|live");
        check(
            "arn:aws:lambda:us-east-1:000000000000:function:f",
            "us-east-1|000000000000|f|",
        );
        check(
            "arn:aws:lambda:us-east-1:000000000000:function:f:7",
            "us-east-1|000000000000|f|7",
        );
        for bad in [
            "",
            "f g",
            "f:",
            "f:a:b:c",
            "arn:aws:sqs:us-east-1:000000000000:f",
            "arn:aws:lambda:x",
            "f/g",
            "f:$OLD",
        ] {
            check(bad, "-");
        }
    }
}
