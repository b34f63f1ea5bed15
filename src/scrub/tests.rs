//! What is true of every message and every mail: as long as before, of the same pieces and labels, the
//! same each time within a run, and without its words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::check::Check;
use super::message::{Kept, Kind, Messages, Streamed};
use super::mime::Mails;
use super::pseudonym::Pseudonyms;
use super::text::{Keep, Words};
use super::vocabulary::Vocabulary;
use crate::event::{Label, LiteralForm, Message, Peer};
use crate::protocol::imap::spans;

fn words() -> Words {
    Words::new(Pseudonyms::known(Vocabulary::new()))
}

/// What comes of it once all words are known, and again.
fn twice<T: PartialEq + std::fmt::Debug>(
    words: &mut Words,
    mut f: impl FnMut(&mut Words) -> T,
) -> T {
    f(words);
    words.pseudonyms.draw();
    let once = f(words);
    assert_eq!(once, f(words), "the same each time");
    once
}

fn mail(octets: &[u8]) -> (Vec<u8>, Words) {
    let mails = Mails {
        subjects: Keep::Nothing,
    };
    let mut words = words();
    let instead = twice(&mut words, |words| mails.mail(words, octets));
    assert_eq!(instead.len(), octets.len());
    (instead, words)
}

fn text(octets: &[u8]) -> String {
    let (instead, _) = mail(octets);
    String::from_utf8_lossy(&instead).into_owned()
}

/// A text of `C:` and `S:` lines, scrubbed.
fn conversation(lines: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.txt");
    std::fs::write(&path, lines).unwrap();
    let mut out = Vec::new();
    let done = super::scrub(
        &path,
        super::Target::Out(&mut out),
        Kept::default(),
        &super::Unwatched,
    );
    let done = done.unwrap_or_else(|error| panic!("{error}: {lines}"));
    assert!(done.damage.is_none(), "{lines}");
    String::from_utf8(out).unwrap()
}

#[test]
fn a_delimiter_is_one_character_in_its_place_and_the_names_behind_it_are_none() {
    let after = conversation(
        "S: * PREAUTH hi\nC: a NAMESPACE\n\
         S: * NAMESPACE ((\"\" \"/\")(\"Zebra\" \"\\\\\")(\"Okapi\" \"Giraffe\")) NIL \
         ((\"Tapir/\" NIL \"TRANSLATION\" (\"x/\" \"Gemeinsame/\") \"X-Nashorn\" (\"Panda\" \"Marder\")))\nS: a OK x\n\
         C: b LIST \"\" *\nS: * LIST () \"Wombat\" INBOX\nS: b OK x\n",
    );
    for name in [
        "Zebra",
        "Okapi",
        "Giraffe",
        "Tapir",
        "Gemeinsame",
        "Nashorn",
        "Panda",
        "Marder",
        "Wombat",
    ] {
        assert!(!after.contains(name), "{name}: {after}");
    }
    for kept in [
        "((\"\" \"/\")(\"",
        "\" \"\\\\\")(\"",
        "/\" NIL \"TRANSLATION\" (\"",
    ] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
}

#[test]
fn a_servers_text_keeps_no_name_that_mails_have_and_no_hosts() {
    let after = conversation(
        "S: * OK mail.store.service.internal ready, read-only for text@server. See 1.error-2.ok_3\n\
         C: a LOGIN bob x\nS: a OK Logged in.\n\
         C: b FETCH 1 (ENVELOPE BODY[])\n\
         S: * 1 FETCH (ENVELOPE (\"Tue, 1 Apr 2025 10:00:00 +0000\" \"Begin\" ((\"Mark of the Page\" NIL \"short\" \"free.example\"))\
          NIL NIL ((\"=?utf-8?Q?Will_L=6Fng?=\" NIL \"x\" \"y.example\")) NIL NIL NIL \"<command@y.example>\") BODY[] {47}\n\
         S: Subject: idle\nS: Cc: Grant Case <a@b.example>\nS: \nS: )\n\
         S: b OK the Mark Page Will Long Short Free Grant Case of INBOX.Mark fetched: begin, idle command completed\n",
    );
    for name in [
        "store", "service", "internal", "text@", "@server", "error", "mark", "page", "will",
        "long", "short", "free", "grant", "case",
    ] {
        assert!(!after.to_lowercase().contains(name), "{name}: {after}");
    }
    for kept in [
        " ready, read-only for ",
        "OK Logged in.",
        "OK the ",
        " of INBOX.",
        ": begin, idle command completed",
    ] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
}

