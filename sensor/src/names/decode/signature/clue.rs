//! What one payload could be the beginning of, until a second one confirms it.

use sensor_common::application::Application;

/// What earlier payloads of the same flow, this way and the other, left behind for protocols that one payload can't prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    ways: [Clue; 2],
    otherwise: Option<Application>,
}

/// The latest suspicion about one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clue {
    pub(super) kind: Kind,
    /// How many messages fitted so far.
    pub(super) fits: u8,
    /// What the next message must fit; the meaning is that of the kind.
    pub(super) step: u16,
    pub(super) token: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    None,
    /// `220 `: a mail or file server.
    Greeting,
    /// `+OK`.
    PlusOk,
    /// `* OK`.
    StarOk,
    /// `USER`: of FTP, POP3.
    User,
    /// `token`: identifier and the question's hash.
    DnsQuery,
    DnsAnswer,
    /// `token`: correlation id.
    Kafka,
    Memcached,
    Socks5,
    Socks4,
    /// `token`: xid.
    RpcReply,
    /// `token`: of the transaction id.
    StunRequest,
    StunAnswer,
    /// `token`: sender's index.
    WireguardStart,
    /// `token`: receiver's index, `step`: low bits of the counter.
    WireguardData,
    /// `token`: SPI, `step`: low bits of the sequence number.
    Esp,
    /// `step`: connection id.
    Utp,
    /// `token`: SSRC.
    Rtcp,
    /// `token`: SSRC, `step`: sequence number.
    Rtp,
}

/// What a message means beside the clues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Keep(Clue),
    /// What it is if nothing better comes, and what to go on with.
    Likely(Application, Clue),
    Sure(Application),
}

impl Clue {
    pub(super) fn new(kind: Kind, token: u32) -> Self {
        Clue {
            kind,
            fits: 1,
            step: 0,
            token,
        }
    }

    /// ICE shares its ports with what it opens (RFC 7983).
    pub(super) fn opens(self) -> bool {
        matches!(self.kind, Kind::StunRequest | Kind::StunAnswer)
    }

    /// A dialogue was begun by this way, of which the answer can't be the start of another protocol.
    pub(super) fn began(self) -> bool {
        matches!(self.kind, Kind::Greeting | Kind::PlusOk | Kind::StarOk)
    }
}

impl Hints {
    /// What the conversation is if nothing that comes later proves another protocol.
    pub fn otherwise(&self) -> Option<Application> {
        self.otherwise
    }

    /// Clues of a way and of the other.
    pub(super) fn ways(&self, way: usize) -> (Clue, Clue) {
        let [first, second] = self.ways;
        if way == 0 {
            (first, second)
        } else {
            (second, first)
        }
    }

    pub(super) fn set(&mut self, way: usize, clue: Clue) {
        self.ways[way & 1] = clue;
    }

    pub(super) fn set_otherwise(&mut self, application: Application) {
        self.otherwise = Some(application);
    }
}
