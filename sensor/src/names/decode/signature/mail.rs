//! Dialogues of lines that look alike: SMTP, FTP, POP3, IMAP, NNTP. A greeting alone is one of several; the answer to it, or
//! the port, tells which.

use sensor_common::application::Application::{self, Ftp, Imap, Nntp, Pop3, Smtp};

use super::clue::{Clue, Kind, Step};
use super::message::{Message, begins, contains, is_word};

pub(super) const SMTP: &[u16] = &[25, 587, 2525];
pub(super) const FTP: &[u16] = &[21];
pub(super) const POP3: &[u16] = &[110];
pub(super) const IMAP: &[u16] = &[143];

const FTP_COMMANDS: &[&[u8]] = &[
    b"USER", b"PASS", b"AUTH", b"FEAT", b"SYST", b"TYPE", b"PASV", b"EPSV", b"PORT", b"EPRT",
    b"CWD", b"XCWD", b"PWD", b"XPWD", b"CDUP", b"LIST", b"NLST", b"MLSD", b"MLST", b"RETR",
    b"STOR", b"STOU", b"APPE", b"DELE", b"RNFR", b"RNTO", b"MKD", b"XMKD", b"RMD", b"SIZE",
    b"MDTM", b"REST", b"OPTS", b"SITE", b"ABOR", b"PBSZ", b"PROT", b"CLNT", b"NOOP", b"HELP",
    b"STAT", b"QUIT", b"ACCT", b"REIN", b"MODE", b"STRU", b"ALLO",
];
const SMTP_COMMANDS: &[&[u8]] = &[
    b"EHLO",
    b"HELO",
    b"LHLO",
    b"MAIL",
    b"RCPT",
    b"DATA",
    b"RSET",
    b"VRFY",
    b"EXPN",
    b"HELP",
    b"NOOP",
    b"QUIT",
    b"AUTH",
    b"STARTTLS",
    b"BDAT",
];
const POP3_COMMANDS: &[&[u8]] = &[
    b"USER", b"PASS", b"APOP", b"AUTH", b"CAPA", b"STLS", b"STAT", b"LIST", b"RETR", b"DELE",
    b"NOOP", b"RSET", b"TOP", b"UIDL", b"UTF8", b"LANG", b"QUIT",
];
const IMAP_COMMANDS: &[&[u8]] = &[
    b"CAPABILITY",
    b"LOGIN",
    b"STARTTLS",
    b"AUTHENTICATE",
    b"ID",
    b"NOOP",
    b"LOGOUT",
    b"SELECT",
    b"EXAMINE",
    b"LIST",
    b"LSUB",
    b"STATUS",
    b"NAMESPACE",
    b"ENABLE",
    b"FETCH",
    b"UID",
    b"IDLE",
    b"COMPRESS",
    b"SEARCH",
    b"STORE",
    b"APPEND",
    b"CLOSE",
    b"CREATE",
    b"SUBSCRIBE",
    b"EXPUNGE",
    b"CHECK",
    b"COPY",
    b"GETQUOTAROOT",
];

/// A line's first word is one of these.
fn commands(line: &[u8], known: &[&[u8]]) -> bool {
    let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    known.iter().any(|one| word.eq_ignore_ascii_case(one))
}

/// `220 text`, `220-text`: the code of a line of an answer.
fn code(line: &[u8]) -> Option<[u8; 3]> {
    let code: [u8; 3] = line.get(..3)?.try_into().ok()?;
    let sound = (b'1'..=b'6').contains(&code[0])
        && code[1..].iter().all(u8::is_ascii_digit)
        && matches!(line.get(3), None | Some(b' ' | b'-'));
    sound.then_some(code)
}

/// `a1 LOGIN ...`: a command with a tag.
fn tagged(line: &[u8]) -> bool {
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let tag = words.next().unwrap_or_default();
    (1..=16).contains(&tag.len())
        && tag
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'$'))
        && commands(words.next().unwrap_or_default(), IMAP_COMMANDS)
}

/// RFC 5321: a greeting that says so, or the client's.
pub(super) fn smtp(message: &Message<'_>) -> Option<Application> {
    let line = message.text_line()?;
    let says = code(line) == Some(*b"220") && !says_ftp(line) && contains(line, b"SMTP");
    let client = [&b"EHLO "[..], b"HELO ", b"LHLO "];
    let hello = client.iter().any(|command| begins(line, command))
        && line.len() > 5
        && line[5..].iter().copied().all(is_word);
    if says || hello {
        return Some(Smtp);
    }
    smtp_on_port(message)
}

pub(super) fn smtp_on_port(message: &Message<'_>) -> Option<Application> {
    let on = message.on(SMTP);
    let line = if on {
        message.text_line()?
    } else {
        return None;
    };
    let server = SMTP.contains(&message.src) && code(line).is_some();
    let client = SMTP.contains(&message.dst) && commands(line, SMTP_COMMANDS);
    (server || client).then_some(Smtp)
}

