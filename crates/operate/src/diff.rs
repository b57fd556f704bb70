//! Two JSON values side by side, as people compare them.

use std::time::Duration;

use serde_json::Value;
use similar::TextDiff;

/// How long the smallest difference is looked for; after that any difference will do. Large values that have nothing in
/// common would take minutes.
const PATIENCE: Duration = Duration::from_millis(100);

/// Indented JSON.
pub fn pretty(value: &Value) -> String {
    // A value without non-string keys always serialises.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A unified diff of two values; empty if they are equal.
pub fn diff(old_name: &str, old: &Value, new_name: &str, new: &Value) -> String {
    let (old, new) = (pretty(old) + "\n", pretty(new) + "\n");
    if old == new {
        return String::new();
    }
    TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(&old, &new)
        .unified_diff()
        .context_radius(3)
        .header(old_name, new_name)
        .to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_diff_shows_what_changes_and_nothing_else() {
        let old = json!({"quantity": 10, "product_id": "CP-1"});
        let new = json!({"quantity": 12, "product_id": "CP-1"});
        let told = diff("was", &old, "is", &new);
        assert!(
            told.contains("-  \"quantity\": 10") && told.contains("+  \"quantity\": 12"),
            "{told}"
        );
        assert_eq!(diff("was", &old, "is", &old), "");
    }
}
