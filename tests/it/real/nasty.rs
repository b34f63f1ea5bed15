//! Mails as mailboxes of years have them: nested, forwarded, signed, in old charsets, and wrong.

use super::super::support::maildir::Mail;

/// What is in them and may be nowhere in what is shared, in whatever encoding and letter case.
pub const SECRETS: [&str; 9] = [
    "falkenried",
    "quittung",
    "marzipan",
    "tierärztin",
    "gründel",
    "hölderlin",
    "東京",
    "sb-4815-1623",
    "c3VwZXJzZWNyZXQ", // a boundary
];

/// A folder in modified UTF-7: `Entwürfe-Tierärztin`.
pub const FOLDER: &str = "Entw&APw-rfe-Tier&AOQ-rztin";

/// The mails.
pub fn mails() -> Vec<Mail> {
    let mails: [Vec<u8>; 9] = [
        forwarded(),
        alternative(),
        signed(),
        old_charsets(),
        eight_bit(),
        list(),
        uuencoded(),
        broken(),
        b"Subject: Quittung Falkenried, and no body\n\n".to_vec(),
    ];
    let flags = ["S", "", "FS"].into_iter().cycle();
    mails
        .into_iter()
        .zip(flags)
        .map(|(mail, flags)| Mail::new(flags, mail))
        .collect()
}

/// A mail in a mail in a mail, one of them in base64, with attachments whose names are in pieces.
fn forwarded() -> Vec<u8> {
    b"Return-Path: <ada@falkenried.example>\n\
Received: from mx.falkenried.example (mx.falkenried.example [192.0.2.77])\n\
\tby mail.gruendel.example (Postfix) with ESMTPS id 4Xk2Jd1Falk\n\
\tfor <jo@gruendel.example>; Mon, 23 Nov 2026 08:15:02 +0100 (CET)\n\
Received: by mx.falkenried.example with SMTP id q7csp1234567; Mon, 23 Nov 2026 08:15:01 +0100\n\
From: =?utf-8?B?QWRhIEbDpGxrZW5y?= =?utf-8?Q?ied?= <ada@falkenried.example>\n\
To: \"Jo =?iso-8859-1?Q?Gr=FCndel?=\" <jo@gruendel.example>, undisclosed-recipients:;\n\
Cc: =?UTF-8?Q?H=C3=B6lderlin=2C_Marzipan?= <hoelderlin@falkenried.example>\n\
Subject: Fwd: =?utf-8?Q?Quittung_der_Tier=C3=A4?=\n =?utf-8?Q?rztin_=E6=9D=B1?=\n =?utf-8?B?5Lqs?=\n\
Message-ID: <SB-4815-1623@falkenried.example>\n\
References: <1.Quittung@falkenried.example> <2.Quittung@falkenried.example>\n\
 <3.Quittung@falkenried.example> <4.Quittung@falkenried.example> <5.Quittung@falkenried.example>\n\
 <6.Quittung@falkenried.example> <7.Quittung@falkenried.example> <8.Quittung@falkenried.example>\n\
Date: Mon, 23 Nov 2026 08:15:02 +0100\n\
MIME-Version: 1.0\n\
Content-Type: multipart/mixed; boundary=\"=_c3VwZXJzZWNyZXQ\"\n\n\
This is a multi-part message for Falkenried.\n\
--=_c3VwZXJzZWNyZXQ\n\
Content-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\n\
Jo, die Quittung der Tier\xc3\xa4rztin.\n> > Gr\xc3\xbc\xc3\x9fe, Ada\n-- \nAda Falkenried\n\
--=_c3VwZXJzZWNyZXQ\n\
Content-Type: message/rfc822\nContent-Disposition: attachment\n\n\
From: Marzipan <marzipan@falkenried.example>\nSubject: =?iso-8859-1?Q?Tier=E4rztin?=\n\
Content-Type: multipart/mixed; boundary=\"=_c3VwZXJzZWNyZXQ_2\"\n\n\
--=_c3VwZXJzZWNyZXQ_2\nContent-Type: message/rfc822\n\n\
From: hoelderlin@falkenried.example\nSubject: Marzipan\n\nQuittung innen\n\
--=_c3VwZXJzZWNyZXQ_2\n\
Content-Type: application/octet-stream;\n name*0*=utf-8''Quittung%20Tier%C3%A4rz;\n name*1*=tin%20Falken;\n name*2=ried.bin\n\
Content-Disposition: attachment;\n filename*0*=utf-8''Quittung%20Tier%C3%A4rz;\n filename*1*=tin%20Falken;\n filename*2=ried.bin\n\
Content-Transfer-Encoding: base64\n\nAAECA0ZhbGtlbnJpZWQA//5NYXJ6aXBhbgAB\n\
--=_c3VwZXJzZWNyZXQ_2--\n\
--=_c3VwZXJzZWNyZXQ\n\
Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n\
U3ViamVjdDogUXVpdHR1bmcKRnJvbTogYWRhQGZhbGtlbnJpZWQuZXhhbXBsZQoKTWFyemlwYW4K\n\
--=_c3VwZXJzZWNyZXQ--\nEpilog Falkenried\n"
        .to_vec()
}

