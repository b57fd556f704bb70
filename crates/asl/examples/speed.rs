//! How many transitions a second the interpreter decides on one core, journal text included.

use std::io::Write;
use std::time::Instant;

use asl::{Data, Env, Execution, Identity, Signal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let payload = format!(r#"{{"order":"{}","n":1}}"#, "x".repeat(4_000));
    let machines = [
        (
            "two Pass states",
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","End":true}}}"#,
            2,
        ),
        (
            "two Pass states with JSONata outputs",
            r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Output":{"n":"{% $states.input.n + 1 %}","order":"{% $states.input.order %}"},"Next":"B"},"B":{"Type":"Pass","Output":"{% $states.input.n %}","End":true}}}"#,
            2,
        ),
        (
            "a Choice by JSONPath",
            r#"{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":1,"Next":"B"}]},"B":{"Type":"Succeed"}}}"#,
            2,
        ),
    ];
    let mut out = std::io::stdout().lock();
    for (name, text, states) in machines {
        let definition = asl::parse(text).definition.ok_or("refused")?;
        for input in [r#"{"n":1,"order":"o"}"#, &payload] {
            let runs = 20_000;
            let begin = Instant::now();
            let mut journal = 0;
            for key in 0..runs {
                let mut execution = Execution::new(identity(key));
                let env = Env {
                    now: 1,
                    seed: [0; 32],
                };
                let start = Signal::Start {
                    input: Data::parse(input)?,
                };
                let decision = asl::decide(&definition, &mut execution, start, &env)?;
                journal += serde_json::to_vec(&decision.entries)?.len();
            }
            let seconds = begin.elapsed().as_secs_f64();
            let rate = f64::from(u32::try_from(runs)? * states) / seconds;
            writeln!(
                out,
                "{name}, input of {} bytes: {rate:.0} transitions/s, {} journal bytes a run",
                input.len(),
                journal / usize::try_from(runs)?
            )?;
        }
    }
    Ok(())
}

fn identity(key: u64) -> Identity {
    Identity {
        execution_arn: "arn:aws:states:us-east-1:000000000000:execution:m:e".into(),
        name: "e".into(),
        role_arn: "arn:aws:iam::000000000000:role/r".into(),
        state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
        state_machine_name: "m".into(),
        version_arn: None,
        alias_arn: None,
        key,
    }
}
