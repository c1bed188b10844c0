//! What a pcapng interface block says, kept small: a file may hold a hundred thousand of them.

use std::collections::BTreeSet;

use super::error::Damage;
use super::pcap::{u16_at, u32_at};
use super::{When, link_type};

const OPTIONS: usize = 16;
const TRAILER: usize = 4;
const NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;
const NS_PER_SECOND: u32 = 1_000_000_000;

/// The finest steps of which a second still fits a 64-bit count; libpcap draws the line at the same place.
const MAX_DECIMAL_EXPONENT: u8 = 19;
const MAX_BINARY_EXPONENT: u8 = 63;

#[derive(Debug, Clone)]
pub(super) struct Interface {
    pub(super) link_type: u16,
    pub(super) snaplen: u32,
    pub(super) max_cap_len: u32,
    /// See [`Names`].
    pub(super) number: u8,
    /// Only where it is asked for.
    pub(super) described: Option<Box<Described>>,
    scale: Scale,
    offset_seconds: i64,
}

/// What is kept of an interface for those who write it down again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// By order in the file, over all sections.
    pub number: u32,
    pub name: Option<String>,
}

/// The names of interfaces that somebody asks for, by their numbers from 1 on, and the names that the file has.
///
/// Records carry the number, 0 for all other interfaces, because a name is too long to be compared for each packet.
#[derive(Debug, Default)]
pub(super) struct Names {
    wanted: Vec<String>,
    pub(super) seen: BTreeSet<String>,
}

impl Names {
    /// As many as are listed to people; a file may hold a hundred thousand interfaces.
    const MAX_SEEN: usize = 64;

    pub(super) fn wanting(wanted: &[String]) -> Self {
        Names {
            wanted: wanted.to_vec(),
            seen: BTreeSet::new(),
        }
    }

    fn number(&mut self, name: &[u8]) -> u8 {
        let place = self.wanted.iter().position(|one| one.as_bytes() == name);
        if place.is_some() || self.seen.len() < Self::MAX_SEEN {
            self.seen.insert(String::from_utf8_lossy(name).into_owned());
        }
        place.map_or(0, |place| u8::try_from(place + 1).unwrap_or(0))
    }
}

/// From the interface's units of time to nanoseconds.
#[derive(Debug, Clone, Copy)]
enum Scale {
    Times(u32),
    Over(u64),
    /// Units of 2^-n seconds.
    Binary(u8),
}

impl Interface {
    /// `block` is whole, from its type to its trailer.
    /// With a `number` it is described by it.
    pub(super) fn parse(
        (block, swap): (&[u8], bool),
        number: Option<u32>,
        names: &mut Names,
    ) -> Result<Self, Damage> {
        let link_type = u16_at(block, 8, swap);
        let mut interface = Self {
            link_type,
            snaplen: u32_at(block, 12, swap),
            max_cap_len: link_type::max_cap_len(link_type),
            number: 0,
            described: number.map(|number| Box::new(Described { number, name: None })),
            scale: Scale::Times(1000),
            offset_seconds: 0,
        };
        let options = OPTIONS..block.len().saturating_sub(TRAILER);
        interface.read_options(block.get(options).unwrap_or_default(), swap, names)?;
        Ok(interface)
    }

    fn read_options(
        &mut self,
        mut options: &[u8],
        swap: bool,
        names: &mut Names,
    ) -> Result<(), Damage> {
        while options.len() >= 4 {
            let (code, length) = (u16_at(options, 0, swap), u16_at(options, 2, swap));
            if code == 0 {
                break;
            }
            let value = options
                .get(4..4 + usize::from(length))
                .ok_or(Damage::OptionBeyondBlock { code, length })?;
            match code {
                NAME => {
                    let name = until_zero(value);
                    self.number = names.number(name);
                    if let Some(described) = &mut self.described {
                        described.name = Some(short(name));
                    }
                }
                TIME_RESOLUTION => {
                    self.scale = Scale::parse(fixed::<1>(code, value)?)?;
                }
                TIME_OFFSET => {
                    let value = u64::from_le_bytes(fixed(code, value)?);
                    let value = if swap { value.swap_bytes() } else { value };
                    self.offset_seconds = value.cast_signed();
                }
                _ => {}
            }
            options = options.get(4 + padded(length.into())..).unwrap_or_default();
        }
        Ok(())
    }

    #[inline]
    pub(super) fn when(&self, ticks: u64) -> When {
        if let Scale::Times(factor) = self.scale
            && self.offset_seconds == 0
            && let Some(ns) = ticks.checked_mul(factor.into())
            && let Ok(ns) = i64::try_from(ns)
        {
            return When::At(ns);
        }
        self.any_when(ticks)
    }

    #[cold]
    fn any_when(&self, ticks: u64) -> When {
        let ticks = u128::from(ticks);
        let ns = match self.scale {
            Scale::Times(factor) => ticks * u128::from(factor),
            Scale::Over(divisor) => ticks / u128::from(divisor),
            Scale::Binary(exponent) => (ticks * u128::from(NS_PER_SECOND)) >> exponent,
        };
        let offset = i128::from(self.offset_seconds) * i128::from(NS_PER_SECOND);
        i128::try_from(ns)
            .ok()
            .and_then(|ns| ns.checked_add(offset))
            .and_then(|ns| i64::try_from(ns).ok())
            .map_or(When::OutOfRange, When::At)
    }
}

impl Scale {
    fn parse([value]: [u8; 1]) -> Result<Self, Damage> {
        let exponent = value & 0x7f;
        let binary = value != exponent;
        let (base, limit) = match binary {
            true => (2, MAX_BINARY_EXPONENT),
            false => (10, MAX_DECIMAL_EXPONENT),
        };
        if exponent > limit {
            return Err(Damage::TimeResolution {
                base,
                exponent,
                limit,
            });
        }
        Ok(match exponent {
            _ if binary => Self::Binary(exponent),
            0..=9 => Self::Times(10_u32.pow(u32::from(9 - exponent))),
            _ => Self::Over(10_u64.pow(u32::from(exponent - 9))),
        })
    }
}

/// Some writers end names with zeros, as C does.
fn until_zero(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|byte| *byte == 0);
    name.get(..end.unwrap_or(name.len())).unwrap_or_default()
}

/// As much of a name as any system has: a file may hold a hundred thousand of them.
fn short(name: &[u8]) -> String {
    const MOST: usize = 255;
    String::from_utf8_lossy(name.get(..MOST).unwrap_or(name)).into_owned()
}

/// Options and packet data are padded to a multiple of four.
#[inline]
pub(super) fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn fixed<const N: usize>(code: u16, value: &[u8]) -> Result<[u8; N], Damage> {
    value.try_into().map_err(|_| Damage::OptionLength {
        code,
        // Both come from 16-bit fields.
        length: value.len() as u16,
        expected: N as u16,
    })
}
