//! MAC addresses: what the address itself says, and who made the device, where that is known.

/// Names of vendors by the first three bytes of an address, wherever they come from.
pub trait Vendors {
    fn vendor(&mut self, prefix: [u8; 3]) -> Option<String>;
}

/// Knows nobody.
impl Vendors for () {
    fn vendor(&mut self, _: [u8; 3]) -> Option<String> {
        None
    }
}

const GROUP: u8 = 1;
const LOCAL: u8 = 2;

pub(super) fn describe(bytes: &[u8], vendors: &mut dyn Vendors) -> String {
    let Some(&address) = bytes.first_chunk::<6>() else {
        return String::new();
    };
    let text = spelled(address);
    let [a, b, c, ..] = address;
    if address == [0; 6] {
        return text; // not an address, though its prefix was given to somebody
    }
    if address == [0xff; 6] {
        return format!("{text} (broadcast)");
    }
    if a & GROUP != 0 {
        return format!("{text} (multicast)");
    }
    if a & LOCAL != 0 {
        return format!("{text} (locally administered)");
    }
    match vendors.vendor([a, b, c]) {
        Some(name) => format!("{text} ({name})"),
        None => text,
    }
}

pub(crate) fn spelled([a, b, c, d, e, f]: [u8; 6]) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}
