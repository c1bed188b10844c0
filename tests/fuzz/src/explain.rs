//! `sensor explain`'s layers: each lies in the packet, and a packet says no more than so much.

use sensor::explain::{dissect, opinion};
use sensor_common::parse::{self, LinkType};
use sensor_common::view::SliceView;

use crate::cost::bounded;

const LAYERS: usize = 40;
/// The LINKTYPE_ numbers that are understood, and one that is not.
pub(crate) const LINK_TYPES: [u16; 10] = [1, 0, 9, 50, 101, 104, 113, 228, 276, 147];

/// Panics if a packet's explanation is not what it should be. The first byte says of which link type the rest is.
pub fn check(bytes: &[u8]) {
    let Some((&first, packet)) = bytes.split_first() else {
        return;
    };
    let link_type = LINK_TYPES[usize::from(first) % LINK_TYPES.len()];
    let most = (256 << 10) + packet.len() * 4096;
    let whole = bounded(packet.len(), most, || dissect(packet, link_type, &mut ()));
    let link = LinkType::from_number(link_type);
    let counted = parse::packet(&SliceView(packet), link);
    let differs = bounded(packet.len(), most, || {
        opinion::differs(packet, link, &counted)
    });
    assert!(differs.is_none_or(|sentence| sentence.len() < 2000));
    let again = dissect(packet, link_type, &mut ());
    assert_eq!((&whole.layers, &whole.ended), (&again.layers, &again.ended));
    // One more is what follows.
    assert!(whole.layers.len() <= LAYERS + 1, "{}", whole.layers.len());
    let inside = |offset: usize, len: usize| {
        offset
            .checked_add(len)
            .is_some_and(|end| end <= packet.len())
    };
    let mut said = 0;
    for layer in &whole.layers {
        assert!(inside(layer.offset, layer.length), "{layer:?}");
        for field in &layer.fields {
            if let (Some(offset), Some(len)) = (field.offset, field.length) {
                assert!(inside(offset, len), "{field:?} of {layer:?}");
            }
            said += field.value.len();
        }
    }
    assert!(said <= (16 << 10) + packet.len() * 1024, "{said} bytes");
}
