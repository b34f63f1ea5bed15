//! The README's tests of an app, in Python and for Node.js: run as they stand there, in a folder like
//! the one of somebody who has them, with `mailscope` on the path.

use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::real::imapflow;
use super::support::patience::InTime;
use super::support::programs::{NODE, PYTEST, needing};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("examples"; the_readme_has_them_whole);
    trials.extend(needing(
        &[PYTEST],
        trials!("examples"; pytest_is_content, pytest_tells_what_was_not_recorded),
    ));
    trials.extend(imapflow::needing_imapflow(
        trials!("examples"; node_is_content, node_tells_what_was_not_recorded),
    ));
    trials
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PYTHON_TEST: &str = "test_unread.py";
const NODE_TEST: &str = "unread.test.mjs";

fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/tests/it/examples/{name}")).unwrap()
}

fn the_readme_has_them_whole() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    for (language, name) in [("python", PYTHON_TEST), ("js", NODE_TEST)] {
        let block = format!("```{language}\n{}```\n", example(name));
        assert!(
            readme.contains(&block),
            "the README has no such block:\n{block}"
        );
    }
}

/// Somebody's project: the recording and this test.
fn project(test: &str, content: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        format!("{ROOT}/recordings"),
        folder.path().join("recordings"),
    )
    .unwrap();
    std::fs::write(folder.path().join(test), content).unwrap();
    folder
}

/// Runs a program of a user to whom `mailscope` is the binary under test.
fn run(program: &Path, arguments: &[&str], folder: &TempDir) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_mailscope"));
    let before = std::env::var_os("PATH").unwrap_or_default();
    let mut path = vec![binary.parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&before));
    Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("MAILSCOPE_CA_DIR", folder.path().join("ca"))
        .env("TMPDIR", folder.path())
        .output_in_time()
        .unwrap()
}

fn pytest(content: &str) -> Output {
    let folder = project(PYTHON_TEST, content);
    run(&PYTEST.path().unwrap(), &["--color=no"], &folder)
}

fn node(content: &str) -> Output {
    let folder = project(NODE_TEST, content);
    let modules = folder.path().join("node_modules");
    std::os::unix::fs::symlink(imapflow::modules(), modules).unwrap();
    run(&NODE.path().unwrap(), &["--test", NODE_TEST], &folder)
}

fn pytest_is_content() {
    let output = pytest(&example(PYTHON_TEST));
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("1 passed"), "{}", said(&output));
}

fn node_is_content() {
    let output = node(&example(NODE_TEST));
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("pass 1"), "{}", said(&output));
}

/// The app does not mind that its question was answered BAD; its test fails all the same, and says why.
fn pytest_tells_what_was_not_recorded() {
    let asked = "imap.select(\"INBOX\")\n";
    let example = example(PYTHON_TEST);
    assert!(example.contains(asked));
    let careless = format!(
        "{asked}        with pytest.raises(imaplib.IMAP4.error):\n            imap.status(\"Drafts\", \"(MESSAGES)\")\n"
    );
    tells_what_was_not_recorded(&pytest(&example.replace(asked, &careless)), "STATUS Drafts");
}

fn node_tells_what_was_not_recorded() {
    let asked = "lock.release();\n";
    let example = example(NODE_TEST);
    assert!(example.contains(asked));
    let careless =
        format!("{asked}  await app.status(\"Drafts\", {{ messages: true }}).catch(() => {{}});\n");
    tells_what_was_not_recorded(&node(&example.replace(asked, &careless)), "STATUS Drafts");
}

fn tells_what_was_not_recorded(output: &Output, command: &str) {
    let said = said(output);
    assert!(!output.status.success(), "{said}");
    for words in [
        "the app asked for what is not in the recording",
        &format!("nothing recorded fits {command}"),
    ] {
        assert!(said.contains(words), "{words:?} in {said}");
    }
}

fn said(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    stdout.into_owned() + &String::from_utf8_lossy(&output.stderr)
}
