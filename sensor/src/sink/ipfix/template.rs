//! Templates: which elements a record has, in which order. The encoder goes by the same lists, so that the two can't differ.
//!
//! Numbers and types of elements: IANA, "IP Flow Information Export (IPFIX) Entities". Templates: RFC 7011, 3.4.

/// What is known of the packets that a record counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A flow with its addresses.
    Ipv4,
    Ipv6,
    /// IP packets of which only the protocol is known.
    Protocol,
    /// What is not IP, or could not be read.
    Link,
}

/// The form of a record. Whether its packets went in or out is not known everywhere, and no value of flowDirection says so:
/// those records have no such element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) direction: bool,
}

/// Of data records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    FlowStartMilliseconds,
    FlowEndMilliseconds,
    OctetDeltaCount,
    PacketDeltaCount,
    Layer2OctetDeltaCount,
    IngressInterface,
    EgressInterface,
    SourceIpv4Address,
    DestinationIpv4Address,
    SourceIpv6Address,
    DestinationIpv6Address,
    SourceTransportPort,
    DestinationTransportPort,
    ProtocolIdentifier,
    IpVersion,
    TcpControlBits,
    EthernetType,
    SamplingInterval,
    FlowEndReason,
    ApplicationName,
    FlowDirection,
}
use Element::{
    ApplicationName, DestinationIpv4Address, DestinationIpv6Address, DestinationTransportPort,
    EgressInterface, EthernetType, FlowDirection, FlowEndMilliseconds, FlowEndReason,
    FlowStartMilliseconds, IngressInterface, IpVersion, Layer2OctetDeltaCount, OctetDeltaCount,
    PacketDeltaCount, ProtocolIdentifier, SamplingInterval, SourceIpv4Address, SourceIpv6Address,
    SourceTransportPort, TcpControlBits,
};

/// Number and length of an element.
pub(super) type Field = (u16, u16);

/// The length of an element whose value begins with its own length.
pub(super) const VARIABLE: u16 = 0xffff;

impl Element {
    const fn field(self) -> Field {
        match self {
            OctetDeltaCount => (1, 8),
            PacketDeltaCount => (2, 8),
            ProtocolIdentifier => (4, 1),
            TcpControlBits => (6, 2),
            SourceTransportPort => (7, 2),
            SourceIpv4Address => (8, 4),
            IngressInterface => (10, 4),
            DestinationTransportPort => (11, 2),
            DestinationIpv4Address => (12, 4),
            EgressInterface => (14, 4),
            SourceIpv6Address => (27, 16),
            DestinationIpv6Address => (28, 16),
            SamplingInterval => (34, 4),
            IpVersion => (60, 1),
            FlowDirection => (61, 1),
            ApplicationName => (96, VARIABLE),
            FlowEndReason => (136, 1),
            FlowStartMilliseconds => (152, 8),
            FlowEndMilliseconds => (153, 8),
            EthernetType => (256, 2),
            Layer2OctetDeltaCount => (352, 8),
        }
    }
}

const EVERY: &[Element] = &[
    FlowStartMilliseconds,
    FlowEndMilliseconds,
    OctetDeltaCount,
    PacketDeltaCount,
    Layer2OctetDeltaCount,
    IngressInterface,
    EgressInterface,
    // Here too, as collectors that lack the options record (see SAMPLING) throw flows away.
    SamplingInterval,
];
const TRANSPORT: &[Element] = &[
    SourceTransportPort,
    DestinationTransportPort,
    ProtocolIdentifier,
    TcpControlBits,
];
const END: &[Element] = &[FlowEndReason, ApplicationName];

/// Ids below it are of other sets.
const FIRST_ID: u16 = 256;

impl Shape {
    pub(super) const ALL: [Shape; 8] = {
        let kinds = [Kind::Ipv4, Kind::Ipv6, Kind::Protocol, Kind::Link];
        let mut all = [Shape {
            kind: Kind::Ipv4,
            direction: false,
        }; 8];
        let mut at = 0;
        while at < all.len() {
            all[at] = Shape {
                kind: kinds[at / 2],
                direction: at % 2 == 1,
            };
            at += 1;
        }
        all
    };

