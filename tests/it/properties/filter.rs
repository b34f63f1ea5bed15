//! The language of filters: what is read can be shown as a filter that says the same, and what cannot be
//! read has its place within the text.

use mailscope::event::Secrets;
use mailscope::filter::{Matcher, parse};

use super::talk::{CLIENT, Reads, SERVER, Talk};

/// A line, and a conversation that it picks from.
pub fn filter(data: &[u8]) {
    let end = data
        .iter()
        .position(|octet| [CLIENT, SERVER].contains(octet));
    let (text, talk) = data.split_at(end.unwrap_or(data.len()));
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let filter = match parse(text) {
        Ok(filter) => filter,
        Err(bad) => {
            let place = bad.place();
            assert!(
                place.start <= place.end && place.end <= text.len(),
                "{place:?} of {text:?}"
            );
            assert!(text.is_char_boundary(place.start) && text.is_char_boundary(place.end));
            assert!(
                !bad.to_string()
                    .contains(|c: char| c.is_control() && c != '\n')
            );
            return;
        }
    };
    let shown = filter.to_string();
    match parse(&shown) {
        Ok(again) => assert_eq!(again, filter, "{text:?} is shown as {shown:?}"),
        Err(bad) => panic!("{text:?} is shown as {shown:?}: {bad}"),
    }
    let mut matcher = Matcher::new(&filter);
    let mut negated = Matcher::new(&parse(&format!("not ({text})")).expect("it can be read"));
    for event in Talk::of(talk).events(Secrets::Masked, Reads::Whole) {
        let is_gap = matches!(event.body, mailscope::event::Body::Gap { .. });
        assert!(
            is_gap || matcher.matches(&event) != negated.matches(&event),
            "{text:?}"
        );
    }
}
