//! Tables of numbers for `sensor_ports_contain`: a bit for each number, 512 in a line.

use sensor_common::prefix_set::Line;

use crate::filter::program::TagList;
use crate::filter::tree::PortRange;

/// Lines of 64 bytes that a table of all ports takes.
pub(super) const PORT_LINES: u32 = 65_536 / IN_LINE;
const IN_LINE: u32 = 8 * 64;

/// Where a list of tags is: it has no numbers above `last`, and no lines for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TagTable {
    pub(super) first_line: u32,
    pub(super) last: u32,
}

impl TagTable {
    /// `lines`: where the first list's table begins.
    pub(super) fn of(lists: &[TagList], list: u16, lines: u32) -> Self {
        let before = lists.iter().take(usize::from(list));
        TagTable {
            first_line: lines + before.map(tag_lines).sum::<u32>(),
            last: lists.get(usize::from(list)).map_or(0, last),
        }
    }
}

pub(super) fn of_ports(ranges: &[PortRange]) -> Vec<Line> {
    let numbers = ranges.iter().flat_map(|range| range.first..=range.last);
    table(PORT_LINES, numbers.map(u32::from))
}

pub(super) fn of_tags(list: &TagList) -> Vec<Line> {
    table(tag_lines(list), list.0.iter().cloned().flatten())
}

fn tag_lines(list: &TagList) -> u32 {
    last(list) / IN_LINE + 1
}

fn last(list: &TagList) -> u32 {
    list.0.last().map_or(0, |range| *range.end())
}

fn table(lines: u32, numbers: impl Iterator<Item = u32>) -> Vec<Line> {
    let mut table = vec![Line::default(); lines as usize];
    for number in numbers {
        let (line, word) = ((number / IN_LINE) as usize, (number >> 6 & 7) as usize);
        if let Some(line) = table.get_mut(line) {
            line.0[word] |= 1 << (number & 63);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_tags_follow_each_other_and_end_with_their_last_number() {
        let lists = [511, 512, 1_048_575].map(|last| TagList(vec![1..=1, last..=last]));
        let first_line = |list| TagTable::of(&lists, list, 10).first_line;
        assert_eq!([0, 1, 2].map(first_line), [10, 11, 13]);
        assert_eq!(TagTable::of(&lists, 2, 10).last, 1_048_575);
        let lines = of_tags(&lists[1]);
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].0[0], lines[1].0[0]), (2, 1));
        assert_eq!(of_tags(&lists[2])[2047].0[7], 1 << 63);
    }

    #[test]
    fn every_port_has_its_bit() {
        let all = of_ports(&[PortRange {
            first: 0,
            last: u16::MAX,
        }]);
        assert_eq!(all, vec![Line([u64::MAX; 8]); 128]);
    }
}
