//! Random sessions, each written down twice in different words: they are the same, until one thing in
//! one of them is changed.

use proptest::prelude::*;

use super::super::{Conversation, Ignored, compare, write_json};
use super::conversation;
use crate::event::Secrets;
use crate::protocol::imap::conversations::random;
use crate::transcript::write_event;

/// A command and what the server answers.
#[derive(Clone, Debug)]
enum Exchange {
    Select(String, u32, Vec<&'static str>),
    Fetch(Vec<Fetched>),
    Search(Vec<u32>),
    Status(String, u32, u32),
    List(Vec<(String, Vec<&'static str>)>),
    Store(Vec<u32>, Vec<&'static str>),
    Append(String, Vec<u8>),
    Refused(String),
}

#[derive(Clone, Debug)]
struct Fetched {
    uid: u32,
    flags: Vec<&'static str>,
    body: Vec<u8>,
}

const FLAGS: [&str; 5] = ["\\Seen", "\\Deleted", "\\Answered", "$Forwarded", "Junk"];

fn flags() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(FLAGS.to_vec(), 0..4)
}

fn mailbox() -> impl Strategy<Value = String> {
    prop_oneof![Just("INBOX".to_owned()), "[A-Za-z]{1,8}"]
}

fn numbers() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::btree_set(1..50_u32, 1..6).prop_map(|set| set.into_iter().collect())
}

/// Lines of printable octets, as a mail is.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    "([a-z{}\"\\\\ ]{0,12}\r\n){0,3}[a-z]{1,5}".prop_map(String::into_bytes)
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let fetched = (1..1000_u32, flags(), octets()).prop_map(|(uid, flags, body)| Fetched {
        uid,
        flags,
        body,
    });
    let listed = prop::collection::btree_map(mailbox(), flags(), 1..4);
    prop_oneof![
        (mailbox(), 0..100_u32, flags()).prop_map(|(m, n, f)| Exchange::Select(m, n, f)),
        prop::collection::vec(fetched, 1..5).prop_map(Exchange::Fetch),
        numbers().prop_map(Exchange::Search),
        (mailbox(), 0..9_u32, 0..9_u32).prop_map(|(m, n, u)| Exchange::Status(m, n, u)),
        listed.prop_map(|listed| Exchange::List(listed.into_iter().collect())),
        (numbers(), flags()).prop_map(|(numbers, flags)| Exchange::Store(numbers, flags)),
        (mailbox(), octets()).prop_map(|(m, o)| Exchange::Append(m, o)),
        mailbox().prop_map(Exchange::Refused),
    ]
}

/// Words for what has several: pseudo-random (xorshift64).
struct Words(u64);

impl Words {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn shuffled<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        let mut all = all.to_vec();
        for place in (1..all.len()).rev() {
            all.swap(place, self.below(place + 1));
        }
        all
    }

    fn case(&mut self, word: &str) -> String {
        match self.below(3) {
            0 => word.to_ascii_uppercase(),
            1 => word.to_ascii_lowercase(),
            _ => word.to_owned(),
        }
    }

    /// A string of these octets: quoted if that can be, or a literal, of `C` as of `S`.
    fn string(&mut self, octets: &[u8], by: char) -> String {
        let text = String::from_utf8(octets.to_vec()).unwrap();
        let is_one_line = !text.contains('\n');
        if is_one_line && self.below(2) == 0 {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            return format!("\"{escaped}\"");
        }
        let plus = if by == 'C' { "+" } else { "" };
        let lines = text.replace("\r\n", &format!("\n{by}: "));
        format!("{{{}{plus}}}\n{by}: {lines}", octets.len())
    }

    fn astring(&mut self, octets: &str, by: char) -> String {
        let name = match octets {
            "INBOX" => self.case("INBOX"),
            name => name.to_owned(),
        };
        match self.below(2) {
            // NIL is no mailbox's name as an atom.
            0 if !name.eq_ignore_ascii_case("NIL") => name,
            _ => self.string(name.as_bytes(), by),
        }
    }

