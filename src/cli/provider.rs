//! The names of large mail providers that SERVER may be, and the servers they stand for.
//!
//! A whole SERVER only, in any case: `gmail` is the provider, `imaps://gmail` and `gmail:993` are a
//! host that is really called so. The servers are those that the providers tell their users to set;
//! none of them is asked here.

/// A provider's short name and its server.
#[derive(Debug, PartialEq, Eq)]
pub struct Provider {
    name: &'static str,
    server: &'static str,
    /// What to know beforehand.
    remark: Option<&'static str>,
}

/// Where `--listen-plain` listens unless told otherwise, and where Proton Mail Bridge does.
const PORT_1143: &str = "127.0.0.1:1143";

const PROVIDERS: [Provider; 12] = [
    imaps("gmail", "imaps://imap.gmail.com"),
    imaps("outlook", "imaps://outlook.office365.com"),
    imaps("icloud", "imaps://imap.mail.me.com"),
    imaps("fastmail", "imaps://imap.fastmail.com"),
    imaps("yahoo", "imaps://imap.mail.yahoo.com"),
    imaps("aol", "imaps://imap.aol.com"),
    Provider {
        remark: Some("accounts of gmx.com are at imap.gmx.com"),
        ..imaps("gmx", "imaps://imap.gmx.net")
    },
    imaps("web.de", "imaps://imap.web.de"),
    Provider {
        remark: Some(
            "accounts of other regions or of an organisation are elsewhere, such as imap.zoho.eu \
             or imappro.zoho.com",
        ),
        ..imaps("zoho", "imaps://imap.zoho.com")
    },
    imaps("yandex", "imaps://imap.yandex.com"),
    imaps("mail.ru", "imaps://imap.mail.ru"),
    Provider {
        remark: Some(
            "its certificate is its own: export it in Bridge's settings and name it with \
             --server-ca FILE",
        ),
        // STARTTLS, which is what `imap://` means.
        ..imaps("proton-bridge", "imap://127.0.0.1:1143")
    },
];

const fn imaps(name: &'static str, server: &'static str) -> Provider {
    Provider {
        name,
        server,
        remark: None,
    }
}

/// The provider that SERVER names, if it names one.
pub fn named(server: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .find(|provider| provider.name.eq_ignore_ascii_case(server))
}

/// The names, in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|provider| provider.name)
}

impl Provider {
    /// Its server, as SERVER takes it.
    pub fn server(&self) -> &'static str {
        self.server
    }

    /// Which server the name stands for.
    pub fn introduction(&self) -> String {
        let Self {
            name,
            server,
            remark,
        } = self;
        let mut text = format!(
            "mailscope: {name} stands for {server} (a host of that name would be imaps://{name})"
        );
        if let Some(remark) = remark {
            text.push_str("\n  ");
            text.push_str(remark);
        }
        text
    }

    /// Where to listen for cleartext: as asked, unless the server itself is there.
    pub fn listen_plain(&self, asked: String) -> String {
        match self.server.ends_with(PORT_1143) && asked == PORT_1143 {
            true => "127.0.0.1:1144".to_owned(),
            false => asked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{AskedSecurity, Security, ServerAddress};

    #[test]
    fn each_name_stands_for_a_server_with_tls() {
        for (name, server) in [
            ("gmail", "imap.gmail.com:993"),
            ("Outlook", "outlook.office365.com:993"),
            ("icloud", "imap.mail.me.com:993"),
            ("fastmail", "imap.fastmail.com:993"),
            ("yahoo", "imap.mail.yahoo.com:993"),
            ("aol", "imap.aol.com:993"),
            ("gmx", "imap.gmx.net:993"),
            ("WEB.DE", "imap.web.de:993"),
            ("zoho", "imap.zoho.com:993"),
            ("yandex", "imap.yandex.com:993"),
            ("mail.ru", "imap.mail.ru:993"),
        ] {
            let provider = named(name).unwrap();
            let parsed = ServerAddress::parse(provider.server(), None).unwrap();
            assert_eq!(parsed.name(), server);
            assert_eq!(parsed.security(), Security::Implicit);
            assert!(provider.introduction().contains(provider.server()));
        }
    }

    #[test]
    fn proton_bridge_is_this_computer_and_keeps_its_port() {
        let bridge = named("proton-bridge").unwrap();
        assert_eq!(bridge.server(), "imap://127.0.0.1:1143");
        let none = Some(AskedSecurity::None);
        assert!(ServerAddress::parse(bridge.server(), none).is_ok());
        assert_eq!(bridge.listen_plain(PORT_1143.into()), "127.0.0.1:1144");
        assert_eq!(bridge.listen_plain("none".into()), "none");
        let gmail = named("gmail").unwrap();
        assert_eq!(gmail.listen_plain(PORT_1143.into()), PORT_1143);
    }

    #[test]
    fn a_host_that_is_really_called_so_can_be_reached() {
        for server in ["imaps://gmail", "gmail:993", "gmail.", "imap.gmail.com", ""] {
            assert_eq!(named(server), None, "{server}");
        }
    }
}
