//! The authority as others see it: openssl, the file system, and a second run.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::Trial;

use super::support::app::App;
use super::support::leaf::{CASES, openssl, presented, presented_without_a_name, started, verdict};
use super::support::mailscope::{Mailscope, binary, record, run};
use super::support::patience::InTime;
use super::support::programs::{OPENSSL, PYTHON, SCRIPT, needing};
use super::support::terminal::in_a_terminal;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("authority";
        it_is_made_on_first_use_for_its_owner_alone_and_kept,
        ca_lists_what_there_is_and_says_how_to_trust_it,
        the_path_is_printed_as_the_system_has_it,
        a_variable_without_a_value_names_no_folder,
        every_platform_has_steps_to_trust_and_to_take_it_back,
        an_export_is_the_certificate_and_never_overwrites,
        what_cannot_be_is_refused_with_exit_code_2,
        record_says_which_authority_it_takes,
        the_name_of_a_provider_stands_for_its_server,
    );
    trials.extend(needing(
        &[OPENSSL],
        trials!("authority";
            openssl_takes_a_leaf_for_what_is_permitted_and_for_nothing_else,
            openssl_takes_the_leaf_of_an_app_that_asks_for_no_name,
            a_name_that_is_not_permitted_gets_a_note_with_what_to_do,
        ),
    ));
    trials.extend(needing(
        &[SCRIPT],
        trials!("authority"; der_is_not_written_to_a_terminal),
    ));
    trials.extend(needing(
        &[PYTHON],
        trials!("authority"; python_reads_the_profile_for_apples_systems),
    ));
    trials
}

/// What `openssl verify` says, and whether it is content.
fn verify(mailscope: &Mailscope, leaf: &Path, host: &[&str]) -> (bool, String) {
    let (ca, leaf) = (mailscope.ca(), leaf.display().to_string());
    let mut arguments = vec!["verify", "-x509_strict", "-purpose", "sslserver"];
    arguments.extend(["-CAfile", ca.to_str().unwrap()]);
    arguments.extend(host);
    arguments.push(&leaf);
    verdict(openssl(&arguments))
}

fn openssl_takes_a_leaf_for_what_is_permitted_and_for_nothing_else() {
    for case in CASES {
        let (_server, mailscope) = started(case.flags);
        for name in case.good {
            let leaf = presented(&mailscope, name);
            let (verifies, said) = verify(&mailscope, &leaf, &["-verify_hostname", name]);
            assert!(verifies, "{:?} {name}: {said}", case.flags);
            let (verifies, said) =
                verify(&mailscope, &leaf, &["-verify_hostname", "other.example"]);
            assert!(!verifies && said.contains("hostname mismatch"), "{said}");
        }
        for name in case.bad {
            // It is minted all the same.
            let (verifies, said) = verify(&mailscope, &presented(&mailscope, name), &[]);
            assert!(!verifies && said.contains("permitted subtree"), "{said}");
        }
    }
}

fn openssl_takes_the_leaf_of_an_app_that_asks_for_no_name() {
    let (_server, mailscope) = started(CASES[1].flags);
    let leaf = presented_without_a_name(&mailscope);
    for host in [
        ["-verify_hostname", "localhost"],
        ["-verify_ip", "127.0.0.1"],
        ["-verify_ip", "::1"],
        ["-verify_ip", "192.0.2.7"],
        ["-verify_hostname", "imap.example.com"],
    ] {
        let (verifies, said) = verify(&mailscope, &leaf, &host);
        assert!(verifies, "{host:?}: {said}");
    }
    let (verifies, said) = verify(&mailscope, &leaf, &["-verify_ip", "192.0.2.8"]);
    assert!(!verifies && said.contains("IP address mismatch"), "{said}");
}

fn a_name_that_is_not_permitted_gets_a_note_with_what_to_do() {
    let hosts = "--as imap.example.com --as 192.0.2.7 --as example.net";
    for (case, flags) in CASES.iter().zip(["--as example.net", hosts]) {
        let (_server, mut mailscope) = started(case.flags);
        presented(&mailscope, "example.net");
        mailscope.closed(1);
        let transcript = mailscope.stop();
        let notes = transcript.notes("name-not-permitted");
        assert_eq!(notes.len(), 1, "{}", transcript.text());
        let text = notes[0]["text"].as_str().unwrap();
        assert!(text.contains("asked for example.net"), "{text}");
        assert!(
            text.contains(&format!("(`mailscope ca {flags}`)")),
            "{text}"
        );
    }
}

