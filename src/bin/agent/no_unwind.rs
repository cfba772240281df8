//! Stands in for the library that walks the stack, where a panic aborts anyway.
//!
//! The standard library can print a backtrace, and takes the readers of debug information along for it: 150 KB that
//! read nothing, since the agent that is sent has no debug information. With a stack that seems to end at once, the
//! linker finds that nobody needs them. A panic still says its message and place.
//!
//! The names and signatures are those of the Itanium C++ ABI: <https://itanium-cxx-abi.github.io/cxx-abi/abi-eh.html>.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

/// `_URC_END_OF_STACK`: there are no further frames.
const END_OF_STACK: c_int = 5;

#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_each: *mut c_void, _data: *mut c_void) -> c_int {
    END_OF_STACK
}

// what only frames are asked for, of which there are none

#[unsafe(no_mangle)]
extern "C" fn _Unwind_FindEnclosingFunction(_pc: *mut c_void) -> *mut c_void {
    null_mut()
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetCFA(_frame: *mut c_void) -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetIP(_frame: *mut c_void) -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetIPInfo(_frame: *mut c_void, _before: *mut c_int) -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetDataRelBase(_frame: *mut c_void) -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetTextRelBase(_frame: *mut c_void) -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetRegionStart(_frame: *mut c_void) -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetLanguageSpecificData(_frame: *mut c_void) -> *mut c_void {
    null_mut()
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_SetGR(_frame: *mut c_void, _register: c_int, _value: usize) {}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_SetIP(_frame: *mut c_void, _to: usize) {}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_DeleteException(_exception: *mut c_void) {}

/// Nothing throws, so nothing is to be thrown on.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume(_exception: *mut c_void) -> ! {
    std::process::abort()
}
