//! `in {80, 443}` and `in file ports.txt`.

use super::words::Word;
use super::{Parser, Part, number};
use crate::filter::ast::{Id, Kind, Qualifiers, Span};
use crate::filter::error::FilterError;
use crate::filter::lexer;

impl Parser<'_, '_, '_> {
    pub(super) fn set(
        &mut self,
        mut qualifiers: Qualifiers,
        start: usize,
    ) -> Result<Part, FilterError> {
        qualifiers.kind = match qualifiers.kind {
            Some(Kind::PortRange) => Some(Kind::Port),
            None => return Err(self.set_of_nothing()),
            kind => kind,
        };
        self.take();
        let at = self.peek().span.start;
        let id = if self.is_symbol("{") {
            Id::List(self.members(&qualifiers)?)
        } else if self.text_of(self.peek()).eq_ignore_ascii_case("file") {
            self.file()?
        } else {
            return Err(self.no_set(&qualifiers));
        };
        Ok(self.made(qualifiers, id, start, at))
    }

    fn file(&mut self) -> Result<Id, FilterError> {
        self.take();
        let lexer::Kind::Raw(path) = self.peek().kind.clone() else {
            return Err(self
                .unexpected("the path of a file after 'in file'")
                .or_help("write 'net in file blocklist.txt'"));
        };
        if path.is_empty() {
            return Err(self
                .unexpected("the path of a file after 'in file'")
                .or_help("write 'net in file blocklist.txt'"));
        }
        self.take();
        Ok(Id::File(self.slice(&path).into()))
    }

    fn members(&mut self, qualifiers: &Qualifiers) -> Result<Vec<(Id, Span)>, FilterError> {
        let open = self.take().span;
        let mut members = Vec::new();
        loop {
            match self.peek().kind {
                lexer::Kind::Symbol("}") if members.is_empty() => {
                    let span = open.start..self.peek().span.end;
                    return Err(self
                        .error(span, "the set is empty".into())
                        .help("no packet could be in it"));
                }
                lexer::Kind::Symbol("}") => {
                    self.take();
                    return Ok(members);
                }
                lexer::Kind::End => {
                    return Err(self
                        .error(open, "this '{' is never closed".into())
                        .help("add '}'"));
                }
                _ => {}
            }
            let start = self.peek().span.start;
            let id = self.member(qualifiers)?;
            members.push((id, start..self.end()));
            if self.is_symbol(",") {
                self.take();
            }
        }
    }

    fn member(&mut self, qualifiers: &Qualifiers) -> Result<Id, FilterError> {
        if matches!(self.word(), Some(Word::And | Word::Or | Word::Not)) {
            return Err(self
                .unexpected("a member of the set, or '}'")
                .or_help("members stand side by side: '{80, 443}'"));
        }
        let token = self.peek().clone();
        let text = self.text_of(&token);
        match qualifiers.kind {
            Some(Kind::Port) => self.port(qualifiers, true),
            Some(Kind::Host | Kind::Net) => self.address(&mut qualifiers.clone()),
            Some(Kind::Interface) => match token.kind {
                lexer::Kind::Raw(name) => {
                    self.take();
                    Ok(Id::Text(self.slice(&name).into()))
                }
                _ => Err(self
                    .unexpected("the name of an interface, or '}'")
                    .or_help("write 'interface in {eth0, eth1}'")),
            },
            _ if number::is_number(text) || number::range(text).is_some() => {
                self.number_or_range(true)
            }
            Some(Kind::Proto) => self.protocol(qualifiers),
            _ => Err(self
                .unexpected("a number, a range like '10-20', or '}'")
                .or_help("write 'vlan in {10, 20-29}'")),
        }
    }
}
