use super::*;
use proptest::prelude::*;

const FIRST: u32 = 48;
const MAC: u16 = 112;

/// What a slot of a hand-made block says; the packet bytes are 0, 1, 2 ...
#[derive(Clone)]
struct Made {
    next: u32,
    snaplen: u32,
    status: u32,
    mac: u16,
    tci: u32,
    tpid: u16,
    gso: (u8, u16),
}

const PLAIN: Made = Made {
    next: 160,
    snaplen: 20,
    status: TP_STATUS_USER,
    mac: MAC,
    tci: 0,
    tpid: 0,
    gso: (0, 9),
};

fn slot(made: &Made) -> Vec<u8> {
    let Made {
        next,
        snaplen,
        status,
        mac,
        tci,
        tpid,
        gso,
    } = made.clone();
    let mut slot: Vec<u8> = [next, 1_700_000_000, 123, snaplen, 1500, status]
        .into_iter()
        .flat_map(u32::to_ne_bytes)
        .collect();
    slot.extend([mac, mac + 14].into_iter().flat_map(u16::to_ne_bytes));
    slot.extend([0, tci].into_iter().flat_map(u32::to_ne_bytes));
    slot.extend([tpid, 0].into_iter().flat_map(u16::to_ne_bytes));
    slot.resize(48, 0);
    slot.extend(17u16.to_ne_bytes());
    slot.extend(0x0800u16.to_be_bytes());
    slot.extend(7u32.to_ne_bytes()); // ifindex
    slot.extend(1u16.to_ne_bytes()); // ARPHRD_ETHER
    slot.extend([4, 6]); // outgoing
    slot.resize(usize::from(MAC) - 10, 0);
    slot.extend([0xff, gso.0, 66, 0]);
    slot.extend(gso.1.to_ne_bytes());
    slot.extend([0; 4]);
    slot.extend(0..20);
    slot.resize(160, 0);
    slot
}

fn made_block(slots: &[Made]) -> Vec<u8> {
    let mut block: Vec<u8> = [3, 0, 1, slots.len() as u32, FIRST, 0]
        .into_iter()
        .flat_map(u32::to_ne_bytes)
        .collect();
    block.resize(FIRST as usize, 0);
    block.extend(slots.iter().flat_map(slot));
    block
}

fn frames(block: &[u8]) -> (Vec<Frame<'_>>, Walked) {
    let mut frames = Vec::new();
    let walked = walk(block, |frame| frames.push(frame));
    assert_eq!(frames.len(), walked.frames);
    (frames, walked)
}

#[test]
fn a_frame_has_every_field() {
    let block = made_block(&[Made {
        gso: (0x81, 1448),
        ..PLAIN
    }]);
    let data: Vec<u8> = (0..20).collect();
    let expected = Frame {
        data: &data,
        len: 1500,
        time_ns: 1_700_000_000_000_000_123,
        ifindex: 7,
        arphrd: 1,
        packet_type: 4,
        vlan: None,
        gso_size: 1448,
        gso_kind: 0x81,
    };
    assert_eq!(
        frames(&block),
        (
            vec![expected],
            Walked {
                frames: 1,
                unreadable: 0
            }
        )
    );
    assert_eq!(STATUS_OFFSET, 8);
}

#[test]
fn the_size_of_a_packet_without_gso_is_none() {
    assert_eq!(frames(&made_block(&[PLAIN])).0[0].gso_size, 0);
}

#[test]
fn a_tag_counts_only_when_the_status_says_so() {
    let vlan = |status| {
        frames(&made_block(&[Made {
            status,
            tci: 0x6005,
            tpid: 0x88a8,
            ..PLAIN
        }]))
        .0[0]
            .vlan
    };
    assert_eq!(vlan(TP_STATUS_USER), None);
    let valid = TP_STATUS_USER | TP_STATUS_VLAN_VALID;
    assert_eq!(
        vlan(valid),
        Some(Vlan {
            tpid: 0x8100,
            tci: 0x6005
        })
    );
    assert_eq!(
        vlan(valid | TP_STATUS_VLAN_TPID_VALID),
        Some(Vlan {
            tpid: 0x88a8,
            tci: 0x6005
        })
    );
}

#[test]
fn a_slot_that_the_kernel_gave_up_is_stepped_over() {
    let (found, walked) = frames_of(&[PLAIN, Made { status: 0, ..PLAIN }, PLAIN]);
    assert_eq!((found, walked.unreadable), (2, 0));
}

#[test]
fn what_lies_outside_the_block_is_unreadable() {
    let cases = [
        (
            "data beyond the end",
            Made {
                snaplen: 4000,
                ..PLAIN
            },
            2,
        ),
        (
            "length overflows",
            Made {
                snaplen: u32::MAX,
                ..PLAIN
            },
            2,
        ),
        ("no room for the virtio header", Made { mac: 9, ..PLAIN }, 2),
        (
            "next leads outside",
            Made {
                next: 1 << 20,
                ..PLAIN
            },
            2,
        ),
        ("next stands still", Made { next: 0, ..PLAIN }, 2),
        ("next leads into the header", Made { next: 16, ..PLAIN }, 2),
    ];
    for (case, odd, frames) in cases {
        let (found, walked) = frames_of(&[PLAIN, odd, PLAIN]);
        assert_eq!((found, walked.unreadable), (frames, 1), "{case}");
    }
    let (found, walked) = frames_of(&[PLAIN, Made { next: 0, ..PLAIN }]);
    assert_eq!(
        (found, walked.unreadable),
        (2, 0),
        "the last slot needs no next"
    );
}

#[test]
fn a_block_that_promises_too_much_ends() {
    let mut block = made_block(&[PLAIN]);
    block[12..16].copy_from_slice(&u32::MAX.to_ne_bytes());
    assert_eq!(
        frames(&block).1,
        Walked {
            frames: 1,
            unreadable: u64::from(u32::MAX) - 1
        }
    );
    block[16..20].copy_from_slice(&u32::MAX.to_ne_bytes());
    assert_eq!(
        frames(&block).1,
        Walked {
            frames: 0,
            unreadable: u32::MAX.into()
        }
    );
    assert_eq!(walk(&[], |_| {}), Walked::default());
}

fn frames_of(slots: &[Made]) -> (usize, Walked) {
    let block = made_block(slots);
    let (found, walked) = frames(&block);
    (found.len(), walked)
}

proptest! {
    #[test]
    fn any_bytes_are_walked_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        walk(&bytes, |_| {});
    }

    #[test]
    fn a_damaged_block_is_walked_without_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        end in any::<prop::sample::Index>(),
    ) {
        let mut block = made_block(&[PLAIN, PLAIN, PLAIN]);
        for (at, value) in changes {
            *at.get_mut(&mut block) = value;
        }
        block.truncate(end.index(block.len() + 1));
        let walked = walk(&block, |_| {});
        prop_assert!(walked.frames <= 5);
    }
}