/// A text, the same as HTML with a picture in it, and an invitation.
fn alternative() -> Vec<u8> {
    b"From: Ada <ada@falkenried.example>\nTo: jo@gruendel.example\nSubject: Marzipan\n\
Message-ID: <2@falkenried.example>\nMIME-Version: 1.0\n\
Content-Type: multipart/alternative; boundary=Falken\n\n\
--Falken\nContent-Type: text/plain; charset=us-ascii\n\nhttps://falkenried.example/quittung?an=Jo&von=Gr%C3%BCndel\n\
--Falken\nContent-Type: multipart/related; boundary=Falkenried\n\n\
--Falkenried\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
<html><body style=3D\"color: red\"><p class=3D\"marzipan\">Gr&uuml;ndel, Gr&#252;ndel &amp; Gr=C3=BCn=\n\
del</p><img src=3D\"cid:Marzipan@falkenried\" alt=3D\"Quittung\"></body></html>\n\
--Falkenried\nContent-Type: image/png; name=\"Marzipan.png\"\nContent-ID: <Marzipan@falkenried>\n\
Content-Transfer-Encoding: base64\n\niVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\n\
--Falkenried--\n\
--Falken\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n\
BEGIN:VCALENDAR\nSUMMARY:Quittung\nORGANIZER;CN=\"Ada Falkenried\":mailto:ada@falkenried.example\nEND:VCALENDAR\n\
--Falken--\n"
        .to_vec()
}

/// DKIM, ARC and PGP.
fn signed() -> Vec<u8> {
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=falkenried.example; s=marzipan;\n\
\tt=1763882102; h=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\
\tb=dGhpcyBpcyBubyBzaWduYXR1cmUgYnV0IGl0IGxvb2tzIGxpa2Ugb25lIHRvIHdob2V2ZXIgcmVh\n\
\t ZHMgaXQsIEFkYSBGYWxrZW5yaWVkLCBRdWl0dHVuZw==\n\
ARC-Authentication-Results: i=1; mx.gruendel.example; dkim=pass header.d=falkenried.example\n\
Authentication-Results: mx.gruendel.example; spf=pass smtp.mailfrom=ada@falkenried.example\n\
From: ada@falkenried.example\nTo: jo@gruendel.example\nSubject: Re: Quittung\nMessage-ID: <3@falkenried.example>\n\
MIME-Version: 1.0\nContent-Type: multipart/signed; micalg=pgp-sha256;\n protocol=\"application/pgp-signature\"; boundary=\"Marzipan 7\"\n\n\
--Marzipan 7\nContent-Type: text/plain\n\nQuittung\n--Marzipan 7\n\
Content-Type: application/pgp-signature; name=\"Falkenried.asc\"\n\n\
-----BEGIN PGP SIGNATURE-----\n\niQEzBAABCAAdFiEEFalkenriedFalkenriedFalkenriedFAl0AAAACgkQFalken\n=Abcd\n-----END PGP SIGNATURE-----\n\
--Marzipan 7--\n"
        .to_vec()
}

