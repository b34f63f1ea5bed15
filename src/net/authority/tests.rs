//! Authorities kept and lost, and the leaves they mint.

use std::fs;
use std::thread;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};

use super::*;

/// Whether rustls takes the authority's leaf for `sni` as the certificate of `name`.
fn verifies(authority: &Authority, sni: Option<&str>, name: &str) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let leaf = authority.leaf(sni).unwrap();
    let name = ServerName::try_from(name).unwrap();
    verifier
        .verify_server_cert(&leaf.cert[0], &leaf.cert[1..], &name, &[], UnixTime::now())
        .map(|_| ())
}

#[test]
fn a_leaf_verifies_for_what_is_permitted_and_for_nothing_else() {
    let authority = Authority::ephemeral().unwrap();
    for (sni, name) in [
        (None, "localhost"),
        (None, "127.0.0.1"),
        (None, "::1"),
        (Some("localhost"), "127.0.0.1"),
        (Some("LOCALHOST."), "localhost"),
        (Some("mail.localhost"), "mail.localhost"),
        (Some("127.1.2.3"), "127.1.2.3"),
    ] {
        assert_eq!(verifies(&authority, sni, name), Ok(()), "{sni:?} {name}");
        assert!(authority.scope().permits(name), "{name}");
    }
    for name in [
        "imap.gmail.com",
        "notlocalhost",
        "localhost.example",
        "10.0.0.1",
        "::2",
    ] {
        let refused = verifies(&authority, Some(name), name).unwrap_err();
        assert!(
            format!("{refused:?}").contains("NameConstraint"),
            "{refused:?}"
        );
        assert!(!authority.scope().permits(name), "{name}");
    }
    assert!(!authority.scope().permits("::ffff:127.0.0.1"));
}

#[test]
fn without_sni_the_leaf_is_for_what_the_app_reached_too() {
    let names = |leaf: Arc<CertifiedKey>| {
        let read = certificate::read(&leaf.cert[0]).unwrap();
        certificate::names(&read).split_off(3)
    };
    let local = Authority::ephemeral().unwrap();
    for (host, further) in [
        ("127.0.0.2", Some("127.0.0.2")),
        ("::ffff:127.0.0.2", Some("127.0.0.2")),
        ("Mail.Localhost.", Some("mail.localhost")),
        ("127.0.0.1", None),
        ("::1", None),
        ("localhost", None),
        ("192.0.2.7", None),
        ("imap.example.com", None),
        ("no name", None),
    ] {
        let found = names(local.leaf_reached_as(host).unwrap());
        assert_eq!(found, further.into_iter().collect::<Vec<_>>(), "{host}");
    }
    let folder = tempfile::tempdir().unwrap();
    let any = Authority::open_or_create(folder.path(), &Scope::Unconstrained).unwrap();
    for host in ["192.0.2.7", "2001:db8::1", "imap.example.com"] {
        assert_eq!(names(any.leaf_reached_as(host).unwrap()), [host]);
        let (one, other) = (any.leaf_reached_as(host), any.leaf_reached_as(host));
        assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()), "it is kept");
    }
}

#[test]
fn what_the_certificates_say() {
    let authority = Authority::ephemeral().unwrap();
    let read = certificate::read(authority.der()).unwrap();
    let basic = read.basic_constraints().unwrap().unwrap();
    assert!(basic.critical && basic.value.ca);
    assert_eq!(basic.value.path_len_constraint, Some(0));
    let usage = read.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
    assert!(!usage.value.digital_signature());
    assert!(read.name_constraints().unwrap().unwrap().critical);
    let (begin, end) = (read.validity().not_before, read.validity().not_after);
    assert_eq!(end.timestamp() - begin.timestamp(), 3651 * 24 * 3600);
    assert!(
        authority
            .name()
            .starts_with("mailscope local authority (this computer only) ")
    );

    let leaf = authority.leaf(None).unwrap();
    let read = certificate::read(&leaf.cert[0]).unwrap();
    let usage = read.key_usage().unwrap().unwrap();
    assert_eq!(usage.value.flags, 1, "digitalSignature alone");
    let purposes = read.extended_key_usage().unwrap().unwrap().value;
    assert!(purposes.server_auth && !purposes.client_auth && !purposes.any);
    assert!(!read.is_ca());
    let (begin, end) = (read.validity().not_before, read.validity().not_after);
    assert_eq!(end.timestamp() - begin.timestamp(), 8 * 24 * 3600);
    let found: Vec<_> = read
        .extensions()
        .iter()
        .map(|one| one.oid.to_id_string())
        .collect();
    for oid in ["2.5.29.14", "2.5.29.35"] {
        assert!(
            found.contains(&oid.to_owned()),
            "key identifiers: {found:?}"
        );
    }
}

