//! Interfaces as collectors know them: by number.

/// Numbers and names by slot; files have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces(Vec<Interface>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Interface {
    slot: u8,
    index: u32,
    name: String,
}

impl Interfaces {
    /// Slot, number (ifindex) and name of each.
    pub fn new<'a>(all: impl IntoIterator<Item = (u8, u32, &'a str)>) -> Self {
        let interface = |(slot, index, name): (u8, u32, &str)| Interface {
            slot,
            index,
            name: name.to_owned(),
        };
        Interfaces(all.into_iter().map(interface).collect())
    }

    /// 0 = not known, as ingressInterface and egressInterface have it.
    pub(super) fn index(&self, slot: u8) -> u32 {
        let found = self.0.iter().find(|interface| interface.slot == slot);
        found.map_or(0, |interface| interface.index)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (u32, &str)> {
        self.0
            .iter()
            .map(|interface| (interface.index, interface.name.as_str()))
    }
}
