//! A header, and what it says.

use std::fmt::Display;

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// `ethernet`, `ipv4`, `tls` ...
    pub name: &'static str,
    /// From the start of the packet.
    pub offset: usize,
    pub length: usize,
    /// Tunnels around it.
    pub depth: u8,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    pub name: &'static str,
    /// From the start of the packet; `None` where a value was put together.
    pub offset: Option<usize>,
    pub length: Option<usize>,
    /// Any character may be in it.
    pub value: String,
}

impl Layer {
    /// `at`: from the start of the layer.
    pub(super) fn field(&mut self, name: &'static str, at: usize, len: usize, value: impl Display) {
        self.fields.push(Field {
            name,
            offset: Some(self.offset + at),
            length: Some(len),
            value: value.to_string(),
        });
    }

    /// A value without a place of its own.
    pub(super) fn told(&mut self, name: &'static str, value: impl Display) {
        self.fields.push(Field {
            name,
            offset: None,
            length: None,
            value: value.to_string(),
        });
    }
}
