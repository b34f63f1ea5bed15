//! Whether octets are those of the wire, or what was said inside of TLS and compression: told by what
//! stands behind STARTTLS and COMPRESS.
//!
//! ```text
//! a COMPRESS DEFLATE     b NOOP      a capture that mailscope exported: lines go on
//! a COMPRESS DEFLATE     4a ce 02    the wire; Dovecot's rawlog too
//! ```

use super::Layer;

/// Whether the client's octets go on as lines behind STARTTLS and COMPRESS, as in a capture that
/// mailscope exported, or as on the wire.
pub fn layer(said: &[u8]) -> Layer {
    let mut rest = said;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, behind) = rest.split_at(end + 1);
        rest = behind;
        if is_switch(line, b"STARTTLS") || is_switch(line, b"COMPRESS DEFLATE") {
            let line = behind
                .split(|octet| *octet == b'\n')
                .next()
                .unwrap_or_default();
            let line = &line[..line.len().min(64)];
            let is_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
            if !line.iter().all(is_text) {
                return Layer::Wire;
            }
        }
    }
    Layer::Inside
}

/// Whether the client asked for STARTTLS.
pub fn is_upgraded(said: &[u8]) -> bool {
    let mut lines = said.split(|octet| *octet == b'\n');
    lines.any(|line| is_switch(line, b"STARTTLS"))
}

fn is_switch(line: &[u8], command: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let behind = line
        .iter()
        .position(|octet| *octet == b' ')
        .map(|space| &line[space + 1..]);
    behind.is_some_and(|behind| behind.eq_ignore_ascii_case(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_go_on_behind_starttls_are_told_from_tls() {
        assert_eq!(layer(b"a STARTTLS\r\nb NOOP\r\n"), Layer::Inside);
        assert_eq!(layer(b"a STARTTLS\r\n\x16\x03\x01\x02"), Layer::Wire);
        assert_eq!(
            layer(b"a NOOP\r\nb COMPRESS DEFLATE\r\nc NOOP\r\n"),
            Layer::Inside
        );
        assert_eq!(layer(b"b compress deflate\r\n\x4a\xce\x02"), Layer::Wire);
        assert_eq!(layer(b"b NOOP\r\n"), Layer::Inside);
    }
}
