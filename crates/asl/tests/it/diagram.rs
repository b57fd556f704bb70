//! Definitions as pictures.

use serde_json::json;

use crate::support::{definition, machine};

#[test]
fn a_definition_as_mermaid() {
    let text = machine(
        "Ask",
        &json!({
            "Ask": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Retry": [{"ErrorEquals": ["Down"]}],
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}], "Next": "Enough"},
            "Enough": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n < 3 and \"a\" = 'a' %}", "Next": "Both"}], "Default": "Fine"},
            "Both": {"Type": "Parallel", "End": true, "Branches": [
                {"StartAt": "Left", "States": {"Left": {"Type": "Wait", "Seconds": 1, "End": true}}},
                {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "End": true}}}]},
            "Fine": {"Type": "Succeed"},
            "Lost": {"Type": "Fail", "Error": "Lost"}
        }),
    );
    insta::assert_snapshot!(definition(&text).diagram(), @r##"
    flowchart TD
      begin((" "))
      s0["Ask<br/>lambda:invoke"]
      s1{"Enough"}
      subgraph s2["Both"]
        subgraph s2b0[" "]
          s5[/"Left"/]
        end
        subgraph s2b1[" "]
          s6["Right"]
        end
      end
      s3(["Fine"])
      s4(["Lost"])
      begin --> s0
      done(((" ")))
      s0 --> s1
      s0 -.->|"retry Down"| s0
      s0 -.->|"States.ALL"| s4
      s1 -->|"$states.input.n #lt; 3 and #quot;a#quot; = 'a'"| s2
      s1 -->|"otherwise"| s3
      s2 --> done
    "##);
}