    fn flags(&mut self, flags: &[&str]) -> String {
        let flags: Vec<String> = self
            .shuffled(flags)
            .iter()
            .map(|flag| self.case(flag))
            .collect();
        format!("({})", flags.join(" "))
    }

    fn set(&mut self, numbers: &[u32]) -> String {
        let numbers: Vec<String> = self.shuffled(numbers).iter().map(u32::to_string).collect();
        numbers.join(",")
    }
}

/// The session in the short text form.
fn written(session: &[Exchange], words: &mut Words) -> String {
    let mut text = "S: * PREAUTH hello\n".to_owned();
    for (number, exchange) in session.iter().enumerate() {
        let tag = format!("{}{number}", ["a", "tag", "X"][words.below(3)]);
        let (command, mut data, status) = said(exchange, words);
        data = words.shuffled(&data);
        let command = format!("{} {}", words.case(command.0), command.1);
        text.push_str(&format!("C: {tag} {}\n", command.trim_end()));
        data.iter()
            .for_each(|line| text.push_str(&format!("S: * {line}\n")));
        let done = ["done", "fertig"][words.below(2)];
        text.push_str(&format!("S: {tag} {} {done}\n", words.case(status)));
    }
    text
}

type Said = ((&'static str, String), Vec<String>, &'static str);

fn said(exchange: &Exchange, words: &mut Words) -> Said {
    match exchange {
        Exchange::Select(mailbox, exists, flags) => {
            let data = vec![
                format!("{exists} {}", words.case("EXISTS")),
                format!("FLAGS {}", words.flags(flags)),
                "OK [UIDVALIDITY 7] valid".to_owned(),
            ];
            (("SELECT", words.astring(mailbox, 'C')), data, "OK")
        }
        Exchange::Fetch(fetched) => {
            let items = words.shuffled(&["FLAGS", "UID", "BODY.PEEK[]"]).join(" ");
            let data = (1..).zip(fetched).map(|(number, fetched)| {
                let items = [
                    format!("UID {}", fetched.uid),
                    format!("FLAGS {}", words.flags(&fetched.flags)),
                    format!("BODY[] {}", words.string(&fetched.body, 'S')),
                ];
                format!("{number} FETCH ({})", words.shuffled(&items).join(" "))
            });
            let data = data.collect();
            (
                ("FETCH", format!("1:{} ({items})", fetched.len())),
                data,
                "OK",
            )
        }
        Exchange::Search(numbers) => {
            let numbers: Vec<String> = words.shuffled(numbers).iter().map(u32::to_string).collect();
            (
                ("SEARCH", words.case("UNSEEN")),
                vec![format!("SEARCH {}", numbers.join(" "))],
                "OK",
            )
        }
        Exchange::Status(mailbox, messages, unseen) => {
            let items = [format!("MESSAGES {messages}"), format!("UNSEEN {unseen}")];
            let items = words.shuffled(&items).join(" ");
            let data = vec![format!("STATUS {} ({items})", words.astring(mailbox, 'S'))];
            let asked = words.shuffled(&["MESSAGES", "UNSEEN"]).join(" ");
            let arguments = format!("{} ({asked})", words.astring(mailbox, 'C'));
            (("STATUS", arguments), data, "OK")
        }
        Exchange::List(listed) => {
            let data = listed.iter().map(|(mailbox, attributes)| {
                format!(
                    "LIST {} \"/\" {}",
                    words.flags(attributes),
                    words.astring(mailbox, 'S')
                )
            });
            (("LIST", "\"\" \"*\"".to_owned()), data.collect(), "OK")
        }
        Exchange::Store(numbers, flags) => {
            let arguments = format!(
                "{} +FLAGS.SILENT {}",
                words.set(numbers),
                words.flags(flags)
            );
            (("STORE", arguments), Vec::new(), "OK")
        }
        Exchange::Append(mailbox, octets) => {
            let arguments = format!(
                "{} {}",
                words.astring(mailbox, 'C'),
                words.string(octets, 'C')
            );
            (("APPEND", arguments), Vec::new(), "OK")
        }
        Exchange::Refused(mailbox) => (("DELETE", words.astring(mailbox, 'C')), Vec::new(), "NO"),
    }
}

fn toggled(flags: &mut Vec<&'static str>, flag: usize) {
    let flag = FLAGS[flag % FLAGS.len()];
    match flags.iter().position(|other| *other == flag) {
        Some(place) => drop(flags.remove(place)),
        None => flags.push(flag),
    }
}

/// Changes one thing.
fn change(exchange: &mut Exchange, what: usize) {
    match exchange {
        Exchange::Select(mailbox, exists, flags) => match what % 3 {
            0 => mailbox.push('x'),
            1 => *exists += 1,
            _ => toggled(flags, what),
        },
        Exchange::Fetch(all) => {
            let place = what % all.len();
            let fetched = &mut all[place];
            match what % 3 {
                0 => fetched.uid += 1000,
                1 => toggled(&mut fetched.flags, what),
                _ => *fetched.body.last_mut().unwrap() ^= 1,
            }
        }
        Exchange::Search(numbers) => numbers[0] += 100,
        Exchange::Status(mailbox, messages, unseen) => match what % 3 {
            0 => mailbox.push('x'),
            1 => *messages += 1,
            _ => *unseen += 1,
        },
        Exchange::List(listed) => match what % 2 {
            0 => listed[0].0.push('x'),
            _ => toggled(&mut listed[0].1, what),
        },
        Exchange::Store(numbers, flags) => match what % 2 {
            0 => numbers.push(100),
            _ => toggled(flags, what),
        },
        Exchange::Append(mailbox, octets) => match what % 2 {
            0 => mailbox.push('x'),
            _ => *octets.last_mut().unwrap() ^= 1,
        },
        Exchange::Refused(mailbox) => mailbox.push('x'),
    }
}

fn differences(a: &str, b: &str) -> String {
    let mut json = Vec::new();
    write_json(&mut json, &compare(&conversation(a), &conversation(b)));
    String::from_utf8(json).unwrap()
}

/// A transcript of what two random peers said.
fn transcript(steps: &[random::Step]) -> Conversation {
    let mut document =
        br#"{"mailscope":{"format":1,"started":"2026-11-23T12:00:00.000Z"},"events":["#.to_vec();
    for (place, event) in random::events(steps, Secrets::Masked).iter().enumerate() {
        document.extend_from_slice(if place == 0 { b"\n" } else { b",\n" });
        write_event(&mut document, event);
    }
    document.extend_from_slice(b"\n]}");
    Conversation::read(document, "test", &Ignored::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn a_session_in_other_words_is_the_same_until_something_changes(
        session in prop::collection::vec(exchange(), 1..8),
        words in 1..u64::MAX,
        place in any::<usize>(),
        what in any::<usize>(),
    ) {
        let mut words = Words(words);
        let (a, b) = (written(&session, &mut words), written(&session, &mut words));
        let said = differences(&a, &b);
        prop_assert!(said.starts_with("{\"equal\":true"), "{said}\n{a}\n--\n{b}");
        let mut changed = session.clone();
        let place = place % session.len();
        change(&mut changed[place], what);
        let c = written(&changed, &mut words);
        for (a, b) in [(&a, &c), (&c, &b)] {
            let said = differences(a, b);
            let summary = said.lines().last().unwrap();
            prop_assert!(summary.starts_with("{\"equal\":false"), "{said}\n{a}\n--\n{b}");
        }
    }

    #[test]
    fn whatever_is_said_is_the_same_as_itself(
        one in random::conversation(),
        other in random::conversation(),
    ) {
        let (a, again, b) = (transcript(&one), transcript(&one), transcript(&other));
        prop_assert!(compare(&a, &again).is_equal());
        prop_assert_eq!(compare(&a, &b).is_equal(), compare(&b, &a).is_equal());
    }
}