#[test]
fn two_authorities_can_be_told_apart() {
    let (one, other) = (
        Authority::ephemeral().unwrap(),
        Authority::ephemeral().unwrap(),
    );
    assert_ne!(one.name(), other.name());
    assert_ne!(one.fingerprint_sha256(), other.fingerprint_sha256());
    assert_eq!(one.fingerprint_sha256().len(), 32 * 3 - 1);
    assert_eq!(one.path(), None);
    assert!(!format!("{one:?}").contains("PRIVATE"));
}

#[test]
fn a_leaf_is_kept_until_its_last_day() {
    let authority = Authority::ephemeral().unwrap();
    let start = now();
    let first = authority.leaf_at(Some("localhost"), start).unwrap();
    let again = authority.leaf_at(None, start + Duration::days(5)).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    let renewed = authority
        .leaf_at(None, start + Duration::hours(6 * 24 + 1))
        .unwrap();
    assert!(!Arc::ptr_eq(&first, &renewed));
}

#[test]
fn a_leaf_of_a_later_time_is_minted_anew_when_the_clock_is_set_back() {
    let authority = Authority::ephemeral().unwrap();
    let start = now();
    let first = authority.leaf_at(None, start).unwrap();
    let back = authority
        .leaf_at(None, start - Duration::hours(23))
        .unwrap();
    assert!(Arc::ptr_eq(&first, &back), "it is backdated by a day");
    let back = start - Duration::hours(25);
    let anew = authority.leaf_at(None, back).unwrap();
    assert!(!Arc::ptr_eq(&first, &anew));
    let read = certificate::read(&anew.cert[0]).unwrap();
    assert!(read.validity().not_before.to_datetime() < back);
}

#[test]
fn the_oldest_leaf_makes_room() {
    let authority = Authority::ephemeral().unwrap();
    let first = authority.leaf(Some("h0.localhost")).unwrap();
    for n in 1..limits::LEAVES {
        authority.leaf(Some(&format!("h{n}.localhost"))).unwrap();
    }
    let kept = authority.leaf(Some("h0.localhost")).unwrap();
    assert!(Arc::ptr_eq(&first, &kept));
    authority.leaf(Some("one-more.localhost")).unwrap();
    assert_eq!(authority.leaves.lock().unwrap().len(), limits::LEAVES);
    let minted_anew = authority.leaf(Some("h0.localhost")).unwrap();
    assert!(!Arc::ptr_eq(&first, &minted_anew));
}

#[test]
fn odd_names_are_minted_or_refused_but_never_a_panic() {
    let authority = Authority::ephemeral().unwrap();
    let long = format!("{}.{}.example", "a".repeat(63), "b".repeat(63));
    authority.leaf(Some(&long)).unwrap();
    assert!(authority.leaf(Some("bücher")).is_err());
    authority.leaf(Some("")).unwrap();
}

#[test]
fn it_is_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let ca_dir = folder.path().join("data/ca");
    let made = Authority::open_or_create(&ca_dir, &Scope::Local).unwrap();
    assert_eq!(made.path(), Some(&*ca_dir.join("local/ca.pem")));
    assert_eq!(
        fs::read_to_string(made.path().unwrap()).unwrap(),
        made.pem()
    );
    assert_eq!(made.warnings(), [""; 0]);
    let found = Authority::open_or_create(&ca_dir, &Scope::Local).unwrap();
    assert_eq!(made.der(), found.der());
    assert_eq!(verifies(&found, None, "localhost"), Ok(()));
    // Nothing else is left behind.
    assert_eq!(fs::read_dir(&ca_dir).unwrap().count(), 1);
    assert_eq!(fs::read_dir(ca_dir.join("local")).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let ca_dir = folder.path().join("data/ca");
    Authority::open_or_create(&ca_dir, &Scope::Local).unwrap();
    let mode = |path: &str| {
        let path = folder.path().join(path);
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!(mode("data/ca"), 0o700);
    assert_eq!(mode("data/ca/local"), 0o700);
    assert_eq!(mode("data/ca/local/ca.pem"), 0o600);
    assert_eq!(mode("data/ca/local/ca-key.pem"), 0o600);

    let key = ca_dir.join("local/ca-key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let warned = Authority::open_or_create(&ca_dir, &Scope::Local).unwrap();
    assert_eq!(warned.warnings().len(), 1);
    assert!(
        warned.warnings()[0].contains("0644"),
        "{:?}",
        warned.warnings()
    );
}

#[test]
fn first_runs_at_the_same_time_agree() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let ca_dir = folder.path().join("ca");
        let started = std::sync::Barrier::new(4);
        let open = || {
            started.wait();
            Authority::open_or_create(&ca_dir, &Scope::Local).unwrap()
        };
        let authorities: Vec<_> = thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for authority in &authorities {
            assert_eq!(authority.der(), authorities[0].der());
            assert_eq!(verifies(authority, None, "localhost"), Ok(()));
        }
        assert_eq!(fs::read_dir(&ca_dir).unwrap().count(), 1);
    }
}

