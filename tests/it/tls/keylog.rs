//! The keys of both legs: where they go, who is told, and whether a capture can be read with them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use rustls::version::{TLS12, TLS13};

use super::super::support::app::App;
use super::super::support::certificates::{TestAuthority, client_of};
use super::super::support::mailscope::{Recording, record, run};
use super::super::support::programs::{TSHARK, needing};
use super::super::support::server::{Server, polite};
use super::super::support::wiretap::Wiretap;
use super::super::support::{schema, trials};
use super::{Begins, secured, server};
use crate::support::patience::InTime;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("tls::keylog";
        it_is_for_its_owner_and_told_of,
        a_variable_names_the_file_and_the_flag_wins,
        none_is_written_unless_it_is_asked_for,
        a_file_that_cannot_be_is_refused_with_exit_code_2,
    );
    trials.extend(needing(
        &[TSHARK],
        trials!("tls::keylog";
            tshark_reads_both_legs_of_tls_1_2,
            tshark_reads_both_legs_of_tls_1_3,
            tshark_reads_both_legs_of_starttls,
        ),
    ));
    trials
}

/// A recording in front of a cleartext server, after one session of an app with TLS; its standard
/// error, and whether the transcript says that keys were written.
fn recorded(change: impl FnOnce(Recording) -> Recording) -> (String, bool) {
    let server = Server::plain(polite);
    let recording = record(&server.name()).with(&["--server-tls", "none"]);
    let mut mailscope = change(recording).start();
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    app.hear("* OK");
    app.command("a", "LOGOUT");
    app.finish();
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
    let keylog = &secured(&transcript, "client")["keylog"];
    (mailscope.stderr(), *keylog == true)
}

fn keys_in(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let labels = text.lines().filter_map(|line| line.split(' ').next());
    labels
        .filter(|label| *label == "CLIENT_TRAFFIC_SECRET_0")
        .count()
}

fn it_is_for_its_owner_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.log");
    let flag = ["--keylog", path.to_str().unwrap()];
    let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
    for sessions in [1, 2] {
        let (stderr, told) = recorded(|recording| recording.with(&flag));
        assert!(told);
        let warning = format!(
            "warning: the keys of all TLS sessions go to {} (--keylog)",
            path.display()
        );
        assert!(stderr.contains(&warning), "{stderr}");
        assert!(!stderr.contains("other users"), "{stderr}");
        assert_eq!(keys_in(&path), sessions, "it is appended to");
        assert_eq!(mode(), 0o600);
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (stderr, _) = recorded(|recording| recording.with(&flag));
    assert!(stderr.contains("(mode 0644); `chmod 600` it"), "{stderr}");
    assert_eq!(mode(), 0o644, "it is the user's");
}

fn a_variable_names_the_file_and_the_flag_wins() {
    let folder = tempfile::tempdir().unwrap();
    let [named, given] = ["named", "given"].map(|name| folder.path().join(name));
    let text = |path: &PathBuf| path.display().to_string();
    let (stderr, told) =
        recorded(|recording| recording.environment("SSLKEYLOGFILE", &text(&named)));
    assert!(told && stderr.contains("(SSLKEYLOGFILE)"), "{stderr}");
    assert_eq!(keys_in(&named), 1);
    let (stderr, _) = recorded(|recording| {
        recording
            .environment("SSLKEYLOGFILE", &text(&named))
            .with(&["--keylog", &text(&given)])
    });
    assert!(stderr.contains("(--keylog)"), "{stderr}");
    assert_eq!((keys_in(&named), keys_in(&given)), (1, 1));
}

fn none_is_written_unless_it_is_asked_for() {
    for recording in [
        recorded(|recording| recording),
        recorded(|recording| recording.environment("SSLKEYLOGFILE", "")),
    ] {
        let (stderr, told) = recording;
        assert!(!told && !stderr.contains("keys"), "{stderr}");
    }
}

fn a_file_that_cannot_be_is_refused_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().to_owned(),
        folder.path().join("nowhere/keys"),
        "/dev/null".into(),
    ] {
        let path = path.to_str().unwrap();
        let output = run(&["record", "localhost", "--insecure", "--keylog", path]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(&format!("key log {path}: ")), "{stderr}");
        assert!(stderr.contains("  try: "), "{stderr}");
    }
}

fn tshark_reads_both_legs_of_tls_1_2() {
    tshark_reads(Begins::AtOnce, &TLS12, 993);
}

fn tshark_reads_both_legs_of_tls_1_3() {
    tshark_reads(Begins::AtOnce, &TLS13, 993);
}

fn tshark_reads_both_legs_of_starttls() {
    tshark_reads(Begins::Starttls, &TLS13, 143);
}

const SECRET: &str = "a LOGIN alice open-Sesame-42";

fn tshark_reads(
    begins: Begins,
    version: &'static rustls::SupportedProtocolVersion,
    captured_as: u16,
) {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.log");
    let authority = TestAuthority::new(folder.path());
    let any = authority.server(&["localhost"]);
    let config = super::sessions::limited(&any, version);
    let (server, _seen) = server(config.into(), begins);
    let far = Wiretap::before(&server.name());
    let scheme = match begins {
        Begins::AtOnce => "imaps",
        Begins::Starttls => "imap",
    };
    let mut mailscope = record(&format!("{scheme}://{}", far.name()))
        .with(&["--server-ca", authority.pem().to_str().unwrap()])
        .with(&["--keylog", keys.to_str().unwrap()])
        .start();
    let trusting = client_of(&mailscope.ca(), &[version]);
    let near = Wiretap::before(match begins {
        Begins::AtOnce => mailscope.tls(),
        Begins::Starttls => mailscope.plain(),
    });
    let mut app = App::plain(&near.name());
    if begins == Begins::Starttls {
        app.hear("* OK");
        app.command("s", "STARTTLS");
    }
    let mut app = app.with_tls("localhost", trusting);
    if begins == Begins::AtOnce {
        app.hear("* OK");
    }
    app.command("a", SECRET.strip_prefix("a ").unwrap());
    app.command("b", "LOGOUT");
    app.finish();
    app.rest().unwrap();
    mailscope.closed(1);
    let transcript = mailscope.stop();
    for leg in ["client", "server"] {
        assert_eq!(secured(&transcript, leg)["keylog"], true);
    }
    assert!(!transcript.text().contains("open-Sesame-42"));
    for (leg, name) in [(near, "near"), (far, "far")] {
        let capture = folder.path().join(name);
        leg.write_capture(&capture, captured_as);
        let read = followed(&capture, &keys);
        assert!(read.contains(SECRET), "{name}: {read}");
        assert!(read.contains("* BYE see you"), "{name}: {read}");
        let nothing = folder.path().join("nothing");
        std::fs::write(&nothing, "").unwrap();
        assert!(!followed(&capture, &nothing).contains(SECRET), "{name}");
    }
}

/// What tshark reads in the TLS session of a capture.
fn followed(capture: &Path, keys: &Path) -> String {
    let output = Command::new(TSHARK.path().unwrap())
        .args(["-n", "-q", "-z", "follow,tls,ascii,0", "-r"])
        .arg(capture)
        .arg("-o")
        .arg(format!("tls.keylog_file:{}", keys.display()))
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
