//! Strips DWARF from the eBPF object, as `llvm-strip -g` would; a fresh machine has no llvm-strip.
//!
//! What a loader needs stays: programs, maps, `.BTF`, `.BTF.ext`, their relocations and the symbol table.

use anyhow::{Context, Result, bail};
use object::build::elf::{Builder, SectionData};
use object::elf;

/// Returns the object without its `.debug_*` sections and what refers to them.
pub(crate) fn strip_debug(object: &[u8]) -> Result<Vec<u8>> {
    let mut builder = Builder::read(object).context("could not read the linked eBPF object")?;
    let mut has_btf = false;
    for section in &mut builder.sections {
        section.delete = is_debug(&section.name);
        has_btf |= section.name.as_slice() == b".BTF";
    }
    if !has_btf {
        bail!("the linked eBPF object has no .BTF section; was bpf-linker run with --btf?");
    }
    ensure_section_names(&mut builder);
    let mut stripped = Vec::new();
    builder
        .write(&mut stripped)
        .context("could not write the stripped eBPF object")?;
    Ok(stripped)
}

/// What an eBPF object says to the kernel of its licence, on which depends which functions the kernel lends it.
pub(crate) fn licence(object: &[u8]) -> Result<String> {
    let builder = Builder::read(object).context("could not read the eBPF object")?;
    let mut sections = builder.sections.iter();
    let section = sections.find(|section| section.name.as_slice() == b"license");
    let Some(SectionData::Data(data)) = section.map(|section| &section.data) else {
        bail!("the eBPF object has no section `license`");
    };
    let text = String::from_utf8_lossy(data);
    Ok(text.trim_end_matches('\0').to_owned())
}

/// LLVM keeps the names of sections and symbols in one table; the builder writes two, and wants to be given both.
fn ensure_section_names(builder: &mut Builder<'_>) {
    if builder
        .sections
        .iter()
        .any(|section| matches!(section.data, SectionData::SectionString))
    {
        return;
    }
    let names = builder.sections.add();
    names.name = b".shstrtab"[..].into();
    names.sh_type = elf::SHT_STRTAB;
    names.sh_addralign = 1;
    names.data = SectionData::SectionString;
}

/// DWARF and the relocations of DWARF: `.debug_info`, `.rel.debug_info`.
fn is_debug(section: &[u8]) -> bool {
    section.starts_with(b".debug_") || section.starts_with(b".rel.debug_")
}

#[cfg(test)]
mod tests {
    use object::Endianness;
    use object::build::elf::Section;

    use super::*;

    /// An object as bpf-linker lays it out: a program, its DWARF with a section symbol, and BTF.
    fn sample(with_btf: bool) -> Vec<u8> {
        let mut builder = Builder::new(Endianness::Little, true);
        builder.header.e_machine = elf::EM_BPF;
        builder.header.e_type = elf::ET_REL;
        let shstrtab = builder.sections.add();
        shstrtab.name = b".shstrtab"[..].into();
        shstrtab.sh_type = elf::SHT_STRTAB;
        shstrtab.data = SectionData::SectionString;
        let strtab = builder.sections.add();
        strtab.name = b".strtab"[..].into();
        strtab.sh_type = elf::SHT_STRTAB;
        strtab.data = SectionData::String;
        let strtab = strtab.id();
        let symtab = builder.sections.add();
        symtab.name = b".symtab"[..].into();
        symtab.sh_type = elf::SHT_SYMTAB;
        symtab.sh_link_section = Some(strtab);
        symtab.data = SectionData::Symbol;
        for name in [&b"xdp"[..], b".debug_info", b".BTF", b".BTF.ext"] {
            if name != b".BTF" || with_btf {
                add_section(builder.sections.add(), name);
            }
        }
        let sections: Vec<_> = builder
            .sections
            .iter()
            .filter(|s| s.sh_type == elf::SHT_PROGBITS)
            .map(Section::id)
            .collect();
        for (id, name) in sections
            .into_iter()
            .zip([&b"sensor_xdp"[..], b".debug_info"])
        {
            let symbol = builder.symbols.add();
            symbol.name = name.into();
            symbol.section = Some(id);
            symbol.set_st_info(elf::STB_GLOBAL, elf::STT_FUNC);
        }
        let mut bytes = Vec::new();
        builder.write(&mut bytes).unwrap();
        bytes
    }

    fn add_section<'data>(section: &mut Section<'data>, name: &'data [u8]) {
        section.name = name.into();
        section.sh_type = elf::SHT_PROGBITS;
        section.sh_addralign = 8;
        section.data = SectionData::Data(vec![0x95, 0, 0, 0, 0, 0, 0, 0].into());
    }

    fn section_names(bytes: &[u8]) -> Vec<String> {
        let builder = Builder::read(bytes).unwrap();
        builder
            .sections
            .iter()
            .map(|s| String::from_utf8_lossy(&s.name).into_owned())
            .collect()
    }

    #[test]
    fn debug_sections_go_and_the_rest_stays() {
        let stripped = strip_debug(&sample(true)).unwrap();
        let names = section_names(&stripped);
        assert!(
            !names.iter().any(|name| name.contains("debug")),
            "{names:?}"
        );
        for kept in ["xdp", ".BTF", ".BTF.ext", ".symtab", ".strtab"] {
            assert!(
                names.iter().any(|name| name == kept),
                "{kept} is missing from {names:?}"
            );
        }
    }

    #[test]
    fn symbols_of_debug_sections_go_too() {
        let stripped = strip_debug(&sample(true)).unwrap();
        let builder = Builder::read(&stripped[..]).unwrap();
        let symbols: Vec<_> = builder
            .symbols
            .iter()
            .map(|s| s.name.as_slice().to_vec())
            .collect();
        assert_eq!(symbols, [b"sensor_xdp".to_vec()]);
    }

    #[test]
    fn stripping_twice_changes_nothing() {
        let once = strip_debug(&sample(true)).unwrap();
        assert_eq!(strip_debug(&once).unwrap(), once);
    }

    #[test]
    fn an_object_without_btf_is_refused() {
        let error = strip_debug(&sample(false)).unwrap_err();
        assert!(error.to_string().contains("--btf"), "{error}");
    }

    #[test]
    fn other_bytes_are_an_error_not_a_panic() {
        assert!(strip_debug(b"").is_err());
        assert!(strip_debug(b"\x7fELF and then nothing of the kind").is_err());
    }
}