    /// Its place in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        self.kind as usize * 2 + self.direction as usize
    }

    pub(super) const fn id(self) -> u16 {
        FIRST_ID + self.index() as u16
    }

    pub(super) fn elements(self) -> impl Iterator<Item = Element> {
        let own: [&[Element]; 2] = match self.kind {
            Kind::Ipv4 => [&[SourceIpv4Address, DestinationIpv4Address], TRANSPORT],
            Kind::Ipv6 => [&[SourceIpv6Address, DestinationIpv6Address], TRANSPORT],
            Kind::Protocol => [&[IpVersion, ProtocolIdentifier], &[]],
            Kind::Link => [&[EthernetType], &[]],
        };
        let direction: &[Element] = match self.direction {
            true => &[FlowDirection],
            false => &[],
        };
        let parts = [EVERY, own[0], own[1], END, direction];
        parts.into_iter().flatten().copied()
    }

    /// The template record.
    pub(super) fn template(self) -> Vec<u8> {
        let fields: Vec<Field> = self.elements().map(Element::field).collect();
        let mut record = [self.id(), fields.len() as u16]
            .map(u16::to_be_bytes)
            .concat();
        fields
            .iter()
            .for_each(|field| put_field(&mut record, field));
        record
    }
}

/// Options: what a record says is of its scope.
pub(super) struct Options {
    pub(super) id: u16,
    scope: Field,
    fields: &'static [Field],
}

const OBSERVATION_DOMAIN_ID: Field = (149, 4);

/// How packets were sampled: not at all, which collectors want to be told. RFC 5477 has samplingPacketInterval and
/// samplingPacketSpace; the older samplingInterval and samplingAlgorithm are what most collectors look for.
pub(super) const SAMPLING: Options = Options {
    id: FIRST_ID + 64,
    scope: OBSERVATION_DOMAIN_ID,
    // samplingInterval, samplingAlgorithm, selectorAlgorithm, samplingPacketInterval, samplingPacketSpace
    fields: &[(34, 4), (35, 1), (304, 2), (305, 4), (306, 4)],
};

/// What was sent and what was not: RFC 7011, 4.1 and 4.3.
pub(super) const STATISTICS: Options = Options {
    id: FIRST_ID + 65,
    scope: OBSERVATION_DOMAIN_ID,
    // exportedMessageTotalCount, exportedFlowRecordTotalCount, exportedOctetTotalCount, notSentFlowTotalCount,
    // notSentPacketTotalCount, notSentOctetTotalCount, ignoredPacketTotalCount
    fields: &[
        (41, 8),
        (42, 8),
        (40, 8),
        (166, 8),
        (167, 8),
        (168, 8),
        (164, 8),
    ],
};

/// The names of interfaces.
pub(super) const INTERFACE: Options = Options {
    id: FIRST_ID + 66,
    scope: (10, 4),            // ingressInterface
    fields: &[(82, VARIABLE)], // interfaceName
};

impl Options {
    pub(super) const ALL: [Options; 3] = [SAMPLING, STATISTICS, INTERFACE];

    /// The options template record.
    pub(super) fn template(&self) -> Vec<u8> {
        let fields = 1 + self.fields.len() as u16;
        let mut record = [self.id, fields, 1].map(u16::to_be_bytes).concat();
        put_field(&mut record, &self.scope);
        self.fields
            .iter()
            .for_each(|field| put_field(&mut record, field));
        record
    }
}

fn put_field(record: &mut Vec<u8>, (number, length): &Field) {
    record.extend(number.to_be_bytes());
    record.extend(length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_an_id_of_its_own() {
        let mut ids: Vec<u16> = Shape::ALL.map(Shape::id).to_vec();
        ids.extend(Options::ALL.map(|options| options.id));
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.iter().all(|id| *id >= 256), "{ids:?}");
        for (index, shape) in Shape::ALL.into_iter().enumerate() {
            assert_eq!(shape.index(), index);
        }
    }

    #[test]
    fn no_template_has_an_element_twice() {
        for shape in Shape::ALL {
            let elements: Vec<_> = shape.elements().collect();
            for (at, element) in elements.iter().enumerate() {
                assert!(!elements[..at].contains(element), "{element:?}");
            }
        }
    }
}
