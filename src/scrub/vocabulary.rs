//! The words that stay: those of the protocol, of MIME, of the transcript's format, and plain words of
//! servers' human-readable text.
//!
//! Not where they stay: that is for the rules of `message.rs` and `mime.rs`, which keep a word only in
//! a place that has such words. Everywhere else these are replaced as well.

use std::collections::HashSet;

use super::facts::NAME_TYPES;
use crate::explain::entries;
use crate::transcript::SCHEMA;

/// The tables.
pub struct Vocabulary {
    protocol: HashSet<String>,
    human: HashSet<String>,
    header: HashSet<String>,
    mime: HashSet<String>,
    mime_words: HashSet<String>,
    html: HashSet<String>,
    format: HashSet<String>,
}

/// Words of the protocol that no table of terms has.
const PROTOCOL: &str = "\
    INBOX NIL OK NO BAD BYE PREAUTH DONE UID PEEK MIME HEADER FIELDS NOT TEXT TAG MIN MAX ALL COUNT SAVE \
    PARTIAL RETURN CHARSET UTF 8 US ASCII i octet unicode casemap UTF8 ON OR TO CC BCC FROM SUBJECT BODY SINCE \
    BEFORE KEYWORD FUZZY DEFLATE ANY SUBSCRIBED CHILDINFO OLDNAME RECURSIVEMATCH REMOTE X GM THRID MSGID \
    LABELS RAW FLAGS SILENT PRIVATE SHARED COMMENT VENDOR EARLIER CHANGEDSINCE UNCHANGEDSINCE MODSEQ \
    VANISHED QRESYNC CONDSTORE Junk NonJunk NotJunk Forwarded MDNSent label1 label2 label3 label4 label5 \
    Phishing SubmitPending Submitted Important HasAttachment HasNoAttachment DEPTH infinity MAXSIZE \
    REFERENCES ORDEREDSUBJECT REFS ARRIVAL CC REVERSE SIZE SUBJECT DISPLAYFROM DISPLAYTO THREAD CATENATE URL \
    name version os vendor support address date command arguments environment MAILBOX MAILBOXES PERSONAL \
    SET MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange AnnotationChange INBOXES \
    MailboxMetadataChange ServerMetadataChange SELECTED DELAYED SUBTREE NONE MESSAGE STORAGE RES ANNOTATION SNIPPET LAZY PREVIEW \
    TRANSLATION NOPRIVATE TOOMANY LONGENTRIES VALUE PRIV de en fr es it nl pl pt \
    ja zh ru default";

/// Words of human-readable text.
const HUMAN: &str = "\
    completed complete failed success successful successfully logged in out login logout logging secs sec \
    ms fetch store select selected examine status list lsub search sort thread append copy move expunge \
    close closed create created delete deleted rename subscribe unsubscribe namespace capability idle \
    terminated ready server done invalid unknown command arguments argument error syntax missing mailbox \
    doesn t exist exists already read only write permitted flags uids valid predicted next uid first unseen \
    highest authentication authenticated credentials internal temporary timeout inactivity disconnected \
    bye goodbye session begin tls negotiation now pre ok nothing to do no such message messages unseen \
    the a an is are was were of for on at by with and or not be this that it its your you \
    idling waiting continue go ahead more post login capabilities listed have access is was were too many \
    imap imap4 imap4rev1 service noop check enabled getquota getquotaroot quota exceeded over limited";

/// Words of header fields' names.
const HEADER: &str = "\
    accept apparently archived at arc authentication results auto submitted bcc bounces cc comments content \
    transfer encoding type disposition description id language location md5 base delivered delivery date \
    dkim signature domainkey key disposition notification to envelope errors expires face feedback from \
    importance in reply keywords lines list archive help owner post subscribe unsubscribe click mail \
    mailer mailing message mime version newsgroups organization original sender path precedence priority \
    received spf recipient references resent return receipt path seal selector sender sensitivity spam \
    score level flag checker status report subject thread topic index user agent uid tuid x msmail \
    mimeole priority confirm reading forwarded for google smtp source gm state virus scanned scanner \
    antivirus originating ip loop face url uidl keywords mozilla status2 draft info fcc account identity \
    html editor attachment universally unique identifier uniform type supersedes xref followup distribution";

