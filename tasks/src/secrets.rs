//! Settings that are secrets. On AWS a function is not given their texts but the ARNs of secrets, in
//! `<VARIABLE>_SECRET_ARN`; they are read once, before the first event, and stay in memory.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;

use crate::config::Variable;

/// A secret that a function needs and cannot have.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager refused, or did not answer.
    #[error("{variable} cannot be read from the secret {arn}: {why}")]
    Refused {
        /// The variable's name.
        variable: &'static str,
        /// The secret's ARN, as it was given.
        arn: String,
        /// What the SDK reported. Never the secret.
        why: String,
    },
    /// The secret is binary or was never given a value.
    #[error("{variable} cannot be read from the secret {arn}: it holds no text")]
    NoText {
        /// The variable's name.
        variable: &'static str,
        /// The secret's ARN.
        arn: String,
    },
}

/// Reads these secrets, all at once. The texts are by the name of the variable.
pub(crate) async fn read(
    aws: &SdkConfig,
    arns: Vec<(Variable, String)>,
) -> Result<HashMap<&'static str, String>, SecretError> {
    let client = Client::new(aws);
    let mut reads = tokio::task::JoinSet::new();
    for (variable, arn) in arns {
        reads.spawn(one(client.clone(), variable.name(), arn));
    }
    let mut texts = HashMap::new();
    for read in reads.join_all().await {
        let (variable, text) = read?;
        texts.insert(variable, text);
    }
    Ok(texts)
}

async fn one(
    client: Client,
    variable: &'static str,
    arn: String,
) -> Result<(&'static str, String), SecretError> {
    match client.get_secret_value().secret_id(&arn).send().await {
        Ok(answer) => match answer.secret_string {
            Some(text) => Ok((variable, text)),
            None => Err(SecretError::NoText { variable, arn }),
        },
        Err(error) => Err(SecretError::Refused {
            variable,
            arn,
            why: DisplayErrorContext(error).to_string(),
        }),
    }
}
