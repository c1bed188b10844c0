//! One hook of one interface: attaching it so that it vanishes with the agent, and saying why it can't be had.

use std::io;

use aya::programs::links::{FdLink, LinkError, LinkOrder};
use aya::programs::tc::{NlOptions, SchedClassifierLink, TcAttachOptions, TcError};
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, SchedClassifier, TcAttachType, XdpMode, tc};

use super::object::{Object, ObjectError};
use super::sole::{self, Sole};
use crate::link::{self, Link};

/// Keeps a program attached while it lives.
pub struct Attached {
    program: Program,
    held: Held,
}

/// Which of the object's programs it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Xdp { frags: bool },
    Tc { egress: bool },
}

enum Held {
    /// A bpf_link: the kernel detaches when the descriptor closes, also after SIGKILL.
    Link(FdLink),
    /// A netlink filter, before 6.6: outlives a killed agent, so the next one cleans it up.
    Filter(SchedClassifierLink, Option<Sole>),
}

impl Attached {
    pub(super) fn program(&self) -> Program {
        self.program
    }

    /// Puts the program of another object in the place of the one that is attached, in one step: every packet is seen by
    /// one of the two. [`Object::prepare`] comes before: what fails here detaches.
    pub fn hand_over(self, to: &mut Object) -> Result<Attached, Refusal> {
        let what = "replacing the program";
        let told = |error| Refusal::Kernel { what, error };
        let held = match (self.program, self.held) {
            (Program::Xdp { frags }, Held::Link(link)) => {
                let program = to.xdp(frags)?;
                let id = program
                    .attach_to_link(XdpLink::try_from(link)?)
                    .map_err(told)?;
                Held::Link(FdLink::try_from(program.take_link(id).map_err(told)?)?)
            }
            (Program::Tc { egress }, Held::Link(link)) => {
                let program = to.tc(egress)?;
                let id = program
                    .attach_to_link(SchedClassifierLink::try_from(link)?)
                    .map_err(told)?;
                Held::Link(FdLink::try_from(program.take_link(id).map_err(told)?)?)
            }
            (Program::Tc { egress }, Held::Filter(filter, sole)) => {
                let program = to.tc(egress)?;
                let id = program.attach_to_link(filter).map_err(told)?;
                Held::Filter(program.take_link(id).map_err(told)?, sole)
            }
            (Program::Xdp { .. }, Held::Filter(..)) => {
                return Err(Refusal::Told("XDP has no netlink filter".to_owned()));
            }
        };
        Ok(Attached {
            program: self.program,
            held,
        })
    }
}

/// Why a hook could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("{0}")]
    Told(String),
    #[error("{what}: {error}")]
    Kernel {
        what: &'static str,
        error: ProgramError,
    },
    #[error("the kernel attached it without a bpf_link, which would outlive a killed sensor: {0}")]
    NoLink(#[from] LinkError),
}

impl Refusal {
    /// The system call's errno, where there is one.
    pub fn errno(&self) -> Option<i32> {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = source {
            if let Some(errno) = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::raw_os_error)
            {
                return Some(errno);
            }
            source = match error.downcast_ref::<Refusal>() {
                Some(
                    Refusal::Kernel { error, .. }
                    | Refusal::Object(ObjectError::Program { error, .. }),
                ) => Some(error),
                _ => error.source(),
            };
        }
        None
    }
}

/// Attaches XDP in native or generic mode; says whether the multi-buffer program was taken.
pub fn xdp(object: &mut Object, link: &Link, native: bool) -> Result<(Attached, bool), Refusal> {
    // Multi-buffer programs in generic mode break TC ingress for others (seen on 6.18), so generic never gets one.
    if native {
        match xdp_program(object, link, XdpMode::Driver, true) {
            Ok(attached) => return Ok((attached, true)),
            // Before 5.18 the kernel refuses the program, and drivers without multi-buffer refuse to attach it.
            Err(refusal) if matches!(refusal.errno(), Some(libc::EINVAL | libc::EOPNOTSUPP)) => {}
            Err(refusal) => return Err(explained(refusal, link)),
        }
    }
    let mode = if native {
        XdpMode::Driver
    } else {
        XdpMode::Skb
    };
    let attached =
        xdp_program(object, link, mode, false).map_err(|refusal| explained(refusal, link))?;
    Ok((attached, false))
}