/// The check found the number where it stays by right, and scrub refused the transcript.
#[test]
fn r015_a_number_that_stays_in_one_place_is_replaced_in_others() {
    let after = conversation(
        "S: * PREAUTH [CAPABILITY IMAP4rev1 CATENATE APPENDLIMIT=104857600] hi\nC: a SELECT Drafts\n\
         S: * OK [UIDVALIDITY 1617181920] x\nS: a OK done\n\
         C: b APPEND Drafts CATENATE (URL \"/Drafts;UIDVALIDITY=1617181920/;UID=20\")\nS: b OK [APPENDUID 1617181920 45] done\n\
         C: c FETCH 1 (BODYSTRUCTURE BODY[])\n\
         S: * 123456789 FETCH (BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 223344556 7) BODY[] {78}\n\
         S: X-223344556: 1617181920 0000000012\nS: Message-ID: <1617181920.123456789@x>\nS: \nS: \nS: )\n\
         S: c NO not more than 104857600 octets, 223344556\n",
    );
    for kept in [
        "APPENDLIMIT=104857600]",
        "[UIDVALIDITY 1617181920]",
        "[APPENDUID 1617181920 45]",
        "* 123456789 F",
        "\" 223344556 7)",
    ] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
    for (number, times) in [
        ("104857600", 1),
        ("1617181920", 2),
        ("123456789", 1),
        ("0000000012", 0),
        ("223344556", 2),
    ] {
        assert_eq!(after.matches(number).count(), times, "{number}: {after}");
    }
}

#[test]
fn words_of_codes_keys_and_annotations_stay_and_their_values_do_not() {
    let lines = [
        "S: * PREAUTH hi",
        "C: a SETMETADATA INBOX (/private/comment \"Zebra\")",
        "S: a NO [METADATA NOPRIVATE] no",
        "C: b SETMETADATA INBOX (/private/comment \"Zebra\")",
        "S: b NO [METADATA TOOMANY] no",
        "C: c GETMETADATA INBOX /private/comment",
        "S: c OK [METADATA LONGENTRIES 2199] done",
        "C: d UID SEARCH FUZZY SUBJECT Zebra",
        "S: d OK done",
        "C: e FETCH 1 (ANNOTATION (/comment (value size)))",
        "S: * 1 FETCH (ANNOTATION (/comment (value.priv \"Zebra\" size.priv \"10\")))",
        "S: e OK done",
    ];
    let after = conversation(&lines.map(|line| format!("{line}\n")).concat());
    for kept in [
        "[METADATA NOPRIVATE]",
        "[METADATA TOOMANY]",
        "[METADATA LONGENTRIES 2199]",
        "d UID SEARCH FUZZY SUBJECT ",
        "FETCH 1 (ANNOTATION (/comment (value size)))",
        "(ANNOTATION (/comment (value.priv \"",
    ] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
    assert!(!after.contains("Zebra"), "{after}");
}

/// Parameters in pieces and in a charset (RFC 2231) lost their names and escapes in BODYSTRUCTURE alone.
#[test]
fn a_parameter_is_the_same_in_bodystructure_and_in_the_mail() {
    let parameters = [
        ("name*", "utf-8''M%C3%BCllerakte%20geheim.pdf"),
        ("filename*0*", "utf-8''M%C3%BC"),
        ("filename*1*", "llerakte%20geheim.pdf"),
        ("filename", "50%25 geheim.pdf"),
        ("x*geheim", "y"),
    ];
    let structure: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("\"{name}\" \"{value}\""))
        .collect();
    let field: String = parameters
        .iter()
        .map(|(name, value)| format!(";\nS:  {name}=\"{value}\""))
        .collect();
    let mail = format!("S: Content-Type: application/pdf{field}\nS: \nS: ");
    let octets = mail.replace("S: ", "").replace('\n', "\r\n").len();
    let after = conversation(&format!(
        "S: * PREAUTH hi\nC: a FETCH 1 (BODYSTRUCTURE BODY[])\n\
         S: * 1 FETCH (BODYSTRUCTURE (\"application\" \"pdf\" ({}) NIL NIL \"base64\" 14) BODY[] {{{octets}}}\n{mail})\nS: a OK done\n",
        structure.join(" ")
    ));
    for (name, value) in &parameters[..4] {
        let (_, rest) = after.split_once(&format!(" {name}=\"")).unwrap();
        let (new, _) = rest.split_once('"').unwrap();
        assert!(
            after.contains(&format!("\"{name}\" \"{new}\"")),
            "{name}: {after}"
        );
        assert_eq!(
            new.contains("utf-8''"),
            value.contains("utf-8''"),
            "{after}"
        );
    }
    assert!(
        !after.contains("geheim") && !after.contains("llerakte"),
        "{after}"
    );
}

