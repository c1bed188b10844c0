//! An archive as the kernel unpacks it into its first file system: cpio, "newc" format.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// An archive that grows.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<PathBuf>,
    inode: u32,
}

impl Archive {
    /// Adds a file at an absolute path, and the folders that lead to it.
    pub(super) fn file(&mut self, path: &Path, mode: u32, content: &[u8]) {
        let mut missing: Vec<&Path> = path
            .ancestors()
            .skip(1)
            .filter(|folder| folder.parent().is_some() && !self.folders.contains(*folder))
            .collect();
        missing.reverse();
        for folder in missing {
            self.folders.insert(folder.to_path_buf());
            self.entry(folder, FOLDER | 0o755, &[]);
        }
        self.entry(path, FILE | mode, content);
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.header("TRAILER!!!", 0, 0);
        self.bytes
    }

    fn entry(&mut self, path: &Path, mode: u32, content: &[u8]) {
        let name = path.to_string_lossy();
        self.header(name.trim_start_matches('/'), mode, content.len());
        self.bytes.extend(content);
        self.pad();
    }

    fn header(&mut self, name: &str, mode: u32, size: usize) {
        self.inode += 1;
        let (inode, name_size) = (self.inode as usize, name.len() + 1);
        // inode, mode, uid, gid, links, mtime, size, four device numbers, length of the name, checksum
        let fields = [
            inode,
            mode as usize,
            0,
            0,
            1,
            0,
            size,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend(name.as_bytes());
        self.bytes.push(0);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_once_and_before_what_they_hold() {
        let mut archive = Archive::default();
        archive.file(Path::new("/a/b/c"), 0o755, b"hello");
        archive.file(Path::new("/a/b/d"), 0o644, b"");
        let bytes = archive.finish();
        assert!(bytes.len().is_multiple_of(4));
        assert_eq!(names(&bytes), ["a", "a/b", "a/b/c", "a/b/d", "TRAILER!!!"]);
    }

    /// Walks the archive as the kernel does.
    fn names(mut bytes: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        while !bytes.is_empty() {
            assert_eq!(&bytes[..6], b"070701");
            let field = |number: usize| {
                let digits = &bytes[6 + number * 8..14 + number * 8];
                usize::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap()
            };
            let (size, name_size) = (field(6), field(11));
            names.push(String::from_utf8(bytes[110..110 + name_size - 1].to_vec()).unwrap());
            let content = (110 + name_size).next_multiple_of(4);
            bytes = &bytes[(content + size).next_multiple_of(4)..];
        }
        names
    }
}
