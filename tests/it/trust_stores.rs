//! The authorities in trust stores of others: NSS and GnuTLS take what is permitted and nothing
//! else, and the steps that `mailscope ca trust` tells are run as they stand there.

use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::Trial;

use super::support::leaf::{CASES, presented, started, verdict};
use super::support::mailscope::{Mailscope, binary};
use super::support::patience::InTime;
use super::support::programs::{CERTTOOL, CERTUTIL, OPENSSL, VFYCHAIN, needing};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    let mut trials = needing(
        &[OPENSSL, CERTUTIL, VFYCHAIN],
        trials!("trust_stores";
            nss_takes_a_leaf_for_what_is_permitted_and_for_nothing_else,
            the_steps_for_nss_trust_and_take_it_back,
        ),
    );
    trials.extend(needing(
        &[OPENSSL, CERTTOOL],
        trials!("trust_stores"; gnutls_takes_a_leaf_for_what_is_permitted_and_for_nothing_else),
    ));
    trials
}

/// Every leaf of every kind of authority, as `verify` judges it; it must say `complaint` of those
/// that are not permitted.
fn judged(complaint: &str, verify: impl Fn(&Mailscope, &Path, &str) -> (bool, String)) {
    for case in CASES {
        let (_server, mailscope) = started(case.flags);
        for name in case.good {
            let leaf = presented(&mailscope, name);
            let (verifies, said) = verify(&mailscope, &leaf, name);
            assert!(verifies, "{:?} {name}: {said}", case.flags);
        }
        for name in case.bad {
            let leaf = presented(&mailscope, name);
            let (verifies, said) = verify(&mailscope, &leaf, name);
            assert!(!verifies, "{:?} {name}: {said}", case.flags);
            assert!(said.contains(complaint), "{:?} {name}: {said}", case.flags);
        }
    }
}

fn certutil(database: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(CERTUTIL.path().unwrap());
    command.args(arguments).arg("-d").arg(database);
    command.output_in_time().unwrap()
}

/// What NSS says of a leaf as a TLS server's certificate.
fn vfychain(database: &Path, leaf: &Path) -> (bool, String) {
    let mut command = Command::new(VFYCHAIN.path().unwrap());
    command.arg("-d").arg(database).args(["-u", "1", "-a"]);
    let (_, said) = verdict(command.arg(leaf).output_in_time().unwrap());
    (said.contains("Chain is good!"), said)
}

fn nss_takes_a_leaf_for_what_is_permitted_and_for_nothing_else() {
    judged("not permitted to issue", |mailscope, leaf, _| {
        let database = tempfile::tempdir().unwrap();
        let ca = mailscope.ca().display().to_string();
        for arguments in [
            &["-N", "--empty-password"][..],
            &["-A", "-n", "mailscope", "-t", "C,,", "-i", &ca],
        ] {
            let output = certutil(database.path(), arguments);
            assert!(output.status.success(), "{output:?}");
        }
        vfychain(database.path(), leaf)
    });
}

fn gnutls_takes_a_leaf_for_what_is_permitted_and_for_nothing_else() {
    judged(
        "violates the signer's constraints",
        |mailscope, leaf, name| {
            let mut command = Command::new(CERTTOOL.path().unwrap());
            command
                .args(["--verify", "--verify-purpose", "1.3.6.1.5.5.7.3.1"])
                .args(["--verify-hostname", name, "--load-ca-certificate"])
                .arg(mailscope.ca())
                .arg("--infile")
                .arg(leaf);
            verdict(command.output_in_time().unwrap())
        },
    );
}

/// The commands of a guide, before and behind its first "Take back:", each with the line that sets
/// `CA`.
fn commands(guide: &str) -> [String; 2] {
    let (trust, back) = guide.split_once("Take back:").unwrap();
    let set = trust.lines().find(|line| line.trim().starts_with("CA="));
    [trust, back].map(|part| {
        let begins = ["mkdir ", "[ ", "certutil "];
        let is_command = |line: &&str| {
            let line = line.trim_start();
            begins.iter().any(|begin| line.starts_with(begin)) && !line.contains(" is in ")
        };
        let lines: Vec<_> = set
            .into_iter()
            .chain(part.lines().filter(is_command))
            .collect();
        lines.join("\n")
    })
}

fn the_steps_for_nss_trust_and_take_it_back() {
    let (_server, mailscope) = started(&[]);
    let leaf = presented(&mailscope, "localhost");
    let home = tempfile::tempdir().unwrap();
    let ca_dir = mailscope
        .ca()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned();
    let guide = binary()
        .args(["ca", "trust", "nss", "--ca-dir"])
        .arg(ca_dir)
        .output_in_time();
    let [trust, back] = commands(&String::from_utf8(guide.unwrap().stdout).unwrap());
    let run = |commands: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", commands]).env("HOME", home.path());
        let output = shell.output_in_time().unwrap();
        assert!(output.status.success(), "{commands}\n{output:?}");
    };
    let database = home.path().join(".pki/nssdb");
    // A second time changes nothing.
    for _ in 0..2 {
        run(&trust);
        let (verifies, said) = vfychain(&database, &leaf);
        assert!(verifies, "{said}");
    }
    run(&back);
    let (verifies, said) = vfychain(&database, &leaf);
    assert!(!verifies, "{said}");
    let (_, left) = verdict(certutil(&database, &["-L"]));
    assert!(!left.contains("mailscope-"), "{left}");
}