#[test]
fn that_secrets_were_shown_is_no_more_said_of_the_copy() {
    use crate::event::{Body, Note};
    let note = Body::Note(Note::SecretsShown.finding());
    let Body::Note(after) = super::facts::facts(&mut words(), note) else {
        panic!("it is a note still");
    };
    assert_eq!(after.id, "secrets-shown");
    assert!(
        after.text.contains("they are in this copy"),
        "{}",
        after.text
    );
}

/// Octets of a text that no charset here has stay nowhere, but for what is between the words.
#[test]
fn a_charset_that_is_not_read_keeps_no_octet() {
    let shifted: &[u8] = b"abc \x1b$(D0!0\"!#%&\x1b(B abc \x1b$A!#%&'!\x1b(I#$%1!\x1b(B \x1b$)C\x0e!#%&:;?\x0f ~{!#%&';~} .\r\n";
    for charset in [
        Some("iso-2022-kr"),
        Some("hz-gb-2312"),
        Some("iso-2022-jp"),
        Some("us-ascii"),
        Some("iso-2022-jp-2"),
        None,
    ] {
        let mut words = words();
        let after = twice(&mut words, |words| {
            words.octets(shifted, charset, Keep::Nothing)
        });
        assert_eq!(after.len(), shifted.len());
        for stretch in [&b"!#%&"[..], b"%&'!", b"#$%1!", b"%&:;?", b"%&';", b"0!0\""] {
            let is_left = memchr::memmem::find(&after, stretch);
            assert_eq!(
                is_left,
                None,
                "{charset:?}: {}",
                String::from_utf8_lossy(&after)
            );
        }
        assert!(after.ends_with(b"\r\n") && after[3] == b' ');
        let kept = words.octets(shifted, charset, Keep::Everything);
        assert_eq!(kept, shifted);
    }
}

/// Each shift was a call within another: 270 kB of Japanese were too much for the stack.
#[test]
fn r012_a_text_may_have_any_number_of_shifts() {
    let euc = encoding_rs::EUC_JP.encode("\u{6771}\u{4eac}").0;
    let jis: Vec<u8> = euc.iter().map(|octet| octet & 0x7f).collect();
    let line = [b"to \x1b$B", &jis[..], b"\x1b(B now\r\n"].concat();
    let text = line.repeat(20_000);
    let mut words = words();
    let after = twice(&mut words, |words| {
        words.octets(&text, Some("iso-2022-jp"), Keep::Nothing)
    });
    assert_eq!(after.len(), text.len());
    assert_eq!(after[..line.len()], after[after.len() - line.len()..]);
    assert_ne!(after[..line.len()], line);
}

/// The work was the square of a word's length: minutes for a mail of one word.
#[test]
fn r018_a_word_may_be_long() {
    let mut random = fastrand::Rng::with_seed(7);
    let token: String = (0..100_000).map(|_| random.alphanumeric()).collect();
    let bodies = [
        "a".repeat(100_000),
        token,
        "=?utf-8?Q?ab?= ".repeat(8_000),
        "a.".repeat(50_000),
    ];
    let began = std::time::Instant::now();
    for body in bodies {
        let octets = format!("Subject: {body}\r\n\r\nfalkenried\r\n").into_bytes();
        let (after, words) = mail(&octets);
        assert_eq!(Check::new(&words).left(&after, Some(&octets)), None);
        let mut words = self::words();
        twice(&mut words, |words| {
            words.octets(body.as_bytes(), None, Keep::Human)
        });
    }
    let took = began.elapsed();
    assert!(took.as_secs() < 60, "{took:?}");
}

