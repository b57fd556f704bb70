//! Where services are that are not here, and who calls them: as the SDKs read it from the environment.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use http::Uri;

use super::services::SERVICES;

const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";

/// Where services are that are not here, and the credentials that requests to them are signed with.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// By the service's name in resources.
    services: BTreeMap<&'static str, Uri>,
    credentials: Credentials,
}

/// No endpoints; `test` and `test`, which is what local stand-ins expect.
impl Default for Endpoints {
    fn default() -> Endpoints {
        Endpoints {
            services: BTreeMap::new(),
            credentials: Credentials::new("test", "test", None, None, "default"),
        }
    }
}

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{variable} is not the address of a service, such as http://127.0.0.1:8000, without a user and a password; only plain http \
     is spoken: {value}"
)]
pub struct BadEndpoint {
    variable: String,
    /// Without a user and a password.
    value: String,
}

impl BadEndpoint {
    fn new(variable: String, value: &str) -> BadEndpoint {
        // Wherever it is: what is not an address may hold a password all the same.
        let value = match value.rsplit_once('@') {
            Some((_, rest)) => format!("…@{rest}"),
            None => value.to_owned(),
        };
        BadEndpoint { variable, value }
    }
}

impl Endpoints {
    /// The names of the variables that [`Endpoints::read`] asks for, as the SDKs have them.
    pub fn variables() -> impl Iterator<Item = String> {
        let endpoints = SERVICES
            .iter()
            .map(|service| format!("AWS_ENDPOINT_URL_{}", service.variable));
        endpoints.chain([KEY_ID, SECRET, TOKEN].map(str::to_owned))
    }

    /// Takes the endpoints and the credentials from variables. Without a whole pair of keys both are `test`.
    ///
    /// # Errors
    /// A value is not an HTTP address, or has a user in it, whom no service asks for: requests are signed.
    pub fn read(value_of: impl Fn(&str) -> Option<String>) -> Result<Endpoints, BadEndpoint> {
        let value_of = |name: &str| value_of(name).filter(|value| !value.is_empty());
        let mut endpoints = Endpoints::default();
        if let (Some(id), Some(secret)) = (value_of(KEY_ID), value_of(SECRET)) {
            endpoints.credentials =
                Credentials::new(id, secret, value_of(TOKEN), None, "environment");
        }
        for service in &SERVICES {
            let variable = format!("AWS_ENDPOINT_URL_{}", service.variable);
            let Some(value) = value_of(&variable) else {
                continue;
            };
            let uri = value.parse::<Uri>().ok().filter(|uri| {
                let authority = uri.authority().filter(|it| !it.as_str().contains('@'));
                uri.scheme() == Some(&http::uri::Scheme::HTTP) && authority.is_some()
            });
            let uri = uri.ok_or_else(|| BadEndpoint::new(variable, &value))?;
            endpoints.services.insert(service.name, uri);
        }
        Ok(endpoints)
    }

    /// Where a service is.
    pub(super) fn get(&self, service: &str) -> Option<&Uri> {
        self.services.get(service)
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_the_sdks_read_them() {
        let read = |value: &'static str| {
            Endpoints::read(|name| (name == "AWS_ENDPOINT_URL_DYNAMODB").then(|| value.to_owned()))
        };
        let endpoints = read("http://127.0.0.1:8000").unwrap();
        assert_eq!(endpoints.get("dynamodb").unwrap().port_u16(), Some(8000));
        assert!(endpoints.get("sqs").is_none());
        assert_eq!(endpoints.credentials().access_key_id(), "test");
        assert!(read("").unwrap().get("dynamodb").is_none());
        let error = read("https://example.com").unwrap_err().to_string();
        assert!(error.contains("AWS_ENDPOINT_URL_DYNAMODB"), "{error}");
        assert!(Endpoints::variables().any(|name| name == "AWS_ENDPOINT_URL_SECRETS_MANAGER"));
    }

    #[test]
    fn a_password_is_neither_taken_nor_told() {
        for value in [
            "http://me:secret@example.com",
            "https://me:secret@example.com",
            "http://me:sec@ret@example.com",
            "me:secret@example.com",
        ] {
            let read =
                Endpoints::read(|name| name.ends_with("_DYNAMODB").then(|| value.to_owned()));
            let error = read.unwrap_err().to_string();
            assert!(error.contains("…@example.com"), "{error}");
            assert!(!error.contains("me:") && !error.contains("ret"), "{error}");
        }
        let path = |_: &str| Some("http://example.com/a@b".to_owned());
        assert!(Endpoints::read(path).is_ok());
    }

    #[test]
    fn credentials_come_whole_or_not_at_all() {
        let read = |given: &'static [&'static str]| {
            let endpoints =
                Endpoints::read(|name| given.contains(&name).then(|| name.to_lowercase())).unwrap();
            let credentials = endpoints.credentials().clone();
            let token = credentials.session_token().map(str::to_owned);
            (credentials.access_key_id().to_owned(), token)
        };
        assert_eq!(
            read(&[KEY_ID, SECRET, TOKEN]),
            (KEY_ID.to_lowercase(), Some(TOKEN.to_lowercase()))
        );
        assert_eq!(read(&[KEY_ID, TOKEN]), ("test".to_owned(), None));
    }
}