#[test]
fn an_empty_folder_left_behind_is_used() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("local")).unwrap();
    Authority::open_or_create(folder.path(), &Scope::Local).unwrap();
}

/// Makes an authority, breaks it, and expects an error that names `path` and changes nothing.
fn broken_by(path: &str, breaking: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    Authority::open_or_create(folder.path(), &Scope::Local).unwrap();
    let local = folder.path().join("local");
    breaking(&local);
    let content = |file: &str| fs::read(local.join(file)).ok();
    let before = (content("ca.pem"), content("ca-key.pem"));
    let error = Authority::open_or_create(folder.path(), &Scope::Local).unwrap_err();
    assert_eq!(before, (content("ca.pem"), content("ca-key.pem")));
    let named = local.join(path).display().to_string();
    assert!(error.to_string().contains(&named), "{error}");
    assert!(error.what_to_try().is_some(), "{error}");
    error.why().to_owned()
}

#[test]
fn broken_files_are_named_and_left_alone() {
    let why = broken_by("ca.pem", |local| {
        fs::remove_file(local.join("ca.pem")).unwrap()
    });
    assert!(why.contains("missing"), "{why}");
    let why = broken_by("ca-key.pem", |local| {
        fs::remove_file(local.join("ca-key.pem")).unwrap()
    });
    assert!(why.contains("missing"), "{why}");
    let why = broken_by("ca.pem", |local| {
        fs::write(local.join("ca.pem"), "x").unwrap()
    });
    assert!(why.contains("no certificate"), "{why}");
    let why = broken_by("ca-key.pem", |local| {
        fs::write(local.join("ca-key.pem"), "").unwrap()
    });
    assert!(why.contains("no key"), "{why}");
    broken_by("ca.pem", |local| {
        fs::write(local.join("ca.pem"), b"\xff").unwrap()
    });
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let why = broken_by("ca.pem", |local| {
        let other = KeyPair::generate().unwrap();
        fs::write(local.join("ca-key.pem"), other.serialize_pem()).unwrap();
    });
    assert!(why.contains("belong together"), "{why}");
    let why = broken_by("ca.pem", |local| {
        let key =
            KeyPair::from_pem(&fs::read_to_string(local.join("ca-key.pem")).unwrap()).unwrap();
        let leaf = CertificateParams::default().self_signed(&key).unwrap();
        fs::write(local.join("ca.pem"), leaf.pem()).unwrap();
    });
    assert!(why.contains("not that of an authority"), "{why}");
}

#[test]
fn an_expired_authority_says_when() {
    let why = broken_by("ca.pem", |local| {
        let (certificate, key) = create(&Scope::Local, now() - Duration::days(4000)).unwrap();
        fs::write(local.join("ca.pem"), certificate.pem()).unwrap();
        fs::write(local.join("ca-key.pem"), key.serialize_pem()).unwrap();
    });
    assert!(why.contains("expired on 20"), "{why}");
}

#[test]
fn an_authority_of_a_later_time_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    Authority::open_or_create(folder.path(), &Scope::Local).unwrap();
    let (certificate, key) = create(&Scope::Local, now() + Duration::days(3)).unwrap();
    let local = folder.path().join("local");
    fs::write(local.join("ca.pem"), certificate.pem()).unwrap();
    fs::write(local.join("ca-key.pem"), key.serialize_pem()).unwrap();
    let authority = Authority::open_or_create(folder.path(), &Scope::Local).unwrap();
    let [warning] = authority.warnings() else {
        panic!("{:?}", authority.warnings());
    };
    assert!(warning.contains("is the clock right?"), "{warning}");
}

/// The scopes that are not for this computer alone.
fn wider() -> [Scope; 2] {
    let hosts = ["example.com", "192.0.2.7", "2001:db8::1"];
    [
        Scope::of(hosts.map(|host| host.parse().unwrap())),
        Scope::Unconstrained,
    ]
}

