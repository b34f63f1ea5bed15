"""A long session with Python's imaplib; prints all that it obtained.

session.py tls|starttls|plain PORT CA USER PASSWORD WRONG-PASSWORD
"""

import imaplib
import re
import ssl
import sys

SECURITY, PORT, CA, USER, PASSWORD, WRONG_PASSWORD = sys.argv[1:]
TIMEOUT = 60
MAIL = (
    b"From: new@example.org\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\n"
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\ngr\xc3\xbcn, and \xe9 in Latin-1\r\n"
)
DATE = '"14-Nov-2023 22:13:20 +0000"'


def shown(what):
    # Dovecot says how long it took, and nothing else here depends on the time.
    return re.sub(r"\(\d+\.\d+ \+ [^)]* secs\)", "(TIME)", repr(what))


def say(title, result):
    print(f"{title}: {shown(result)}", flush=True)


def say_refused(title, command):
    try:
        command()
    except imaplib.IMAP4.error as error:
        say(f"refused {title}", error)
    else:
        sys.exit(f"{title} was not refused")


def ordered(result):
    """LIST without its order, which is the folder's on the server's disk."""
    typ, found = result
    return typ, sorted(found)


def connect():
    context = ssl.create_default_context(cafile=CA)
    if SECURITY == "starttls":
        imap = imaplib.IMAP4("localhost", int(PORT), timeout=TIMEOUT)
        imap.starttls(ssl_context=context)
        return imap
    if SECURITY == "tls":
        return imaplib.IMAP4_SSL("localhost", int(PORT), ssl_context=context, timeout=TIMEOUT)
    return imaplib.IMAP4("localhost", int(PORT), timeout=TIMEOUT)


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
        print("DONE:", shown(line.replace(tag, b"TAG")))
    del imap.tagged_commands[tag]


imap = connect()
say("greeting", imap.welcome.startswith(b"* OK "))
say("CAPABILITY", imap.capability())
say_refused("LOGIN", lambda: imap.login(USER, WRONG_PASSWORD))
say("LOGIN", imap.login(USER, PASSWORD))

other = connect()
say("AUTHENTICATE", other.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode()))

say("capabilities", imap.capabilities)
say("NAMESPACE", imap.namespace())
say("LIST", ordered(imap.list()))
say("LSUB", imap.lsub())
say("STATUS", imap.status("INBOX", "(MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)"))
say("EXAMINE", imap.select("INBOX", readonly=True))
say("SELECT", imap.select("INBOX"))
for name in ["FLAGS", "RECENT", "UIDVALIDITY", "UIDNEXT", "UNSEEN", "PERMANENTFLAGS"]:
    say(name, imap.response(name))

say("SEARCH", imap.search(None, "UNSEEN", "LARGER", "1000"))
imap.literal = "grün".encode()
say("SEARCH with a literal", imap.uid("SEARCH", "CHARSET", "UTF-8", "BODY"))
say("SORT", imap.sort("(REVERSE SIZE)", "UTF-8", "ALL"))
say("THREAD", imap.thread("REFERENCES", "UTF-8", "ALL"))
say("UID FETCH", imap.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE)"))
say("FETCH ENVELOPE", imap.fetch("1:3", "(ENVELOPE BODYSTRUCTURE)"))
say("FETCH header", imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])"))
say("FETCH body", imap.fetch("1:*", "(BODY[])"))
say("FETCH part", imap.fetch("2", "(BODY.PEEK[TEXT]<10.50>)"))
say("STORE", imap.store("1", "+FLAGS", r"(\Flagged $Work)"))
say("STORE silent", imap.store("2", "+FLAGS.SILENT", r"(\Answered)"))
say_refused("FETCH", lambda: imap.fetch("999", "(FLAGS)"))
say_refused("FETCH", lambda: imap.fetch("1", "(NO-SUCH-ITEM)"))
say("refused SELECT", imap.select("No-such-mailbox"))
say("SELECT again", imap.select("INBOX"))

say("refused CREATE", imap.create('"Entw&APw-rfe/2023"'))
say("CREATE", imap.create("Entw&APw-rfe"))
say("CREATE", imap.create('"Entw&APw-rfe.2023"'))
say("SUBSCRIBE", imap.subscribe("Entw&APw-rfe"))
say("LIST", ordered(imap.list('""', "Entw*")))
say("DELETE", imap.delete("Entw&APw-rfe.2023"))
say("LSUB", imap.lsub())
say("COPY", imap.copy("1:2", "Entw&APw-rfe"))
say("MOVE", imap.uid("MOVE", "3", "Entw&APw-rfe"))
say("STATUS", imap.status("Entw&APw-rfe", "(MESSAGES UIDNEXT UIDVALIDITY)"))
say("APPEND", imap.append("Entw&APw-rfe", r"(\Draft)", DATE, MAIL))
say("APPEND large", imap.append("Entw&APw-rfe", "", DATE, MAIL + b"line\r\n" * 20_000))
say("refused APPEND", imap.append("No-such-mailbox", "", DATE, MAIL))
say("SELECT", imap.select("Entw&APw-rfe"))
say("FETCH", imap.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[TEXT])"))

say("the other's SELECT", other.select("Entw&APw-rfe"))
idle(imap, lambda: say("the other's APPEND", other.append("Entw&APw-rfe", "", DATE, MAIL)))
say("NOOP", imap.noop())
say("the other's STORE", other.store("1", "FLAGS", r"(\Seen)"))
say("NOOP", imap.noop())
say("FETCH after NOOP", imap.response("FETCH"))
say("CHECK", imap.check())

say("STORE deleted", imap.store("2:3", "+FLAGS", r"\Deleted"))
say("EXPUNGE", imap.expunge())
say("STORE deleted", imap.store("1", "+FLAGS", r"\Deleted"))
say("CLOSE", imap.close())
say("the other's NOOP", other.noop())
say("the other's EXPUNGE", other.response("EXPUNGE"))
say("UNSELECT", other.unselect())
say("DELETE", imap.delete("Entw&APw-rfe"))
say("LOGOUT", other.logout())
say("LOGOUT", imap.logout())