fn it_is_made_on_first_use_for_its_owner_alone_and_kept() {
    let (server, mut first) = started(&[]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let ca = first.ca();
    let folder = ca.parent().unwrap();
    assert!(ca.ends_with("ca/local/ca.pem"), "{}", ca.display());
    assert_eq!(mode(&folder.join("ca-key.pem")), 0o600);
    assert_eq!(mode(folder), 0o700);
    assert_eq!(mode(folder.parent().unwrap()), 0o700);
    let before = std::fs::read(&ca).unwrap();
    first.stop();
    let ca_dir = folder.parent().unwrap().display().to_string();
    let again = record(&server.name())
        .with(&["--server-tls", "none"])
        .set("--ca-dir", &ca_dir)
        .start();
    assert_eq!(again.ca(), ca);
    assert_eq!(std::fs::read(&ca).unwrap(), before);
    for name in ["localhost", "127.0.0.1"] {
        let mut app = App::tls(again.tls(), name, &ca);
        app.hear("* OK");
    }
}

/// Runs `mailscope ca` with this folder of authorities.
fn ca(ca_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = binary();
    command
        .arg("ca")
        .args(arguments)
        .arg("--ca-dir")
        .arg(ca_dir);
    command.output_in_time().unwrap()
}

/// It need not be UTF-8, and a program is to find it by what is printed.
fn the_path_is_printed_as_the_system_has_it() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let ca_dir = folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let output = ca(&ca_dir, &["path"]);
    assert!(output.status.success(), "{output:?}");
    let path = output.stdout.strip_suffix(b"\n").unwrap();
    assert!(Path::new(std::ffi::OsStr::from_bytes(path)).is_file());
}

fn a_variable_without_a_value_names_no_folder() {
    let data = tempfile::tempdir().unwrap();
    let output = binary()
        .args(["ca", "path"])
        .env("MAILSCOPE_CA_DIR", "")
        .env("XDG_DATA_HOME", data.path())
        .env("HOME", data.path())
        .output_in_time()
        .unwrap();
    assert!(
        said(&output).starts_with(data.path().to_str().unwrap()),
        "{output:?}"
    );
}

fn said(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    std::str::from_utf8(&output.stdout).unwrap()
}

fn ca_lists_what_there_is_and_says_how_to_trust_it() {
    let folder = tempfile::tempdir().unwrap();
    let made_first = ca(folder.path(), &[]);
    assert_eq!(said(&made_first).matches("SHA-256").count(), 1);
    let hosts = ["--as", "IMAP.example.com", "--as", "192.0.2.7"];
    for (flags, place) in [
        (&[][..], "local"),
        (&hosts, "as-imap.example.com+192.0.2.7"),
        (
            &["--as", "192.0.2.7", "--as", "imap.example.com."],
            "as-imap.example.com+192.0.2.7",
        ),
        (&["--as", "localhost"], "local"),
        (&["--unconstrained-ca"], "unconstrained"),
    ] {
        let file = folder.path().join(place).join("ca.pem");
        let path = ca(folder.path(), &[&["path"], flags].concat());
        assert_eq!(said(&path), format!("{}\n", file.display()));
        let list = ca(folder.path(), flags);
        assert!(said(&list).contains(file.to_str().unwrap()), "{list:?}");
    }
    let list = ca(folder.path(), &hosts);
    let list = said(&list);
    assert_eq!(list.matches("SHA-256").count(), 3, "{list}");
    for part in [
        "imap.example.com, 192.0.2.7, localhost",
        "ANY server",
        "  mailscope ca trust PLATFORM --as imap.example.com --as 192.0.2.7\n",
        "thunderbird",
    ] {
        assert!(list.contains(part), "{part}: {list}");
    }
    assert!(!list.contains("PRIVATE"));
}

fn every_platform_has_steps_to_trust_and_to_take_it_back() {
    let folder = tempfile::tempdir().unwrap();
    for flags in CASES.map(|case| case.flags) {
        let all = ca(folder.path(), &[&["trust"], flags].concat());
        for (platform, title) in [
            ("program", "One program"),
            ("thunderbird", "Thunderbird"),
            ("linux", "Debian"),
            ("nss", "NSS"),
            ("macos", "macOS"),
            ("windows", "Windows"),
            ("java", "Java"),
            ("android", "Android"),
            ("ios", "iPhone"),
        ] {
            let steps = ca(folder.path(), &[&["trust", platform], flags].concat());
            let (_, steps) = said(&steps).split_once("CA=").unwrap();
            assert!(steps.contains(title), "{platform}: {steps}");
            assert!(steps.to_lowercase().contains("take"), "{platform}: {steps}");
            let (_, steps) = steps.split_once("\n\n").unwrap();
            assert!(said(&all).contains(steps), "{platform}");
        }
    }
    let unknown = ca(folder.path(), &["trust", "amiga"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}

fn an_export_is_the_certificate_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let pem = ca(folder.path(), &["export"]);
    let kept = std::fs::read(folder.path().join("local/ca.pem")).unwrap();
    assert_eq!(said(&pem).as_bytes(), kept);
    let der = ca(folder.path(), &["export", "--format", "der", "-o", "-"]);
    assert_eq!(der.stdout[0], 0x30, "{der:?}");
    for (format, flags) in [
        ("pem", &[][..]),
        ("der", &["--unconstrained-ca"]),
        ("mobileconfig", &["--as", "a.example"]),
    ] {
        let file = folder.path().join(format!("exported.{format}"));
        let arguments = ["export", "--format", format, "-o", file.to_str().unwrap()];
        let arguments = [&arguments, flags].concat();
        let output = ca(folder.path(), &arguments);
        assert_eq!(said(&output), "");
        let content = std::fs::read(&file).unwrap();
        assert!(!content.is_empty() && !String::from_utf8_lossy(&content).contains("PRIVATE"));
        let again = ca(folder.path(), &arguments);
        assert_eq!(again.status.code(), Some(2), "{again:?}");
        let words = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(
            words.contains("never overwritten") && words.contains("exported"),
            "{words}"
        );
        assert_eq!(std::fs::read(&file).unwrap(), content);
    }
}

fn der_is_not_written_to_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let command = format!(
        "'{}' ca export --format der --ca-dir '{}'",
        binary().get_program().to_str().unwrap(),
        folder.path().display()
    );
    // `script` gives its command a terminal, and with -e its exit code.
    let output = in_a_terminal(&command).output_in_time().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("terminal") && said.contains("-o FILE"),
        "{said}"
    );
}

