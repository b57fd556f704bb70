//! The one stylesheet, the one script and the icon: inside the program, addressed by their content, cached for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

/// A file that never changes under its name.
struct Asset {
    name: String,
    content_type: &'static str,
    content: &'static str,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new(
            "console",
            "css",
            "text/css; charset=utf-8",
            include_str!("../assets/console.css"),
        ),
        Asset::new(
            "console",
            "js",
            "text/javascript; charset=utf-8",
            include_str!("../assets/console.js"),
        ),
        Asset::new(
            "icon",
            "svg",
            "image/svg+xml",
            include_str!("../assets/icon.svg"),
        ),
    ]
});

impl Asset {
    fn new(
        stem: &str,
        extension: &str,
        content_type: &'static str,
        content: &'static str,
    ) -> Asset {
        let digest = Sha256::digest(content.as_bytes());
        let short: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
        Asset {
            name: format!("{stem}-{short}.{extension}"),
            content_type,
            content,
        }
    }
}

/// Paths of the stylesheet, the script and the icon.
pub(crate) fn paths() -> [String; 3] {
    [0, 1, 2].map(|i| format!("/assets/{}", ASSETS[i].name))
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            asset.content,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