#[test]
fn octets_that_are_no_text_are_replaced_whole() {
    let octets: Vec<u8> = (0..=255).collect();
    let base64 = STANDARD.encode(&octets);
    let part =
        format!("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n");
    let after = text(part.as_bytes());
    let after = after.rsplit("\r\n\r\n").next().unwrap();
    let after = STANDARD.decode(after.trim()).unwrap();
    let same = after.iter().zip(&octets).filter(|(a, b)| a == b).count();
    assert!(same < 16, "{same}");
    let uuencoded = "Content-Type: text/plain\r\n\r\nbegin 644 a.bin\r\n#``$\"\r\n`\r\nend\r\n";
    assert!(!text(uuencoded.as_bytes()).contains("#``$"));
}

#[test]
fn a_plain_word_of_a_servers_text_goes_where_a_mailbox_is_named_so() {
    let mut words = words();
    let text = b"No message in mailbox Secret";
    let after = twice(&mut words, |words| {
        super::mailbox::mailbox(words, b"\"Message/INBOX\"", Keep::Inbox);
        words.octets(text, None, Keep::Human)
    });
    let after = String::from_utf8(after).unwrap();
    assert!(
        after.starts_with("No ") && after.contains(" in mailbox "),
        "{after}"
    );
    assert!(!after.contains("message"), "{after}");
}

#[test]
fn a_number_of_the_protocol_stays_and_a_token_of_digits_does_not() {
    let words = words();
    assert!(words.are_of_the_protocol(b"18446744073709551615"));
    assert!(!words.are_of_the_protocol(b"291839021893189082190830928309810938102930982901"));
}

#[test]
fn inbox_stays_in_whatever_letter_case_and_nothing_behind_it() {
    let mut words = words();
    let names: [&[u8]; 4] = [b"inbox", b"\"INBOX/Zebra\"", b"INBOX.Zebra", b"Zebra/INBOX"];
    let after = twice(&mut words, |words| {
        names.map(|name| {
            String::from_utf8(super::mailbox::mailbox(words, name, Keep::Inbox)).unwrap()
        })
    });
    assert_eq!(after[0], "inbox");
    assert!(
        after[1].starts_with("\"INBOX/") && !after[1].contains("Zebra"),
        "{after:?}"
    );
    assert_eq!(after[1][7..12], after[2][6..]);
    assert!(
        after[3].starts_with(&after[2][6..]) && !after[3].contains("INBOX"),
        "{after:?}"
    );
}

#[test]
fn html_keeps_its_elements_and_loses_its_text() {
    let after =
        text(b"Content-Type: text/html\r\n\r\n<p class=\"zebra\">Zebra &amp; <b>a p</b></p>\r\n");
    let body = after.rsplit("\r\n\r\n").next().unwrap();
    assert!(
        body.starts_with("<p class=\"") && body.ends_with("</b></p>\r\n"),
        "{body}"
    );
    assert!(body.contains(" &amp; <b>"), "{body}");
    assert!(
        !body.to_lowercase().contains("zebra") && !body.contains(">a p<"),
        "{body}"
    );
}

#[test]
fn charsets_keep_their_octets() {
    for (charset, word) in [
        (
            "koi8-r",
            "\u{41c}\u{430}\u{440}\u{446}\u{438}\u{43f}\u{430}\u{43d}",
        ),
        ("shift_jis", "\u{3072}\u{3089}\u{6771}\u{4eac}"),
        ("gb2312", "\u{5317}\u{4eac}\u{5e02}"),
        ("euc-kr", "\u{c11c}\u{c6b8}"),
        ("iso-8859-2", "\u{141}\u{f3}d\u{17a}"),
        ("utf-8", "Gr\u{fc}ndel"),
    ] {
        let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
        let (octets, _, _) = encoding.encode(word);
        let mail = [
            format!("Content-Type: text/plain; charset={charset}\r\n\r\n").as_bytes(),
            &octets,
        ]
        .concat();
        let (after, _) = self::mail(&mail);
        let after = &after[after.len() - octets.len()..];
        let (after, _, is_broken) = encoding.decode(after);
        assert!(!is_broken, "{charset}");
        assert_eq!(
            after.chars().count(),
            word.chars().count(),
            "{charset}: {after}"
        );
        // A letter may stand for itself by chance, a word never does.
        assert_ne!(after.to_lowercase(), word.to_lowercase(), "{charset}");
    }
}