fn says_ftp(line: &[u8]) -> bool {
    contains(line, b"FTP") || contains(line, b"ftpd")
}

/// RFC 959.
pub(super) fn ftp(message: &Message<'_>) -> Option<Application> {
    let line = message.text_line()?;
    let says = code(line) == Some(*b"220") && says_ftp(line) && !contains(line, b"SMTP");
    if says && !message.on(SMTP) {
        return Some(Ftp);
    }
    ftp_on_port(message)
}

pub(super) fn ftp_on_port(message: &Message<'_>) -> Option<Application> {
    let on = message.on(FTP);
    let line = if on {
        message.text_line()?
    } else {
        return None;
    };
    let server = FTP.contains(&message.src) && code(line).is_some();
    let client = FTP.contains(&message.dst) && commands(line, FTP_COMMANDS);
    (server || client).then_some(Ftp)
}

/// RFC 1939; off its port only where the greeting says so.
pub(super) fn pop3(message: &Message<'_>) -> Option<Application> {
    let line = message.text_line()?;
    let says = line.starts_with(b"+OK ") && contains(line, b"POP3");
    if says {
        return Some(Pop3);
    }
    pop3_on_port(message)
}

pub(super) fn pop3_on_port(message: &Message<'_>) -> Option<Application> {
    let on = message.on(POP3);
    let line = if on {
        message.text_line()?
    } else {
        return None;
    };
    let server = POP3.contains(&message.src)
        && (line.starts_with(b"+OK") || line.starts_with(b"-ERR") || line == b"+");
    let client = POP3.contains(&message.dst) && commands(line, POP3_COMMANDS);
    (server || client).then_some(Pop3)
}

/// RFC 9051.
pub(super) fn imap(message: &Message<'_>) -> Option<Application> {
    let line = message.text_line()?;
    let greets = begins(line, b"* OK") || begins(line, b"* PREAUTH");
    if greets && contains(line, b"IMAP") {
        return Some(Imap);
    }
    imap_on_port(message)
}

pub(super) fn imap_on_port(message: &Message<'_>) -> Option<Application> {
    let on = message.on(IMAP);
    let line = if on {
        message.text_line()?
    } else {
        return None;
    };
    let server =
        IMAP.contains(&message.src) && (line.starts_with(b"* ") || line.starts_with(b"+ "));
    let client = IMAP.contains(&message.dst) && tagged(line);
    (server || client).then_some(Imap)
}

/// RFC 3977.
pub(super) fn nntp(message: &Message<'_>) -> Option<Application> {
    if !message.on(&[119]) {
        return None;
    }
    let line = message.text_line()?;
    let server = message.src == 119 && code(line).is_some();
    let client = [
        &b"CAPABILITIES"[..],
        b"MODE READER",
        b"AUTHINFO ",
        b"GROUP ",
        b"LIST",
        b"IHAVE ",
    ];
    let client = message.dst == 119 && client.iter().any(|command| begins(line, command));
    (server || client).then_some(Nntp)
}

/// A greeting and the answer to it, in whichever order they were taken.
pub(super) fn dialogue(message: &Message<'_>, own: Clue, other: Clue) -> Step {
    if !message.first || own.kind != Kind::None {
        return Step::Nothing;
    }
    let Some(line) = message.text_line() else {
        return Step::Nothing;
    };
    let greeting = if code(line) == Some(*b"220") {
        Kind::Greeting
    } else if line.starts_with(b"+OK") {
        Kind::PlusOk
    } else if begins(line, b"* OK") || begins(line, b"* PREAUTH") {
        Kind::StarOk
    } else if begins(line, b"USER ") {
        Kind::User
    } else {
        Kind::None
    };
    let found = match (other.kind, greeting) {
        (Kind::Greeting, Kind::User) | (Kind::User, Kind::Greeting) => Some(Ftp),
        (Kind::PlusOk, Kind::User) | (Kind::User, Kind::PlusOk) => Some(Pop3),
        (Kind::Greeting, _) if begins(line, b"EHLO") || begins(line, b"HELO") => Some(Smtp),
        (Kind::Greeting, _) if begins(line, b"AUTH TLS") || begins(line, b"FEAT") => Some(Ftp),
        (Kind::PlusOk, _) if commands(line, POP3_COMMANDS) => Some(Pop3),
        (Kind::StarOk, _) if tagged(line) => Some(Imap),
        _ => None,
    };
    match (found, greeting) {
        (Some(found), _) => Step::Sure(found),
        (None, Kind::None) => Step::Nothing,
        (None, kind) => Step::Keep(Clue::new(kind, 0)),
    }
}
