//! Counts of literals that do not fit what follows them, as in bug reports that were pasted and reflowed.

use std::fs;

use libtest_mimic::Trial;

use super::super::support::trials;
use super::{asked_again, checked, file, import, imported, stderr};

pub fn trials() -> Vec<Trial> {
    trials!("import::counts";
        a_count_that_nothing_puts_right_is_told_with_its_line,
        a_wrong_count_is_put_right_and_told,
        an_uploads_wrong_count_is_put_right,
        what_a_server_counted_wrongly_comes_back,
        what_was_left_out_is_a_gap,
    )
}

/// A session with this response to its FETCH.
fn fetched(response: &str) -> String {
    format!(
        "S: * OK hi\nC: a1 SELECT INBOX\nS: * 1 EXISTS\nS: a1 OK done\nC: a2 FETCH 1 (FLAGS BODY[TEXT])\n\
         {response}S: a2 OK done\nC: a3 LOGOUT\nS: * BYE\nS: a3 OK\n"
    )
}

fn a_wrong_count_is_put_right_and_told() {
    for (response, announced, content) in [
        // Too many: the answer would be the literal's. Too few: `lo` would go on with the message.
        (
            "S: * 1 FETCH (BODY[TEXT] {70}\nS: hello\nS:  FLAGS ())\n",
            70,
            "hello\r\n",
        ),
        (
            "S: * 1 FETCH (BODY[TEXT] {3}\nS: hello\nS:  FLAGS ())\n",
            3,
            "hello\r\n",
        ),
        // Counted with LF alone; the literal's last line ends without one.
        (
            "S: * 1 FETCH (FLAGS () BODY[TEXT] {12}\nS: one\nS: two\nS: three\nS: )\n",
            12,
            "one\r\ntwo\r\nthree\r\n",
        ),
        (
            "S: * 1 FETCH (FLAGS () BODY[TEXT] {9}\nS: hello)\n",
            9,
            "hello",
        ),
        // Lines that look like the message's end, and are not.
        (
            "S: * 1 FETCH (FLAGS () BODY[TEXT] {900}\nS: (a)\nS:  b)\nS: c\nS: )\n",
            900,
            "(a)\r\n b)\r\nc\r\n",
        ),
    ] {
        let (_folder, path) = file("bug.txt", fetched(response));
        let (transcript, out) = imported(&path, &[]);
        let notes = transcript.notes("literal-count-mended");
        assert_eq!(notes.len(), 1, "{response}");
        assert!(
            notes[0]["text"]
                .as_str()
                .unwrap()
                .contains(&format!(" {announced} octets"))
        );
        let fetched = transcript
            .kind("untagged")
            .into_iter()
            .find(|event| event["name"] == "FETCH");
        let wire = fetched.unwrap()["wire"].as_array().unwrap();
        let literal = wire.iter().find_map(|piece| piece["literal"].as_str());
        assert_eq!(literal, Some(content), "{response}");
        assert_eq!(transcript.kind("tagged").len(), 3, "{response}");
        asked_again(
            &out,
            &["SELECT INBOX", "FETCH 1 (FLAGS BODY[TEXT])", "LOGOUT"],
        );
    }
}

fn an_uploads_wrong_count_is_put_right() {
    for (announced, lines, content) in [
        (
            5,
            "C: From: a\nC: \nC: hello\nC: \n",
            "From: a\r\n\r\nhello\r\n",
        ),
        (500, "C: From: a\nC: \nC: hello\n", "From: a\r\n\r\nhello"),
    ] {
        let text = format!(
            "S: * PREAUTH hi\nC: a APPEND x {{{announced}}}\nS: + go\n{lines}S: a OK done\nC: b NOOP\nS: b OK\n"
        );
        let (_folder, path) = file("bug.txt", text);
        let (transcript, _) = imported(&path, &[]);
        assert_eq!(transcript.notes("literal-count-mended").len(), 1);
        let appended = transcript.kind("command")[0];
        assert_eq!(appended["wire"][1]["literal"], content, "{announced}");
        assert_eq!(transcript.kind("command").len(), 2);
        assert_eq!(transcript.kind("tagged").len(), 2);
    }
}

fn what_was_left_out_is_a_gap() {
    let text = fetched("S: * 1 FETCH (BODY[TEXT] {70}\nS:  FLAGS ())\n");
    let (_folder, path) = file("bug.txt", text);
    let (transcript, _) = imported(&path, &[]);
    assert_eq!(transcript.notes("literal-not-kept").len(), 1);
    assert_eq!(transcript.kind("gap")[0]["octets"], 70);
    assert_eq!(transcript.kind("tagged").len(), 3);
    let text = "S: * PREAUTH hi\nC: a APPEND x {310}\nS: + go\nS: a OK done\nC: b NOOP\nS: b OK\n";
    let (_folder, path) = file("bug.txt", text);
    let (transcript, _) = imported(&path, &[]);
    assert_eq!(transcript.kind("gap")[0]["octets"], 310);
    assert_eq!(transcript.kind("tagged").len(), 2);
}

fn a_count_that_nothing_puts_right_is_told_with_its_line() {
    // Nothing of the message's end is there.
    let text = fetched("S: * 1 FETCH (BODY[TEXT] {3}\nS: hello\nS: and so on\n");
    let (_folder, path) = file("bug.txt", text);
    let (output, out) = import(&path, &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = stderr(&output);
    assert!(said.contains("bug.txt, line 6: "), "{said}");
    assert!(said.contains("a literal of 3 octets"), "{said}");
    let transcript = checked(&out);
    assert_eq!(transcript.notes("import-ends").len(), 1);
    assert_eq!(
        transcript.kind("command").len(),
        2,
        "what stands before it is kept"
    );
    assert_eq!(transcript.kind("tagged").len(), 1);
}

/// That is the fault of the server, and what one sends a text for.
fn what_a_server_counted_wrongly_comes_back() {
    let session = "# the counts of literals are what was sent\n".to_owned()
        + &fetched("S: * 1 FETCH (BODY[TEXT] {3}\nS: hello\nS: )\n");
    let (folder, path) = file("bug.txt", session);
    let (one, out) = imported(&path, &[]);
    assert_eq!(one.notes("literal-count-mended").len(), 0);
    let text = super::exported(&out, "text");
    assert!(text.starts_with(b"S: * OK hi\n"));
    let again = folder.path().join("again.txt");
    fs::write(&again, text).unwrap();
    let (other, _) = imported(&again, &[]);
    assert_eq!(super::meaning(&one), super::meaning(&other));
}
