//! `@web`: a filter of the library.

use super::{Parser, Part, whole};
use crate::escape;
use crate::filter::ast::Expr;
use crate::filter::error::FilterError;
use crate::filter::suggest::nearest;

impl Parser<'_, '_, '_> {
    pub(super) fn named(&mut self) -> Result<Part, FilterError> {
        let span = self.take().span;
        let name = self.slice(&span).trim_start_matches('@').to_owned();
        let library = self.shared.library;
        let Some(text) = library.named(&name) else {
            return Err(self.no_such_filter(&name, span));
        };
        if let Some(first) = self.shared.calls.iter().position(|call| *call == name) {
            let mut chain = self.shared.calls[first..].to_vec();
            chain.push(name);
            let message = format!("named filters go in a circle: @{}", chain.join(" -> @"));
            return Err(self
                .error(span, message)
                .help("a named filter can't contain itself"));
        }
        self.shared.calls.push(name.clone());
        let inner = self.nested(|parser| whole(text, Some(format!("@{name}")), parser.shared));
        self.shared.calls.pop();
        let inner = inner?;
        let depth = inner.depth + 1;
        self.check_depth(depth, span.clone())?;
        self.done(span.start);
        let expr = Expr::Named {
            name,
            text: text.to_owned(),
            expr: Box::new(inner.expr),
            span,
        };
        Ok(Part { expr, depth })
    }

    fn no_such_filter(&self, name: &str, span: std::ops::Range<usize>) -> FilterError {
        let mut names = self.shared.library.names();
        names.sort_unstable();
        let error = self.error(span, format!("no filter is named '@{name}'"));
        match nearest(name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean '@{near}'?")),
            None if names.is_empty() => {
                error.help("filters are named in the section [filters] of the configuration")
            }
            None => {
                let shown: Vec<String> = names
                    .iter()
                    .take(10)
                    .map(|name| format!("@{}", escape::text(name)))
                    .collect();
                error.help(format!("there are {}", shown.join(", ")))
            }
        }
    }
}
