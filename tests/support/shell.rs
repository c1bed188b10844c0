//! Commands in documents: fenced blocks, what is typed in them, and the words of it.

/// A fenced block.
pub(crate) struct Block {
    /// What stands behind the fence.
    pub(crate) language: String,
    /// With the last line's end.
    pub(crate) text: String,
    /// Of its first line, from 1 on.
    pub(crate) line: usize,
}

/// A line behind `$ `, and what stands below it up to the next.
pub(crate) struct Typed {
    pub(crate) line: String,
    pub(crate) output: String,
}

pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (number, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(language), false) => blocks.push(Block {
                language: language.to_owned(),
                text: String::new(),
                line: number + 2,
            }),
            (None, true) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            (Some(_), true) | (None, false) => {}
        }
        open ^= line.starts_with("```");
    }
    assert!(!open, "a block without end");
    blocks
}

pub(crate) fn commands(block: &str) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    for line in block.lines() {
        if let Some(line) = line.strip_prefix("$ ") {
            let (line, output) = (line.to_owned(), String::new());
            commands.push(Typed { line, output });
        } else if let Some(last) = commands.last_mut() {
            // A quoted script goes on.
            if last.output.is_empty() && last.line.matches('\'').count() % 2 == 1 {
                last.line.push('\n');
                last.line.push_str(line);
                continue;
            }
            last.output.push_str(line);
            last.output.push('\n');
        }
    }
    commands
}

/// The simple commands of a line, as words: what pipes, `;`, `&&` and line ends part. Redirections and comments are left
/// out.
pub(crate) fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, quote) {
            (one, Some(open)) if one == open => quote = None,
            (one, Some(_)) => word.get_or_insert_default().push(one),
            ('\'' | '"', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            ('\\', None) => word.get_or_insert_default().extend(chars.next()),
            ('#', None) if word.is_none() => break,
            ('|' | ';' | '&' | '\n' | '(' | ')', None) => {
                commands.last_mut().unwrap().extend(word.take());
                commands.push(Vec::new());
            }
            (blank, None) if blank.is_whitespace() => {
                commands.last_mut().unwrap().extend(word.take());
            }
            (one, None) => word.get_or_insert_default().push(one),
        }
    }
    commands.last_mut().unwrap().extend(word.take());
    commands.into_iter().map(without_redirections).collect()
}

fn without_redirections(words: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.trim_start_matches(|digit: char| digit.is_ascii_digit()) {
            ">" | ">>" | "<" => drop(words.next()),
            redirection if redirection.starts_with(['>', '<']) => {}
            _ => kept.push(word),
        }
    }
    kept
}
