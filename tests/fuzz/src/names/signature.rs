//! Signatures, over a short conversation.

use sensor::names::Sample;
use sensor::names::decode::signature::{Hints, identify};
use sensor_common::application::Application;
use sensor_common::flow::FlowKey;
use sensor_common::protocol::ip;

use super::talk::{self, Turn};
use crate::cost::bounded;

/// Panics if the signatures do not do with these bytes what they promise.
pub fn check(bytes: &[u8]) {
    let mut hints: Vec<(FlowKey, [Hints; 2])> = Vec::new();
    for turn in talk::turns(bytes) {
        let Turn::Payload(sample) = turn else {
            continue;
        };
        let place = hints.iter().position(|(key, _)| is_same(key, &sample.key));
        let place = place.unwrap_or_else(|| {
            hints.push((sample.key, Default::default()));
            hints.len() - 1
        });
        let [own, mirrored] = &mut hints[place].1;
        let found = look(&sample, own);
        // Which of the two hosts has the greater address means nothing.
        let key = mirror(&sample.key);
        assert_eq!(found, look(&Sample { key, ..sample }, mirrored));
    }
}

fn look(sample: &Sample<'_>, hints: &mut Hints) -> Option<Application> {
    let mut twin = *hints;
    let found = bounded(sample.payload.len(), 0, || identify(sample, hints));
    assert_eq!(found, identify(sample, &mut twin));
    assert_eq!(*hints, twin);
    let tells = !sample.payload.is_empty() && matches!(sample.key.protocol(), ip::TCP | ip::UDP);
    assert!(tells || found.is_none(), "{found:?} of {sample:?}");
    found
}

fn is_same(one: &FlowKey, other: &FlowKey) -> bool {
    one == other
        || *one
            == talk::key(
                [other.dst_addr(), other.src_addr()],
                other.protocol(),
                [other.dst_port(), other.src_port()],
            )
}

/// The same ports, at each other's address.
fn mirror(key: &FlowKey) -> FlowKey {
    let hosts = [key.dst_addr(), key.src_addr()];
    talk::key(hosts, key.protocol(), [key.src_port(), key.dst_port()])
}