/// ISO-2022-JP, KOI8-R, UTF-16 and a charset that nobody knows.
fn old_charsets() -> Vec<u8> {
    b"From: =?iso-2022-jp?B?GyRCRWw1fhsoQg==?= <tokyo@falkenried.example>\nTo: jo@gruendel.example\n\
Subject: =?koi8-r?B?7eHS3snQwc4=?= =?x-falkenried?Q?Marzipan?=\nMessage-ID: <4@falkenried.example>\n\
MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n\
--b\nContent-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: 7bit\n\n\
\x1b$BEl5~\x1b(B Falkenried \x1b$B$N\x1b(B\n\
--b\nContent-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64\n\n\
RgBhAGwAawBlAG4AcgBpAGUAZAAsACAARwByAPwAbgBkAGUAbAAKAA==\n\
--b\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: quoted-printable\n\n=ED=C1=D2=C3=C9=D0=C1=CE\n\
--b\nContent-Type: text/plain; charset=x-unknown\nContent-Transfer-Encoding: 8bit\n\nGr\xfcndel Tier\xe4rztin\n--b--\n"
        .to_vec()
}

/// Octets above 127 where none may be, in UTF-8 and not.
fn eight_bit() -> Vec<u8> {
    b"From: Gr\xc3\xbcndel <jo@gruendel.example>\nTo: Tier\xe4rztin <x@falkenried.example>\n\
Subject: Quittung f\xc3\xbcr H\xf6lderlin \xf0\x9f\x98\x80\nMessage-ID: <5@falkenried.example>\n\n\
{12}\nMarzipan \xe6\x9d\xb1\xe4\xba\xac Gr\xfcndel Tier\xc3\xa4rztin {3+}\n"
        .to_vec()
}

/// A mailing list's fields, one of them far too long.
fn list() -> Vec<u8> {
    let long = "Falkenried".repeat(150);
    format!(
        "List-Id: Marzipan und Quittung <marzipan.falkenried.example>\n\
List-Unsubscribe: <https://falkenried.example/u?m=jo%40gruendel.example&t=SB-4815-1623>,\n <mailto:leave@falkenried.example>\n\
List-Unsubscribe-Post: List-Unsubscribe=One-Click\nPrecedence: bulk\nX-Falkenried-Quittung: {long}\n\
From: marzipan@falkenried.example\nTo: marzipan@falkenried.example\nSubject: [Marzipan] Digest\nMessage-ID: <6@falkenried.example>\n\
MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: Quittung\nFrom: a@falkenried.example\n\nMarzipan\n\
--d\n\nSubject: Marzipan\n\nQuittung\n--d--\n"
    )
    .into_bytes()
}

fn uuencoded() -> Vec<u8> {
    b"From: ada@falkenried.example\nSubject: alt\nMessage-ID: <7@falkenried.example>\n\n\
Die Quittung, Jo:\n\nbegin 644 Falkenried.txt\n*1F%L:V5N<FEE9```\n`\nend\n"
        .to_vec()
}

/// A multipart whose boundary never comes, base64 that is none, and a header without an end.
fn broken() -> Vec<u8> {
    b"From: <<ada@falkenried.example>\nTo: \"Jo Gr\nSubject: =?utf-8?Q?Quittung\nMessage-ID: <8@falkenried.example>\n\
Content-Type: multipart/mixed; boundary=never\nContent-Transfer-Encoding: base64\n\n\
!!! Falkenried ???\n\nMarzipan=\n"
        .to_vec()
}
