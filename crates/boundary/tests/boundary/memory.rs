//! Memory that C allocated is freed by C exactly once, also after errors and panics.

use std::ffi::{c_char, c_void};
use std::ptr;

use dragnet_boundary::{Builder, CBuffer, CMemoryError, COwned, OnPanic, Release};

use super::libc::{CountedFree, alive, allocate};
use super::support::panic_message;

/// An opaque type, as C libraries declare it.
#[repr(C)]
struct Opaque {
    _opaque: [u8; 0],
}

type Object = COwned<Opaque, CountedFree>;

fn object(size: usize) -> Result<Object, CMemoryError> {
    // SAFETY: `CountedFree` frees pointers of `allocate`, and nothing else has this one.
    unsafe { Object::from_raw(allocate(size).cast()) }
}

fn numbers(values: &[u32]) -> CBuffer<u32, CountedFree> {
    let pointer = allocate(size_of_val(values).max(1)).cast::<u32>();
    // SAFETY: the allocation has room for the values and is aligned for every C type; the values
    // are written before the buffer exists; `CountedFree` frees it, and nothing else has the
    // pointer.
    unsafe {
        ptr::copy_nonoverlapping(values.as_ptr(), pointer, values.len());
        CBuffer::from_raw(pointer, values.len()).unwrap()
    }
}

#[test]
fn objects_and_buffers_are_freed_once() {
    let objects: Vec<Object> = (1..=10).map(|size| object(size).unwrap()).collect();
    let mut buffer = numbers(&[1, 2, 3]);
    assert_eq!(alive(), 11);
    buffer[1] += 5;
    buffer.sort_by(|a, b| b.cmp(a));
    assert_eq!(buffer, [7, 3, 1]);
    assert_eq!(format!("{buffer:?}"), "[7, 3, 1]");
    let empty = numbers(&[]);
    assert!(empty.is_empty());
    drop((objects, empty));
    assert_eq!(alive(), 1);
    drop(buffer);
    assert_eq!(alive(), 0);
}

#[test]
fn a_null_pointer_is_an_error() {
    // SAFETY: `from_raw` requires something only of pointers that are not null.
    unsafe {
        assert_eq!(Object::from_raw(ptr::null_mut()).unwrap_err(), CMemoryError::Null);
        for len in [0, 1, usize::MAX] {
            let buffer = CBuffer::<u32, CountedFree>::from_raw(ptr::null_mut(), len);
            assert_eq!(buffer.unwrap_err(), CMemoryError::Null);
        }
    }
}

/// Frees an allocation by the address of its second byte, which is not aligned.
enum FreeBySecondByte {}

// SAFETY: the pointers that it must free are one byte past a pointer of `allocate`, which
// `CountedFree` frees.
unsafe impl Release<u32> for FreeBySecondByte {
    unsafe fn release(pointer: ptr::NonNull<u32>) {
        // SAFETY: the caller promises the second byte of an allocation of `allocate` that is not
        // freed or used afterwards.
        unsafe { CountedFree::release(pointer.cast::<u8>().sub(1)) }
    }
}

#[test]
fn an_invalid_buffer_is_refused_and_freed() {
    // SAFETY: the pointer is to the second byte of an allocation, as `FreeBySecondByte` requires.
    // It is not aligned, so it needs no initialized values.
    let unaligned = unsafe {
        let second_byte = allocate(9).cast::<u8>().add(1);
        CBuffer::<u32, FreeBySecondByte>::from_raw(second_byte.cast(), 2)
    };
    assert_eq!(unaligned.unwrap_err(), CMemoryError::Unaligned);
    for len in [usize::MAX, usize::MAX / 4, isize::MAX as usize / 4 + 1] {
        // SAFETY: `CountedFree` frees the allocation. The buffer is refused for its length before
        // any of the values, which do not exist, could be read.
        let long = unsafe { CBuffer::<u32, CountedFree>::from_raw(allocate(4).cast(), len) };
        assert_eq!(long.unwrap_err(), CMemoryError::TooLong);
    }
    assert_eq!(alive(), 0);
}

