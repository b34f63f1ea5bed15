//! IMAP4rev2 and IMAP4rev1 (RFC 9051, RFC 3501) and their extensions, read from both directions of
//! one connection.

pub mod framer;
mod lexer;
