//! Puts generated instructions in the place of a function of the eBPF object, before the loader sees it.
//!
//! The new bodies go behind the old `.text`; the function's symbol and its entries in `.BTF.ext` (the kernel wants one
//! for each function or for none) move there, and a symbol without a name of its own stays with the old body. Calls go by
//! symbol, so they follow. Where the kernel can't verify functions with pointers as arguments by themselves, they become
//! static in the BTF. Layouts: elf(5), and "BPF Type Format" in the kernel's documentation.

use std::ops::Range;

/// Bytes of one instruction.
pub(super) const INSTRUCTION: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the eBPF object has no {0} where the filter goes: rebuild it with cargo xtask build-ebpf --bless"
)]
pub struct SpliceError(pub(super) &'static str);

/// Makes a function's instructions.
pub(super) type Body<'a, E> = &'a dyn Fn(&Text<'_>, usize) -> Result<Vec<u8>, E>;

/// The object with the bodies of functions in its `.text`, by name. A body gets where it will stand, in bytes from the
/// start of `.text`, so that it can call others there.
pub(super) fn replaced<E: From<SpliceError>>(
    object: &[u8],
    bodies: &[(&'static str, Body<'_, E>)],
    to_static: &[&str],
) -> Result<Vec<u8>, E> {
    let mut elf = Elf::read(object)?;
    elf.make_static(to_static)?;
    for (name, body) in bodies {
        let symbol = elf.symbol(name)?;
        let old = elf.value_of(symbol)?;
        let new = elf.text.len();
        let code = body(&Text(&elf), new)?;
        elf.text.extend_from_slice(&code);
        elf.leave_behind(symbol)?;
        elf.move_symbol(symbol, new, code.len())?;
        elf.move_info(old, new)?;
    }
    Ok(elf.write()?)
}

/// Where the other functions are.
pub(super) struct Text<'a>(&'a Elf);

impl Text<'_> {
    /// Offset of a function in `.text`, in bytes.
    pub(super) fn function(&self, name: &'static str) -> Option<usize> {
        let symbol = self.0.symbol(name).ok()?;
        self.0.value_of(symbol).ok()
    }
}

struct Elf {
    file: Vec<u8>,
    text_header: usize,
    symbols_header: usize,
    names: Range<usize>,
    text: Vec<u8>,
    symbols: Vec<u8>,
    btf_types: Range<usize>,
    btf_strings: Range<usize>,
    btf_ext: Range<usize>,
}

const SYMBOL: usize = 24;
const SECTION: usize = 64;

