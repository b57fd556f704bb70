//! What operations are told: one readable format, published to `ops_alerts`.
//!
//! Six lines, whoever writes them: what failed, for which product or customer, since when, why, the command to look,
//! the command to replay. The definitions' `Alert…` states and the rule for executions that ended badly
//! (`workflows/stack.json`) write the same six. Nobody has to know our code to act on it.

use crate::{app::App, error::Common};

/// How the lines begin, in their order.
pub const LABELS: [&str; 6] = ["What", "About", "Since", "Why", "Look", "Replay"];

/// How the lines of a text begin. EventBridge sends each line of a rule's message in quotes; those do not count.
pub fn labels(text: &str) -> Vec<&str> {
    let labels = text
        .lines()
        .map(|line| line.split_once(':').map_or(line, |(label, _)| label));
    labels.map(|label| label.trim_start_matches('"')).collect()
}

/// SNS takes subjects of less than 100 characters, without line breaks and control characters.
const LONGEST_SUBJECT: usize = 99;

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What happened, in a few words; also in the subject of the mail.
    pub what: String,
    /// The product or customer, and the reorder or order.
    pub about: String,
    /// When it began, in milliseconds since 1970.
    pub since: i64,
    /// What it means and what was done about it, in full sentences.
    pub why: String,
    /// The command that shows it.
    pub look: String,
    /// The command that repeats what failed, or why nothing has to be.
    pub replay: String,
}

impl Alert {
    /// The text of the alert.
    pub fn text(&self) -> String {
        let since = jiff::Timestamp::from_millisecond(self.since).unwrap_or_default();
        let since = format!("{since:.3}");
        let values = [
            &self.what,
            &self.about,
            &since,
            &self.why,
            &self.look,
            &self.replay,
        ];
        let lines = LABELS.iter().zip(values);
        lines
            .map(|(label, value)| format!("{:<9}{value}\n", format!("{label}:")))
            .collect()
    }

    fn subject(&self) -> String {
        // The product or customer; the rest of what it is about is in the text.
        let (about, _) = self.about.split_once(',').unwrap_or((&self.about, ""));
        let text = format!("[restock] {about}: {}", self.what);
        let printable = text.chars().filter(|c| !c.is_control());
        printable.take(LONGEST_SUBJECT).collect()
    }
}

/// Publishes an alert.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(about: &str) -> Alert {
        Alert {
            what: "fewer items than asked".into(),
            about: about.into(),
            since: 1_700_000_000_123,
            why: "The factory delivered 7 of 10. They are in the stock.".into(),
            look: "restock executions show reorder-7f3a".into(),
            replay: "nothing to repeat".into(),
        }
    }

    #[test]
    fn an_alert_reads_like_a_note_to_a_colleague() {
        let alert = alert("product CP-502101, reorder RO-1");
        assert_eq!(
            alert.text(),
            "What:    fewer items than asked\n\
             About:   product CP-502101, reorder RO-1\n\
             Since:   2023-11-14T22:13:20.123Z\n\
             Why:     The factory delivered 7 of 10. They are in the stock.\n\
             Look:    restock executions show reorder-7f3a\n\
             Replay:  nothing to repeat\n"
        );
        assert_eq!(
            alert.subject(),
            "[restock] product CP-502101: fewer items than asked"
        );
    }

    #[test]
    fn a_subject_is_what_sns_accepts() {
        let subject = alert(&"한글\nand lines ".repeat(30)).subject();
        assert_eq!(subject.chars().count(), 99);
        assert!(!subject.contains(char::is_control), "{subject:?}");
    }
}
