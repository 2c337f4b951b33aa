//! Claims about the address policy, most of them over every denied network and every spelling.

use proptest::prelude::*;

use super::*;

/// Every network of the specification's deny list, written down a second time on purpose.
const DENIED: &str = "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,168.63.129.16/32,\
    169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,\
    198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,224.0.0.0/4,240.0.0.0/4,\
    ::/128,::1/128,::/96,64:ff9b::/96,64:ff9b:1::/48,100::/64,2001::/32,2001:db8::/32,2002::/16,\
    3fff::/20,5f00::/16,fc00::/7,fe80::/10,fec0::/10,ff00::/8";

fn strict() -> Policy {
    Policy::default()
}

fn development(networks: &str) -> Policy {
    Policy {
        allow_http: true,
        allow_list: networks.parse().unwrap(),
    }
}

fn refusal(text: &str, policy: &Policy) -> Option<UrlRefusal> {
    check_url(text, policy).err()
}

fn any_denied_address() -> impl Strategy<Value = IpAddr> {
    let networks: AllowList = DENIED.parse().unwrap();
    (prop::sample::select(networks.0), any::<u128>()).prop_map(|(network, bits)| match network {
        IpNet::V4(net) => {
            let host = bits as u32 & u32::from(net.hostmask());
            IpAddr::V4(Ipv4Addr::from(u32::from(net.network()) | host))
        }
        IpNet::V6(net) => {
            let host = bits & u128::from(net.hostmask());
            IpAddr::V6(Ipv6Addr::from(u128::from(net.network()) | host))
        }
    })
}

/// The IPv6 addresses that lead, or once led, to an IPv4 address.
fn v6_forms(address: Ipv4Addr) -> [Ipv6Addr; 5] {
    let v4 = u128::from(u32::from(address));
    let nat64 = 0x0064_ff9b_u128 << 96 | v4;
    let six_to_four = 0x2002_u128 << 112 | v4 << 80 | 1;
    let teredo = 0x2001_0000_u128 << 96 | (!v4 & 0xffff_ffff);
    [
        address.to_ipv6_mapped(),
        Ipv6Addr::from(v4),
        Ipv6Addr::from(nat64),
        Ipv6Addr::from(six_to_four),
        Ipv6Addr::from(teredo),
    ]
}

/// Spellings that some resolver or URL parser takes for the address.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let number = u32::from(address);
    let low_24 = number & 0x00ff_ffff;
    let low_16 = number & 0xffff;
    let dotted = address.to_string();
    let percent_encoded: String = dotted.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let full_width = |c: char| char::from_u32(c as u32 - 0x30 + 0xff10).unwrap();
    let full_width: String = dotted
        .chars()
        .map(|c| if c.is_ascii_digit() { full_width(c) } else { c })
        .collect();
    let mut forms = vec![
        format!("{dotted}."),
        format!("{number}"),
        format!("0x{number:x}"),
        format!("0{number:o}"),
        format!("{a}.{low_24}"),
        format!("{a}.{b}.{low_16}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a}.{b}.0x{low_16:x}"),
        percent_encoded,
        full_width,
        dotted,
        format!("[::ffff:{address}]"),
        format!("[::ffff:{address}%25eth0]"),
    ];
    forms.extend(v6_forms(address).map(|form| format!("[{form}]")));
    forms
}

#[test]
fn ordinary_https_urls_pass() {
    for text in [
        "https://example.com/hooks?id=1",
        "HTTPS://Example.COM:8443",
        "https://bücher.example/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]:8443/hook",
        "https://example.com/user@host",
    ] {
        let destination = check_url(text, &strict()).unwrap();
        assert_eq!(destination.reach, Reach::Internet, "{text}");
    }
}

#[test]
fn each_rule_refuses_by_its_own_name() {
    let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
    for (text, expected) in [
        (long.as_str(), UrlRefusal::TooLong),
        ("", UrlRefusal::Malformed),
        ("/relative", UrlRefusal::Malformed),
        ("https:example.com", UrlRefusal::Malformed),
        ("https:///example.com", UrlRefusal::Malformed),
        ("https://example.com\\@10.0.0.1/", UrlRefusal::Malformed),
        (" https://example.com", UrlRefusal::Malformed),
        ("https://exa\tmple.com", UrlRefusal::Malformed),
        ("https://`0", UrlRefusal::Malformed),
        ("https://exa&mple.com/", UrlRefusal::Malformed),
        ("http://example.com", UrlRefusal::Scheme),
        ("file:///etc/passwd", UrlRefusal::Scheme),
        ("https://user:pass@example.com", UrlRefusal::UserInfo),
        ("https://@example.com", UrlRefusal::UserInfo),
        ("https://example.com/#part", UrlRefusal::Fragment),
        ("https://example.com:22/", UrlRefusal::Port),
        ("https://example.com:80/", UrlRefusal::Port),
        ("https://1.1.1.1:25/", UrlRefusal::Port),
        ("https://0x7f.1/", UrlRefusal::AddressForm),
        ("https://2130706433/", UrlRefusal::AddressForm),
        ("https://[0:0:0:0:0:0:0:1]/", UrlRefusal::AddressForm),
        ("https://[::ffff:1.1.1.1]/", UrlRefusal::AddressForm),
        ("https://[::ffff:101:101]/", UrlRefusal::AddressForm),
        ("https://127.0.0.1/", UrlRefusal::Address),
        ("https://169.254.169.254:9/", UrlRefusal::Address),
        ("https://[::1]/", UrlRefusal::Address),
    ] {
        assert_eq!(refusal(text, &strict()), Some(expected), "{text}");
    }
}