impl Elf {
    fn read(object: &[u8]) -> Result<Self, SpliceError> {
        let file = object.to_vec();
        let table = number(&file, 0x28, 8, "section table")?;
        let count = number(&file, 0x3c, 2, "section table")?;
        let names_index = number(&file, 0x3e, 2, "section table")?;
        let header = |index: usize| table + index * SECTION;
        let names = section(&file, header(names_index))?;
        let find = |name: &'static str| -> Result<usize, SpliceError> {
            (0..count)
                .map(header)
                .find(|header| {
                    number(&file, *header, 4, name)
                        .ok()
                        .and_then(|offset| text_at(&file, names.start + offset))
                        == Some(name.as_bytes())
                })
                .ok_or(SpliceError(name))
        };
        let (text_header, symbols_header) = (find(".text")?, find(".symtab")?);
        let (text, symbols) = (
            section(&file, text_header)?,
            section(&file, symbols_header)?,
        );
        let linked = number(&file, symbols_header + 40, 4, "symbol names")?;
        let btf = section(&file, find(".BTF")?)?;
        let string_offset = number(&file, btf.start + 16, 4, ".BTF")?;
        let type_offset = number(&file, btf.start + 8, 4, ".BTF")?;
        let type_len = number(&file, btf.start + 12, 4, ".BTF")?;
        let header_len = number(&file, btf.start + 4, 4, ".BTF")?;
        Ok(Elf {
            names: section(&file, header(linked))?,
            text: bytes(&file, text, ".text")?.to_vec(),
            symbols: bytes(&file, symbols, ".symtab")?.to_vec(),
            btf_types: btf.start + header_len + type_offset
                ..btf.start + header_len + type_offset + type_len,
            btf_strings: btf.start + header_len + string_offset..btf.end,
            btf_ext: section(&file, find(".BTF.ext")?)?,
            text_header,
            symbols_header,
            file,
        })
    }

    /// Offset of a symbol in the symbol table.
    fn symbol(&self, name: &'static str) -> Result<usize, SpliceError> {
        (0..self.symbols.len() / SYMBOL)
            .map(|index| index * SYMBOL)
            .find(|symbol| {
                number(&self.symbols, *symbol, 4, name)
                    .ok()
                    .and_then(|offset| text_at(&self.file, self.names.start + offset))
                    == Some(name.as_bytes())
            })
            .ok_or(SpliceError(name))
    }

    fn value_of(&self, symbol: usize) -> Result<usize, SpliceError> {
        number(&self.symbols, symbol + 8, 8, "function")
    }

    /// The loader wants all of `.text` covered by symbols, so the old body keeps one.
    fn leave_behind(&mut self, symbol: usize) -> Result<(), SpliceError> {
        let copy = bytes(&self.symbols, symbol..symbol + SYMBOL, "function")?.to_vec();
        self.symbols.extend_from_slice(&copy);
        let nameless = self.symbols.len() - SYMBOL;
        put(&mut self.symbols, nameless, 4, 0)
    }

    fn move_symbol(&mut self, symbol: usize, value: usize, size: usize) -> Result<(), SpliceError> {
        put(&mut self.symbols, symbol + 8, 8, value)?;
        put(&mut self.symbols, symbol + 16, 8, size)
    }

    /// Function and line information of the instruction at `old` speak of the one at `new` from now on.
    fn move_info(&mut self, old: usize, new: usize) -> Result<(), SpliceError> {
        const WHAT: &str = "function information";
        let start = self.btf_ext.start;
        let header_len = number(&self.file, start + 4, 4, WHAT)?;
        for field in [8, 16] {
            let offset = number(&self.file, start + field, 4, WHAT)?;
            let len = number(&self.file, start + field + 4, 4, WHAT)?;
            let end = start + header_len + offset + len;
            let mut at = start + header_len + offset;
            let record = number(&self.file, at, 4, WHAT)?;
            at += 4;
            let mut moved = false;
            while at + 8 <= end {
                let name = number(&self.file, at, 4, WHAT)?;
                let count = number(&self.file, at + 4, 4, WHAT)?;
                at += 8;
                let in_text = text_at(&self.file, self.btf_strings.start + name) == Some(b".text");
                for place in (0..count).map(|index| at + index * record) {
                    if in_text && !moved && number(&self.file, place, 4, WHAT)? == old {
                        put(&mut self.file, place, 4, new)?;
                        moved = true;
                    }
                }
                at += count * record;
            }
            if !moved {
                return Err(SpliceError(WHAT));
            }
        }
        Ok(())
    }

    fn make_static(&mut self, names: &[&str]) -> Result<(), SpliceError> {
        const WHAT: &str = "type information";
        const FUNCTION: usize = 12;
        const LINKAGE: usize = 0xffff;
        let mut at = self.btf_types.start;
        while at < self.btf_types.end {
            let name = number(&self.file, at, 4, WHAT)?;
            let info = number(&self.file, at + 4, 4, WHAT)?;
            let name = text_at(&self.file, self.btf_strings.start + name).unwrap_or_default();
            let kind = info >> 24 & 31;
            if kind == FUNCTION && names.iter().any(|one| one.as_bytes() == name) {
                put(&mut self.file, at + 4, 4, info & !LINKAGE)?;
            }
            at += 12 + type_len(kind, info & 0xffff);
        }
        Ok(())
    }

    fn write(mut self) -> Result<Vec<u8>, SpliceError> {
        for (header, contents) in [
            (self.text_header, std::mem::take(&mut self.text)),
            (self.symbols_header, std::mem::take(&mut self.symbols)),
        ] {
            self.file.resize(self.file.len().next_multiple_of(8), 0);
            let offset = self.file.len();
            put(&mut self.file, header + 24, 8, offset)?;
            put(&mut self.file, header + 32, 8, contents.len())?;
            self.file.extend_from_slice(&contents);
        }
        Ok(self.file)
    }
}

/// Bytes behind the twelve that every type has.
fn type_len(kind: usize, members: usize) -> usize {
    match kind {
        1 | 14 | 17 => 4,                // integers, variables, declaration tags
        3 => 12,                         // arrays
        4 | 5 | 15 | 19 => members * 12, // structs, unions, sections, 64-bit enums
        6 | 13 => members * 8,           // enums, prototypes
        _ => 0,
    }
}

fn section(file: &[u8], header: usize) -> Result<Range<usize>, SpliceError> {
    let offset = number(file, header + 24, 8, "section")?;
    let len = number(file, header + 32, 8, "section")?;
    bytes(file, offset..offset.saturating_add(len), "section")?;
    Ok(offset..offset + len)
}

fn bytes<'a>(
    file: &'a [u8],
    range: Range<usize>,
    what: &'static str,
) -> Result<&'a [u8], SpliceError> {
    file.get(range).ok_or(SpliceError(what))
}

/// A little-endian number of up to eight bytes.
fn number(file: &[u8], at: usize, len: usize, what: &'static str) -> Result<usize, SpliceError> {
    let mut word = [0; 8];
    word[..len].copy_from_slice(bytes(file, at..at.saturating_add(len), what)?);
    Ok(u64::from_le_bytes(word) as usize)
}

fn put(file: &mut [u8], at: usize, len: usize, value: usize) -> Result<(), SpliceError> {
    let place = file
        .get_mut(at..at.saturating_add(len))
        .ok_or(SpliceError("room"))?;
    place.copy_from_slice(&(value as u64).to_le_bytes()[..len]);
    Ok(())
}

/// The text from there to the next zero byte.
fn text_at(file: &[u8], at: usize) -> Option<&[u8]> {
    let rest = file.get(at..)?;
    rest.split(|byte| *byte == 0).next()
}
