import imaplib, json, ssl, subprocess, time
import pytest

@pytest.fixture
def server(tmp_path):
    ready = tmp_path / "ready.json"
    replay = "mailscope replay recordings/two-mails.txt --quiet --listen-tls 127.0.0.1:0 --listen-plain none"
    replay = subprocess.Popen([*replay.split(), "--ready-file", ready])
    while not ready.exists():
        assert replay.poll() is None, "mailscope did not start"
        time.sleep(0.01)
    yield json.loads(ready.read_text())
    replay.terminate()
    assert replay.wait() == 0, "the app asked for what is not in the recording"

def test_one_mail_is_unread(server):
    host, port = server["tls"].split(":")
    trusted = ssl.create_default_context(cafile=server["ca"])
    with imaplib.IMAP4_SSL(host, int(port), ssl_context=trusted) as imap:
        imap.login("alice", "any password")
        imap.select("INBOX")
        assert imap.search(None, "UNSEEN") == ("OK", [b"2"])
