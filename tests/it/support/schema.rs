//! The JSON Schemas that ship, as anybody may use them.

use std::process::Output;

use serde_json::Value;

use super::transcript::Transcript;

/// What the schema does not like about a transcript.
pub fn errors(transcript: &Transcript) -> Vec<String> {
    not_by(mailscope::transcript::SCHEMA, transcript.value())
}

/// What a schema does not like about a value.
fn not_by(schema: &str, value: &Value) -> Vec<String> {
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Whatever a command prints as JSON is as its schema says.
pub fn assert_output(arguments: &[&str], output: &Output) {
    let is_json = arguments
        .windows(2)
        .any(|pair| pair == ["--output", "json"]);
    let schema = match arguments.first() {
        Some(&"diff") => mailscope::compare::SCHEMA,
        Some(&"lint") if !arguments.contains(&"--sarif") => mailscope::lint::print::SCHEMA,
        Some(&"stats") => mailscope::stats::SCHEMA,
        _ => return,
    };
    if !is_json || output.status.code() == Some(2) {
        return;
    }
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let value = serde_json::from_str(line).unwrap();
        assert_eq!(not_by(schema, &value), [""; 0], "{arguments:?}: {line}");
    }
}

/// A replay's report is as its schema says.
pub fn assert_report(report: &Value) {
    let errors = not_by(mailscope::replay::REPORT_SCHEMA, report);
    assert_eq!(errors, [""; 0], "{report:#}");
}
