//! Signature version 4 of a request, as the SDKs sign.
//!
//! Source: IAM user guide, "AWS Signature Version 4 for API requests".

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;

/// Who signs, for whom, when.
pub(super) struct Signer<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) region: &'a str,
    /// The service in the signature's scope.
    pub(super) service: &'a str,
    pub(super) now: SystemTime,
}

impl Signer<'_> {
    /// Adds the headers of the signature. Every header that is there is signed with it, so add none afterwards.
    ///
    /// # Errors
    /// Something in the request cannot be signed, such as a header that is not text.
    pub(super) fn sign(&self, request: &mut http::Request<Bytes>) -> Result<(), String> {
        let identity = self.credentials.clone().into();
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            // S3's keys are taken as they are, and its requests say the digest of their body.
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.now)
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers: Result<Vec<(&str, &str)>, _> = request
            .headers()
            .iter()
            .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
            .collect();
        let headers = headers.map_err(|error: http::header::ToStrError| error.to_string())?;
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers.into_iter(),
            SignableBody::Bytes(request.body()),
        );
        let signed = signable.and_then(|it| sign(it, &params));
        let (instructions, _) = signed.map_err(|error| error.to_string())?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn signed(service: &str, token: Option<&str>, request: http::request::Builder) -> String {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            token.map(str::to_owned),
            None,
            "test",
        );
        let signer = Signer {
            credentials: &credentials,
            region: "us-east-1",
            service,
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160), // 2015-08-30T12:36:00Z
        };
        let mut request = request.body(Bytes::from_static(b"{}")).unwrap();
        signer.sign(&mut request).unwrap();
        request.headers()["authorization"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// The signatures are those that botocore, which AWS's own command line signs with, makes of the same requests.
    #[test]
    fn signatures_are_those_of_other_signers() {
        let request = || {
            http::Request::post("http://127.0.0.1:8000/a%20b/c%3Ad?x=%20y&a=1")
                .header("host", "127.0.0.1:8000")
                .header("content-type", "application/x-amz-json-1.0")
        };
        for (service, token, expected) in [
            (
                "dynamodb",
                None,
                "1f00324b619410b0a20a70534197103e027e9c1cdf1dfd688db3ba40bc3eb0ee",
            ),
            (
                "dynamodb",
                Some("a/token"),
                "8ea7e42a1e03577581584b6188ab612618c19b6fa2907ec215db4655ca0b35e5",
            ),
            (
                "s3",
                None,
                "6616b4af706cf2da74116c535f626199cee92c08b7afd37937e410e81dcbc7c0",
            ),
        ] {
            let shown = signed(service, token, request());
            assert!(shown.ends_with(&format!("Signature={expected}")), "{shown}");
            assert!(
                shown.starts_with(&format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, "
                )),
                "{shown}"
            );
        }
    }
}