#[test]
fn failures_at_any_step_free_everything_once() {
    /// Makes three allocations, and fails or panics before, between or after them.
    fn steps(
        fail: usize,
        panics: bool,
    ) -> Result<(Object, CBuffer<u32, CountedFree>), CMemoryError> {
        let check = |step| match fail == step {
            true if panics => panic!("step {step}"),
            true => Err(CMemoryError::Null),
            false => Ok(()),
        };
        check(0)?;
        let first = object(8)?;
        check(1)?;
        let scratch = numbers(&[0; 9]);
        check(2)?;
        let buffer = numbers(&scratch);
        check(3)?;
        Ok((first, buffer))
    }
    for step in 0..4 {
        assert_eq!(steps(step, false).unwrap_err(), CMemoryError::Null);
        assert_eq!(alive(), 0, "failed at step {step}");
        assert_eq!(panic_message(|| steps(step, true)), format!("step {step}"));
        assert_eq!(alive(), 0, "panicked at step {step}");
    }
    let all = steps(4, false).unwrap();
    assert_eq!(alive(), 2);
    drop(all);
    assert_eq!(alive(), 0);
}

#[test]
fn into_raw_gives_up_ownership() {
    let raw = object(1).unwrap().into_raw();
    assert_eq!(alive(), 1);
    // SAFETY: `into_raw` returned this pointer of `allocate`, and gave up its ownership.
    drop(unsafe { Object::from_raw(raw) });
    assert_eq!(alive(), 0);
}

#[test]
fn a_c_string_is_borrowed_in_place() {
    let text = c"no such table".to_bytes_with_nul();
    let pointer = allocate(text.len());
    // SAFETY: the allocation has room for the text; `CountedFree` frees it, and nothing else has
    // the pointer.
    let owned = unsafe {
        ptr::copy_nonoverlapping(text.as_ptr().cast::<c_void>(), pointer, text.len());
        COwned::<c_char, CountedFree>::from_raw(pointer.cast()).unwrap()
    };
    // SAFETY: the text that was copied ends with a NUL, and nothing writes to it.
    assert_eq!(unsafe { owned.as_c_str() }, c"no such table");
    assert_eq!(owned.as_ptr().cast(), pointer);
    drop(owned);
    assert_eq!(alive(), 0);
}

#[test]
fn an_owner_frees_its_memory_after_panics() {
    let owner = Builder::new("memory")
        .on_panic(OnPanic::Rebuild)
        .owner(|| Ok::<_, CMemoryError>((object(3)?, numbers(&[1, 2]))))
        .unwrap();
    assert_eq!(owner.call(|_| alive()).unwrap(), 2);
    panic_message(|| {
        owner.call(|(_, buffer)| {
            let _more = numbers(buffer);
            assert_eq!(alive(), 0, "panics, because three allocations are alive");
        })
    });
    // All three were freed, and the value with its two allocations was made again.
    assert_eq!(owner.call(|(_, buffer)| (alive(), buffer.len())).unwrap(), (2, 2));
    let (send, receive) = std::sync::mpsc::channel();
    owner.call(move |_| AT_EXIT.with(|at_exit| at_exit.replace(Some(ReportAlive(send))))).unwrap();
    drop(owner);
    assert_eq!(receive.recv().unwrap(), 0);
}

/// Reports the number of live allocations of its thread when the thread ends.
struct ReportAlive(std::sync::mpsc::Sender<usize>);

impl Drop for ReportAlive {
    fn drop(&mut self) {
        let _ = self.0.send(alive());
    }
}

thread_local! {
    static AT_EXIT: std::cell::RefCell<Option<ReportAlive>> = const { std::cell::RefCell::new(None) };
}