/// Python's own reader of property lists, which is none of ours.
fn python_reads_the_profile_for_apples_systems() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = ["--as", "a.example", "--as", "b.example"];
    let file = folder.path().join("it.mobileconfig");
    let export = [
        "export",
        "--format",
        "mobileconfig",
        "-o",
        file.to_str().unwrap(),
    ];
    said(&ca(folder.path(), &[&export[..], &hosts].concat()));
    let read = r#"
import plistlib, ssl, sys, uuid
profile = plistlib.load(open(sys.argv[1], "rb"))
assert profile["PayloadType"] == "Configuration", profile
[root] = profile["PayloadContent"]
assert root["PayloadType"] == "com.apple.security.root", root
pem = open(sys.argv[2]).read()
assert root["PayloadContent"] == ssl.PEM_cert_to_DER_cert(pem)
identifiers = set()
for payload in (profile, root):
    assert payload["PayloadVersion"] == 1
    assert uuid.UUID(payload["PayloadUUID"]).version == 8
    identifiers |= {payload["PayloadUUID"], payload["PayloadIdentifier"]}
assert len(identifiers) == 4, identifiers
"#;
    let pem = ca(folder.path(), &[&["path"], &hosts[..]].concat());
    let output = Command::new(PYTHON.path().unwrap())
        .args(["-c", read, file.to_str().unwrap(), said(&pem).trim()])
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn what_cannot_be_is_refused_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, named) in [
        (
            &["path", "--as", "a.example", "--unconstrained-ca"][..],
            "--unconstrained-ca",
        ),
        (&["path", "--as", "a.example:993"], "a.example:993"),
        (&["path", "--as", "*.example"], "below it"),
        (&["path", "--as", ""], "--as"),
        (&["export", "--format", "p12"], "p12"),
        (&["export", "-o", "/nowhere/ca.pem"], "/nowhere/ca.pem"),
    ] {
        let output = ca(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains(named), "{arguments:?}: {words}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    let both = ["record", "h", "--as", "a.example", "--unconstrained-ca"];
    assert_eq!(run(&both).status.code(), Some(2));
}

fn record_says_which_authority_it_takes() {
    for (case, part) in CASES.iter().zip([
        "(trust the authority first: mailscope ca)",
        "good for imap.example.com, 192.0.2.7, localhost",
        "vouches for any server",
    ]) {
        let (_server, mailscope) = started(case.flags);
        let words = mailscope.stderr();
        assert!(words.contains(part), "{part}: {words}");
    }
    // An address is not asked for by name.
    let (_server, mailscope) = started(CASES[1].flags);
    App::tls(mailscope.tls(), "192.0.2.7", &mailscope.ca()).hear("* OK");
    App::tls(mailscope.tls(), "imap.example.com", &mailscope.ca()).hear("* OK");
}

fn the_name_of_a_provider_stands_for_its_server() {
    let mut mailscope = record("Gmail").start();
    let words = mailscope.stderr();
    assert!(
        words.contains("gmail stands for imaps://imap.gmail.com"),
        "{words}"
    );
    assert!(words.contains("imaps://gmail"), "{words}");
    assert_eq!(mailscope.stop().header()["server"], "imap.gmail.com:993");
    let mailscope = record("imaps://gmail").start();
    assert_eq!(mailscope.transcript().header()["server"], "gmail:993");
    let bridge = record("proton-bridge")
        .with(&["--server-tls", "none"])
        .start();
    assert_eq!(bridge.transcript().header()["server"], "127.0.0.1:1143");
}
