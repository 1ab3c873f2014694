//! Callgrind's own switch: filling a floor at full speed, counting only what is asked about.
#![allow(
    unsafe_code,
    reason = "valgrind's request is an instruction sequence that does nothing elsewhere"
)]

/// "CT" in the upper half, then the number of the request in `callgrind.h`.
const START: u64 = 0x4354_0004;
const STOP: u64 = 0x4354_0005;

/// Counts the instructions of `work` when run under `valgrind --tool=callgrind --instr-atstart=no`.
pub fn counted(work: impl FnOnce()) {
    request(START);
    work();
    request(STOP);
}

#[cfg(target_arch = "x86_64")]
fn request(number: u64) {
    let arguments = [number, 0, 0, 0, 0, 0];
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            inout("rdx") 0_u64 => _, in("rax") arguments.as_ptr(),
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn request(_number: u64) {}
