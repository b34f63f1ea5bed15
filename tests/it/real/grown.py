"""A session with Python's imaplib in two parts; prints all that it obtained.

grown.py tls|starttls PORT CA USER PASSWORD known|known+new
"""

import imaplib
import re
import ssl
import sys

SECURITY, PORT, CA, USER, PASSWORD, PARTS = sys.argv[1:]
TIMEOUT = 60
MAIL = b"From: new@example.org\r\nSubject: new\r\n\r\nnew\r\n"
DATE = '"14-Nov-2023 22:13:20 +0000"'


def say(title, result):
    # Dovecot says how long it took, and nothing else here depends on the time.
    text = re.sub(r"\(\d+\.\d+ \+ [^)]* secs\)", "(TIME)", repr(result))
    print(f"{title}: {text}", flush=True)


def connect():
    context = ssl.create_default_context(cafile=CA)
    if SECURITY == "starttls":
        imap = imaplib.IMAP4("localhost", int(PORT), timeout=TIMEOUT)
        imap.starttls(ssl_context=context)
    else:
        imap = imaplib.IMAP4_SSL("localhost", int(PORT), ssl_context=context, timeout=TIMEOUT)
    say("LOGIN", imap.login(USER, PASSWORD))
    return imap


def idle(imap, meanwhile):
    """imaplib of these Pythons has no IDLE: by hand, until a mail has come."""
    tag = imap._new_tag()
    imap.send(tag + b" IDLE\r\n")
    print("IDLE:", imap.readline())
    meanwhile()
    line = b""
    while not line.endswith(b" EXISTS\r\n"):
        line = imap.readline()
        print("IDLE:", line)
    imap.send(b"DONE\r\n")
    while not line.startswith(tag):
        line = imap.readline()
    del imap.tagged_commands[tag]


imap = connect()
say("SELECT", imap.select("INBOX"))
say("FETCH", imap.fetch("1:2", "(FLAGS BODY.PEEK[])"))
if PARTS == "known+new":
    # In the mailbox that the recording has selected, and in another one.
    say("UID SEARCH", imap.uid("SEARCH", "ALL"))
    say("FETCH", imap.fetch("1:*", "(UID RFC822.SIZE)"))
    say("SELECT", imap.select("Archive"))
    say("FETCH", imap.fetch("1:*", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
    say("APPEND", imap.append("Archive", r"(\Draft)", DATE, MAIL))
    say("APPEND large", imap.append("Archive", "", DATE, MAIL + b"line\r\n" * 20_000))
    say("NOOP", imap.noop()[0])
    say("UID FETCH large", imap.uid("FETCH", "3", "(BODY.PEEK[TEXT])"))
    other = connect()
    idle(imap, lambda: say("the other's APPEND", other.append("Archive", "", DATE, MAIL)))
    say("the other's LOGOUT", other.logout())
    say("STORE", imap.uid("STORE", "4", "+FLAGS", r"(\Flagged)"))
    say("UNSELECT", imap.unselect())
    say("STATUS", imap.status("Archive", "(MESSAGES UIDNEXT)"))
say("LOGOUT", imap.logout())
