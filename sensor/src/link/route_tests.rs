use super::*;
use proptest::prelude::*;

fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = ((payload.len() + 4) as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn with(fixed: &[u8], attributes: &[Vec<u8>]) -> Vec<u8> {
    attributes
        .iter()
        .fold(fixed.to_vec(), |mut bytes, attribute| {
            bytes.extend(attribute);
            bytes
        })
}

fn ifinfo(arphrd: u16, index: u32, flags: libc::c_int) -> Vec<u8> {
    let mut bytes = vec![0; 2];
    bytes.extend(arphrd.to_ne_bytes());
    bytes.extend(index.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes
}

fn veth_message() -> Vec<u8> {
    let stats: Vec<u8> = (1..=24u64).flat_map(u64::to_ne_bytes).collect();
    let info = [
        attribute(libc::IFLA_INFO_KIND, b"veth\0"),
        attribute(libc::IFLA_INFO_DATA, &[1; 7]),
    ]
    .concat();
    let xdp = [attribute(2, &[1]), attribute(4, &77u32.to_ne_bytes())].concat();
    with(
        &ifinfo(1, 7, libc::IFF_UP | libc::IFF_RUNNING),
        &[
            attribute(libc::IFLA_IFNAME, b"ve\xffth0\0"),
            attribute(libc::IFLA_MTU, &1500u32.to_ne_bytes()),
            attribute(libc::IFLA_ADDRESS, &[2, 0, 0, 0, 0, 9]),
            attribute(libc::IFLA_MASTER, &3u32.to_ne_bytes()),
            attribute(libc::IFLA_LINK, &9u32.to_ne_bytes()),
            attribute(libc::IFLA_LINKINFO | libc::NLA_F_NESTED as u16, &info),
            attribute(libc::IFLA_XDP | libc::NLA_F_NESTED as u16, &xdp),
            attribute(libc::IFLA_STATS64, &stats),
        ],
    )
}

#[test]
fn a_link_message_gives_every_field() {
    let expected = Link {
        index: 7,
        name: "ve\u{fffd}th0".to_owned(),
        arphrd: 1,
        kind: Some("veth".to_owned()),
        up: true,
        running: true,
        loopback: false,
        mtu: 1500,
        mac: Some([2, 0, 0, 0, 0, 9]),
        master: Some(3),
        lower: Some(9),
        xdp: Some(XdpAttached {
            mode: XdpMode::Native,
            prog_id: 77,
        }),
        rx: LinkCounters {
            packets: 1,
            bytes: 3,
            errors: 5,
            dropped: 7,
        },
        tx: LinkCounters {
            packets: 2,
            bytes: 4,
            errors: 6,
            dropped: 8,
        },
    };
    let counters = Counters {
        rx: expected.rx,
        tx: expected.tx,
    };
    assert_eq!(link_counters(&veth_message()), Some(counters));
    assert_eq!(link(&veth_message()), Some(expected));
}

#[test]
fn a_link_without_attributes_is_still_a_link() {
    let bare = link(&ifinfo(772, 1, libc::IFF_LOOPBACK)).expect("a link");
    assert!(bare.loopback && !bare.up);
    assert_eq!((bare.name.as_str(), bare.mac, bare.xdp), ("", None, None));
    assert_eq!(link(&[0; IFINFO_LEN - 1]), None);
    assert_eq!(link_counters(&ifinfo(1, 1, 0)), None);
}

#[test]
fn an_address_that_is_not_six_bytes_is_no_mac() {
    let tunnel = with(
        &ifinfo(768, 4, 0),
        &[attribute(libc::IFLA_ADDRESS, &[10, 0, 0, 1])],
    );
    assert_eq!(link(&tunnel).and_then(|link| link.mac), None);
}

#[test]
fn xdp_modes() {
    let attached = |mode: u8, ids: &[(u16, u32)]| {
        let ids = ids
            .iter()
            .flat_map(|(kind, id)| attribute(*kind, &id.to_ne_bytes()))
            .collect();
        xdp(&[attribute(2, &[mode]), ids].concat())
    };
    assert_eq!(attached(0, &[]), None);
    assert_eq!(
        attached(1, &[(4, 9), (5, 9)]),
        Some(XdpAttached {
            mode: XdpMode::Native,
            prog_id: 9
        })
    );
    assert_eq!(
        attached(2, &[(4, 8)]),
        Some(XdpAttached {
            mode: XdpMode::Generic,
            prog_id: 8
        })
    );
    assert_eq!(
        attached(3, &[]),
        Some(XdpAttached {
            mode: XdpMode::Offload,
            prog_id: 0
        })
    );
    assert_eq!(
        attached(4, &[(6, 6), (5, 5)]),
        Some(XdpAttached {
            mode: XdpMode::Several,
            prog_id: 5
        })
    );
    assert_eq!(xdp(&[]), None);
}

struct Route {
    family: libc::c_int,
    destination_len: u8,
    kind: u8,
    flags: u32,
}

const DEFAULT_V4: Route = Route {
    family: libc::AF_INET,
    destination_len: 0,
    kind: 1,
    flags: 0,
};

fn route(route: Route, attributes: &[Vec<u8>]) -> Option<DefaultRoute> {
    let mut fixed = vec![
        route.family as u8,
        route.destination_len,
        0,
        0,
        libc::RT_TABLE_MAIN,
        0,
        0,
        route.kind,
    ];
    fixed.extend(route.flags.to_ne_bytes());
    default_route(&with(&fixed, attributes))
}

fn oif(index: u32) -> Vec<u8> {
    attribute(libc::RTA_OIF, &index.to_ne_bytes())
}

#[test]
fn default_routes_are_ordered_ipv4_first_then_by_metric() {
    let metric = |metric: u32| attribute(libc::RTA_PRIORITY, &metric.to_ne_bytes());
    let dhcp = route(DEFAULT_V4, &[oif(2), metric(100)]);
    let static_route = route(DEFAULT_V4, &[oif(9)]);
    let v6 = route(
        Route {
            family: libc::AF_INET6,
            ..DEFAULT_V4
        },
        &[oif(4), metric(1)],
    );
    let mut all = [v6, dhcp, static_route].map(|route| route.expect("a default route"));
    all.sort();
    assert_eq!(all.map(|route| route.ifindex), [9, 2, 4]);
}

#[test]
fn other_routes_are_no_default_route() {
    let local_table = attribute(libc::RTA_TABLE, &255u32.to_ne_bytes());
    assert_eq!(
        route(
            Route {
                destination_len: 8,
                ..DEFAULT_V4
            },
            &[oif(2)]
        ),
        None
    );
    assert_eq!(
        route(
            Route {
                kind: 7,
                ..DEFAULT_V4
            },
            &[oif(2)]
        ),
        None,
        "unreachable"
    );
    assert_eq!(
        route(
            Route {
                flags: RTNH_F_DEAD,
                ..DEFAULT_V4
            },
            &[oif(2)]
        ),
        None
    );
    assert_eq!(
        route(
            Route {
                family: 28,
                ..DEFAULT_V4
            },
            &[oif(2)]
        ),
        None,
        "mpls"
    );
    assert_eq!(route(DEFAULT_V4, &[oif(2), local_table]), None);
    assert_eq!(route(DEFAULT_V4, &[]), None, "no interface");
}

#[test]
fn a_multipath_route_leads_to_its_first_living_hop() {
    let hop = |flags: u8, index: u32| {
        let mut hop = vec![16, 0, flags, 0];
        hop.extend(index.to_ne_bytes());
        hop.extend(attribute(5, &[1, 2, 3, 4]));
        hop
    };
    let multipath = |hops: &[Vec<u8>]| {
        route(
            DEFAULT_V4,
            &[attribute(libc::RTA_MULTIPATH, &hops.concat())],
        )
    };
    assert_eq!(
        multipath(&[hop(1, 3), hop(0, 5), hop(0, 6)]).map(|route| route.ifindex),
        Some(5)
    );
    assert_eq!(multipath(&[hop(1, 3)]), None);
    assert_eq!(
        first_next_hop(&[0, 0, 1, 0, 0, 0, 0, 0]),
        None,
        "a hop of length 0 ends"
    );
}

#[test]
fn the_local_address_wins_over_the_peers() {
    let fixed = |family: libc::c_int| [family as u8, 24, 0, 0, 5, 0, 0, 0];
    let index = u32::from_ne_bytes([5, 0, 0, 0]);
    let local = attribute(libc::IFA_LOCAL, &[10, 0, 0, 1]);
    let peer = attribute(libc::IFA_ADDRESS, &[10, 0, 0, 2]);
    let v4 = address(&with(&fixed(libc::AF_INET), &[peer, local]));
    assert_eq!(
        v4,
        Some((
            index,
            Address {
                addr: [10, 0, 0, 1].into(),
                prefix_len: 24
            }
        ))
    );
    let v6 = with(
        &fixed(libc::AF_INET6),
        &[attribute(libc::IFA_ADDRESS, &Ipv6Addr::LOCALHOST.octets())],
    );
    assert_eq!(
        address(&v6).map(|(_, address)| address.addr),
        Some(Ipv6Addr::LOCALHOST.into())
    );
    assert_eq!(
        address(&with(
            &fixed(libc::AF_INET),
            &[attribute(libc::IFA_LOCAL, &[1, 2])]
        )),
        None
    );
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (link(&bytes), link_counters(&bytes), default_route(&bytes), address(&bytes), xdp(&bytes));
        let _ = (first_next_hop(&bytes), counters(&bytes));
    }

    #[test]
    fn a_damaged_link_message_is_parsed_without_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = veth_message();
        for (at, value) in changes {
            *at.get_mut(&mut bytes) = value;
        }
        bytes.truncate(end.index(bytes.len() + 1));
        let _ = (link(&bytes), link_counters(&bytes), default_route(&bytes), address(&bytes));
    }
}
