//! Which messages which policies want: the table.

use super::{FilterPolicy, Scope};
use crate::attributes::{AttributeValue, MessageAttribute, MessageAttributes};

fn attributes(specs: &[(&str, &str, &str)]) -> MessageAttributes {
    specs
        .iter()
        .map(|(name, data_type, value)| {
            let attribute = MessageAttribute {
                data_type: (*data_type).to_owned(),
                value: if *data_type == "Binary" {
                    AttributeValue::Binary(value.as_bytes().to_vec())
                } else {
                    AttributeValue::String((*value).to_owned())
                },
            };
            ((*name).to_owned(), attribute)
        })
        .collect()
}

#[test]
fn policies_on_attributes() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str, &'a str)], bool);
    let cases: &[Case] = &[
        ("{}", &[], true),
        // exact strings
        (
            r#"{"k":["rugby","tennis"]}"#,
            &[("k", "String", "tennis")],
            true,
        ),
        (
            r#"{"k":["rugby","tennis"]}"#,
            &[("k", "String", "Tennis")],
            false,
        ),
        (r#"{"k":["rugby"]}"#, &[], false),
        (r#"{"k":["rugby"]}"#, &[("k", "Binary", "rugby")], false),
        (
            r#"{"k":["rugby"]}"#,
            &[("k", "String.Array", r#"["golf","rugby"]"#)],
            true,
        ),
        (
            r#"{"k":["rugby"]}"#,
            &[("k", "String.Array", r#"["golf"]"#)],
            false,
        ),
        (
            r#"{"k":["rugby"]}"#,
            &[("k", "String.Array", "rugby")],
            false,
        ),
        (
            r#"{"k":[true,null]}"#,
            &[("k", "String.Array", "[null]")],
            true,
        ),
        // two keys are joined by AND
        (
            r#"{"a":["1"],"b":["2"]}"#,
            &[("a", "String", "1"), ("b", "String", "2")],
            true,
        ),
        (r#"{"a":["1"],"b":["2"]}"#, &[("a", "String", "1")], false),
        // text operators
        (
            r#"{"k":[{"prefix":"bas"}]}"#,
            &[("k", "String", "baseball")],
            true,
        ),
        (
            r#"{"k":[{"prefix":"bas"}]}"#,
            &[("k", "String", "rugby")],
            false,
        ),
        (
            r#"{"k":[{"suffix":"ball"}]}"#,
            &[("k", "String", "baseball")],
            true,
        ),
        (
            r#"{"k":[{"suffix":"ball"}]}"#,
            &[("k", "String", "ballet")],
            false,
        ),
        (
            r#"{"k":[{"equals-ignore-case":"TENNIS"}]}"#,
            &[("k", "String", "tennis")],
            true,
        ),
        (
            r#"{"k":[{"cidr":"10.0.0.0/24"}]}"#,
            &[("k", "String", "10.0.0.255")],
            true,
        ),
        (
            r#"{"k":[{"cidr":"10.0.0.0/24"}]}"#,
            &[("k", "String", "10.0.1.0")],
            false,
        ),
        (
            r#"{"k":[{"cidr":"2001:db8::/32"}]}"#,
            &[("k", "String", "2001:db8::7")],
            true,
        ),
        // anything-but
        (
            r#"{"k":[{"anything-but":["rugby"]}]}"#,
            &[("k", "String", "golf")],
            true,
        ),
        (
            r#"{"k":[{"anything-but":"rugby"}]}"#,
            &[("k", "String", "rugby")],
            false,
        ),
        (r#"{"k":[{"anything-but":["rugby"]}]}"#, &[], false),
        (
            r#"{"k":[{"anything-but":["rugby"]},{"exists":false}]}"#,
            &[],
            true,
        ),
        (
            r#"{"k":[{"anything-but":["rugby"]}]}"#,
            &[("k", "String.Array", r#"["rugby","golf"]"#)],
            false,
        ),
        (
            r#"{"k":[{"anything-but":["rugby"]}]}"#,
            &[("k", "String.Array", r#"["golf"]"#)],
            true,
        ),
        (
            r#"{"k":[{"anything-but":{"prefix":"order-"}}]}"#,
            &[("k", "String", "order-1")],
            false,
        ),
        (
            r#"{"k":[{"anything-but":{"prefix":"order-"}}]}"#,
            &[("k", "String", "data")],
            true,
        ),
        (
            r#"{"k":[{"anything-but":{"suffix":["a","b"]}}]}"#,
            &[("k", "String", "xb")],
            false,
        ),
        (
            r#"{"k":[{"anything-but":[100,500]}]}"#,
            &[("k", "Number", "101")],
            true,
        ),
        (
            r#"{"k":[{"anything-but":[100,500]}]}"#,
            &[("k", "Number", "100.0")],
            false,
        ),
        // exists
        (r#"{"k":[{"exists":true}]}"#, &[("k", "String", "x")], true),
        (r#"{"k":[{"exists":true}]}"#, &[], false),
        (r#"{"k":[{"exists":false}]}"#, &[], true),
        (
            r#"{"k":[{"exists":false}]}"#,
            &[("k", "String", "x")],
            false,
        ),
        // numbers: only DataType Number
        (r#"{"k":[100]}"#, &[("k", "Number", "1.0e2")], true),
        (r#"{"k":[100]}"#, &[("k", "String", "100")], false),
        (r#"{"k":["100"]}"#, &[("k", "Number", "100")], false),
        (
            r#"{"k":[{"numeric":[">=",100]}]}"#,
            &[("k", "Number", "100")],
            true,
        ),
        (
            r#"{"k":[{"numeric":[">=",100]}]}"#,
            &[("k", "Number", "99.99999")],
            false,
        ),
        (
            r#"{"k":[{"numeric":[">=",100]}]}"#,
            &[("k", "String", "100")],
            false,
        ),
        (
            r#"{"k":[{"numeric":[">=",100]}]}"#,
            &[("k", "String.Array", "[7,100]")],
            true,
        ),
        (
            r#"{"k":[{"numeric":[">",0,"<=",5]}]}"#,
            &[("k", "Number", "5")],
            true,
        ),
        (
            r#"{"k":[{"numeric":[">",0,"<=",5]}]}"#,
            &[("k", "Number", "0")],
            false,
        ),
        (
            r#"{"k":[{"numeric":["=",0.3]}]}"#,
            &[("k", "Number", "0.300000001")],
            true,
        ),
        (
            r#"{"k":[{"numeric":["<",5]}]}"#,
            &[("k", "Number", "-1e10")],
            false,
        ),
        (
            r#"{"k":[{"numeric":["<",5]}]}"#,
            &[("k", "Number", "many")],
            false,
        ),
        // $or
        (
            r#"{"$or":[{"a":["1"]},{"b":["2"]}],"c":["3"]}"#,
            &[("b", "String", "2"), ("c", "String", "3")],
            true,
        ),
        (
            r#"{"$or":[{"a":["1"]},{"b":["2"]}],"c":["3"]}"#,
            &[("b", "String", "2")],
            false,
        ),
        (
            r#"{"$or":[{"a":["1"]},{"b":["2"]}]}"#,
            &[("c", "String", "3")],
            false,
        ),
        (r#"{"$or":["x"]}"#, &[("$or", "String", "x")], true),
    ];
    for (policy, message, expected) in cases {
        let parsed = FilterPolicy::parse(policy, Scope::MessageAttributes).unwrap();
        assert_eq!(
            parsed.accepts(&attributes(message), "{}"),
            *expected,
            "{policy} on {message:?}"
        );
    }
}

#[test]
fn policies_on_the_body() {
    let cases = [
        (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"x"}}"#, true),
        (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":["y","x"]}}"#, true),
        (r#"{"a":{"b":["x"]}}"#, r#"{"a":"x"}"#, false),
        (
            r#"{"a":{"b":["x"],"c":[1]}}"#,
            r#"{"a":[{"b":"x","c":2},{"b":"y","c":1}]}"#,
            false,
        ),
        (
            r#"{"a":{"b":["x"],"c":[1]}}"#,
            r#"{"a":[{"b":"x","c":1}]}"#,
            true,
        ),
        (r#"{"a":{"b":[{"exists":false}]}}"#, r#"{}"#, true),
        (
            r#"{"a":{"b":[{"exists":true}]}}"#,
            r#"{"a":{"b":null}}"#,
            true,
        ),
        (r#"{"q":[{"numeric":[">=",100]}]}"#, r#"{"q":100}"#, true),
        (r#"{"q":[{"numeric":[">=",100]}]}"#, r#"{"q":"100"}"#, false),
        (r#"{"q":[true,null]}"#, r#"{"q":null}"#, true),
        (r#"{"q":["x"]}"#, "not json", false),
        (r#"{"q":[{"exists":false}]}"#, "[]", false),
        ("{}", "not json", true),
        (
            r#"{"$or":[{"a":{"b":["1"]}},{"c":["2"]}]}"#,
            r#"{"c":"2"}"#,
            true,
        ),
    ];
    for (policy, body, expected) in cases {
        let parsed = FilterPolicy::parse(policy, Scope::MessageBody).unwrap();
        assert_eq!(
            parsed.accepts(&MessageAttributes::new(), body),
            expected,
            "{policy} on {body}"
        );
    }
}

#[test]
fn bad_policies_are_refused() {
    let cases = [
        ("", "failed to parse JSON"),
        ("[]", "must be a JSON object"),
        (r#"{"k":"x"}"#, "must be an object or an array"),
        (r#"{"k":[]}"#, "Empty arrays"),
        (r#"{"k":{"n":["x"]}}"#, "does not support nested"),
        (r#"{"k":[["x"]]}"#, "Match value must be"),
        (
            r#"{"k":[{"wildcard":"*x"}]}"#,
            "Unrecognized match type wildcard",
        ),
        (r#"{"k":[{"prefix":"a","suffix":"b"}]}"#, "Only one key"),
        (r#"{"k":[{}]}"#, "Only one key"),
        (r#"{"k":[{"prefix":1}]}"#, "prefix match pattern"),
        (r#"{"k":[{"exists":"yes"}]}"#, "either true or false"),
        (r#"{"k":[{"numeric":100}]}"#, "must be an array"),
        (r#"{"k":[{"numeric":[]}]}"#, "Invalid member"),
        (
            r#"{"k":[{"numeric":["=>",1]}]}"#,
            "Unrecognized numeric range operator",
        ),
        (r#"{"k":[{"numeric":[">","1"]}]}"#, "must be numeric"),
        (r#"{"k":[{"numeric":[">"]}]}"#, "must be numeric"),
        (
            r#"{"k":[{"numeric":[">",5,"<",5]}]}"#,
            "Bottom must be less than top",
        ),
        (r#"{"k":[{"numeric":["<",5,">",1]}]}"#, "Too many elements"),
        (
            r#"{"k":[{"numeric":["=",1e10]}]}"#,
            "between -1.0E9 and 1.0E9",
        ),
        (r#"{"k":[2000000000]}"#, "between -1.0E9 and 1.0E9"),
        (r#"{"k":[{"anything-but":[]}]}"#, "Empty arrays"),
        (r#"{"k":[{"anything-but":[null]}]}"#, "not supported"),
        (r#"{"k":[{"cidr":"10.0.0.1"}]}"#, "Malformed CIDR"),
        (
            r#"{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}"#,
            "more than 5 keys",
        ),
    ];
    for (policy, expected) in cases {
        let error = FilterPolicy::parse(policy, Scope::MessageAttributes)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{policy}: {error}");
    }
    let many: Vec<String> = (0..13).map(|n| format!("\"{n}\"")).collect();
    let list = many.join(",");
    let wide = format!(r#"{{"a":[{list}],"b":[{list}]}}"#);
    let error = FilterPolicy::parse(&wide, Scope::MessageAttributes).unwrap_err();
    assert_eq!(error.to_string(), "Filter policy is too complex");
}
