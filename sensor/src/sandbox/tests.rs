//! Each on a thread of its own: what is given up never comes back.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;

use super::*;

fn apart<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let tested = std::thread::scope(|scope| scope.spawn(test).join());
    tested.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn refused<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

#[test]
fn only_what_is_needed_can_be_opened_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let [inputs, outputs, others] = ["in", "out", "others"].map(|name| folder.path().join(name));
    for one in [&inputs, &outputs, &others] {
        fs::create_dir(one).unwrap();
        fs::write(one.join("file"), "text").unwrap();
    }
    let needs = Needs {
        again: vec![inputs.join("file")],
        write: vec![outputs.clone()],
        ..Needs::default()
    };
    apart(|| {
        no_new_privileges().unwrap();
        if files::restrict(&needs).unwrap() == Files::Not {
            return eprintln!("skipped: this kernel has no landlock");
        }
        assert_eq!(fs::read_to_string(inputs.join("file")).unwrap(), "text");
        assert!(refused(fs::write(inputs.join("file"), "")));
        assert!(refused(File::open(others.join("file"))));
        assert!(refused(fs::remove_file(others.join("file"))));
        assert!(refused(File::open("/etc/passwd")));
        // As reports are written: under another name first.
        fs::write(outputs.join("new"), "report").unwrap();
        fs::rename(outputs.join("new"), outputs.join("file")).unwrap();
        fs::create_dir(outputs.join("history")).unwrap();
        tempfile::tempfile_in(&outputs).unwrap();
        assert!(
            !fs::read_to_string("/proc/sys/kernel/hostname")
                .unwrap()
                .is_empty()
        );
    });
    assert!(fs::exists(others.join("file")).unwrap());
}

#[test]
fn only_collectors_can_be_connected_to() {
    let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listening.local_addr().unwrap();
    for connect in [vec![address.port()], Vec::new()] {
        let allowed = !connect.is_empty();
        let needs = Needs {
            connect,
            ..Needs::default()
        };
        apart(|| {
            no_new_privileges().unwrap();
            if files::restrict(&needs).unwrap() != Files::Fully {
                return eprintln!("skipped: this kernel's landlock knows no ports");
            }
            assert_eq!(TcpStream::connect(address).is_ok(), allowed);
            assert!(refused(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))));
        });
    }
}

#[test]
fn no_program_can_be_started_and_no_code_brought_in() {
    let needs = Needs::default();
    apart(|| {
        assert!(Command::new("true").status().is_ok());
        no_new_privileges().unwrap();
        assert!(calls::restrict_thread(&needs).unwrap());
        assert!(refused(Command::new("true").status()));
        // SAFETY: a new mapping of its own; nothing is executed.
        let mapped = unsafe {
            let code = libc::PROT_READ | libc::PROT_EXEC;
            let alone = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            libc::mmap(std::ptr::null_mut(), 4096, code, alone, -1, 0)
        };
        assert_eq!(mapped, libc::MAP_FAILED);
        // What every thread does goes on.
        apart(|| fs::read_to_string("/proc/thread-self/status").unwrap());
        drop(tempfile::tempfile().unwrap());
    });
}

#[test]
fn the_line_names_what_is_kept() {
    let sandbox = Sandbox {
        capabilities: Vec::new(),
        in_reserve: vec!["CAP_BPF".to_owned()],
        files: Files::Partly,
        system_calls: false,
    };
    assert_eq!(
        sandbox.line(),
        "sandbox: capabilities in effect: none; in reserve, to attach and to load: CAP_BPF; files and connections: \
         only what is needed, as far as this kernel can; system calls: NOT restricted, there is no seccomp here"
    );
}
