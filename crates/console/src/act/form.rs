//! What a form says: its fields, that it came from one of our pages, and who sent it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::PageError;
use crate::login;

/// The field that carries the token.
const TOKEN: &str = "token";

/// Names and values in the order in which they were sent; a name may come several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn read(text: &[u8]) -> Fields {
        Fields(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of this name; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, v)| n == name && !v.is_empty());
        found.map(|(_, v)| v.as_str())
    }

    /// Every value of this name that is not empty.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, v)| n == name && !v.is_empty())
            .map(|(_, v)| v.as_str())
    }

    /// The first value of this name, which the page cannot do without.
    pub(crate) fn need(&self, name: &str) -> Result<&str, PageError> {
        self.get(name)
            .ok_or_else(|| PageError::Invalid(format!("the form has no {name}")))
    }
}

/// Who asks for a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    /// The user of the operating system that the console runs as.
    pub user: String,
    /// Tells logins apart without giving them away; absent where nobody has to log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Where the browser is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A form that may change something.
#[derive(Debug)]
pub(crate) struct Asked {
    pub fields: Fields,
    pub who: Who,
    pub csrf: Csrf,
}

impl FromRequest<Arc<App>> for Asked {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Asked, PageError> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let body = Bytes::from_request(request, app).await.map_err(|_| {
            PageError::Invalid(
                "the form did not arrive whole, or is larger than 1 MiB; nothing was changed"
                    .to_owned(),
            )
        })?;
        let fields = Fields::read(&body);
        let token = fields.get(TOKEN).unwrap_or_default();
        if !app.act.secret.is_token(&parts.headers, token) {
            return Err(PageError::Forbidden(
                "this form does not carry the token of this console's pages: it comes from elsewhere, or the console \
                 was started anew since it was loaded. Nothing was changed; go back, reload the page and send it again"
                    .to_owned(),
            ));
        }
        Ok(Asked {
            who: who(&parts),
            csrf: Csrf(app.act.secret.token(&parts.headers)),
            fields,
        })
    }
}

fn who(parts: &Parts) -> Who {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let session = login::session(&parts.headers).map(|session| {
        let hash = Sha256::digest(session.as_bytes());
        hash.iter().take(4).map(|b| format!("{b:02x}")).collect()
    });
    Who {
        user: whoami::username().unwrap_or_else(|_| "unknown".to_owned()),
        session,
        address: peer.map(|ConnectInfo(peer)| peer.ip().to_string()),
    }
}

/// The token for the forms of a page.
#[derive(Clone, Debug)]
pub(crate) struct Csrf(String);

impl FromRequestParts<Arc<App>> for Csrf {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Csrf, PageError> {
        Ok(Csrf(app.act.secret.token(&parts.headers)))
    }
}

impl Csrf {
    /// The hidden field that each of our forms begins with.
    pub(crate) fn field(&self) -> Markup {
        html! { input type="hidden" name=(TOKEN) value=(self.0); }
    }
}

/// What stands behind the `?` of an address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(pub Fields);

impl FromRequestParts<Arc<App>> for Query {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Query, PageError> {
        let text = parts.uri.query().unwrap_or_default();
        Ok(Query(Fields::read(text.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat_and_empty_is_absent() {
        let fields = Fields::read(b"parked=a%23b&parked=c&note=&x=1+2");
        assert_eq!(fields.all("parked").collect::<Vec<_>>(), ["a#b", "c"]);
        assert_eq!(fields.get("note"), None);
        assert_eq!(fields.get("x"), Some("1 2"));
        assert!(fields.need("y").is_err());
    }
}