#[test]
fn development_rules_add_http_and_port_80_and_nothing_else() {
    let policy = development("");
    assert_eq!(refusal("http://example.com/", &policy), None);
    assert_eq!(
        refusal("http://example.com:8080/", &policy),
        Some(UrlRefusal::Port)
    );
    assert_eq!(
        refusal("http://127.0.0.1/", &policy),
        Some(UrlRefusal::Address)
    );
}

#[test]
fn an_allow_listed_address_is_open_on_any_port_and_its_neighbour_is_not() {
    let policy = development("127.0.0.1/32, fd00::/8");
    assert_eq!(refusal("http://127.0.0.1:9000/", &policy), None);
    assert_eq!(refusal("http://[fd00::1]:9000/", &policy), None);
    assert_eq!(
        refusal("http://127.0.0.2:9000/", &policy),
        Some(UrlRefusal::Address)
    );
    assert_eq!(
        refusal("http://2130706433:9000/", &policy),
        Some(UrlRefusal::AddressForm)
    );
}

#[test]
fn a_name_on_an_unusual_port_reaches_the_allow_list_alone() {
    let policy = development("127.0.0.1/32");
    let destination = check_url("http://localhost:9000/", &policy).unwrap();
    assert_eq!(destination.reach, Reach::AllowList);
    assert!(policy.permits([127, 0, 0, 1].into(), Reach::AllowList));
    assert!(!policy.permits([1, 1, 1, 1].into(), Reach::AllowList));
    assert!(policy.permits([1, 1, 1, 1].into(), Reach::Internet));
}

#[test]
fn the_allow_list_reads_networks_and_names_what_it_cannot_read() {
    let list: AllowList = " 10.0.0.0/8 , fd00::/8,".parse().unwrap();
    assert!(list.contains([10, 1, 2, 3].into()));
    assert!(list.contains(Ipv4Addr::new(10, 1, 2, 3).to_ipv6_mapped().into()));
    assert_eq!("".parse(), Ok(AllowList::default()));
    let fault = AllowListError("localhost".to_owned());
    assert_eq!("10.0.0.0/8,localhost".parse::<AllowList>(), Err(fault));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_denied_address_is_routable(address in any_denied_address()) {
        prop_assert!(!is_globally_routable(address));
        prop_assert!(!strict().permits(address, Reach::Internet));
    }

    #[test]
    fn no_denied_address_passes_in_any_spelling(address in any_denied_address()) {
        let forms = match address {
            IpAddr::V4(address) => spellings(address),
            IpAddr::V6(address) => vec![format!("[{address}]")],
        };
        for form in forms {
            for policy in [strict(), development("")] {
                let text = format!("https://{form}/");
                prop_assert!(check_url(&text, &policy).is_err(), "{}", text);
            }
        }
    }

    #[test]
    fn a_mapped_address_is_judged_as_the_v4_inside_it(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let mapped = IpAddr::V6(address.to_ipv6_mapped());
        prop_assert_eq!(is_globally_routable(mapped), is_globally_routable(address.into()));
    }

    #[test]
    fn a_translated_or_tunnelled_address_is_never_routable(bits in any::<u32>()) {
        let [_mapped, rest @ ..] = v6_forms(Ipv4Addr::from(bits));
        for form in rest {
            prop_assert!(!is_globally_routable(form.into()), "{}", form);
        }
    }

    #[test]
    fn only_the_canonical_spelling_of_a_public_address_passes(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let canonical = is_globally_routable(address.into()).then(|| address.to_string());
        let passes = |form: &String| check_url(&format!("https://{form}/"), &strict()).is_ok();
        let passing: Vec<String> = spellings(address).into_iter().filter(passes).collect();
        prop_assert_eq!(passing, Vec::from_iter(canonical));
    }

    #[test]
    fn the_standard_library_agrees_on_what_is_not_public(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let special = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_multicast() || address.is_broadcast() || address.is_documentation()
            || address.is_unspecified();
        prop_assert!(!(special && is_globally_routable(address.into())));
    }

    #[test]
    fn a_url_that_passes_can_be_sent(text in "(https?://)?\\PC{0,60}") {
        if let Ok(destination) = check_url(&text, &development("")) {
            prop_assert!(destination.url.as_str().parse::<hyper::Uri>().is_ok(), "{}", text);
        }
    }
}
