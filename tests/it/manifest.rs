//! What the package promises of itself: each dependency with its reason, no unsafe code, the Rust that
//! it takes, and what is in the package.

use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::patience::InTime;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("manifest";
        every_dependency_has_its_reason_and_is_used,
        unsafe_code_is_forbidden_everywhere,
        no_dependency_takes_a_newer_rust,
        the_package_holds_what_it_is_to_hold,
        the_threat_model_names_tests_that_there_are,
    )
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn manifest() -> String {
    std::fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap()
}

/// The text of all Rust files below these folders.
fn code(folders: &[&str]) -> String {
    let mut text = String::new();
    let mut folders: Vec<_> = folders
        .iter()
        .map(|name| Path::new(ROOT).join(name))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

fn every_dependency_has_its_reason_and_is_used() {
    let manifest = manifest();
    let (in_source, anywhere) = (code(&["src"]), code(&["src", "tests", "benches"]));
    let (mut section, mut before, mut seen) = ("", "", 0);
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && let Some((name, _)) = line.split_once(" = ")
        {
            let reason = before.strip_prefix("# ").unwrap_or_default();
            assert!(
                reason.ends_with(['.', ')']),
                "{name} has no reason above it"
            );
            let module = name.replace('-', "_");
            // The macros of libtest-mimic's kind are named by their crate as well.
            let code = match section == "[dev-dependencies]" {
                true => &anywhere,
                false => &in_source,
            };
            let uses = [format!("{module}::"), format!("use {module};")];
            // What is wanted of a crate may be another file than its code.
            let is_named = code.contains(&format!("\"{name}\""));
            assert!(
                is_named || uses.iter().any(|used| code.contains(used)),
                "{name} is not used"
            );
            seen += 1;
        }
        before = line;
    }
    assert!(seen > 30, "{seen}");
}

/// Cargo's lint holds for each target of the package; nothing can allow again what is forbidden.
fn unsafe_code_is_forbidden_everywhere() {
    let manifest = manifest();
    let (_, lints) = manifest.split_once("\n[lints.rust]\n").unwrap();
    assert!(lints.starts_with("unsafe_code = \"forbid\"\n"), "{lints}");
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .current_dir(ROOT)
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap()).collect()
}

/// Of all that a build takes on any system, tests and benchmarks included.
fn no_dependency_takes_a_newer_rust() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let own = packages
        .iter()
        .find(|package| package["name"] == "mailscope");
    let own = version(own.unwrap()["rust_version"].as_str().unwrap());
    let mut stated = 0;
    for package in packages {
        if let Some(needed) = package["rust_version"].as_str() {
            let mut needed = version(needed);
            needed.truncate(own.len());
            let name = &package["name"];
            assert!(
                needed <= own,
                "{name} takes Rust {needed:?}, and we say {own:?}"
            );
            stated += 1;
        }
    }
    assert!(stated > 100, "{stated}");
}

fn the_package_holds_what_it_is_to_hold() {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args([
            "package",
            "--list",
            "--allow-dirty",
            "--locked",
            "--offline",
        ])
        .current_dir(ROOT)
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(!warned.contains("warning"), "{warned}");
    let listed = String::from_utf8(output.stdout).unwrap();
    let files: Vec<&str> = listed.lines().collect();
    for name in [
        "CHANGELOG.md",
        "Cargo.lock",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "SECURITY.md",
        "benches/relay.rs",
        "recordings/tour.json",
        "src/main.rs",
        "src/transcript/schema.json",
        "tests/it/main.rs",
    ] {
        assert!(files.contains(&name), "{name} is not in the package");
    }
    let kept_out = |file: &&&str| {
        // What lies in recordings/ of somebody who records here.
        [".ci", "fuzz", "target", "recordings/2"]
            .iter()
            .any(|start| file.starts_with(start))
    };
    assert_eq!(files.iter().find(kept_out), None);
}

/// `file::test` and `test` in SECURITY.md, which say what holds an attack off.
fn the_threat_model_names_tests_that_there_are() {
    let model = std::fs::read_to_string(format!("{ROOT}/SECURITY.md")).unwrap();
    let code = code(&["src", "tests"]);
    let mut named = 0;
    for name in model.split('`').skip(1).step_by(2) {
        let is_path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c);
        if name.chars().all(is_path) && name.matches('_').count() >= 3 {
            let test = name.rsplit("::").next().unwrap();
            let is_there = code.contains(&format!("fn {test}("));
            assert!(is_there, "SECURITY.md names {name}, which is no test");
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
}
