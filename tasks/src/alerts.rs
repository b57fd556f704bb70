//! What operations are told: one readable format, published to `ops_alerts`.
//!
//! What happened, for which product, since when, and the command to look. Nobody has to know our code
//! to act on it.

use std::fmt::Write;

use crate::{app::App, error::Common};

/// SNS takes subjects of less than 100 characters, without line breaks and control characters.
const LONGEST_SUBJECT: usize = 99;

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What happened, in a few words: the subject of the mail.
    pub what: String,
    /// The product it is about (its SKU).
    pub product_id: String,
    /// The reorder it is about: the execution's name is `reorder-<id>`.
    pub reorder_id: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub since: i64,
    /// What it means and what was done about it, in full sentences.
    pub detail: String,
}

impl Alert {
    /// The text of the alert.
    pub fn text(&self) -> String {
        let since = jiff::Timestamp::from_millisecond(self.since).unwrap_or_default();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "What:    {}", self.what);
        let _ = writeln!(text, "Product: {}", self.product_id);
        let _ = writeln!(text, "Since:   {since:.0}");
        let _ = writeln!(text, "Detail:  {}", self.detail);
        if let Some(reorder) = &self.reorder_id {
            let _ = writeln!(text, "Look:    restock executions show reorder-{reorder}");
        }
        text
    }

    fn subject(&self) -> String {
        let text = format!("[restock] {}: {}", self.product_id, self.what);
        let printable = text.chars().filter(|c| !c.is_control());
        printable.take(LONGEST_SUBJECT).collect()
    }
}

/// Publishes an alert. The caller decides what a failure means: an alert that is not worth failing for
/// is logged by [`tell_or_log`].
pub async fn tell(app: &App, alert: &Alert) -> Result<(), Common> {
    let topic = app.config.ops_alerts_topic()?;
    app.sns()
        .await
        .publish()
        .topic_arn(topic)
        .subject(alert.subject())
        .message(alert.text())
        .send()
        .await
        .map_err(|error| Common::aws("SNS", "Publish", &error))?;
    Ok(())
}

/// Publishes an alert about something that is already settled: if SNS does not take it, the log does.
pub async fn tell_or_log(app: &App, alert: &Alert) {
    tracing::warn!(
        product_id = alert.product_id,
        reorder_id = alert.reorder_id,
        what = alert.what,
        "operations are told"
    );
    if let Err(error) = tell(app, alert).await {
        tracing::error!(%error, alert = alert.text(), "operations could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_reads_like_a_note_to_a_colleague() {
        let alert = Alert {
            what: "fewer items than asked".into(),
            product_id: "CP-502101".into(),
            reorder_id: Some("7f3a".into()),
            since: 1_700_000_000_123,
            detail: "The factory delivered 7 of 10. They are in the stock.".into(),
        };
        assert_eq!(
            alert.text(),
            "What:    fewer items than asked\n\
             Product: CP-502101\n\
             Since:   2023-11-14T22:13:20Z\n\
             Detail:  The factory delivered 7 of 10. They are in the stock.\n\
             Look:    restock executions show reorder-7f3a\n"
        );
        assert_eq!(
            alert.subject(),
            "[restock] CP-502101: fewer items than asked"
        );
    }

    #[test]
    fn a_subject_is_what_sns_accepts() {
        let alert = Alert {
            what: "한글\nand lines ".repeat(30),
            product_id: "CP-1".into(),
            reorder_id: None,
            since: 0,
            detail: String::new(),
        };
        let subject = alert.subject();
        assert_eq!(subject.chars().count(), 99);
        assert!(!subject.contains(char::is_control), "{subject:?}");
    }
}
