//! The transcript format's JSON Schema, as anybody may use it.

use super::transcript::Transcript;

/// What the schema does not like about a transcript.
pub fn errors(transcript: &Transcript) -> Vec<String> {
    let schema = serde_json::from_str(mailscope::transcript::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator
        .iter_errors(transcript.value())
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}