/// Whole values of MIME.
const MIME: &str = "\
    text image audio video application multipart message font model plain html calendar csv xml css \
    enriched rtf markdown x-vcard vcard directory rfc822 rfc822-headers delivery-status global partial \
    external-body disposition-notification mixed alternative related digest parallel report signed encrypted form-data \
    appledouble octet-stream pdf zip gzip json pgp-signature pgp-encrypted pgp-keys pkcs7-mime \
    pkcs7-signature x-pkcs7-signature x-pkcs7-mime msword ics ms-tnef jpeg jpg png gif tiff bmp webp svg+xml \
    mpeg mp4 mp3 ogg wav 7bit 8bit binary base64 quoted-printable x-uuencode inline attachment charset \
    boundary name filename format delsp flowed fixed yes no type start start-info protocol micalg \
    report-type method smime-type reply-type size creation-date modification-date read-date access-type 1.0 \
    us-ascii ascii utf-8 utf8 utf-16 iso-8859-1 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6 \
    iso-8859-7 iso-8859-8 iso-8859-8-i iso-8859-9 iso-8859-10 iso-8859-13 iso-8859-14 iso-8859-15 \
    windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 \
    koi8-r koi8-u gb2312 gbk gb18030 big5 euc-jp euc-kr shift_jis iso-2022-jp ks_c_5601-1987 request \
    vnd.ms-excel vnd.ms-powerpoint vnd.openxmlformats-officedocument.wordprocessingml.document \
    vnd.openxmlformats-officedocument.spreadsheetml.sheet vnd.oasis.opendocument.text \
    vnd.openxmlformats-officedocument.presentationml.presentation vnd.oasis.opendocument.spreadsheet \
    publish reply cancel pgp-sha1 pgp-sha256 pgp-sha512 sha-1 sha-256 sha1 sha256 md5 nil";

/// Names of HTML.
const HTML: &str = "\
    html head body title meta style link script div span p br hr a b i u em strong small big font img table tr td th \
    thead tbody tfoot ul ol li dl dt dd h1 h2 h3 h4 h5 h6 pre code blockquote center doctype sub sup \
    href src alt class id width height border align valign bgcolor color face size cellpadding cellspacing \
    colspan rowspan target rel type name content http equiv charset lang dir xmlns nbsp amp lt gt quot apos copy";

/// Words of dates: days, months, zones.
const DATE: &[&str] = &[
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun",
    "jul", "aug", "sep", "oct", "nov", "dec", "am", "pm", "gmt", "ut", "utc", "est", "edt", "cst",
    "cdt", "mst", "mdt", "pst", "pdt", "cet", "cest", "bst", "msk", "jst", "z",
];

impl Vocabulary {
    /// All of them.
    pub fn new() -> Self {
        let mut protocol = of_words(PROTOCOL);
        let mut human = of_words(HUMAN);
        for entry in entries() {
            protocol.extend(of_words(entry.term));
            human.extend(of_words(entry.sentence));
        }
        let mime = MIME.split_whitespace().map(str::to_owned).collect();
        let mut format = of_words(SCHEMA);
        format.insert("localhost".into());
        format.extend(NAME_TYPES.iter().map(|name| name.to_lowercase()));
        Self {
            protocol,
            human,
            header: of_words(HEADER),
            html: of_words(HTML),
            mime_words: of_words(MIME),
            mime,
            format,
        }
    }

    /// Whether any table has it, in lower case.
    pub fn has(&self, word: &str) -> bool {
        let tables = [
            &self.protocol,
            &self.human,
            &self.header,
            &self.html,
            &self.format,
        ];
        tables.iter().any(|table| table.contains(word))
            || DATE.contains(&word)
            || self.mime_words.contains(word)
    }

    /// Whether the protocol has it.
    pub fn of_the_protocol(&self, word: &str) -> bool {
        self.protocol.contains(word)
    }

    /// Whether a server's human-readable text may have it.
    pub fn of_human_text(&self, word: &str) -> bool {
        self.human.contains(word) || self.protocol.contains(word)
    }

    /// Whether names of header fields have it.
    pub fn of_a_header(&self, word: &str) -> bool {
        self.header.contains(word)
    }

    /// Whether elements, attributes or entities of HTML are named so.
    pub fn of_html(&self, word: &str) -> bool {
        self.html.contains(word)
    }

    /// Whether it is a whole value of MIME.
    pub fn of_mime(&self, value: &str) -> bool {
        self.mime.contains(value)
    }
}

/// Whether it is a date and nothing else: numbers of at most four digits, days, months and zones.
pub fn is_date(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut months = 0;
    for word in words.filter(|word| !word.is_empty()) {
        let is_number = word.len() <= 4 && word.bytes().all(|octet| octet.is_ascii_digit());
        match DATE.iter().position(|known| *known == word) {
            Some(index) => months += usize::from((7..19).contains(&index)),
            None if is_number => {}
            None => return false,
        }
    }
    months == 1
}

/// The words of a text, in lower case.
fn of_words(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_one_and_nothing_else_is() {
        for date in [
            "Mon, 7 Feb 1994 21:52:25 -0800 (PST)",
            "\"17-Jul-1996 02:44:25 -0700\"",
            "1-Feb-2024",
        ] {
            assert!(is_date(date.as_bytes()), "{date}");
        }
        for other in ["Mon, 7 Feb 1994 from Alice", "2024", "", "7 feb 19942222"] {
            assert!(!is_date(other.as_bytes()), "{other}");
        }
    }
}
