//! The first whole use: an app at one end, a server at the other, and mailscope between them.

use libtest_mimic::Trial;

use super::support::app::App;
use super::support::certificates::TestAuthority;
use super::support::mailscope::record;
use super::support::server::{Server, polite};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("record"; every_leg_is_relayed_and_recorded)
}

fn every_leg_is_relayed_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let authority = TestAuthority::new(folder.path());
    let server = Server::start(Some(authority.server(&["localhost"])), polite);
    let trust = authority.pem().to_str().unwrap();
    let mut mailscope = record(&server.name()).with(&["--server-ca", trust]).start();
    let mut through_tls = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    let mut in_clear = App::plain(mailscope.plain());
    for app in [&mut through_tls, &mut in_clear] {
        assert_eq!(app.hear("* OK"), "* OK ready\r\n");
        assert_eq!(app.command("a", "NOOP"), "a OK done\r\n");
        assert_eq!(app.command("b", "LOGOUT"), "* BYE see you\r\nb OK done\r\n");
        app.finish();
        assert_eq!(app.rest().unwrap(), b"");
    }
    mailscope.closed(2);
    let transcript = mailscope.stop();
    for conn in [1, 2] {
        assert_eq!(
            transcript.wire(conn, "client", b""),
            b"a NOOP\r\nb LOGOUT\r\n"
        );
        assert_eq!(
            transcript.wire(conn, "server", b""),
            b"* OK ready\r\na OK done\r\n* BYE see you\r\nb OK done\r\n"
        );
    }
    assert_eq!(mailscope.stdout(), mailscope.show());
}
