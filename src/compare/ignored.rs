//! What is not to be compared, because the user says so: two accounts have other UIDs, an app that polls
//! says NOOP as often as it pleases.

use std::collections::HashSet;

/// Names of commands, responses, response codes, arguments and items.
#[derive(Clone, Debug, Default)]
pub struct Ignored(HashSet<String>);

impl Ignored {
    /// These, in any letter case.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self(names.into_iter().map(str::to_ascii_uppercase).collect())
    }

    /// Whether this is one of them.
    pub fn has(&self, name: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&name.to_ascii_uppercase())
    }
}