fn xdp_program(
    object: &mut Object,
    link: &Link,
    mode: XdpMode,
    frags: bool,
) -> Result<Attached, Refusal> {
    let program = object.xdp(frags)?;
    let id = program
        .attach_to_if_index(link.index, mode)
        .map_err(|error| Refusal::Kernel {
            what: "attaching XDP",
            error,
        })?;
    let link = program.take_link(id).map_err(|error| Refusal::Kernel {
        what: "holding the XDP link",
        error,
    })?;
    Ok(Attached {
        program: Program::Xdp { frags },
        held: Held::Link(FdLink::try_from(link)?),
    })
}

/// What the errno of a failed XDP attachment means for the user.
fn explained(refusal: Refusal, link: &Link) -> Refusal {
    let name = &link.name;
    let text = match refusal.errno() {
        Some(libc::EBUSY | libc::EEXIST) => match &link.xdp {
            Some(other) => format!(
                "the XDP hook of {name} is taken by program id {}",
                other.prog_id
            ),
            None => format!("the XDP hook of {name} is taken by another program"),
        },
        Some(libc::EOPNOTSUPP) => format!("the driver of {name} has no native XDP"),
        Some(libc::ERANGE) => {
            format!(
                "MTU {} of {name} is more than its driver takes for XDP without multi-buffer",
                link.mtu
            )
        }
        Some(libc::ENOSPC) if let Some(why) = link::veth_without_xdp(link) => why,
        Some(libc::ENOMEM) => format!("the driver of {name} has no memory or queues left for XDP"),
        _ => return refusal,
    };
    Refusal::Told(text)
}

/// Attaches to TCX, or below 6.6 to clsact; says which.
pub fn tc(
    object: &mut Object,
    link: &Link,
    egress: bool,
) -> Result<(Attached, &'static str), Refusal> {
    let way = if egress {
        TcAttachType::Egress
    } else {
        TcAttachType::Ingress
    };
    let kind = Program::Tc { egress };
    let name = object.tc_name(egress);
    let program = object.tc(egress)?;
    // First in the chain: an earlier program that ends it would hide packets from us (we always let them pass on).
    let options = TcAttachOptions::TcxOrder(LinkOrder::first());
    match program.attach_with_options(&link.name, way, options) {
        Ok(id) => {
            let held = program.take_link(id).map_err(|error| Refusal::Kernel {
                what: "holding the TCX link",
                error,
            })?;
            let held = Held::Link(FdLink::try_from(held)?);
            Ok((
                Attached {
                    program: kind,
                    held,
                },
                "tcx",
            ))
        }
        Err(ProgramError::SyscallError(error))
            if error.io_error.raw_os_error() == Some(libc::EINVAL) =>
        {
            let held = clsact(program, name, link, way)?;
            Ok((
                Attached {
                    program: kind,
                    held,
                },
                "clsact",
            ))
        }
        Err(error) => Err(Refusal::Kernel {
            what: "attaching to TCX",
            error,
        }),
    }
}

/// `name`: of the program, after which aya calls the filter.
fn clsact(
    program: &mut SchedClassifier,
    name: &str,
    link: &Link,
    way: TcAttachType,
) -> Result<Held, Refusal> {
    let sole = sole::hold(link.index).map_err(|taken| Refusal::Told(taken.to_string()))?;
    match tc::qdisc_add_clsact(&link.name) {
        Ok(()) | Err(TcError::AlreadyAttached) => {}
        Err(TcError::NetlinkError(error)) if error.raw_os_error() == Some(libc::EEXIST) => {}
        Err(error) => {
            return Err(Refusal::Told(format!(
                "adding the clsact qdisc to {}: {error}",
                link.name
            )));
        }
    }
    // A sensor that was killed leaves its filter behind here.
    let _stale = tc::qdisc_detach_program(&link.name, way, name);
    let options = TcAttachOptions::Netlink(NlOptions {
        priority: 1,
        ..NlOptions::default()
    });
    let id = program
        .attach_with_options(&link.name, way, options)
        .map_err(|error| Refusal::Kernel {
            what: "attaching to clsact",
            error,
        })?;
    let filter = program.take_link(id).map_err(|error| Refusal::Kernel {
        what: "holding the filter",
        error,
    })?;
    Ok(Held::Filter(filter, sole))
}