#[test]
fn each_scope_is_kept_apart_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        Authority::all(&folder.path().join("none"))
            .unwrap()
            .is_empty()
    );
    for scope in [Scope::Local].into_iter().chain(wider()) {
        let made = Authority::open_or_create(folder.path(), &scope).unwrap();
        assert_eq!(*made.scope(), scope);
        let found = Authority::open_or_create(folder.path(), &scope).unwrap();
        assert_eq!(made.der(), found.der());
        assert_eq!(found.warnings(), [""; 0]);
    }
    fs::create_dir(folder.path().join(".local-00")).unwrap();
    let all = Authority::all(folder.path()).unwrap();
    let folders: Vec<_> = all
        .iter()
        .map(|kept| kept.folder.file_name().unwrap().to_str().unwrap())
        .collect();
    let hosts = "as-example.com+192.0.2.7+2001=db8==1";
    assert_eq!(folders, [hosts, "local", "unconstrained"]);
    let names: std::collections::BTreeSet<_> = all
        .iter()
        .map(|kept| kept.authority.as_ref().unwrap().name())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_leaf_of_a_wider_scope_verifies_for_its_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let [hosts, anything] =
        wider().map(|scope| Authority::open_or_create(folder.path(), &scope).unwrap());
    for authority in [&hosts, &anything] {
        for name in [
            "localhost",
            "127.0.0.1",
            "example.com",
            "a.example.com",
            "192.0.2.7",
        ] {
            assert_eq!(verifies(authority, Some(name), name), Ok(()), "{name}");
            assert!(authority.scope().permits(name), "{name}");
        }
    }
    // An app that is set to an address asks for no name.
    for name in [
        "localhost",
        "::1",
        "example.com",
        "192.0.2.7",
        "2001:db8::1",
    ] {
        assert_eq!(verifies(&hosts, None, name), Ok(()), "{name}");
    }
    for name in ["notexample.com", "example.net", "192.0.2.8", "2001:db8::2"] {
        assert!(verifies(&hosts, Some(name), name).is_err(), "{name}");
        assert!(!hosts.scope().permits(name), "{name}");
        assert_eq!(verifies(&anything, Some(name), name), Ok(()), "{name}");
        assert!(anything.scope().permits(name), "{name}");
    }
}

#[test]
fn an_authority_in_the_folder_of_another_scope_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [hosts, anything] = wider();
    let made = Authority::open_or_create(folder.path(), &anything).unwrap();
    fs::rename(
        made.path().unwrap().parent().unwrap(),
        folder.path().join("local"),
    )
    .unwrap();
    let error = Authority::open_or_create(folder.path(), &Scope::Local).unwrap_err();
    assert!(error.why().contains("vouches for any server"), "{error}");
    let all = Authority::all(folder.path()).unwrap();
    assert_eq!(all.len(), 1);
    assert!(all[0].authority.is_err());
    // The other scopes are not touched by that.
    Authority::open_or_create(folder.path(), &hosts).unwrap();
}

#[test]
fn constraints_that_are_not_ours_are_refused() {
    use rcgen::{CidrSubnet, GeneralSubtree};
    let localhost = || GeneralSubtree::DnsName("localhost".into());
    let net = GeneralSubtree::IpAddress(CidrSubnet::V4([10, 0, 0, 0], [255, 0, 0, 0]));
    for permitted in [vec![localhost()], vec![localhost(), net], Vec::new()] {
        let why = broken_by("ca.pem", |local| {
            let (_, key) = create(&Scope::Local, now()).unwrap();
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.name_constraints = Some(rcgen::NameConstraints {
                permitted_subtrees: permitted,
                excluded_subtrees: vec![GeneralSubtree::DnsName("example.net".into())],
            });
            let certificate = params.self_signed(&key).unwrap();
            fs::write(local.join("ca.pem"), certificate.pem()).unwrap();
            fs::write(local.join("ca-key.pem"), key.serialize_pem()).unwrap();
        });
        assert!(why.contains("name constraints"), "{why}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_write_to_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    Authority::open_or_create(folder.path(), &Scope::Local).unwrap();
    let local = folder.path().join("local");
    // Nor may they rename the one and make another; where only owners may rename, it is safe.
    for (open, mode, count) in [
        (local.as_path(), 0o777, 1),
        (folder.path(), 0o777, 1),
        (folder.path(), 0o1777, 0),
    ] {
        let set = |mode| fs::set_permissions(open, fs::Permissions::from_mode(mode)).unwrap();
        set(mode);
        let warned = Authority::open_or_create(folder.path(), &Scope::Local).unwrap();
        set(0o700);
        assert_eq!(warned.warnings().len(), count, "{:?}", warned.warnings());
        let told = format!("{} (mode 0777)", open.display());
        assert!(
            warned
                .warnings()
                .iter()
                .all(|warning| warning.contains(&told))
        );
    }
}