/// Pieces of lines that mails and messages are made of, and some that are like them.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z]{1,12}",
        "[\u{e0}-\u{ff}a-z]{3,9}",
        "[0-9]{1,12}",
        Just("=?utf-8?Q?Falken=C3=BCried?=".to_owned()),
        Just("=?iso-8859-1?B?R3L8bmRlbA==?= =?iso-8859-1?Q?xy?=".to_owned()),
        Just("Tier&AOQ-rztin".to_owned()),
        Just("Content-Type: multipart/mixed; boundary=Falke\r\n\r\n--Falke\r\n".to_owned()),
        Just("Content-Transfer-Encoding: base64\r\n\r\nR3L8bmRlbA==\r\n--Falke\r\n".to_owned()),
        Just("Content-Transfer-Encoding: quoted-printable\r\n\r\nMarzi=\r\npan=\r\n".to_owned()),
        Just("Subject: Falkenried\r\n".to_owned()),
        "[ \"()\\\\<>@:;,.{}=?&%*/+-]{1,3}",
        Just("\r\n".to_owned()),
        Just("FLAGS".to_owned()),
        Just("BODY[]".to_owned()),
        Just("NIL".to_owned()),
    ]
}

#[test]
fn charsets_with_states_and_of_two_octets_keep_their_form() {
    let word = "\u{6771}\u{4eac}\u{306e}";
    let euc = encoding_rs::EUC_JP.encode(word).0;
    let jis: Vec<u8> = euc.iter().map(|octet| octet & 0x7f).collect();
    let jis = [b"to \x1b$B", &jis[..], b"\x1b(B now"].concat();
    let utf16: Vec<u8> = "to Falkenried"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for (charset, octets, before) in [
        ("iso-2022-jp", jis, word),
        ("utf-16be", utf16, "Falkenried"),
    ] {
        let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
        let mut words = words();
        let after = twice(&mut words, |words| {
            words.octets(&octets, Some(charset), Keep::Nothing)
        });
        assert_eq!(after.len(), octets.len());
        let (text, is_broken) = encoding.decode_without_bom_handling(&after);
        assert!(!is_broken, "{charset}: {text}");
        assert!(!text.contains(before), "{charset}: {text}");
        assert_eq!(
            text.chars().count(),
            encoding
                .decode_without_bom_handling(&octets)
                .0
                .chars()
                .count()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_mail_is_as_long_and_none_of_its_words_is_left(parts in proptest::collection::vec(part(), 0..40)) {
        let octets = format!("Subject: a\r\n{}", parts.concat()).into_bytes();
        let (after, words) = mail(&octets);
        prop_assert_eq!(Check::new(&words).left(&after, Some(&octets)), None);
    }

    #[test]
    fn any_octets_are_as_many(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        mail(&octets);
        mail(&[b"Subject: x\r\n", &octets[..]].concat());
    }

    #[test]
    fn any_message_has_the_same_pieces_and_labels(
        name in proptest::sample::select(vec!["FETCH", "LIST", "SEARCH", "SELECT", "LOGIN", "ID", "STATUS", "X", "OK"]),
        parts in proptest::collection::vec(part(), 0..12),
        literal in proptest::collection::vec(part(), 0..12),
        from in proptest::sample::select(vec![Peer::Client, Peer::Server]),
    ) {
        let line = parts.concat().replace(['\r', '\n'], " ");
        let tag = match from { Peer::Client => "a1", Peer::Server => "*" };
        let literal = literal.concat();
        let mut message = Message::text(format!("{tag} {name} {line} ").as_bytes());
        message.push_whole_literal(LiteralForm::Sync, LiteralForm::Sync.header(literal.len() as u64).as_bytes(), literal.as_bytes());
        message.push_text(b")\r\n");
        let before = spans(from, &message);
        let kind = match from {
            Peer::Client => Kind::Command(name.to_owned()),
            Peer::Server => Kind::Response,
        };
        let mut messages = Messages::new(words(), Kept::default());
        messages.message(&message, &before, &kind, from, &mut Streamed::new());
        messages.words.pseudonyms.draw();
        let after = messages.message(&message, &before, &kind, from, &mut Streamed::new());
        prop_assert_eq!(after.pieces(), message.pieces());
        let again = spans(from, &after);
        prop_assert_eq!(before.len(), again.len());
        for (before, again) in before.iter().zip(&again) {
            prop_assert_eq!(&before.range, &again.range);
            let is_word = |label| matches!(label, Label::Atom | Label::Number);
            prop_assert!(before.label == again.label || is_word(before.label) && is_word(again.label));
        }
    }
}
