//! Why the kernel refused a program, in one line: the verifier says it at the end of a log that may fill pages.

use aya::programs::ProgramError;

/// The errno, and the verifier's reason where it gave one.
pub(super) fn of(error: &ProgramError) -> String {
    let ProgramError::LoadError {
        io_error,
        verifier_log,
    } = error
    else {
        return error.to_string();
    };
    match reason(&verifier_log.to_string()) {
        Some(reason) => format!("{io_error}: {reason}"),
        None => io_error.to_string(),
    }
}

/// The last line that is neither an instruction, nor the state of registers, nor about how long it took.
fn reason(log: &str) -> Option<&str> {
    const AFTERWARDS: [&str; 4] = ["processed ", "verification time ", "stack depth ", "mark_"];
    let told = |line: &&str| {
        let is_code =
            line.starts_with([';', '(']) || line.starts_with(|c: char| c.is_ascii_digit());
        !line.is_empty() && !is_code && !AFTERWARDS.iter().any(|word| line.starts_with(word))
    };
    log.lines().rev().map(str::trim).find(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_told_apart_from_code_and_figures() {
        let log = "Func#3 is safe for any args that match its prototype\n0: R1=ctx(off=0,imm=0) R10=fp0\n; \n\
            3130: (71) r3 = *(u8 *)(r2 +12)\nR2 invalid mem access 'scalar'\nverification time 204423 usec\n\
            stack depth 144+0+0+0\nprocessed 7537 insns (limit 1000000) max_states_per_insn 9\n";
        assert_eq!(reason(log), Some("R2 invalid mem access 'scalar'"));
        let long = "; \n8407: (5f) r2 &= r1\nBPF program is too large. Processed 1000001 insn\nprocessed 1 insns\n";
        let said = "BPF program is too large. Processed 1000001 insn";
        assert_eq!(reason(long), Some(said));
        assert_eq!(reason(""), None);
    }
}
