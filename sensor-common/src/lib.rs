//! What the kernel and the agent must agree on, in `no_std` Rust that both compile.
//!
//! There is one packet parser in this project and it is here: the eBPF programs run it over verifier-checked packet
//! pointers, every userspace source over slices. The same bytes give the same [`parse::Packet`] on every road.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

pub mod abi;
pub mod application;
pub mod classify;
pub mod constant;
pub mod facts;
pub mod flow;
pub mod parse;
pub mod prefix_set;
pub mod protocol;
pub mod sample;
pub mod view;
pub mod wire;
